/* number.c - numbers as people type them, exactly or not at all */
/* SPDX-License-Identifier: MIT */
#include "cmd/number.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct suffix {
    const char *text;
    uint64_t times;
};

static const struct suffix count_suffixes[] = {
#define SUFFIX(text, times) {text, times},
#include "cmd/number.def"
};

static const struct suffix time_units[] = {
#define UNIT(text, milliseconds) {text, milliseconds},
#include "cmd/number.def"
};

/* digits * 10^exponent, not yet rounded, so that 1.5M and 2.5e3 stay whole. */
struct decimal {
    uint64_t digits;
    int exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes digits off *at; `scale` is added to the exponent for each. False on overflow. */
static bool take_digits(const char **at, struct decimal *d, int scale)
{
    for (; is_digit(**at); ++*at) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (__builtin_mul_overflow(d->digits, (uint64_t)10, &d->digits) ||
            __builtin_add_overflow(d->digits, digit, &d->digits)) {
            return false;
        }
        d->exponent += scale;
    }
    return true;
}

/* e9 or E+9 after the digits; anything else is left where it is. */
static bool take_exponent(const char **at, struct decimal *d)
{
    const char *p = *at;
    if (*p != 'e' && *p != 'E') {
        return true;
    }
    p += p[1] == '+' ? 2 : 1;
    if (!is_digit(*p)) {
        return false;
    }
    int exponent = 0;
    for (; is_digit(*p); p++) {
        exponent = exponent * 10 + (*p - '0');
        if (exponent > 99) {
            return false;
        }
    }
    d->exponent += exponent;
    *at = p;
    return true;
}

/* digits * times * 10^exponent where that is whole and fits. */
static bool decimal_value(struct decimal d, uint64_t times, uint64_t *ret_value)
{
    uint64_t value = d.digits;
    if (__builtin_mul_overflow(value, times, &value)) {
        return false;
    }
    for (; d.exponent < 0; d.exponent++) {
        if (value % 10) {
            return false;
        }
        value /= 10;
    }
    for (; d.exponent > 0 && value; d.exponent--) {
        if (__builtin_mul_overflow(value, (uint64_t)10, &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

static bool parse(const char *text, const struct suffix *suffixes, size_t count,
                  uint64_t *ret_value)
{
    struct decimal d = {0};
    const char *at = text;
    if (!is_digit(*at) || !take_digits(&at, &d, 0)) {
        return false;
    }
    if (*at == '.') {
        at++;
        if (!is_digit(*at) || !take_digits(&at, &d, -1)) {
            return false;
        }
    }
    if (!take_exponent(&at, &d)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(at, suffixes[i].text) == 0) {
            return decimal_value(d, suffixes[i].times, ret_value);
        }
    }
    return false;
}

int number_parse_count(const char *text, uint64_t *ret_count, struct msg *msg)
{
    if (!parse(text, count_suffixes, ARRAY_COUNT(count_suffixes), ret_count)) {
        return fail(msg, ERR_ARGUMENT,
                    "`%.40s` is not a whole number below 2^64 (like 500000, 1e9, 10M, 64KiB)",
                    text);
    }
    return 0;
}

int number_parse_ms(const char *text, uint64_t *ret_ms, struct msg *msg)
{
    if (!parse(text, time_units, ARRAY_COUNT(time_units), ret_ms)) {
        return fail(msg, ERR_ARGUMENT,
                    "`%.40s` is not a time in whole milliseconds (like 500, 500ms, 1.5s, 2m)",
                    text);
    }
    return 0;
}

int number_parse_address(const char *text, uint32_t *ret_address, struct msg *msg)
{
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = is_hex ? text + 2 : text;
    size_t len = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");
    unsigned long long value = strtoull(digits, NULL, is_hex ? 16 : 10);
    if (len == 0 || len > 16 || digits[len] || value > UINT32_MAX) {
        return fail(msg, ERR_ARGUMENT, "`%.40s` is not a 32-bit address (like 0x80001000)", text);
    }
    *ret_address = (uint32_t)value;
    return 0;
}

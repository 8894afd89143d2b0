/* request.c - what the request says beyond its body: the query string, and the meter */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes one character of a query string, `+` and %XX decoded; a lone % stands for itself. */
static char next_char(const char **at)
{
    const char *s = *at;
    if (s[0] == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
        *at += 3;
        return (char)(hex_digit(s[1]) << 4 | hex_digit(s[2]));
    }
    *at += 1;
    return s[0] == '+' ? ' ' : s[0];
}

/* Where the value of `name` begins in the field at `at`, or NULL. */
static const char *value_of(const char *at, const char *name)
{
    while (*name != '\0' && *at != '\0' && *at != '&' && *at != '=') {
        if (next_char(&at) != *name++) {
            return NULL;
        }
    }
    if (*name != '\0' || (*at != '=' && *at != '&' && *at != '\0')) {
        return NULL;
    }
    return *at == '=' ? at + 1 : at;
}

static char *decoded(const char *at)
{
    size_t len = strcspn(at, "&");
    const char *end = at + len;
    char *value = malloc(len + 1);
    char *to = value;
    while (value != NULL && at < end) {
        *to++ = next_char(&at);
    }
    if (value != NULL) {
        *to = '\0';
    }
    return value;
}

char *mote_query(const char *name)
{
    const char *at = getenv("QUERY_STRING");
    while (at != NULL && *at != '\0') {
        const char *value = value_of(at, name);
        if (value != NULL) {
            return decoded(value);
        }
        at += strcspn(at, "&");
        at += *at == '&';
    }
    return NULL;
}

long mote_query_number(const char *name, long fallback, long low, long high)
{
    char *text = mote_query(name);
    char *end = text;
    errno = 0;
    long number = text != NULL ? strtol(text, &end, 10) : 0;
    bool is_number = text != NULL && end != text && *end == '\0';
    free(text);
    if (!is_number) {
        number = fallback;
    }
    return number < low ? low : number > high ? high : number;
}

static uint64_t read_pair(uint32_t low_register, uint32_t high_register)
{
    uint32_t high, low;
    do {
        high = MOTE_REG(high_register);
        low = MOTE_REG(low_register);
    } while (high != MOTE_REG(high_register));
    return (uint64_t)high << 32 | low;
}

uint64_t mote_cycles(void)
{
    return read_pair(MOTE_LAMBDA_CYCLES_LOW, MOTE_LAMBDA_CYCLES_HIGH);
}

uint64_t mote_cycles_max(void)
{
    return read_pair(MOTE_LAMBDA_CAP_LOW, MOTE_LAMBDA_CAP_HIGH);
}

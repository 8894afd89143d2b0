/* span.h - borrowed bytes: a pointer and a length, never owned */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
    return (struct span){data, len};
}

/* The characters of a C string without its NUL; `text` must outlive the span. */
static inline struct span span_of_string(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static inline bool span_equals(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool span_equals_string(struct span a, const char *text)
{
    return span_equals(a, span_of_string(text));
}

/* Equality of ASCII letters in any case, as HTTP field names compare (RFC 9110, 5.1). */
bool span_equals_nocase(struct span a, const char *text);
bool span_same_nocase(struct span a, struct span b);
/* Cuts the next line off `*rest`, without its LF or CR LF. */
struct span span_take_line(struct span *rest);
/* Without the spaces and tabs at both ends. */
struct span span_trim(struct span s);
/* Takes what stands before the first `at` off `*rest`, which goes on behind it. Without an `at`
 * that is all, and the rest has no data: a loop over a list ends there. */
struct span span_cut(struct span *rest, uint8_t at);
/* Whether it is a token, what HTTP's names and methods are made of (RFC 9110, 5.6.2). */
bool span_is_token(struct span s);
/* The value of a hexadecimal digit of either case; -1 for any other byte. */
int hex_digit(uint8_t c);

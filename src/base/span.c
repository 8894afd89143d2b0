/* span.c - comparisons and pieces of borrowed bytes */
/* SPDX-License-Identifier: MIT */
#include "base/span.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool span_same_nocase(struct span a, struct span b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

struct span span_take_line(struct span *rest)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    size_t taken = end ? len + 1 : len;
    struct span line = span_of(rest->data, len);
    *rest = span_of(rest->data + taken, rest->len - taken);
    if (end && line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

bool span_equals_nocase(struct span a, const char *text)
{
    return span_same_nocase(a, span_of_string(text));
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
    while (s.len > 0 && is_blank(s.data[0])) {
        s = span_of(s.data + 1, s.len - 1);
    }
    while (s.len > 0 && is_blank(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

struct span span_cut(struct span *rest, uint8_t at)
{
    const uint8_t *found = rest->len ? memchr(rest->data, at, rest->len) : NULL;
    size_t len = found ? (size_t)(found - rest->data) : rest->len;
    struct span first = span_of(rest->data, len);
    *rest = found ? span_of(found + 1, rest->len - len - 1) : span_of(NULL, 0);
    return first;
}

bool span_is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = lower(s.data[i]);
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        if (!is_alnum && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return s.len > 0;
}

int hex_digit(uint8_t c)
{
    c = lower(c);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

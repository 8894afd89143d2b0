/* span.c - comparisons of borrowed bytes */
/* SPDX-License-Identifier: MIT */
#include "base/span.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool span_equals_nocase(struct span a, const char *text)
{
    if (a.len != strlen(text)) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower((uint8_t)text[i])) {
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

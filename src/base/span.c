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

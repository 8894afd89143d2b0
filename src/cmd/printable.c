/* printable.c - reads UTF-8 strictly and drops what is not for reading */
/* SPDX-License-Identifier: MIT */
#include "cmd/printable.h"

#include "base/check.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Ranges of code points that no stranger may send to a terminal. */
static const struct {
    uint32_t first;
    uint32_t last;
} banned[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c}, {0x200b, 0x200f},
    {0x2028, 0x202e}, {0x2066, 0x206f}, {0xd800, 0xdfff}, {0xfeff, 0xfeff},
};

/* Bytes of the character that begins at `p`; 0 where there is no whole one in its shortest form. */
static size_t read_character(const unsigned char *p, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
    if (size < 2) {
        *ret_point = *p;
        return size;
    }
    uint32_t point = *p & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (p[i] >> 6 != 2) { /* the NUL at the end among them */
            return 0;
        }
        point = point << 6 | (p[i] & 0x3f);
    }
    *ret_point = point;
    return point < least[size] || point > 0x10ffff ? 0 : size;
}

static bool is_banned(uint32_t point)
{
    for (size_t i = 0; i < ARRAY_COUNT(banned); i++) {
        if (point >= banned[i].first && point <= banned[i].last) {
            return true;
        }
    }
    return false;
}

void make_printable(char *text)
{
    char *to = text;
    for (const char *p = text; *p;) {
        uint32_t point = 0;
        size_t size = read_character((const unsigned char *)p, &point);
        if (size == 0 || is_banned(point)) {
            *to++ = '?';
            p += size ? size : 1;
            continue;
        }
        memmove(to, p, size);
        to += size;
        p += size;
    }
    *to = 0;
}

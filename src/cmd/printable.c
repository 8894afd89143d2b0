/* printable.c - reads UTF-8 strictly and drops or escapes what is not for reading */
/* SPDX-License-Identifier: MIT */
#include "cmd/printable.h"

#include "base/buf.h"
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

/* Bytes of the character that begins `text`; 0 where there is no whole one in its shortest form. */
static size_t read_character(struct span text, uint32_t *ret_point)
{
    const uint8_t *p = text.data;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
    if (size < 2) {
        *ret_point = *p;
        return size;
    }
    if (size > text.len) {
        return 0;
    }
    uint32_t point = *p & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (p[i] >> 6 != 2) {
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

/* Takes the next character off `*rest`: its bytes, or one that is no part of any. */
static bool take_character(struct span *rest, struct span *ret_bytes)
{
    uint32_t point = 0;
    size_t size = read_character(*rest, &point);
    bool is_fit = size > 0 && !is_banned(point);
    size = size ? size : 1;
    *ret_bytes = span_of(rest->data, size);
    *rest = span_of(rest->data + size, rest->len - size);
    return is_fit;
}

void make_printable(char *text)
{
    struct span rest = span_of_string(text);
    struct span bytes;
    char *to = text;
    while (rest.len > 0) {
        if (take_character(&rest, &bytes)) {
            memmove(to, bytes.data, bytes.len);
            to += bytes.len;
        } else {
            *to++ = '?';
        }
    }
    *to = 0;
}

/* Of many lines the ends and tabs stay as they are. */
static void escape(struct span text, bool is_lines, struct buf *to)
{
    struct span bytes;
    while (text.len > 0) {
        bool is_fit = take_character(&text, &bytes);
        uint8_t first = bytes.data[0];
        bool is_line_end = first == '\r' && text.len > 0 && text.data[0] == '\n';
        if (is_fit || (is_lines && (first == '\n' || first == '\t' || is_line_end))) {
            buf_put(to, bytes.data, bytes.len);
            continue;
        }
        for (size_t i = 0; i < bytes.len; i++) {
            buf_print(to, "\\x%02x", bytes.data[i]);
        }
    }
}

void print_escaped(struct span text, FILE *to)
{
    struct buf escaped;
    buf_init(&escaped, 4 * text.len);
    escape(text, true, &escaped);
    if (escaped.len > 0) { /* no text has no memory either */
        fwrite(escaped.data, 1, escaped.len, to);
    }
    buf_deinit(&escaped);
}

void print_failure(const char *program, const struct msg *msg)
{
    struct buf line;
    buf_init(&line, strlen(program) + 4 * sizeof msg->text);
    buf_print(&line, "%s: ", program);
    escape(span_of_string(msg->text), false, &line);
    buf_puts(&line, "\n");
    fwrite(line.data, 1, line.len, stderr);
    buf_deinit(&line);
}

/* buf.c - bytes that grow up to a stated maximum */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_deinit(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

static bool reserve(struct buf *b, size_t len)
{
    if (b->failed || len > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (b->len + len <= b->size) {
        return true;
    }
    size_t size = b->size ? b->size : 256;
    while (size < b->len + len) {
        size *= 2;
    }
    size = size > b->max ? b->max : size;
    uint8_t *data = realloc(b->data, size);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->size = size;
    return true;
}

void buf_put(struct buf *b, const void *data, size_t len)
{
    if (len > 0 && reserve(b, len)) {
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }
}

uint8_t *buf_room(struct buf *b, size_t len)
{
    if (!reserve(b, len)) {
        return NULL;
    }
    b->len += len;
    return b->data + (b->len - len);
}

void buf_puts(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_print(struct buf *b, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check(len >= 0);
    if ((size_t)len < sizeof text) {
        buf_put(b, text, (size_t)len);
        return;
    }
    char *longer = malloc((size_t)len + 1);
    if (!longer) {
        b->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(longer, (size_t)len + 1, format, args);
    va_end(args);
    buf_put(b, longer, (size_t)len);
    free(longer);
}

/* Length of the UTF-8 sequence at the start of `s`, 0 where it is not one (RFC 3629, 4). */
static size_t utf8_len(struct span s)
{
    uint8_t c = s.data[0];
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 4;
    if (len == 1) {
        return 1;
    }
    if (c < 0xc2 || c > 0xf4 || s.len < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((s.data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    uint8_t next = s.data[1];
    bool is_bad = (c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) ||
                  (c == 0xf0 && next < 0x90) || (c == 0xf4 && next > 0x8f);
    return is_bad ? 0 : len;
}

void buf_put_json(struct buf *b, struct span text)
{
    while (text.len > 0) {
        uint8_t c = text.data[0];
        size_t len = utf8_len(text);
        if (len == 0) {
            buf_puts(b, "\xef\xbf\xbd");
            len = 1;
        } else if (c == '"' || c == '\\') {
            buf_print(b, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            buf_print(b, "\\u%04x", c);
        } else {
            buf_put(b, text.data, len);
        }
        text = span_of(text.data + len, text.len - len);
    }
}

void buf_drop(struct buf *b, size_t len)
{
    check(len <= b->len);
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

struct span buf_span(const struct buf *b)
{
    return span_of(b->data, b->len);
}

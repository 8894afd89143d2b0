/* gdb_packet.c - packets of GDB's remote serial protocol out of bytes, and into them */
/* SPDX-License-Identifier: MIT */
#include "cmd/gdb_packet.h"

enum { INTERRUPT = 3, ESCAPE = '}', ESCAPE_BIT = 0x20 };

static void append(struct gdb_reader *r, uint8_t byte)
{
    if (r->len < sizeof r->data) {
        r->data[r->len++] = byte;
    } else {
        r->is_too_long = true;
    }
}

static void begin(struct gdb_reader *r)
{
    r->state = GDB_DATA;
    r->sum = 0;
    r->len = 0;
    r->is_too_long = false;
}

static enum gdb_event feed_outside(struct gdb_reader *r, uint8_t byte)
{
    switch (byte) {
    case '$':
        begin(r);
        return GDB_NOTHING;
    case '-':
        return GDB_REPEAT;
    case INTERRUPT:
        return GDB_INTERRUPT;
    default:
        return GDB_NOTHING;
    }
}

static enum gdb_event feed_data(struct gdb_reader *r, uint8_t byte)
{
    if (byte == '$') { /* the one before was never ended */
        begin(r);
        return GDB_NOTHING;
    }
    if (byte == '#') {
        r->state = GDB_SUM_HIGH;
        return GDB_NOTHING;
    }
    r->sum = (uint8_t)(r->sum + byte);
    if (r->state == GDB_ESCAPED) {
        append(r, byte ^ ESCAPE_BIT);
        r->state = GDB_DATA;
    } else if (byte == ESCAPE) {
        r->state = GDB_ESCAPED;
    } else {
        append(r, byte);
    }
    return GDB_NOTHING;
}

static enum gdb_event end(struct gdb_reader *r, int sum_low)
{
    r->state = GDB_OUTSIDE;
    if (r->sum_high < 0 || sum_low < 0 || r->sum_high * 16 + sum_low != r->sum) {
        return GDB_DAMAGED;
    }
    return r->is_too_long ? GDB_TOO_LONG : GDB_PACKET;
}

enum gdb_event gdb_reader_feed(struct gdb_reader *r, uint8_t byte)
{
    switch (r->state) {
    case GDB_OUTSIDE:
        return feed_outside(r, byte);
    case GDB_DATA:
    case GDB_ESCAPED:
        return feed_data(r, byte);
    case GDB_SUM_HIGH:
        r->sum_high = hex_digit(byte);
        r->state = GDB_SUM_LOW;
        return GDB_NOTHING;
    case GDB_SUM_LOW:
        return end(r, hex_digit(byte));
    }
    check(false);
}

struct span gdb_reader_packet(const struct gdb_reader *r)
{
    return span_of(r->data, r->len);
}

void gdb_put_packet(struct buf *out, struct span data)
{
    uint8_t sum = 0;
    buf_puts(out, "$");
    for (size_t i = 0; i < data.len; i++) {
        uint8_t byte = data.data[i];
        if (byte && strchr("$#}*", byte)) {
            const uint8_t escaped[] = {ESCAPE, byte ^ ESCAPE_BIT};
            sum = (uint8_t)(sum + escaped[0] + escaped[1]);
            buf_put(out, escaped, sizeof escaped);
        } else {
            sum = (uint8_t)(sum + byte);
            buf_put(out, &byte, 1);
        }
    }
    buf_print(out, "#%02x", sum);
}

void gdb_put_hex(struct buf *out, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        const char pair[] = {digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15]};
        buf_put(out, pair, sizeof pair);
    }
}

static void skip(struct span *rest, size_t len)
{
    *rest = span_of(rest->data + len, rest->len - len);
}

bool gdb_take_char(struct span *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != (uint8_t)c) {
        return false;
    }
    skip(rest, 1);
    return true;
}

bool gdb_take_word(struct span *rest, const char *word)
{
    size_t len = strlen(word);
    if (rest->len < len || memcmp(rest->data, word, len) != 0) {
        return false;
    }
    skip(rest, len);
    return true;
}

bool gdb_take_number(struct span *rest, uint32_t *ret_number)
{
    uint64_t number = 0;
    size_t len = 0;
    for (; len < rest->len && hex_digit(rest->data[len]) >= 0; len++) {
        number = number * 16 + (uint64_t)hex_digit(rest->data[len]);
        if (number > UINT32_MAX) {
            return false;
        }
    }
    if (len == 0) {
        return false;
    }
    *ret_number = (uint32_t)number;
    skip(rest, len);
    return true;
}

bool gdb_take_bytes(struct span *rest, uint8_t *ret_bytes, size_t len)
{
    if (rest->len / 2 < len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(rest->data[2 * i]);
        int low = hex_digit(rest->data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    skip(rest, 2 * len);
    return true;
}

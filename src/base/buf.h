/* buf.h - bytes that grow up to a stated maximum; the one way to build text of unknown length */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: buf_init -> buf_put / buf_print ... -> read data and len -> buf_deinit.
 * A put that would pass `max` (or finds no memory) changes nothing but sets `failed`, which
 * stays set: build the whole text, then look once. */
#include "base/check.h"
#include "base/span.h"

struct buf {
    uint8_t *data; /* owned */
    size_t len;
    size_t size;
    size_t max;
    bool failed;
};

void buf_init(struct buf *b, size_t max);
/* Frees the bytes; accepts a zeroed buf. */
void buf_deinit(struct buf *b);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_print(struct buf *b, const char *format, ...) PRINTF(2, 3);
/* Appends `len` bytes for the caller to fill at once; NULL where a put would fail. */
uint8_t *buf_room(struct buf *b, size_t len);
/* Appends `text` as the inside of a JSON string (RFC 8259, 7); bytes that are not UTF-8 are
 * replaced by U+FFFD. */
void buf_put_json(struct buf *b, struct span text);
/* Forgets the first `len` bytes, moving the rest down. */
void buf_drop(struct buf *b, size_t len);
/* Forgets all bytes and the failure, keeping the memory. */
void buf_clear(struct buf *b);
/* The bytes so far, borrowed until the next put. */
struct span buf_span(const struct buf *b);

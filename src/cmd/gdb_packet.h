/* gdb_packet.h - packets of GDB's remote serial protocol: framing, hexadecimal, no I/O */
/* SPDX-License-Identifier: MIT */
#pragma once
/* `$data#sum`, each acknowledged by `+` or asked for again by `-`; between packets a byte 3 is an
 * interrupt (GDB manual, appendix E, "Overview" and "Interrupts"). */
#include "base/buf.h"
#include "base/span.h"

enum { GDB_PACKET_MAX = 16384 };

enum gdb_event {
    GDB_NOTHING,   /* the byte belongs to something that goes on, or to nothing */
    GDB_PACKET,    /* one is whole: packet() until the next byte */
    GDB_DAMAGED,   /* one has a wrong sum: ask for it again */
    GDB_TOO_LONG,  /* one of over GDB_PACKET_MAX bytes has ended: its data is lost */
    GDB_REPEAT,    /* the other side wants the last reply again */
    GDB_INTERRUPT, /* the other side wants the run to stop */
};

/* Takes packets out of bytes. Zeroed it is ready. */
struct gdb_reader {
    enum { GDB_OUTSIDE, GDB_DATA, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } state;
    uint8_t sum;
    int sum_high;
    bool is_too_long;
    size_t len;
    uint8_t data[GDB_PACKET_MAX]; /* without escapes */
};

/* Takes one byte; what it has completed, if anything. */
enum gdb_event gdb_reader_feed(struct gdb_reader *r, uint8_t byte);
/* The packet that has just become whole, borrowed until the next byte. */
struct span gdb_reader_packet(const struct gdb_reader *r);

/* Appends `data` as a packet, escaped where it must be. */
void gdb_put_packet(struct buf *out, struct span data);
/* Appends the bytes as hexadecimal digits, two for each. */
void gdb_put_hex(struct buf *out, struct span bytes);

/* Take a part off the front of *rest; false, with nothing taken, where it is not there. Numbers are
 * hexadecimal of at most 32 bits. */
MUST_CHECK bool gdb_take_char(struct span *rest, char c);
MUST_CHECK bool gdb_take_word(struct span *rest, const char *word);
MUST_CHECK bool gdb_take_number(struct span *rest, uint32_t *ret_number);
/* Two digits for each of `len` bytes. */
MUST_CHECK bool gdb_take_bytes(struct span *rest, uint8_t *ret_bytes, size_t len);

/* image_format.h - what the readers of image formats share; for src/machine/image*.c only */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "machine/image.h"

#include <elf.h>

#define IMAGE_FORMAT(name, word, text, begins)   \
    /* Does the file begin like one? */          \
    bool image_is_##word(struct span file);      \
    /* Fills in all but `file`, which is set. */ \
    MUST_CHECK int image_parse_##word(struct image *image, struct msg *msg);
#include "machine/image.def"
#undef IMAGE_FORMAT

/* The distance from `address`, which lies outside every window, up to the next one. */
uint32_t image_gap(const struct image *image, uint32_t address);

struct window_list {
    char text[120];
};

/* `ROM 0x20000000-0x21ffffff, RAM ...`: the windows that an image may fill. */
struct window_list image_loadable_windows(const struct image *image);

/* Bytes that an image wants to put somewhere, and how messages call them. */
struct placement {
    const char *unit; /* "segment", "line", "block" */
    uint32_t number;
    const char *kind; /* of address: "physical address " or nothing */
    uint32_t address;
    uint32_t len; /* at least 1 */
};

/* ERR_BAD_IMAGE unless the bytes lie whole in one window that an image may fill. */
MUST_CHECK int image_check_place(const struct image *image, const struct placement *place,
                                 struct msg *msg);
/* ERR_BAD_IMAGE unless an instruction may start there. */
MUST_CHECK int image_check_entry(const struct image *image, uint32_t entry, struct msg *msg);

/* ---- ELF: pieces of the file (image_elf.c), and what the symbols need of it */

/* Copies `size` bytes at `at` of `file`; false where the file does not hold them all. */
bool image_read_at(struct span file, uint64_t at, void *ret_data, size_t size);
/* Finds symbols, names and tohost; a broken table only means that there are none. */
void image_find_symbols(struct image *image, const Elf32_Ehdr *header);
uint32_t image_symbols_count(const struct image *image);
/* Symbol `number`, below that count. */
Elf32_Sym image_read_symbol(const struct image *image, uint32_t number);
/* Borrowed from the file; empty where the name is not sound. */
struct span image_symbol_name(const struct image *image, const Elf32_Sym *symbol);
/* Is it the name of a place in the program, not of a file, a section, a constant, or one of the
 * assembler's own marks (`$x`, `.L1`)? */
bool image_is_place(const struct image *image, const Elf32_Sym *symbol);
/* The section that holds it; false without a sound section table. */
bool image_symbol_section(const struct image *image, const Elf32_Sym *symbol,
                          Elf32_Shdr *ret_section);
/* Its own size; without one, the bytes up to its section's end, 0 where that is not known. */
uint32_t image_symbol_size(const struct image *image, const Elf32_Sym *symbol);

/* ---- formats made of records: Intel HEX, S-records, UF2 (image_records.c) */

/* Both text formats hold at most 255 counted bytes in a record, beside a few of their own. */
enum { RECORD_BYTES_MAX = 261 };

/* A walk over a file's records. */
struct records {
    struct span rest;
    uint32_t number;                 /* of the line or block read last, from 1 */
    uint32_t base;                   /* Intel HEX: what an extended address record added */
    bool is_segmented;               /* and its offsets end at 64 KiB */
    uint32_t count;                  /* S-record: data records so far; UF2: blocks of the series */
    uint32_t expect;                 /* UF2: blocks taken of a series that is not over */
    uint32_t entry;                  /* of a start record, 0 without one */
    bool is_ended;                   /* by an end record */
    uint8_t bytes[RECORD_BYTES_MAX]; /* of the line read last */
    size_t len;
};

/* What a record puts where; no bytes: nothing. Borrowed until the next one. */
struct piece {
    uint32_t address;
    struct span bytes;
};

struct record_format {
    enum image_format format;
    const char *text;
    const char *unit; /* "line", "block" */
    /* Reads the next record: 1, 0 at the file's sound end, or ERR_BAD_IMAGE. */
    int (*next)(struct records *r, struct piece *ret_piece, struct msg *msg);
};

/* Lays out a file of such records: first where, then what. */
MUST_CHECK int image_parse_records(struct image *image, const struct record_format *format,
                                   struct msg *msg);

/* One format's text lines. */
struct record_text {
    const char *text;
    size_t mark_len;   /* the characters before the digits: `:`, `S1` */
    size_t bytes_min;  /* of a record */
    uint32_t overhead; /* how many of its bytes the count at its beginning does not count */
    uint8_t sum;       /* what all bytes add up to */
    bool (*is_mark)(struct span line);
    const char *end; /* an end record, for messages */
};

/* Does the first line that is not blank look like a record, right or wrong? */
bool image_begins_with_record(struct span file, const struct record_text *text);
/* Reads the next line that is not blank into r->bytes, count and checksum checked, and gives its
 * mark in *ret_mark: 1, 0 at the file's end behind an end record, or ERR_BAD_IMAGE. */
MUST_CHECK int image_next_line(struct records *r, const struct record_text *text,
                               struct span *ret_mark, struct msg *msg);
/* The `len` bytes at `at` of the record as a big-endian number. */
uint32_t image_record_number(const struct records *r, size_t at, size_t len);

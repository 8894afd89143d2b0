/* record.h - the small checksummed text files that name a ROM's bytes or a session's RAM */
/* SPDX-License-Identifier: MIT */
#pragma once
/* The format is docs/format-store.md's. Reading accepts exactly what writing makes, so each record
 * has one form; tests/fuzz/store_meta.c holds it to that. */
#include "base/buf.h"
#include "store/store.h"

enum { RECORD_BYTES_MAX = 1024, RECORD_VERSION = 1 };

struct ram_record {
    struct ram_info info;
    uint64_t file; /* the number in the RAM file's name; grows with every write */
};

void ram_record_write(const struct ram_record *record, struct buf *text);
/* ERR_CORRUPT, or ERR_BAD_FILE for a newer version; the words say where. */
MUST_CHECK int ram_record_read(struct span text, struct ram_record *ret_record, struct msg *msg);

void rom_record_write(const struct rom_info *rom, struct buf *text);
MUST_CHECK int rom_record_read(struct span text, struct rom_info *ret_rom, struct msg *msg);

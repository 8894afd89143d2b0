/* lines.h - which source line each instruction comes from, by an ELF's DWARF line tables */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: lines_open -> lines_walk -> lines_close. */
#include "base/err.h"
#include "base/span.h"

/* Instructions that lie together and come from one line. */
struct line_row {
    const char *path; /* absolute, where the unit says its folder; valid until lines_close */
    uint32_t line;    /* from 1 */
    uint32_t begin;
    uint32_t end; /* behind the last; over `begin` */
};

struct lines;

/* Opens the tables of `elf` (kept, borrowed). Bytes are a stranger's, and elfutils' libdw, which
 * reads them, is not ours: do all of this inside os_apart. ERR_BAD_IMAGE with libdw's words.
 * Returns owned. */
MUST_CHECK int lines_open(struct span elf, struct lines **ret_lines, struct msg *msg);
/* Accepts NULL. */
void lines_close(struct lines *lines);
/* Calls `visit` for each row of each unit, in no order; a negative result ends the walk and is
 * returned. ERR_BAD_IMAGE with libdw's words. */
MUST_CHECK int lines_walk(struct lines *lines,
                          int (*visit)(void *context, const struct line_row *row), void *context,
                          struct msg *msg);

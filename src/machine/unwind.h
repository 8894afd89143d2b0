/* unwind.h - from the registers of a function to those of its caller, by DWARF call frames */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "machine/image.h"

struct unwind_registers {
    uint32_t x[32];
    uint32_t pc; /* of the instruction under way; of a caller, where it goes on */
};

/* What an unwinder knows and may still do. */
struct unwind {
    const struct image *image;
    /* Reads a word of the guest's memory; false where a guest could not. */
    bool (*read)(void *context, uint32_t address, uint32_t *ret_word);
    void *context;
    uint32_t work_left; /* entries of tables that it may look at, and instructions run, in all */
};

enum { UNWIND_WORK_MAX = 1 << 20 };

/* Replaces `registers` by those of the caller, as .debug_frame or .eh_frame has them (DWARF 5, 6.4)
 * for `address`, the instruction under way: pc, or of a caller the call before it. False, and
 * nothing is changed, where neither knows the function or where it was called from, uses what is
 * not understood (expressions), or is broken: it is a stranger's, and nothing of it is believed. */
MUST_CHECK bool unwind_step(struct unwind *u, uint32_t address, struct unwind_registers *registers);

/* run_files.h - the files of a run: opened and checked first, changed only when all are good */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/run.h"

/* Opens every file that is there and refuses what cannot be used, a file given twice among it.
 * Nothing is made, cut or extended. */
MUST_CHECK int run_files_open(struct run *r, struct msg *msg);
/* The image's bytes in r->rom_view: mapped, or read where that cannot be. */
MUST_CHECK int run_files_view_rom(struct run *r, struct msg *msg);
/* The file that those bytes are mapped from, -1 where they were read. */
int run_files_rom_fd(const struct run *r);
/* The bytes of a file that is only read (of RUN_CONSOLE_IN, RUN_REPLAY) in its `view`. */
MUST_CHECK int run_files_view(struct run *r, enum run_role role, struct msg *msg);
/* Puts IN, and a RAM that cannot be mapped, into the machine's windows, and finds out whether RAM
 * held anything; *ret_in_len is IN's length. */
MUST_CHECK int run_files_take_inputs(struct run *r, uint32_t *ret_in_len, struct msg *msg);
/* The first that changes files, once all else is good: makes what is missing, extends RAM and OUT
 * and maps them in place, clears OUT and the texts. On failure everything is as it was. */
MUST_CHECK int run_files_make(struct run *r, struct msg *msg);
/* Writes what OUT holds to an output that could not be mapped. */
MUST_CHECK int run_files_send_out(struct run *r, struct msg *msg);
/* After a SIGBUS at `address`: which file, and why, in words. */
int run_files_lost(const struct run *r, const void *address, struct msg *msg);
void run_files_close(struct run *r);

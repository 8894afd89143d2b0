/* run_files.h - the files of a run: opened and checked first, changed only when all are good */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/run.h"

/* Opens every file of the run, refuses what cannot be used, and only then clears OUT and extends
 * RAM and OUT to their windows. */
MUST_CHECK int run_files_open(struct run *r, struct msg *msg);
/* The image's bytes in r->rom_view: mapped, or read where that cannot be. */
MUST_CHECK int run_files_view_rom(struct run *r, struct msg *msg);
/* The file that those bytes are mapped from, -1 where they were read. */
int run_files_rom_fd(const struct run *r);
/* Puts RAM, IN and OUT into the machine's windows; *ret_in_len is IN's length. */
MUST_CHECK int run_files_map(struct run *r, uint32_t *ret_in_len, struct msg *msg);
/* Writes what OUT holds to an output that could not be mapped. */
MUST_CHECK int run_files_send_out(struct run *r, struct msg *msg);
/* After a SIGBUS at `address`: which file, and why, in words. */
int run_files_lost(const struct run *r, const void *address, struct msg *msg);
void run_files_close(struct run *r);

/* semihost.h - what the calls of semihosting share; for src/machine/semihost*.c and the run loop */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "machine/internal.h"

enum guest_errno {
#define GUEST_ERRNO(name, number) GUEST_##name = (number),
#include "machine/errno.def"
#undef GUEST_ERRNO
};

/* The answer of a call that is refused, -1, with the reason for SYS_ERRNO. */
uint32_t semihost_refuse(struct machine *m, enum guest_errno why);
/* Reads the first `count` words of the parameter block; false for a bad pointer. */
bool semihost_parameters(struct machine *m, uint32_t *words, uint32_t count);
/* Writes to the guest's memory; false for a bad pointer. */
bool semihost_put(struct machine *m, uint32_t address, const void *bytes, uint32_t len);

/* ---- files of the folder that the user gave (semihost_file.c) */

/* The open file of a handle; NULL where it is none. */
struct guest_file *semihost_file(struct machine *m, uint32_t handle);
/* Opens a file in one of the 12 modes of C's fopen: a handle, or the refusal. */
uint32_t semihost_open_file(struct machine *m, struct span name, uint32_t mode);
/* Reads to, and writes from, memory that the guest may use so; bytes that were not. */
uint32_t semihost_read_file(struct machine *m, struct guest_file *f, struct span memory,
                            uint32_t *ret_bytes);
uint32_t semihost_write_file(struct machine *m, struct guest_file *f, struct span memory,
                             uint32_t *ret_bytes);
uint32_t semihost_file_len(struct machine *m, const struct guest_file *f);
void semihost_close_file(struct guest_file *f);

/* SYS_REMOVE, SYS_RENAME and SYS_TMPNAM, as rows of semihost.def. */
uint32_t semihost_remove(struct machine *m, uint32_t *ret_bytes);
uint32_t semihost_rename(struct machine *m, uint32_t *ret_bytes);
uint32_t semihost_temporary_name(struct machine *m, uint32_t *ret_bytes);

/* map.h - address space: reservations, file mappings, and the end of a mapping's file */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/* Reserves `size` bytes of address space in which every access faults. Returns owned. */
MUST_CHECK int os_reserve(size_t size, void **ret_base);
/* Gives back a reservation or mapping; NULL is accepted. */
void os_unmap(void *base, size_t size);

enum os_access {
    OS_NONE = 0,
    OS_READ = 1,
    OS_WRITE = 2,
    OS_SHARED = 4, /* of a file: stores reach it; else they stay private */
};

/* Zero pages over [base, base + size), replacing what was mapped there. */
MUST_CHECK int os_map_zero(void *base, size_t size, int access);
/* Maps `size` bytes of the file from `offset` on, a multiple of the page size, over `base`. The
 * descriptor may be closed afterwards. */
MUST_CHECK int os_map_file(void *base, size_t size, int fd, uint64_t offset, int access);
/* The same from the file's start, privately, and only where it holds data: over its holes what was
 * mapped stays, so that reading them costs no page of the file's (nor any read-ahead). */
MUST_CHECK int os_map_data(void *base, size_t size, int fd, int access);
/* Windows, dirty pages and files are laid out by pages of 4096 bytes: ERR_NOT_BUILT, with words, on
 * a host of others. Programs that map ask first. */
MUST_CHECK int os_check_page_size(struct msg *msg);

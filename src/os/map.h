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

enum os_access { OS_NONE = 0, OS_READ = 1, OS_WRITE = 2 };

/* Zero pages over [base, base + size), replacing what was mapped there. */
MUST_CHECK int os_map_zero(void *base, size_t size, int access);
/* Maps the file's first `size` bytes over `base`: shared (stores reach the file) or private. The
 * descriptor may be closed afterwards. */
MUST_CHECK int os_map_file(void *base, size_t size, int fd, int access, int is_shared);
MUST_CHECK int os_protect(void *base, size_t size, int access);
/* Makes whole pages of a private or anonymous mapping as they were when first mapped. */
void os_forget(void *base, size_t size);
/* The host's page size; Mote needs 4096. */
size_t os_page_size(void);

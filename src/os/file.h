/* file.h - files and directories by descriptor and name, for code that must survive a power cut */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Descriptors are plain ints and close on exec. Names are single components below the descriptor
 * of a directory. On failure a function returns an error and leaves the system's number in errno,
 * for os_fail (error.h) to put into words. Tests put a failing disk under the store by wrapping
 * these functions at link time (-Wl,--wrap). */
#include "base/check.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum os_open {
    OS_OPEN_READ, /* an existing regular file, never through a symbolic link */
    OS_OPEN_NEW,  /* a file that must not exist yet (ERR_EXISTS), for reading and writing */
};

MUST_CHECK int os_file_open(int dir, const char *name, enum os_open how, int *ret_fd);
/* Accepts -1. What was not synced before may be lost. */
void os_file_close(int fd);
MUST_CHECK int os_file_size(int fd, uint64_t *ret_size);
/* Reads up to `size` bytes, fewer only at the file's end. */
MUST_CHECK int os_file_read(int fd, void *bytes, size_t size, uint64_t at, size_t *ret_size);
/* Writes all bytes, or fails having written some. */
MUST_CHECK int os_file_write(int fd, const void *bytes, size_t size, uint64_t at);
/* Writes as many bytes as it can; *ret_size tells how many, on failure too. */
MUST_CHECK int os_file_write_some(int fd, const void *bytes, size_t size, uint64_t at,
                                  size_t *ret_size);
MUST_CHECK int os_file_truncate(int fd, uint64_t size);
/* Waits until the bytes and length of a file, or the names in a directory, are on the disk. */
MUST_CHECK int os_file_sync(int fd);
/* Copies a range of one file to the same place of another, inside the kernel where it can. */
MUST_CHECK int os_file_copy(int from, int to, uint64_t at, uint64_t size);
/* The first stretch of data (no hole) at or after `at`; false in *ret_found where only holes
 * follow. A file system without holes is one stretch. */
MUST_CHECK int os_file_data(int fd, uint64_t at, bool *ret_found, uint64_t *ret_start,
                            uint64_t *ret_end);
/* Takes the one exclusive lock of a file or directory, held until every copy of the descriptor is
 * closed; waits up to `wait_ms` for it. ERR_BUSY where another has it. */
MUST_CHECK int os_file_lock(int fd, uint32_t wait_ms);

MUST_CHECK int os_name_rename(int dir, const char *from, const char *to);
/* ERR_NOT_FOUND where there is none. */
MUST_CHECK int os_name_remove(int dir, const char *name);

enum { OS_DIR_CURRENT = -100 }; /* the process's own, where a descriptor is asked for */

/* Opens a directory by path, making its last component (mode 0700) where `make`. Returns owned. */
MUST_CHECK int os_dir_open(int dir, const char *path, bool make, int *ret_fd);
/* Calls `visit` for each name but `.` and `..`; a negative result ends the walk and is returned. */
MUST_CHECK int os_dir_walk(int dir, int (*visit)(void *context, const char *name), void *context);

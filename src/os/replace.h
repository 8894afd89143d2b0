/* replace.h - files that take another's place whole, or not at all */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_replace_begin -> write to `fd`, close it -> os_replace_end. The bytes go to a file
 * without a name, so that nothing is left however the process ends meanwhile; SIGINT, SIGTERM and
 * SIGHUP wait for the few system calls that give it one. The new file has the mode of the old one.
 * Links are followed. */
#include "base/err.h"
#include "base/span.h"

struct os_replacement {
    int fd;     /* the caller's, who closes it */
    int own_fd; /* the nameless file again; -1 where `path` is no regular file and written as it is
                 */
    bool is_memory; /* where the file system has no nameless files */
    char path[4096];
};

MUST_CHECK int os_replace_begin(const char *path, struct os_replacement *ret_replacement,
                                struct msg *msg);
/* Puts the file in its place, or where it is not `is_whole` lets it go. */
MUST_CHECK int os_replace_end(struct os_replacement *replacement, bool is_whole, struct msg *msg);
/* Writes a small file in one step: readers see the old text or the new. Owner only. */
MUST_CHECK int os_replace_text(const char *path, struct span text, struct msg *msg);

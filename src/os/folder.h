/* folder.h - files below one folder for somebody who must not leave it */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_folder_open -> os_folder_file (read and write by file.h), os_folder_remove,
 * os_folder_rename -> os_folder_close. Names are relative, their parts divided by `/`. No symbolic
 * link is followed anywhere, and `..` goes back out of a folder that is there, never above the
 * first; so whatever a name is, what it reaches lies below the folder. Only regular files are
 * opened. On failure a function returns an error and leaves the system's number in errno: EACCES
 * for a name that would leave the folder, EROFS for a change where the folder is for reading only,
 * ELOOP for a link, ENAMETOOLONG over OS_FOLDER_NAME_MAX or OS_FOLDER_DEPTH_MAX. */
#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>

enum { OS_FOLDER_NAME_MAX = 1023, OS_FOLDER_DEPTH_MAX = 32 };

struct os_folder {
    int fd;
    bool is_writable;
};

enum os_folder_access {
    OS_FOLDER_READ = 1,
    OS_FOLDER_WRITE = 2,
    OS_FOLDER_CREATE = 4, /* where it is missing */
    OS_FOLDER_CUT = 8,    /* to no bytes */
    OS_FOLDER_APPEND = 16,
};

/* Opens the folder at `path`, which may be reached by links. ERR_NOT_FOUND, ERR_BAD_FILE. */
MUST_CHECK int os_folder_open(const char *path, bool is_writable, struct os_folder *ret_folder,
                              struct msg *msg);
void os_folder_close(struct os_folder *folder);

/* Opens a file with `access`, of enum os_folder_access. The descriptor is the caller's. */
MUST_CHECK int os_folder_file(const struct os_folder *folder, struct span name, unsigned access,
                              int *ret_fd);
/* Removes a file or link, not a folder. */
MUST_CHECK int os_folder_remove(const struct os_folder *folder, struct span name);
/* Renames a file, over another one too. */
MUST_CHECK int os_folder_rename(const struct os_folder *folder, struct span from, struct span to);

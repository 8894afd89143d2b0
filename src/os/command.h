/* command.h - what a command asks of its surroundings: terminal, other programs, small files */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "base/span.h"

bool os_is_terminal(int fd);
/* Width of the terminal on `fd`; 80 where it does not say. */
unsigned os_terminal_columns(int fd);

/* Becomes the program argv[0], looked up in PATH; returns only on failure. */
MUST_CHECK int os_exec(char *const argv[], struct msg *msg);
/* Runs a program to its end; its exit status (128 + n where signal n ended it) in *ret_status.
 * SIGINT and SIGTERM to this process wait until then, so that it can remove what it made. */
MUST_CHECK int os_run(char *const argv[], int *ret_status, struct msg *msg);
/* Gives the signals that os_run held back a chance to end the process. */
void os_run_release(void);

/* The folder that holds this program, without a slash at the end. */
MUST_CHECK int os_own_folder(char *ret_path, size_t size);
/* Does PATH lead from `name` to this very program? */
bool os_is_on_path(const char *name);
/* An empty file in $TMPDIR (/tmp) whose name ends in `suffix`. */
MUST_CHECK int os_temporary_file(const char *suffix, char *ret_path, size_t size, struct msg *msg);

bool os_is_folder(const char *path);
bool os_is_file(const char *path);
/* Makes a folder; one that is there already is fine. */
MUST_CHECK int os_make_folder(const char *path, struct msg *msg);
/* Makes a folder that must not be there yet: ERR_EXISTS. */
MUST_CHECK int os_make_new_folder(const char *path, struct msg *msg);
/* A file under way to its place: what is written to `fd` replaces `path` whole, or not at all. */
struct os_replacement {
    int fd;
    char path[4096];
    char temporary[4096]; /* empty where `path` is no regular file and is written as it is */
};

/* Life cycle: os_replace_begin -> write to `fd`, close it -> os_replace_end. The new file has the
 * mode of the old one. Links are followed. */
MUST_CHECK int os_replace_begin(const char *path, struct os_replacement *ret_replacement,
                                struct msg *msg);
/* Puts the file in its place, or where it is not `is_whole` takes it away. */
MUST_CHECK int os_replace_end(struct os_replacement *replacement, bool is_whole, struct msg *msg);
/* Removes an empty folder, or a file; what cannot be removed stays. */
void os_remove(const char *path);
/* Writes a small file in one step: readers see the old text or the new. Owner only. */
MUST_CHECK int os_replace_text(const char *path, struct span text, struct msg *msg);
/* Calls visit(context, name, is_folder) for each entry but . and .., until one returns non-zero. */
MUST_CHECK int os_each_entry(const char *path,
                             int (*visit)(void *context, const char *name, bool is_folder),
                             void *context, struct msg *msg);

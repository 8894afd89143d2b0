/* command.h - what a command asks of its surroundings: terminal, signals, other programs, names */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

bool os_is_terminal(int fd);
/* Width of the terminal on `fd`; 80 where it does not say. */
unsigned os_terminal_columns(int fd);

/* Becomes the program argv[0], looked up in PATH; returns only on failure. */
MUST_CHECK int os_exec(char *const argv[], struct msg *msg);
/* Runs a program to its end; its exit status (128 + n where signal n ended it) in *ret_status.
 * Signals that are held back here reach it. */
MUST_CHECK int os_run(char *const argv[], int *ret_status, struct msg *msg);
/* SIGHUP, SIGINT and SIGTERM wait from here on until they are released, so that this process can
 * remove what it makes meanwhile. */
void os_hold_signals(void);
void os_release_signals(void);

/* The folder that holds this program, without a slash at the end. */
MUST_CHECK int os_own_folder(char *ret_path, size_t size);
/* Does PATH lead from `name` to this very program? */
bool os_is_on_path(const char *name);
/* An empty file in $TMPDIR (/tmp) whose name ends in `suffix`. */
MUST_CHECK int os_temporary_file(const char *suffix, char *ret_path, size_t size, struct msg *msg);

/* The file at `path` is removed once this process has ended, whichever way; signals are held. */
MUST_CHECK int os_remove_at_end(const char *path, struct msg *msg);

bool os_is_folder(const char *path);
bool os_is_file(const char *path);
/* Makes a folder; one that is there already is fine. */
MUST_CHECK int os_make_folder(const char *path, struct msg *msg);
/* Makes a folder that must not be there yet: ERR_EXISTS. */
MUST_CHECK int os_make_new_folder(const char *path, struct msg *msg);
/* Removes an empty folder, or a file; what cannot be removed stays. */
void os_remove(const char *path);
/* Calls visit(context, name, is_folder) for each entry but . and .., until one returns non-zero. */
MUST_CHECK int os_each_entry(const char *path,
                             int (*visit)(void *context, const char *name, bool is_folder),
                             void *context, struct msg *msg);

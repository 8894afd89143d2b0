/* error.h - the system's error numbers as errors of ours, and in words */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

/* The error that one of the system's numbers means; ERR_IO for any that is none of the others. */
int os_error(int number);
/* Fails in words: what could not be done, and why, of a call of this thread that has just given
 * `err` and left its number in errno. Limits of the process are told with their values. */
int os_fail(struct msg *msg, int err, const char *what);

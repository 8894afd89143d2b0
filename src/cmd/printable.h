/* printable.h - text of strangers, made fit for a terminal */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdio.h>

/* Puts a `?` for whatever could move the cursor, change colours, or turn the direction of writing:
 * control characters (U+009B and its like among them), marks of direction, and bytes that are no
 * UTF-8, which terminals of another encoding may take for controls. Never longer than before. */
void make_printable(char *text);
/* Prints text of many lines to a terminal: each byte of the same as `\x1b`, but for LF, tabs and
 * a CR in front of an LF. */
void print_escaped(struct span text, FILE *to);
/* Prints why a program failed, as one line on standard error: the words may hold names of files and
 * what stood in them. */
void print_failure(const char *program, const struct msg *msg);

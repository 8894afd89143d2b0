/* man.h - manual pages from the tables of the command line */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: man_begin -> man_section, man_item ... -> man_end; all on standard output, in the man
 * macros of roff (groff_man(7)). What --help says stands in the page, since both print the same
 * rows and notes. */
#include "cmd/option.h"

/* The whole page of a program that has no sections beside the usual ones. */
void man_print(const struct program *program);

/* NAME, SYNOPSIS, DESCRIPTION, and OPTIONS unless they are another program's (is_prefix). */
void man_begin(const struct program *program);
void man_section(const char *title);
/* A row of a list: `name` in bold, then what it is. */
void man_item(const char *name, const char *text);
/* EXIT STATUS and SEE ALSO. */
void man_end(const struct program *program);

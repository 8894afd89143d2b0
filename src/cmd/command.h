/* command.h - the subcommands of mote, and how one ends */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "cmd/option.h"

/* Each takes its own name as argv[0] and returns the process's exit status: as `mote COMMAND
 * --help` documents it. */
#define COMMAND(name, text) int mote_##name(int argc, char **argv);
#include "cmd/command.def"
#undef COMMAND

/* Prints the words of a failure after the program's name. Where `err` is none, looks whether what
 * went to standard output got there. The exit status: 0, or err.def's. */
int command_end(const struct program *program, int err, const struct msg *msg);

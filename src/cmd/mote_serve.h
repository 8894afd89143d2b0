/* mote_serve.h - the subcommand that serves ROMs and sessions over HTTP */
/* SPDX-License-Identifier: MIT */
#pragma once

/* argv[0] is the subcommand's name. The process's exit status: 0 after a graceful stop, 1 where
 * the server could not start or had to stop, 2 for wrong usage. */
int mote_serve(int argc, char **argv);

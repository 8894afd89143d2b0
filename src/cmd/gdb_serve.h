/* gdb_serve.h - a run under a debugger that connects by TCP */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "machine/machine.h"

enum { GDB_DEFAULT_PORT = 1234, GDB_PORT_MAX = 65535 };

struct gdb_serve_options {
    const char *program; /* for messages */
    uint16_t port;       /* of 127.0.0.1; 0: the system chooses */
    /* Called once the port is open, to start a debugger; NULL: somebody else will, and is told the
     * port on standard error. *ret_pidfd becomes readable when that debugger ends. */
    int (*start)(void *context, int port, int *ret_pidfd, struct msg *msg);
    void *context;
};

/* Reads a port as `--gdb=PORT` has it, "" for the default: ERR_USAGE with words. */
MUST_CHECK int gdb_parse_port(const char *text, uint16_t *ret_port, struct msg *msg);
/* Waits for a debugger and runs `m`, which stands at its reset, as it says, to the end of the run.
 * ERR_BUSY where the port is taken, ERR_CLOSED where the debugger ended the run, or went away,
 * before that. */
MUST_CHECK int gdb_serve(struct machine *m, const struct gdb_serve_options *options,
                         struct stop *ret_stop, struct msg *msg);

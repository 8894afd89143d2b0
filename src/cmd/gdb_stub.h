/* gdb_stub.h - what a debugger's packets ask of a machine, and the answers; no I/O */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: gdb_create -> gdb_feed what the debugger sends, gdb_work while gdb_is_running, send
 * and drop what gdb_output holds -> gdb_end is no longer GDB_OPEN -> gdb_destroy.
 * Any bytes may come: tests/fuzz/gdb.c feeds them. */
#include "base/buf.h"
#include "machine/debug.h"

enum gdb_end {
    GDB_OPEN,
    GDB_EXITED,   /* the run ended, and the debugger is done with it */
    GDB_DETACHED, /* the run is to go on without a debugger */
    GDB_KILLED,   /* the debugger wants no more of it */
};

struct gdb;

/* Returns owned; keeps `m`, which stands at its reset. ERR_NO_MEMORY. */
MUST_CHECK int gdb_create(struct machine *m, struct gdb **ret_gdb);
/* Accepts NULL. */
void gdb_destroy(struct gdb *g);
/* Takes what has come, in any portions, and answers each packet that is whole. */
void gdb_feed(struct gdb *g, struct span bytes);
/* Has the debugger let the machine run, so that gdb_work has something to do? */
bool gdb_is_running(const struct gdb *g);
/* A part of the run, some milliseconds at most. */
void gdb_work(struct gdb *g);
/* The bytes for the debugger; whoever has sent some drops them. */
struct buf *gdb_output(struct gdb *g);
/* How the conversation ended; GDB_OPEN while it goes on. */
enum gdb_end gdb_end(const struct gdb *g);
/* Of a run that ended. */
struct stop gdb_stop(const struct gdb *g);

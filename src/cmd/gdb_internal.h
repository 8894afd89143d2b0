/* gdb_internal.h - the stub's own state, for its files */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/gdb_packet.h"
#include "cmd/gdb_stub.h"

enum {
    GDB_OUTPUT_MAX = 1 << 20,
    GDB_REPLY_MAX = 1 << 16,
    /* Numbers of registers in GDB's RISC-V target: x0 to x31, pc, and the CSRs from here on. */
    GDB_PC = 32,
    GDB_FIRST_CSR = 65,
};

struct gdb {
    struct machine *machine;
    struct debug *debug;
    struct gdb_reader reader;
    struct buf output;
    struct buf reply;  /* the last packet's data, to be sent again if need be */
    struct buf target; /* target.xml */
    bool has_no_acks;
    bool is_running;
    bool was_ended;       /* before this motion */
    bool is_end_a_stop;   /* a power down is first shown as a stop (monitor end) */
    bool has_soft_reason; /* the debugger knows `swbreak` and `hwbreak` */
    bool has_hard_reason;
    enum gdb_end end;
};

/* Writes the target description (GDB manual, G.4 and G.5.12): registers, and the CSRs that there
 * are by csr.def. */
void gdb_put_target(const struct debug *d, struct buf *out);
/* Answers a `monitor` command in words. */
void gdb_monitor(struct gdb *g, struct span command, struct buf *out);

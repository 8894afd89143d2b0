/* trace.h - a run as text: each instruction, and what it wrote */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "machine/machine.h"
#include <stdio.h>

struct trace {
    FILE *to;
    uint32_t entry;
    uint64_t time_max_ns;
};

/* Runs a machine that stands at its reset (pc = entry) to its end, one line a step:
 *     cycle  pc        bytes     instruction  what it wrote
 * which is its register (of the same value or not), memory as [address]=value in the store's
 * width, a CSR, and for a trap where it goes and why. The last line says how the run ended. Lines
 * of the same guest are the same on every host. */
void trace_run(struct machine *m, const struct trace *trace, struct stop *ret_stop);

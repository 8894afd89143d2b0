/* trace.h - a run as text: each instruction, and what it wrote */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: fill in `to`, trace_choose -> trace_see at each step (step.h) -> trace_end. */
#include "cmd/option.h"
#include "cmd/step.h"
#include <stdio.h>

enum { TRACE_RANGES_MAX = 256 };

/* The instructions at first, last and between. */
struct trace_range {
    uint32_t first;
    uint32_t last;
};

struct trace {
    FILE *to;
    bool is_chosen; /* only what the next two say; else everything */
    bool has_traps;
    struct trace_range ranges[TRACE_RANGES_MAX];
    uint32_t ranges_count;
};

/* Reads what --trace-only was given: names of functions (all of that name), addresses and ranges
 * 0xA-0xB, and `traps`, with commas between them. ERR_USAGE with words; an empty list is all. */
MUST_CHECK int trace_choose(struct trace *trace, const struct option_list *wanted,
                            const struct image *image, struct msg *msg);
/* Writes a chosen step as one line
 *     cycle  pc        bytes     instruction  what it wrote
 * which is its register (of the same value or not), memory as [address]=value in the store's
 * width, a CSR, and for a trap where it goes and why. Lines of the same guest are the same on every
 * host. `context` is the struct trace. */
void trace_see(void *context, const struct step *step);
/* The last line: how the run ended. */
void trace_end(const struct trace *trace, const struct stop *stop);

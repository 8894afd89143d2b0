/* step.h - a run one instruction at a time, for those who look on */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "isa/isa.h"
#include "machine/machine.h"

/* One instruction that ran, or one trap that was taken in its place. */
struct step {
    struct machine *machine;
    const struct stop *before; /* pc, registers and counts */
    const struct stop *after;
    uint32_t word;    /* its bits, read before it ran, since it may write over itself */
    unsigned size;    /* 2 or 4; 0 where it cannot be fetched from a window */
    struct insn insn; /* op OP_illegal where it is none, or cannot be fetched */
};

/* A trap or an interrupt was taken in place of an instruction: nothing retired. */
static inline bool step_is_trap(const struct step *step)
{
    return step->after->instructions == step->before->instructions;
}

static inline uint64_t step_cycles(const struct step *step)
{
    return step->after->cycles - step->before->cycles;
}

/* Somebody who is told of each step, in order. */
struct watcher {
    void (*see)(void *context, const struct step *step);
    void *context;
};

enum { STEP_WATCHERS_MAX = 4 };

struct step_options {
    uint32_t entry;
    struct watcher watchers[STEP_WATCHERS_MAX];
    unsigned watchers_count;
};

/* Runs a machine that stands at its reset (pc = entry) to its end. It is the same run to the bit as
 * machine_run's, but for the wall-clock cap, which comes after fewer cycles. */
void step_run(struct machine *m, const struct step_options *options, struct stop *ret_stop);

/* Plain memory that allows `access` at `size` bytes from `address` on, NULL elsewhere. */
const uint8_t *step_memory(struct machine *m, uint32_t address, uint32_t size, unsigned access);

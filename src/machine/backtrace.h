/* backtrace.h - which functions had called each other where a run stopped */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "machine/machine.h"

enum { BACKTRACE_FRAMES_MAX = 32 };

/* The pc of the fault first, then where its caller goes on, and its caller's caller ... */
struct backtrace {
    uint32_t count; /* at least 1 */
    uint32_t pcs[BACKTRACE_FRAMES_MAX];
};

/* Takes the back-trace of a fault. Callers are found by call frame tables of the image (unwind.h)
 * from the guest's registers and memory as the stop left them. Each must lie behind a call in the
 * image's code and each stack pointer above the one before, so that what is stale or made up ends
 * it. Of a function without such tables, x1 may tell the caller (backtrace_has_caller), and no
 * more. */
void backtrace_take(struct machine *m, const struct image *image, const struct stop *stop,
                    struct backtrace *ret_trace);

/* The symbol for frame `index`: of a caller, that of the call before the pc, since that may be its
 * function's last instruction. *ret_offset is the pc's. */
bool backtrace_symbol(const struct image *image, const struct backtrace *trace, uint32_t index,
                      struct span *ret_name, uint32_t *ret_offset);

/* Whether `ra`, the value of x1 at `pc`, is where a caller of the function of `pc` goes on: it lies
 * behind a call (a jal or jalr with rd = x1) in the image's code, and in another function. x1 is
 * often stale, since a function that has called another one finds it changed; then it points into
 * the function of `pc` itself. This is no unwinding: what a function saved of x1 is not looked
 * for. */
bool backtrace_has_caller(const struct image *image, uint32_t pc, uint32_t ra);

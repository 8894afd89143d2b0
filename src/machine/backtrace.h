/* backtrace.h - who called the function in which a run stopped, as far as one register tells */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "machine/image.h"

/* Whether `ra`, the value of x1 at `pc`, is where a caller of the function of `pc` goes on: it lies
 * behind a call (a jal or jalr with rd = x1) in the image's code, and in another function. x1 is
 * often stale, since a function that has called another one finds it changed; then it points into
 * the function of `pc` itself. This is no unwinding: what a function saved of x1 is not looked
 * for. */
bool backtrace_has_caller(const struct image *image, uint32_t pc, uint32_t ra);

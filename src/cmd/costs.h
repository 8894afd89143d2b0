/* costs.h - where a run spent its cycles, by function and by what called it */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: costs_create -> costs_see at each step (step.h) -> costs_close ->
 * costs_print_table, costs_print_flames -> costs_destroy.
 * Functions are what the image's symbols name. Calls are followed exactly: a jal or jalr that links
 * to ra or t0 calls, a jalr through one of the two that goes to where a call on the stack goes on
 * returns (also past several), a trap calls its handler and mret returns from it. A jump into the
 * middle of a function that by sp still stands on the stack goes back to it, as longjmp does. Any
 * other way into another function takes the place of the one on top, as tail calls do. */
#include "cmd/step.h"
#include <stdio.h>

struct costs;

/* Keeps `image` (borrowed). Returns owned. */
MUST_CHECK int costs_create(const struct image *image, struct costs **ret_costs);
/* Accepts NULL. */
void costs_destroy(struct costs *p);
/* `context` is the struct costs. */
void costs_see(void *context, const struct step *step);
/* The run is over. ERR_NO_MEMORY where the profile could not be kept whole. */
MUST_CHECK int costs_close(struct costs *p, struct msg *msg);

/* One line a function: cycles in itself, cycles in it and all that it called, calls. The first
 * column adds up to the run's cycles. ERR_NO_MEMORY. */
MUST_CHECK int costs_print_table(const struct costs *p, FILE *to, struct msg *msg);
/* A flame graph as SVG: a box for each stack, as wide as its cycles, on top of its caller's.
 * ERR_NO_MEMORY. */
MUST_CHECK int costs_print_flames(const struct costs *p, FILE *to, struct msg *msg);

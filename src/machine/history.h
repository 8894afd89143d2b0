/* history.h - checkpoints of a machine that runs under a debugger, to go back to any cycle */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: history_create -> history_note at boundaries of the run, history_back and runs from
 * there, history_edit after each change by hand -> history_settle where a way back ends ->
 * history_destroy.
 * A run repeats to the bit, so the meter names a moment: going to it is going back to the last
 * checkpoint before it and running on. Checkpoints stand at distances that grow with the run, so
 * that their number and the pages that they hold are bounded. */
#include "machine/machine.h"

struct history;

struct history_size {
    uint64_t first; /* meter of the earliest moment that can be gone back to */
    size_t checkpoints;
    uint64_t bytes; /* of pages that they hold, each counted once */
};

/* Takes the first checkpoint. Returns owned; keeps `m`. ERR_NO_MEMORY. */
MUST_CHECK int history_create(struct machine *m, struct history **ret_history);
/* Accepts NULL. */
void history_destroy(struct history *h);

/* The meter at which the next checkpoint is due. */
uint64_t history_due(const struct history *h);
/* At a boundary of a run: takes a checkpoint where one is due. */
void history_note(struct history *h);
/* Somebody changed registers or memory: what was to come is no longer, and the moments before are
 * those without the change. */
void history_edit(struct history *h);
/* Puts the machine back to the last checkpoint below `meter` and forgets those behind; false, with
 * nothing done, where there is none. What runs again from there prints nothing. */
MUST_CHECK bool history_back(struct history *h, uint64_t meter);
/* A way back ends here. */
void history_settle(struct history *h);
/* What is held now. */
struct history_size history_size(const struct history *h);

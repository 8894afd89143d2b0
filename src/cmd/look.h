/* look.h - what a command shows of a run beside its result: trace, profile, coverage */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: look_prepare -> look_run -> look_report -> look_end. */
#include "cmd/run.h"

/* Reads what is wanted, once the image is parsed, and changes no file. ERR_USAGE, ERR_NO_MEMORY. */
MUST_CHECK int look_prepare(struct run *r, struct msg *msg);
/* Runs the machine to its end, step by step where somebody looks on. */
void look_run(struct run *r);
/* Writes what was seen. */
MUST_CHECK int look_report(struct run *r, struct msg *msg);
/* Frees it. */
void look_end(struct run *r);

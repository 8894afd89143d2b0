/* coverage.h - which source lines and functions a run reached, and how often */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: coverage_create -> coverage_see at each step (step.h) -> coverage_write ->
 * coverage_destroy. */
#include "cmd/step.h"
#include <stdio.h>

struct coverage;

/* Keeps `image` (borrowed), which must be an ELF with DWARF line tables: ERR_BAD_IMAGE, with words,
 * otherwise. Returns owned. */
MUST_CHECK int coverage_create(const struct image *image, struct coverage **ret_coverage,
                               struct msg *msg);
/* Accepts NULL. */
void coverage_destroy(struct coverage *c);
/* `context` is the struct coverage. */
void coverage_see(void *context, const struct step *step);

/* Writes a tracefile as LCOV's geninfo(1) describes it: SF, FN, FNDA, FNF, FNH, DA, LF, LH. A line
 * counts as its most executed instruction (in the copy that ran most, where inlining makes
 * several), a function as its first. All or nothing is written. ERR_BAD_IMAGE where the line tables
 * cannot be read. */
MUST_CHECK int coverage_write(const struct coverage *c, FILE *to, struct msg *msg);

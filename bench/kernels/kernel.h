/* kernel.h - what each benchmark kernel is: rounds of work in, a checksum of all of it out */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Does the work `rounds` times; the result depends on each round, so that none can be left out. */
uint32_t kernel(uint32_t rounds);

/* The next number of a generator that is the same everywhere (Numerical Recipes, 7.1). */
static inline uint32_t next_random(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u;
}

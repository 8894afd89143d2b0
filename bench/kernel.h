/* kernel.h - what every kernel of bench/ gives, and the numbers they share */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Does the work `rounds` times and returns a checksum of its results, the same on every machine. */
uint32_t kernel(uint32_t rounds);

/* Marsaglia's xorshift: the same inputs everywhere, from no library. */
static inline uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Folds a result into a checksum. */
static inline uint32_t mix(uint32_t sum, uint32_t value)
{
    return (sum << 5 | sum >> 27) ^ value * 0x9e3779b1u;
}

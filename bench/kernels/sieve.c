/* sieve.c - primes below 8,192 */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { LIMIT = 8192 };

static uint8_t is_composite[LIMIT];

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < LIMIT; i++) {
            is_composite[i] = 0;
        }
        for (uint32_t i = 2; i < LIMIT; i++) {
            if (is_composite[i]) {
                continue;
            }
            sum += i ^ round;
            for (uint32_t j = i * i; j < LIMIT; j += i) {
                is_composite[j] = 1;
            }
        }
    }
    return sum;
}

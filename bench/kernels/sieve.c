/* sieve.c - kernel: primes by Eratosthenes, a bit for each odd number */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { LIMIT = 1 << 18 };

static uint32_t composite[LIMIT / 64];

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < LIMIT / 64; i++) {
            composite[i] = 0;
        }
        for (uint32_t n = 3; n * n < LIMIT; n += 2) {
            if (composite[n / 64] >> (n / 2 % 32) & 1) {
                continue;
            }
            for (uint32_t multiple = n * n; multiple < LIMIT; multiple += 2 * n) {
                composite[multiple / 64] |= 1u << (multiple / 2 % 32);
            }
        }
        uint32_t count = 1;
        for (uint32_t n = 3; n < LIMIT; n += 2) {
            count += !(composite[n / 64] >> (n / 2 % 32) & 1);
        }
        sum = mix(sum, count + round);
    }
    return sum;
}

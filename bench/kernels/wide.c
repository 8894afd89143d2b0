/* wide.c - 64-bit arithmetic on a 32-bit machine: products, shifts, division */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

static uint64_t power(uint64_t base, uint32_t exponent, uint64_t modulus)
{
    uint64_t result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1) {
            result = result * base % modulus;
        }
        base = base * base % modulus;
    }
    return result;
}

uint32_t kernel(uint32_t rounds)
{
    uint64_t state = 88172645463325252u;
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < 100; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            sum += state * 0x9e3779b97f4a7c15u;
        }
        sum += power(state & 0xffff, 1000 + round % 7, 4294967291u);
    }
    return (uint32_t)(sum ^ sum >> 32);
}

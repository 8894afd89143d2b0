/* arith64.c - kernel: 64-bit arithmetic, which RV32 does in pairs and by library calls */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

static uint64_t next64(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

static uint64_t power_modulo(uint64_t base, uint32_t exponent, uint32_t modulus)
{
    uint64_t power = 1;
    for (base %= modulus; exponent; exponent >>= 1) {
        if (exponent & 1) {
            power = power * base % modulus;
        }
        base = base * base % modulus;
    }
    return power;
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint32_t kernel(uint32_t rounds)
{
    uint64_t state = 1181783497276652981u, total = 0;
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < 64; i++) {
            uint64_t a = next64(&state), b = next64(&state);
            unsigned count = (unsigned)a & 63;
            total += a * b + (a << count) + (b >> count);
            total ^= (uint64_t)((int64_t)(a - b) >> (count & 31)) + (a < b) + a / (b >> 40 | 1);
        }
        uint64_t a = next64(&state), b = next64(&state);
        total += power_modulo(a, (uint32_t)b | 1, (uint32_t)(a >> 32) | 1);
        total += greatest_divisor(a >> 8, b >> 12);
        sum = mix(sum, (uint32_t)(total ^ total >> 32));
    }
    return sum;
}

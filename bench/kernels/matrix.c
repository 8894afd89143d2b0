/* matrix.c - kernel: product of integer matrices */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { SIDE = 96 };

static int32_t a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

__attribute__((noinline)) static void multiply(void)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            uint32_t sum = 0;
            for (int k = 0; k < SIDE; k++) {
                sum += (uint32_t)a[i][k] * (uint32_t)b[k][j];
            }
            c[i][j] = (int32_t)sum;
        }
    }
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 2463534242, sum = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        a[i / SIDE][i % SIDE] = (int32_t)next_random(&seed);
        b[i / SIDE][i % SIDE] = (int32_t)next_random(&seed);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        multiply();
        for (int i = 0; i < SIDE; i++) {
            sum = mix(sum, (uint32_t)c[i][i]);
            a[i][i] ^= c[i][i];
        }
    }
    return sum;
}

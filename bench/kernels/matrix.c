/* matrix.c - product of 48 by 48 integer matrices */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { SIDE = 48 };

static uint32_t a[SIDE][SIDE];
static uint32_t b[SIDE][SIDE];
static uint32_t c[SIDE][SIDE];

static void multiply(void)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            uint32_t sum = 0;
            for (int k = 0; k < SIDE; k++) {
                sum += a[i][k] * b[k][j];
            }
            c[i][j] = sum;
        }
    }
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 3;
    for (int i = 0; i < SIDE * SIDE; i++) {
        a[i / SIDE][i % SIDE] = next_random(&seed);
        b[i / SIDE][i % SIDE] = next_random(&seed);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        multiply();
        a[round % SIDE][7] = c[5][round % SIDE];
    }
    return c[5][7] ^ a[1][7];
}

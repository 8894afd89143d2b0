/* recursion.c - kernel: Fibonacci, Ackermann and eight queens, all by recursion */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

__attribute__((noinline)) static uint32_t fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__attribute__((noinline)) static uint32_t ackermann(uint32_t m, uint32_t n)
{
    if (m == 0) {
        return n + 1;
    }
    return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

__attribute__((noinline)) static uint32_t queens(uint32_t columns, uint32_t left, uint32_t right)
{
    enum { ALL = 255 };
    if (columns == ALL) {
        return 1;
    }
    uint32_t count = 0;
    for (uint32_t free = ALL & ~(columns | left | right); free; free &= free - 1) {
        uint32_t place = free & (0 - free);
        count += queens(columns | place, (left | place) << 1, (right | place) >> 1);
    }
    return count;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = mix(sum, fibonacci(16 + round % 2));
        sum = mix(sum, ackermann(2, 20 + round % 4));
        sum = mix(sum, queens(round & 1, 0, 0));
    }
    return sum;
}

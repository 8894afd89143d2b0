/* recurse.c - Fibonacci and Ackermann: calls, returns, stack frames */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

__attribute__((noinline, optimize("no-optimize-sibling-calls"))) static uint32_t
fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__attribute__((noinline)) static uint32_t ackermann(uint32_t m, uint32_t n)
{
    if (m == 0) {
        return n + 1;
    }
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum += fibonacci(16 + round % 3) + ackermann(2, 20 + round % 5);
    }
    return sum;
}

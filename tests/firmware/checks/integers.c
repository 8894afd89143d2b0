/* integers.c - checks: words, bits and wide of checks.def */
/* SPDX-License-Identifier: MIT */
#include "bench/kernel.h"

uint32_t check_words(uint32_t rounds);
uint32_t check_bits(uint32_t rounds);
uint32_t check_wide(uint32_t rounds);

uint32_t check_words(uint32_t rounds)
{
    uint32_t state = 1, sum = 0;
    while (rounds--) {
        uint32_t a = next_random(&state), b = next_random(&state) >> (a & 31);
        int32_t i = (int32_t)a, j = (int32_t)b;
        sum = mix(sum, a + b * 8 + (a << 2) + (b << 1));
        sum = mix(sum, (a - b) ^ (a & ~b) ^ (a | ~b) ^ ~(a ^ b));
        sum = mix(sum, (uint32_t)(i >> (b & 31)) + (a >> (b & 31)) + (a << (b & 31)));
        sum = mix(sum, (uint32_t)(i < j) | (uint32_t)(a < b) << 1 | (uint32_t)(i < -7) << 2);
        if (b) {
            sum = mix(sum, a / b + a % b);
        }
        if (j > 0) { /* which leaves out the quotient that does not fit */
            sum = mix(sum, (uint32_t)(i / j) + (uint32_t)(i % j));
        }
        sum = mix(sum, a / 10 + a % 1000 + (uint32_t)(i / 7) + (uint32_t)(i % -64));
        sum = mix(sum, (uint32_t)((int64_t)i * j >> 32) + (uint32_t)((uint64_t)a * b >> 32));
        sum = mix(sum, (uint32_t)((int64_t)i * (int64_t)(uint64_t)b >> 32) + a * b);
    }
    return sum;
}

uint32_t check_bits(uint32_t rounds)
{
    uint32_t state = 2, sum = 0, set = 0;
    while (rounds--) {
        uint32_t a = next_random(&state), n = next_random(&state) & 31;
        uint32_t few = a >> n | 1; /* never 0, whose leading zeros nobody counts */
        sum = mix(sum, (uint32_t)__builtin_popcount(a) + (uint32_t)__builtin_parity(a) * 64);
        sum = mix(sum, (uint32_t)__builtin_clz(few) * 32 + (uint32_t)__builtin_ctz(a | 1u << n));
        sum = mix(sum, (a << n | a >> (-n & 31)) ^ (a >> n | a << (-n & 31)) ^ (a >> 7 | a << 25));
        sum = mix(sum, __builtin_bswap32(a) ^ __builtin_bswap16((uint16_t)a));
        set = (set | 1u << n) ^ 1u << (a & 31);
        set &= ~(1u << (a >> 8 & 31));
        sum = mix(sum, set + (a >> n & 1) + (a & 1u << 20 ? 3 : 5));
        sum = mix(sum, (uint32_t)(int8_t)a + (uint32_t)(int16_t)a + (uint16_t)a + (uint8_t)a);
    }
    return sum;
}

static uint64_t power(uint64_t base, uint32_t exponent, uint64_t modulus)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1) {
            result = result * base % modulus;
        }
        base = base * base % modulus;
    }
    return result;
}

uint32_t check_wide(uint32_t rounds)
{
    uint32_t state = 3, sum = 0;
    while (rounds--) {
        uint64_t a = (uint64_t)next_random(&state) << 32 | next_random(&state);
        uint64_t b = (uint64_t)next_random(&state) << (next_random(&state) & 31) | 1;
        int64_t i = (int64_t)a, j = (int64_t)(b >> 1) + 1;
        uint32_t n = (uint32_t)b >> 3 & 63;
        uint64_t all = (a + b) ^ (a - b) ^ a * b ^ a / b ^ a % b ^ (a << n) ^ (a >> n);
        all ^= (uint64_t)(i >> n) ^ (uint64_t)(i / j) ^ (uint64_t)(i % j) ^ (uint64_t)(-i);
        all ^= (uint64_t)(i < j) << 40 ^ (uint64_t)(a < b) << 50;
        all ^= (uint64_t)__builtin_popcountll(a) << 20 ^ (uint64_t)__builtin_clzll(b) << 30;
        all ^= __builtin_bswap64(a) ^ power(a & 0xffffffff, (uint32_t)b, 4294967291u);
        sum = mix(mix(sum, (uint32_t)all), (uint32_t)(all >> 32));
    }
    return sum;
}

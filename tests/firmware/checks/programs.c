/* programs.c - checks: bytes, choices, records, reals and counts of checks.def */
/* SPDX-License-Identifier: MIT */
#include "bench/kernel.h"

#include <stdarg.h>
#include <string.h>

uint32_t check_bytes(uint32_t rounds);
uint32_t check_choices(uint32_t rounds);
uint32_t check_records(uint32_t rounds);
uint32_t check_reals(uint32_t rounds);
uint32_t check_counts(uint32_t rounds);

struct __attribute__((packed)) odd {
    uint8_t kind;
    uint32_t word;
    int16_t half;
    uint64_t wide;
};

static uint8_t pool[512];

uint32_t check_bytes(uint32_t rounds)
{
    uint32_t state = 4, sum = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        uint32_t at = next_random(&state) % 128, size = next_random(&state) % 128;
        memset(pool + at, (int)i, size);
        memcpy(pool + 256 + (i & 3), pool + at, size);
        memmove(pool + at + 1, pool + at, size);
        sum = mix(sum, (uint32_t)(memcmp(pool, pool + 256, 200) < 0));
        struct odd *odd = (struct odd *)(pool + at);
        odd->word += i * 0x01010101u;
        odd->half = (int16_t)(odd->half - (int16_t)(i * 77));
        odd->wide ^= (uint64_t)state << 13;
        int8_t small = (int8_t)(odd->kind - 200);
        sum = mix(sum, (uint32_t)(small + odd->half) + odd->word + (uint32_t)(odd->wide >> 24));
    }
    for (uint32_t i = 0; i < sizeof pool; i++) {
        sum = mix(sum, pool[i]);
    }
    return sum;
}

__attribute__((noinline)) static uint32_t twice(uint32_t a)
{
    return a * 2 + 1;
}

__attribute__((noinline)) static uint32_t thrice(uint32_t a)
{
    return a * 3 ^ a >> 5;
}

__attribute__((noinline)) static uint32_t by_table(uint32_t kind, uint32_t a, uint32_t b)
{
    switch (kind) {
    case 0:
        return a + b;
    case 1:
        return a - b;
    case 2:
        return a & b;
    case 3:
        return a | b;
    case 4:
        return a * b;
    case 5:
        return a << (b & 7);
    case 6:
        return a >> (b & 7);
    case 9:
        return ~a;
    }
    return a ^ b;
}

uint32_t check_choices(uint32_t rounds)
{
    static uint32_t (*const calls[])(uint32_t) = {twice, thrice, twice, thrice};
    uint32_t state = 5, sum = 0;
    while (rounds--) {
        uint32_t a = next_random(&state), b = next_random(&state);
        int32_t i = (int32_t)a, j = (int32_t)b;
        sum = mix(sum, (a < b ? a : b) + (uint32_t)(i < j ? j : i) + (a > 0x60000000 ? 0 : b));
        sum = mix(sum, (a & 1 ? b : 0) + (b & 4 ? 0 : a) + (i < 0 ? ~a : a));
        sum = mix(sum, by_table(a >> 28, a, b) + calls[b & 3](a));
        sum = mix(sum, (uint32_t)(!a + !!b + (i == j) + (a != 0 && b > a)));
    }
    return sum;
}

struct record {
    uint32_t words[5];
    unsigned low : 3, middle : 12, high : 17;
    int narrow : 5;
    int8_t name[7];
};

__attribute__((noinline)) static struct record turned(struct record r, uint32_t by)
{
    r.words[by % 5] += by;
    r.low += by;
    r.middle = r.middle * 5 + r.low;
    r.high ^= by << 2;
    r.narrow = (int)(by % 16) - 8;
    r.name[by % 7] = (int8_t)by;
    return r;
}

__attribute__((noinline)) static uint32_t total(unsigned count, ...)
{
    uint32_t sum = 0;
    va_list list;
    va_start(list, count);
    for (unsigned i = 0; i < count; i++) {
        sum = i % 3 == 2 ? mix(sum, (uint32_t)(va_arg(list, uint64_t) >> 7))
                         : mix(sum, va_arg(list, uint32_t));
    }
    va_end(list);
    return sum;
}

__attribute__((noinline)) static uint32_t ackermann(uint32_t m, uint32_t n)
{
    return m == 0 ? n + 1 : ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

uint32_t check_records(uint32_t rounds)
{
    struct record r = {.words = {1, 2, 3, 4, 5}};
    uint32_t state = 6, sum = ackermann(2, 9);
    while (rounds--) {
        uint32_t a = next_random(&state);
        r = turned(r, a);
        sum = mix(sum, r.words[a % 5] + r.low + r.middle * 8 + r.high + (uint32_t)r.narrow);
        sum = mix(sum, total(5, a, (uint32_t)r.name[a % 7], (uint64_t)a << 20, 7u, sum));
        sum = mix(sum, total(6, a, a, (uint64_t)sum << 9, a + 1, 8u, (uint64_t)a * a));
    }
    return sum;
}

uint32_t check_reals(uint32_t rounds)
{
    uint32_t state = 7, sum = 0;
    double slow = 1.0;
    float quick = 1.0f;
    while (rounds--) {
        uint32_t a = next_random(&state);
        double x = (double)(int32_t)a / 65536.0, y = (double)a * 1e-3 + 0.1;
        slow = slow * 0.75 + x / y - (x > y ? y : x);
        quick = quick / 3.0f + (float)x - (float)(a >> 9) * 0.125f;
        uint64_t bits;
        uint32_t half;
        memcpy(&bits, &slow, sizeof bits);
        memcpy(&half, &quick, sizeof half);
        sum = mix(mix(mix(sum, (uint32_t)bits), (uint32_t)(bits >> 32)), half);
        sum = mix(sum, (uint32_t)(int32_t)slow + (uint32_t)(int64_t)(x * 100.0));
    }
    return sum;
}

/* Calls of the library, where the instructions are not there: bare.c answers them. */
uint32_t check_counts(uint32_t rounds)
{
    uint32_t state = 8, sum = 0, word = 5;
    while (rounds--) {
        uint32_t a = next_random(&state), before = __atomic_fetch_add(&word, a, __ATOMIC_SEQ_CST);
        uint32_t expected = a & 1 ? word : word + 1;
        int is_same =
            __atomic_compare_exchange_n(&word, &expected, a, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        sum = mix(sum, before + (uint32_t)is_same);
        sum = mix(sum, __atomic_exchange_n(&word, expected ^ a, __ATOMIC_RELEASE));
    }
    return mix(sum, word);
}

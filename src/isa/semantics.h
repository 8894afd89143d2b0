/* semantics.h - the operations of rv32.def that take more than an expression */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

static inline uint32_t mulh(uint32_t a, uint32_t b)
{
    return (uint32_t)((uint64_t)((int64_t)(int32_t)a * (int32_t)b) >> 32);
}

static inline uint32_t mulhsu(uint32_t a, uint32_t b)
{
    return (uint32_t)((uint64_t)((int64_t)(int32_t)a * (int64_t)b) >> 32);
}

/* Division by zero and the one overflow give what unprivileged 7.2, table 7.1 says. */
static inline uint32_t div_signed(uint32_t a, uint32_t b)
{
    if (b == 0) {
        return ~0u;
    }
    return a == 0x80000000u && b == ~0u ? a : (uint32_t)((int32_t)a / (int32_t)b);
}

static inline uint32_t rem_signed(uint32_t a, uint32_t b)
{
    if (b == 0) {
        return a;
    }
    return a == 0x80000000u && b == ~0u ? 0 : (uint32_t)((int32_t)a % (int32_t)b);
}

static inline uint32_t leading_zeros(uint32_t a)
{
    return a ? (uint32_t)__builtin_clz(a) : 32;
}

static inline uint32_t trailing_zeros(uint32_t a)
{
    return a ? (uint32_t)__builtin_ctz(a) : 32;
}

static inline uint32_t bits_set(uint32_t a)
{
    return (uint32_t)__builtin_popcount(a);
}

/* By b's low five bits. */
static inline uint32_t rotate_right(uint32_t a, uint32_t b)
{
    return a >> (b & 31) | a << (-b & 31);
}

/* Bit 7 of a byte's sum is set where one of its low seven bits is, and no sum leaves its byte. */
static inline uint32_t or_combine(uint32_t a)
{
    uint32_t set = (((a & 0x7f7f7f7f) + 0x7f7f7f7f) | a) & 0x80808080;
    return (set >> 7) * 0xff;
}

static inline uint32_t reverse_bytes(uint32_t a)
{
    return __builtin_bswap32(a);
}

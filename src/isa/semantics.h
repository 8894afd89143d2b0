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

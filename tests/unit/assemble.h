/* assemble.h - instructions that tests put into a guest's memory */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "isa/isa.h"
#include "test.h"

/* Registers by their ABI names, as far as tests use them. */
enum { ZERO, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5 };

static inline uint32_t encode(enum op op, unsigned rd, unsigned rs1, unsigned rs2, int32_t imm)
{
    uint32_t word = 0;
    const struct insn insn = {op, 4, (uint8_t)rd, (uint8_t)rs1, (uint8_t)rs2, imm};
    assert_true(isa_encode(&insn, &word));
    return word;
}

/* same.h - equality of two decoded instructions, field by field: the struct has padding */
/* SPDX-License-Identifier: MIT */
#pragma once
#include "isa/isa.h"

static inline bool is_same(const struct insn *a, const struct insn *b)
{
    return a->op == b->op && a->size == b->size && a->rd == b->rd && a->rs1 == b->rs1 &&
           a->rs2 == b->rs2 && a->imm == b->imm;
}

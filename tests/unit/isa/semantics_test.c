/* semantics_test.c - the semantics column of rv32.def gives the values of semantics.def */
/* SPDX-License-Identifier: MIT */
#include "isa/isa.h"
#include "isa/semantics.h"
#include "test.h"
#include <stdio.h>

struct vector {
    uint8_t op;
    uint32_t a;
    uint32_t b;
    uint32_t i;
    uint32_t pc;
    uint32_t m;
    uint32_t value;
};

static const struct vector vectors[] = {
#define REG(row, a, b, value)    {OP_##row, a, b, 0, 0, 0, value},
#define IMM(row, a, i, value)    {OP_##row, a, 0, i, 0, 0, value},
#define PC(row, a, i, pc, value) {OP_##row, a, 0, i, pc, 0, value},
#define MEM(row, m, b, value)    {OP_##row, 0, b, 0, 0, m, value},
#include "semantics.def"
};

static const struct {
    const char *name;
    enum kind kind;
} rows[OP_COUNT] = {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [OP_##name] = {#name, KIND_##kind},
#include "isa/rv32.def"
#undef INSN
};

#define VALUE_ALU(expression)    (uint32_t)(expression)
#define VALUE_BRANCH(expression) (uint32_t)(expression)
#define VALUE_JUMP(expression)   (uint32_t)(expression)
#define VALUE_AMO(expression)    (uint32_t)(expression)
#define VALUE_CSR(expression)    (uint32_t)(expression)
#define VALUE_LOAD(type)         (uint32_t)(type) m
#define VALUE_STORE(type)        (uint32_t)(type) b
#define VALUE_SYSTEM(unused)     0

static uint32_t value_of(const struct vector *v)
{
    uint32_t a = v->a, b = v->b, i = v->i, pc = v->pc, m = v->m;
    switch (v->op) {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    case OP_##name:                                                       \
        return VALUE_##kind(semantics);
#include "isa/rv32.def"
#undef INSN
    }
    fail();
    return 0;
}

TEST(semantics, give_the_values_worked_out_by_hand)
{
    for (size_t n = 0; n < ARRAY_COUNT(vectors); n++) {
        const struct vector *v = &vectors[n];
        if (value_of(v) != v->value) {
            fail_msg("%s, vector %zu: 0x%x, not 0x%x", rows[v->op].name, n, value_of(v), v->value);
        }
    }
}

TEST(semantics, every_row_has_a_vector)
{
    size_t counts[OP_COUNT] = {0};
    for (size_t n = 0; n < ARRAY_COUNT(vectors); n++) {
        counts[vectors[n].op]++;
    }
    for (unsigned op = 1; op < OP_COUNT; op++) {
        if (rows[op].kind != KIND_SYSTEM && counts[op] == 0) {
            fail_msg("semantics.def has no vector of %s", rows[op].name);
        }
    }
}

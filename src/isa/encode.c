/* encode.c - turn a row of rv32.def and its operands into a word */
/* SPDX-License-Identifier: MIT */
#include "isa/internal.h"
#include "isa/isa.h"

/* Puts one register into its field; a format without that field has room for 0 only. */
static bool put_register(uint32_t *word, bool has_field, unsigned at, uint8_t value)
{
    *word |= has_field ? (uint32_t)value << at : 0;
    return has_field ? value < 32 : value == 0;
}

static uint32_t bits_of(uint32_t value, unsigned kind)
{
    size_t count;
    const struct field *fields = isa_fields(&count);
    uint32_t word = 0;
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        if (f->kind == kind) {
            word |= (value >> f->value & ((1u << f->width) - 1)) << f->word;
        }
    }
    return word;
}

bool isa_encode(const struct insn *insn, uint32_t *ret_word)
{
    if (insn->op == OP_illegal || insn->op >= OP_COUNT) {
        return false;
    }
    const struct format *format = isa_format(insn->op);
    uint32_t word = isa_row(insn->op)->match;
    if (!put_register(&word, format->has_rd, 7, insn->rd) ||
        !put_register(&word, format->has_rs1, 15, insn->rs1) ||
        !put_register(&word, format->has_rs2, 20, insn->rs2)) {
        return false;
    }
    uint32_t bits = bits_of((uint32_t)insn->imm, format->immediate);
    /* What the fields give back differs where the value is out of range or not aligned. */
    if (isa_immediate_of(bits, format->immediate) != insn->imm) {
        return false;
    }
    *ret_word = word | bits;
    return true;
}

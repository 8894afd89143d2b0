/* decode.c - turn a word into a row of rv32.def and its operands */
/* SPDX-License-Identifier: MIT */
#include "isa/internal.h"
#include "isa/isa.h"

static const struct row rows[] = {
    {0},
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    {match, mask, FORMAT_##format, #name},
#include "isa/rv32.def"
#undef INSN
};

static const struct format formats[] = {
#define FORMAT(name, rd, rs1, rs2, immediate, operands) {rd, rs1, rs2, IMM_##immediate, operands},
#include "isa/format.def"
#undef FORMAT
};

static const struct compressed compressed_rows[] = {
#define COMPRESSED(name, match, mask, base, rd, rs1, rs2, immediate, condition, operands) \
    {                                                                                     \
        match,     mask,      OP_##base,       REG_##rd,                                  \
        REG_##rs1, REG_##rs2, IMM_##immediate, NEEDS_##condition,                         \
        #name,     operands},
#include "isa/compressed.def"
#undef COMPRESSED
};

/* Where the fields of each kind begin in the list of them all. */
enum {
#define IMMEDIATE(name, width, is_signed) FIRST_##name, BEFORE_##name = FIRST_##name - 1,
#define FIELD(name, word, value, width)   FIELD_##name##_##value,
#include "isa/immediate.def"
#undef IMMEDIATE
#undef FIELD
};

static const struct immediate immediates[] = {
#define IMMEDIATE(name, width, is_signed) {width, is_signed, FIRST_##name},
#define FIELD(name, word, value, width)
#include "isa/immediate.def"
#undef IMMEDIATE
#undef FIELD
};

static const struct field fields[] = {
#define IMMEDIATE(name, width, is_signed)
#define FIELD(name, word, value, width) {IMM_##name, word, value, width},
#include "isa/immediate.def"
#undef IMMEDIATE
#undef FIELD
};

const struct row *isa_row(unsigned op)
{
    check(op < OP_COUNT);
    return &rows[op];
}

const struct format *isa_format(unsigned op)
{
    return &formats[isa_row(op)->format];
}

const struct field *isa_fields(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(fields);
    return fields;
}

int32_t isa_immediate_of(uint32_t word, unsigned kind)
{
    uint32_t value = 0;
    for (size_t i = immediates[kind].first; i < ARRAY_COUNT(fields) && fields[i].kind == kind;
         i++) {
        const struct field *f = &fields[i];
        value |= (word >> f->word & ((1u << f->width) - 1)) << f->value;
    }
    unsigned unused = 32u - immediates[kind].width;
    if (immediates[kind].is_signed) {
        return (int32_t)(value << unused) >> unused;
    }
    return (int32_t)value;
}

static uint8_t register_of(uint32_t parcel, enum register_place place)
{
    switch (place) {
    case REG_X0:
        return 0;
    case REG_RA:
        return 1;
    case REG_SP:
        return 2;
    case REG_D:
        return parcel >> 7 & 31;
    case REG_T:
        return parcel >> 2 & 31;
    case REG_d_:
        return (uint8_t)(8 + (parcel >> 2 & 7));
    case REG_s_:
        return (uint8_t)(8 + (parcel >> 7 & 7));
    }
    check(false);
}

const struct compressed *isa_compressed(uint32_t parcel)
{
    for (size_t i = 0; i < ARRAY_COUNT(compressed_rows); i++) {
        if ((parcel & compressed_rows[i].mask) == compressed_rows[i].match) {
            return &compressed_rows[i];
        }
    }
    return NULL;
}

static bool is_allowed(enum condition needs, const struct insn *insn)
{
    return (needs != NEEDS_IMM || insn->imm != 0) && (needs != NEEDS_RD || insn->rd != 0) &&
           (needs != NEEDS_RS1 || insn->rs1 != 0);
}

static bool decode_compressed(uint32_t parcel, struct insn *insn)
{
    const struct compressed *row = isa_compressed(parcel);
    if (!row) {
        return false;
    }
    *insn = (struct insn){
        .op = row->base,
        .size = 2,
        .rd = register_of(parcel, row->rd),
        .rs1 = register_of(parcel, row->rs1),
        .rs2 = register_of(parcel, row->rs2),
        .imm = isa_immediate_of(parcel, row->immediate),
    };
    return is_allowed(row->needs, insn);
}

static bool decode_word(uint32_t word, struct insn *insn)
{
    for (unsigned op = 1; op < OP_COUNT; op++) {
        if ((word & rows[op].mask) == rows[op].match) {
            const struct format *format = &formats[rows[op].format];
            *insn = (struct insn){
                .op = (uint8_t)op,
                .size = 4,
                .rd = format->has_rd ? word >> 7 & 31 : 0,
                .rs1 = format->has_rs1 ? word >> 15 & 31 : 0,
                .rs2 = format->has_rs2 ? word >> 20 & 31 : 0,
                .imm = isa_immediate_of(word, format->immediate),
            };
            return true;
        }
    }
    return false;
}

bool isa_decode(uint32_t word, struct insn *ret_insn)
{
    unsigned size = isa_size(word);
    bool is_known =
        size == 2 ? decode_compressed(word & 0xffff, ret_insn) : decode_word(word, ret_insn);
    if (!is_known) {
        *ret_insn = (struct insn){.op = OP_illegal, .size = (uint8_t)size};
    }
    return is_known;
}

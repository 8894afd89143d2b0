/* internal.h - the tables of isa/ as C data, shared by its decoder, encoder and disassembler */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum format_name {
#define FORMAT(name, rd, rs1, rs2, immediate, operands) FORMAT_##name,
#include "isa/format.def"
#undef FORMAT
};

enum immediate_name {
#define IMMEDIATE(name, width, is_signed) IMM_##name,
#define FIELD(name, word, value, width)
#include "isa/immediate.def"
#undef IMMEDIATE
#undef FIELD
};

enum register_place { REG_X0, REG_RA, REG_SP, REG_D, REG_T, REG_d_, REG_s_ };
enum condition { NEEDS_ANY, NEEDS_RD, NEEDS_IMM, NEEDS_RS1 };

struct row {
    uint32_t match;
    uint32_t mask;
    uint8_t format;
    const char *name;
};

struct format {
    bool has_rd;
    bool has_rs1;
    bool has_rs2;
    uint8_t immediate;
    const char *operands;
};

struct immediate {
    uint8_t width;
    bool is_signed;
    uint8_t first; /* of its fields, which stand together */
};

struct field {
    uint8_t kind;  /* enum immediate_name */
    uint8_t word;  /* lowest bit in the instruction */
    uint8_t value; /* lowest bit in the immediate */
    uint8_t width;
};

struct compressed {
    uint16_t match;
    uint16_t mask;
    uint8_t base; /* enum op */
    uint8_t rd;   /* enum register_place, like rs1 and rs2 */
    uint8_t rs1;
    uint8_t rs2;
    uint8_t immediate;
    uint8_t needs; /* enum condition */
    const char *name;
    const char *operands;
};

const struct row *isa_row(unsigned op);
const struct format *isa_format(unsigned op);
const struct field *isa_fields(size_t *ret_count);
/* The immediate of a kind (enum immediate_name) in an instruction's word. */
int32_t isa_immediate_of(uint32_t word, unsigned kind);
/* The row whose match and mask fit, whatever its condition; NULL for none. */
const struct compressed *isa_compressed(uint32_t parcel);

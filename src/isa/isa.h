/* isa.h - RV32 instructions: decode, encode, disassemble, all from rv32.def */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/check.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Index of a row of rv32.def; 0 is no instruction. */
enum op {
    OP_illegal,
#define INSN(name, extension, format, kind, match, mask, semantics, text) OP_##name,
#include "isa/rv32.def"
#undef INSN
    OP_COUNT
};

/* How an instruction runs. */
enum kind {
    KIND_NONE, /* of what is no instruction */
#define KIND(name, text) KIND_##name,
#include "isa/kind.def"
#undef KIND
};

struct insn {
    uint8_t op;   /* enum op */
    uint8_t size; /* 2 or 4 bytes */
    uint8_t rd;
    uint8_t rs1;
    uint8_t rs2;
    int32_t imm;
};

/* Does a Zicsr instruction of this row, with this rs1 field, write its CSR? A swap always does, the
 * others where the field is not 0 (9.1, table 9.1). */
static inline bool isa_writes_csr(unsigned op, unsigned rs1)
{
    return op == OP_csrrw || op == OP_csrrwi || rs1 != 0;
}

/* Length in bytes of the instruction that begins with `parcel` (unprivileged 1.5): 2 or 4; the
 * longer encodings count as 4, and are illegal. */
static inline unsigned isa_size(uint32_t parcel)
{
    return (parcel & 3) == 3 ? 4 : 2;
}

/* Decodes `word`, of which a compressed instruction is the low half and expands to its base row.
 * Operands that the format has not are 0. False, and op OP_illegal, where no row matches. */
bool isa_decode(uint32_t word, struct insn *ret_insn);

/* Encodes a 32-bit instruction; false where an operand does not fit its field. Atomics get neither
 * aq nor rl. */
MUST_CHECK bool isa_encode(const struct insn *insn, uint32_t *ret_word);

enum { ISA_TEXT_MAX = 80 };

/* Writes the instruction in `word` at `pc` as GNU objdump's `-M no-aliases` does (mnemonic, tab,
 * operands), `.2byte 0x...` or `.4byte 0x...` for none; returns its size, 2 or 4. Targets of jumps
 * and branches are plain hexadecimal numbers, as objdump prints them where there are no symbols. */
unsigned isa_disassemble(uint32_t word, uint32_t pc, char ret_text[ISA_TEXT_MAX]);

/* The ABI name (`a0`) of register 0 to 31. */
const char *isa_register_name(unsigned index);
/* The name of a CSR, or NULL where there is none of that number. */
const char *isa_csr_name(uint32_t number);
/* The words of the specification for a trap's mcause, "unknown cause" for others. */
const char *isa_cause_text(uint32_t mcause);

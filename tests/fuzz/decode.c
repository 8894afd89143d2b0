/* decode.c - any word: decoder, encoder and disassembler agree on it */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "isa/isa.h"
#include "tests/unit/isa/same.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_word(uint32_t word, uint32_t pc)
{
    struct insn insn, again;
    char text[ISA_TEXT_MAX];
    uint32_t full;
    bool is_known = isa_decode(word, &insn);
    check(is_known == (insn.op != OP_illegal));
    check(insn.op < OP_COUNT && insn.rd < 32 && insn.rs1 < 32 && insn.rs2 < 32);
    check(isa_disassemble(word, pc, text) == insn.size && insn.size == isa_size(word));
    check(memchr(text, 0, sizeof text));
    check(is_known == (text[0] != '.'));
    check(is_known == isa_encode(&insn, &full));
    if (is_known) {
        check(isa_decode(full, &again));
        again.size = insn.size;
        check(is_same(&insn, &again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + sizeof(uint32_t) <= size; at += 2) {
        uint32_t word;
        memcpy(&word, data + at, sizeof word);
        try_word(word, (uint32_t)at);
    }
    return 0;
}

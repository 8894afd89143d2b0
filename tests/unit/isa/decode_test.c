/* decode_test.c - every row of rv32.def and compressed.def is found, and nothing else is */
/* SPDX-License-Identifier: MIT */
#include "isa/internal.h"
#include "isa/isa.h"
#include "isa/same.h"
#include "test.h"

static const struct {
    uint32_t match;
    uint32_t mask;
    enum op base;
} compressed[] = {
#define COMPRESSED(name, match, mask, base, rd, rs1, rs2, immediate, condition, operands) \
    {match, mask, OP_##base},
#include "isa/compressed.def"
#undef COMPRESSED
};

/* What stands in the bits that a row leaves open. */
static const uint32_t fills[] = {0, 0xffffffff, 0xaaaaaaaa, 0x55555555, 0x12345678, 0x9e3779b9};

TEST(decode, finds_every_row_and_its_registers)
{
    for (unsigned op = 1; op < OP_COUNT; op++) {
        const struct row *row = isa_row(op);
        const struct format *format = isa_format(op);
        assert_int_equal(row->match & ~row->mask, 0);
        for (size_t i = 0; i < ARRAY_COUNT(fills); i++) {
            uint32_t word = row->match | (fills[i] & ~row->mask);
            struct insn insn;
            assert_true(isa_decode(word, &insn));
            assert_string_equal(isa_row(insn.op)->name, row->name);
            assert_int_equal(insn.size, 4);
            assert_int_equal(insn.rd, format->has_rd ? word >> 7 & 31 : 0);
            assert_int_equal(insn.rs1, format->has_rs1 ? word >> 15 & 31 : 0);
            assert_int_equal(insn.rs2, format->has_rs2 ? word >> 20 & 31 : 0);
        }
    }
}

TEST(decode, selects_one_row_for_a_word)
{
    for (unsigned one = 1; one < OP_COUNT; one++) {
        for (unsigned two = one + 1; two < OP_COUNT; two++) {
            const struct row *a = isa_row(one), *b = isa_row(two);
            if (((a->match ^ b->match) & a->mask & b->mask) == 0) {
                fail_msg("a word selects both %s and %s", a->name, b->name);
            }
        }
    }
}

/* Two compressed rows may share a word only where the earlier one is a special case of the later.
 */
TEST(decode, orders_compressed_rows_from_special_to_general)
{
    for (uint32_t word = 0; word <= 0xffff; word++) {
        const size_t none = ARRAY_COUNT(compressed);
        size_t first = none;
        for (size_t i = 0; i < ARRAY_COUNT(compressed); i++) {
            if ((word & compressed[i].mask) != compressed[i].match) {
                continue;
            }
            if (first != none) {
                uint32_t special = compressed[first].mask;
                assert_int_equal(compressed[i].mask & ~special, 0);
                assert_true(special != compressed[i].mask);
            } else {
                first = i;
            }
        }
    }
}

TEST(decode, reaches_every_compressed_row_and_expands_it)
{
    bool is_reached[ARRAY_COUNT(compressed)] = {false};
    for (uint32_t word = 0; word <= 0xffff; word++) {
        struct insn insn, again;
        uint32_t full;
        if (isa_size(word) != 2 || !isa_decode(word, &insn)) {
            continue;
        }
        assert_int_equal(insn.size, 2);
        size_t i = 0;
        while ((word & compressed[i].mask) != compressed[i].match) {
            i++;
        }
        is_reached[i] = true;
        assert_int_equal(insn.op, compressed[i].base);
        assert_true(isa_encode(&insn, &full));
        assert_true(isa_decode(full, &again));
        again.size = 2;
        assert_true(is_same(&insn, &again));
    }
    for (size_t i = 0; i < ARRAY_COUNT(compressed); i++) {
        assert_true(is_reached[i]);
    }
}

TEST(decode, ignores_what_follows_a_compressed_instruction)
{
    struct insn one, two;
    assert_true(isa_decode(0x0000157d, &one));
    assert_true(isa_decode(0xffff157d, &two));
    assert_true(is_same(&one, &two));
}

TEST(decode, refuses_reserved_encodings)
{
    static const uint32_t words[] = {
        0x0000,     /* defined illegal (16.3) */
        0x0008,     /* c.addi4spn, immediate 0 */
        0x2000,     /* c.fld */
        0x6000,     /* c.flw */
        0x8000,     /* reserved in quadrant 0 */
        0xa000,     /* c.fsd */
        0xe000,     /* c.fsw */
        0x6101,     /* c.addi16sp, immediate 0 */
        0x6181,     /* c.lui, immediate 0 */
        0x9001,     /* c.srli with shamt[5] */
        0x9401,     /* c.srai with shamt[5] */
        0x9c01,     /* c.subw */
        0x9c21,     /* c.addw */
        0x9c41,     /* reserved in quadrant 1 */
        0x9c61,     /* reserved in quadrant 1 */
        0x1082,     /* c.slli with shamt[5] */
        0x2002,     /* c.fldsp */
        0x4002,     /* c.lwsp to x0 */
        0x6002,     /* c.flwsp */
        0x8002,     /* c.jr x0 */
        0xa002,     /* c.fsdsp */
        0xe002,     /* c.fswsp */
        0xffffffff, /* longer than 32 bits (1.5) */
        0x0000001f, /* 48 bits long */
        0x02001013, /* slli with shamt[5] */
        0x42005013, /* srai with shamt[5] */
        0x04000033, /* OP, unknown funct7 */
        0x40001033, /* sll with sub's funct7 */
        0x00003003, /* ld */
        0x00006003, /* lwu */
        0x00003023, /* sd */
        0x00002063, /* branch, funct3 2 */
        0x00001067, /* jalr, funct3 1 */
        0x0000200f, /* MISC-MEM, funct3 2 */
        0x1010202f, /* lr.w with rs2 = x1 */
        0x0000302f, /* amoadd.d */
        0x2800202f, /* AMO, unknown funct5 */
        0x00004073, /* SYSTEM, funct3 4 */
        0x000000f3, /* ecall with rd = x1 */
        0x00200073, /* uret */
        0x10200073, /* sret: no S mode */
        0x12000073, /* sfence.vma: no S mode */
        0x302000f3, /* mret with rd = x1 */
        0x0000000b, /* custom-0 */
        0x0000003b, /* OP-32 */
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        struct insn insn = {.op = OP_addi, .rd = 1, .imm = 3};
        if (isa_decode(words[i], &insn)) {
            fail_msg("0x%x decodes as %s", words[i], isa_row(insn.op)->name);
        }
        assert_int_equal(insn.op, OP_illegal);
        assert_int_equal(insn.size, isa_size(words[i]));
        assert_int_equal(insn.rd, 0);
        assert_int_equal(insn.imm, 0);
    }
}

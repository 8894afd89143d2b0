/* encode_test.c - operands go into their fields, and come back from them */
/* SPDX-License-Identifier: MIT */
#include "isa/internal.h"
#include "isa/isa.h"
#include "isa/same.h"
#include "test.h"

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

TEST(encode, gives_back_what_decode_read)
{
    uint32_t seed = 1;
    for (unsigned op = 1; op < OP_COUNT; op++) {
        for (unsigned i = 0; i < 1000; i++) {
            const struct row *row = isa_row(op);
            struct insn insn, again;
            uint32_t word;
            assert_true(isa_decode(row->match | (next(&seed) & ~row->mask), &insn));
            assert_true(isa_encode(&insn, &word));
            assert_true(isa_decode(word, &again));
            assert_true(is_same(&insn, &again));
        }
    }
}

TEST(encode, gives_the_words_of_gnu_as)
{
    static const struct {
        struct insn insn;
        uint32_t word;
    } cases[] = {
        {{OP_addi, 4, 10, 11, 0, -2048}, 0x80058513},
        {{OP_addi, 4, 10, 11, 0, 2047}, 0x7ff58513},
        {{OP_sw, 4, 0, 11, 10, -2048}, 0x80a5a023},
        {{OP_sw, 4, 0, 11, 10, 2047}, 0x7ea5afa3},
        {{OP_lui, 4, 10, 0, 0, -4096}, 0xfffff537},
        {{OP_lui, 4, 10, 0, 0, 0x7ffff000}, 0x7ffff537},
        {{OP_beq, 4, 0, 10, 11, -4096}, 0x80b50063},
        {{OP_bne, 4, 0, 10, 11, 4094}, 0x7eb51fe3},
        {{OP_jal, 4, 1, 0, 0, -1048576}, 0x800000ef},
        {{OP_jal, 4, 1, 0, 0, 1048574}, 0x7ffff0ef},
        {{OP_slli, 4, 10, 11, 0, 31}, 0x01f59513},
        {{OP_csrrwi, 4, 31, 31, 0, 0xfff}, 0xffffdff3},
        {{OP_jalr, 4, 1, 31, 0, -2048}, 0x800f80e7},
        {{OP_fence, 4, 0, 0, 0, 0x31}, 0x0310000f},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint32_t word;
        struct insn insn;
        assert_true(isa_encode(&cases[i].insn, &word));
        assert_int_equal(word, cases[i].word);
        assert_true(isa_decode(word, &insn));
        assert_true(is_same(&insn, &cases[i].insn));
    }
}

TEST(encode, refuses_what_does_not_fit)
{
    static const struct insn bad[] = {
        {OP_illegal, 4, 0, 0, 0, 0},   {OP_COUNT, 4, 0, 0, 0, 0},
        {OP_add, 4, 32, 0, 0, 0},      {OP_add, 4, 0, 32, 0, 0},
        {OP_add, 4, 0, 0, 32, 0},      {OP_add, 4, 0, 0, 0, 1}, /* no such field */
        {OP_addi, 4, 0, 0, 1, 0},      {OP_sw, 4, 1, 0, 0, 0},
        {OP_lui, 4, 0, 1, 0, 0},       {OP_addi, 4, 0, 0, 0, 2048},
        {OP_addi, 4, 0, 0, 0, -2049},  {OP_sw, 4, 0, 0, 0, 2048},
        {OP_sw, 4, 0, 0, 0, -2049},    {OP_lui, 4, 0, 0, 0, 1},
        {OP_beq, 4, 0, 0, 0, 1},       {OP_beq, 4, 0, 0, 0, 4096},
        {OP_beq, 4, 0, 0, 0, -4098},   {OP_jal, 4, 0, 0, 0, 3},
        {OP_jal, 4, 0, 0, 0, 1048576}, {OP_jal, 4, 0, 0, 0, -1048578},
        {OP_slli, 4, 0, 0, 0, 32},     {OP_slli, 4, 0, 0, 0, -1},
        {OP_csrrw, 4, 0, 0, 0, 4096},  {OP_csrrw, 4, 0, 0, 0, -1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        uint32_t word = 0x5a5a5a5a;
        if (isa_encode(&bad[i], &word)) {
            fail_msg("case %zu is accepted", i);
        }
        assert_int_equal(word, 0x5a5a5a5a);
    }
}

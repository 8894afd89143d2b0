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

static const struct {
    enum op op;
    const char *bits;
} encodings[] = {
#define ENCODING(row, bits) {OP_##row, bits},
#include "encoding.def"
#undef ENCODING
};

/* The places of the letter in an encoding, as a mask. */
static uint32_t places(const char *bits, char letter)
{
    uint32_t mask = 0;
    unsigned count = 0;
    for (; *bits; bits++) {
        if (*bits != ' ') {
            mask = mask << 1 | (*bits == letter);
            count++;
        }
    }
    assert_int_equal(count, 32);
    return mask;
}

static unsigned field(uint32_t word, const char *bits, char letter)
{
    uint32_t mask = places(bits, letter);
    return mask ? (word & mask) / (mask & -mask) : 0;
}

static void assert_decodes(uint32_t word, enum op op, const char *bits)
{
    struct insn insn;
    if (!isa_decode(word, &insn) || insn.op != op || insn.size != 4) {
        fail_msg("0x%x is not %s", word, isa_row(op)->name);
    }
    assert_int_equal(insn.rd, field(word, bits, 'd'));
    assert_int_equal(insn.rs1, field(word, bits, 's'));
    assert_int_equal(insn.rs2, field(word, bits, 't'));
}

static void refuse_as(uint32_t word, enum op op)
{
    struct insn insn;
    if (isa_decode(word, &insn) && insn.op == op && insn.size == 4) {
        fail_msg("0x%x is %s", word, isa_row(op)->name);
    }
}

TEST(decode, finds_each_row_whatever_stands_in_its_open_bits_and_by_no_others)
{
    static const uint32_t fills[] = {0, ~0u, 0xaaaaaaaa, 0x55555555, 0x12345678, 0x9e3779b9};
    for (size_t n = 0; n < ARRAY_COUNT(encodings); n++) {
        enum op op = encodings[n].op;
        const char *bits = encodings[n].bits;
        uint32_t own = places(bits, '1'), open = ~(own | places(bits, '0'));
        for (size_t i = 0; i < ARRAY_COUNT(fills); i++) {
            assert_decodes(own | (fills[i] & open), op, bits);
        }
        for (uint32_t bit = 1; bit != 0; bit <<= 1) {
            if (bit & open) {
                assert_decodes(own | bit, op, bits);
                assert_decodes(own | (open & ~bit), op, bits);
            } else {
                refuse_as(own ^ bit, op);
                refuse_as((own ^ bit) | open, op);
            }
        }
    }
}

TEST(decode, has_an_encoding_by_hand_for_every_row)
{
    size_t counts[OP_COUNT] = {0};
    for (size_t n = 0; n < ARRAY_COUNT(encodings); n++) {
        counts[encodings[n].op]++;
    }
    for (unsigned op = 1; op < OP_COUNT; op++) {
        assert_int_equal(isa_row(op)->match & ~isa_row(op)->mask, 0);
        if (counts[op] != 1) {
            fail_msg("encoding.def has %zu rows of %s", counts[op], isa_row(op)->name);
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

/* The expansions of 16.3 to 16.5 and of Zcb, by hand; the words are GNU as's, but for Zcb's.
 * tests/isa holds every other compressed word against objdump. */
TEST(decode, expands_compressed_rows_as_the_specification_says)
{
    static const struct {
        uint32_t word;
        struct insn insn;
    } rows[] = {
        {0x1ff4, {OP_addi, 2, 13, 2, 0, 1020}},  /* c.addi4spn a3, sp, 1020 */
        {0x5ff0, {OP_lw, 2, 12, 15, 0, 124}},    /* c.lw a2, 124(a5) */
        {0xc024, {OP_sw, 2, 0, 8, 9, 64}},       /* c.sw s1, 64(s0) */
        {0x0001, {OP_addi, 2, 0, 0, 0, 0}},      /* c.nop */
        {0x1081, {OP_addi, 2, 1, 1, 0, -32}},    /* c.addi ra, -32 */
        {0x3001, {OP_jal, 2, 1, 0, 0, -2048}},   /* c.jal .-2048 */
        {0x4ffd, {OP_addi, 2, 31, 0, 0, 31}},    /* c.li t6, 31 */
        {0x7101, {OP_addi, 2, 2, 2, 0, -512}},   /* c.addi16sp sp, -512 */
        {0x7081, {OP_lui, 2, 1, 0, 0, -131072}}, /* c.lui ra, 0xfffe0 */
        {0x817d, {OP_srli, 2, 10, 10, 0, 31}},   /* c.srli a0, 31 */
        {0x85c5, {OP_srai, 2, 11, 11, 0, 17}},   /* c.srai a1, 17 */
        {0x9b01, {OP_andi, 2, 14, 14, 0, -32}},  /* c.andi a4, -32 */
        {0x8c1d, {OP_sub, 2, 8, 8, 15, 0}},      /* c.sub s0, a5 */
        {0x8cb9, {OP_xor, 2, 9, 9, 14, 0}},      /* c.xor s1, a4 */
        {0x8d55, {OP_or, 2, 10, 10, 13, 0}},     /* c.or a0, a3 */
        {0x8df1, {OP_and, 2, 11, 11, 12, 0}},    /* c.and a1, a2 */
        {0xaffd, {OP_jal, 2, 0, 0, 0, 2046}},    /* c.j .+2046 */
        {0xd001, {OP_beq, 2, 0, 8, 0, -256}},    /* c.beqz s0, .-256 */
        {0xeffd, {OP_bne, 2, 0, 15, 0, 254}},    /* c.bnez a5, .+254 */
        {0x0ffe, {OP_slli, 2, 31, 31, 0, 31}},   /* c.slli t6, 31 */
        {0x50fe, {OP_lw, 2, 1, 2, 0, 252}},      /* c.lwsp ra, 252(sp) */
        {0x8f82, {OP_jalr, 2, 0, 31, 0, 0}},     /* c.jr t6 */
        {0x857e, {OP_add, 2, 10, 0, 31, 0}},     /* c.mv a0, t6 */
        {0x9002, {OP_ebreak, 2, 0, 0, 0, 0}},    /* c.ebreak */
        {0x9082, {OP_jalr, 2, 1, 1, 0, 0}},      /* c.jalr ra */
        {0x9f86, {OP_add, 2, 31, 31, 1, 0}},     /* c.add t6, ra */
        {0xdffe, {OP_sw, 2, 0, 2, 31, 252}},     /* c.swsp t6, 252(sp) */
        {0x83c0, {OP_lbu, 2, 8, 15, 0, 1}},      /* c.lbu s0, 1(a5) */
        {0x842c, {OP_lhu, 2, 11, 8, 0, 2}},      /* c.lhu a1, 2(s0) */
        {0x86f0, {OP_lh, 2, 12, 13, 0, 2}},      /* c.lh a2, 2(a3) */
        {0x88a8, {OP_sb, 2, 0, 9, 10, 2}},       /* c.sb a0, 2(s1) */
        {0x8f98, {OP_sh, 2, 0, 15, 14, 0}},      /* c.sh a4, 0(a5) */
        {0x9d5d, {OP_mul, 2, 10, 10, 15, 0}},    /* c.mul a0, a5 */
        {0x9de1, {OP_andi, 2, 11, 11, 0, 255}},  /* c.zext.b a1 */
        {0x9e65, {OP_sext_b, 2, 12, 12, 0, 0}},  /* c.sext.b a2 */
        {0x9ce9, {OP_zext_h, 2, 9, 9, 0, 0}},    /* c.zext.h s1 */
        {0x9c6d, {OP_sext_h, 2, 8, 8, 0, 0}},    /* c.sext.h s0 */
        {0x9ff5, {OP_xori, 2, 15, 15, 0, -1}},   /* c.not a5 */
    };
    bool is_met[ARRAY_COUNT(compressed)] = {false};
    for (size_t n = 0; n < ARRAY_COUNT(rows); n++) {
        struct insn insn;
        if (!isa_decode(rows[n].word, &insn) || !is_same(&insn, &rows[n].insn)) {
            fail_msg("0x%x is not expanded right", rows[n].word);
        }
        size_t i = 0;
        while ((rows[n].word & compressed[i].mask) != compressed[i].match) {
            i++;
        }
        is_met[i] = true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(compressed); i++) {
        assert_true(is_met[i]);
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
        0x8c40,     /* reserved beside c.sh */
        0x9000,     /* reserved in quadrant 0 */
        0xa000,     /* c.fsd */
        0xe000,     /* c.fsw */
        0x6101,     /* c.addi16sp, immediate 0 */
        0x6181,     /* c.lui, immediate 0 */
        0x9001,     /* c.srli with shamt[5] */
        0x9401,     /* c.srai with shamt[5] */
        0x9c01,     /* c.subw */
        0x9c21,     /* c.addw */
        0x9c71,     /* c.zext.w */
        0x9c79,     /* reserved in quadrant 1 */
        0x9c7d,     /* reserved in quadrant 1 */
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
        0x08104033, /* pack, of which only rs2 = x0 is in Zbb */
        0x60301013, /* beside cpop */
        0x62005013, /* rori with shamt[5] */
        0x68705013, /* brev8 */
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

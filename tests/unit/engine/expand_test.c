/* expand_test.c - Zcb and Zicond do what sequences of base instructions do */
/* SPDX-License-Identifier: MIT */
/* QEMU 7.2 has neither, so the lockstep test leaves them out. The expansions are written from the
 * specifications (code size reduction 1.0, Zcb; conditional operations 1.0, 2), offsets too. */
#include "guest.h"

enum { EXPANSION = CODE + 0x800, STEPS_MAX = 3, TEMPORARY = 31 };

/* Stand for the instruction's registers and offset. Of a compressed one d is bits 9:7, t bits 4:2,
 * both from x8 on; its offset is bit 5 and bit 6, or twice bit 5. */
enum { D = 32, S, T, OF_BYTE = 0x10000, OF_HALF };

static const struct expansion {
    const char *name;
    uint32_t match, mask;
    struct insn steps[STEPS_MAX];
} expansions[] = {
    {"c.lbu", 0x8000, 0xfc03, {{OP_lbu, 4, T, D, 0, OF_BYTE}}},
    {"c.lhu", 0x8400, 0xfc43, {{OP_lhu, 4, T, D, 0, OF_HALF}}},
    {"c.lh", 0x8440, 0xfc43, {{OP_lh, 4, T, D, 0, OF_HALF}}},
    {"c.sb", 0x8800, 0xfc03, {{OP_sb, 4, 0, D, T, OF_BYTE}}},
    {"c.sh", 0x8c00, 0xfc43, {{OP_sh, 4, 0, D, T, OF_HALF}}},
    {"c.mul", 0x9c41, 0xfc63, {{OP_mul, 4, D, D, T, 0}}},
    {"c.zext.b", 0x9c61, 0xfc7f, {{OP_slli, 4, D, D, 0, 24}, {OP_srli, 4, D, D, 0, 24}}},
    {"c.sext.b", 0x9c65, 0xfc7f, {{OP_slli, 4, D, D, 0, 24}, {OP_srai, 4, D, D, 0, 24}}},
    {"c.zext.h", 0x9c69, 0xfc7f, {{OP_slli, 4, D, D, 0, 16}, {OP_srli, 4, D, D, 0, 16}}},
    {"c.sext.h", 0x9c6d, 0xfc7f, {{OP_slli, 4, D, D, 0, 16}, {OP_srai, 4, D, D, 0, 16}}},
    {"c.not", 0x9c75, 0xfc7f, {{OP_xori, 4, D, D, 0, -1}}},
    {"czero.eqz",
     0x0e005033,
     0xfe00707f,
     {{OP_sltiu, 4, TEMPORARY, T, 0, 1}, /* all ones but for 0 */
      {OP_addi, 4, TEMPORARY, TEMPORARY, 0, -1},
      {OP_and, 4, D, S, TEMPORARY, 0}}},
    {"czero.nez",
     0x0e007033,
     0xfe00707f,
     {{OP_sltu, 4, TEMPORARY, 0, T, 0},
      {OP_addi, 4, TEMPORARY, TEMPORARY, 0, -1},
      {OP_and, 4, D, S, TEMPORARY, 0}}},
};

static uint64_t seed = 1;

static uint32_t pick(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static uint8_t register_of(uint8_t stands, uint32_t word)
{
    bool is_compressed = (word & 3) != 3;
    switch (stands) {
    case D:
        return is_compressed ? 8 + (word >> 7 & 7) : word >> 7 & 31;
    case S:
        return word >> 15 & 31;
    case T:
        return is_compressed ? 8 + (word >> 2 & 7) : word >> 20 & 31;
    }
    return stands;
}

static int32_t immediate_of(int32_t stands, uint32_t word)
{
    switch (stands) {
    case OF_BYTE:
        return (int32_t)((word >> 5 & 1) << 1 | (word >> 6 & 1));
    case OF_HALF:
        return (int32_t)((word >> 5 & 1) << 1);
    }
    return stands;
}

/* How many instructions were put at EXPANSION. */
static unsigned put_expansion(struct guest *g, const struct expansion *e, uint32_t word)
{
    unsigned count = 0;
    g->at = EXPANSION;
    for (; count < STEPS_MAX && e->steps[count].op != OP_illegal; count++) {
        const struct insn *step = &e->steps[count];
        put_word(g, encode(step->op, register_of(step->rd, word), register_of(step->rs1, word),
                           register_of(step->rs2, word), immediate_of(step->imm, word)));
    }
    return count;
}

/* Values at which arithmetic turns, others, and addresses for what wants one. */
static void fill(struct guest *g, bool is_access)
{
    static const uint32_t edges[] = {0, 1, ~0u, 0x80, 0xff7f, 0x8000, 0x80000000, 0x7fffffff};
    for (unsigned i = 1; i < TEMPORARY; i++) {
        g->hart->x[i] = pick(2) ? edges[pick(ARRAY_COUNT(edges))] : pick(0x10000) * 0x10003u;
        g->hart->x[i] = is_access ? DATA + 0x100 + pick(8) * 0x11 : g->hart->x[i];
    }
    for (uint32_t at = DATA + 0x100; at < DATA + 0x200; at += 2) {
        uint32_t bytes = pick(0x10000);
        poke(g, at, &bytes, 2);
    }
}

/* Runs `count` instructions at `at` from the same registers and memory. */
static void run_from(struct guest *g, uint32_t at, unsigned count, const uint32_t *x,
                     const uint8_t *bytes)
{
    memcpy(g->hart->x, x, 32 * sizeof *x);
    poke(g, DATA + 0x100, bytes, 0x100);
    g->hart->pc = at;
    assert_int_equal(run(g, count), HART_LIMIT);
}

static void check_word(struct guest *g, const struct expansion *e, uint32_t word)
{
    bool is_compressed = (word & 3) != 3;
    uint32_t x[32], done[32];
    uint8_t bytes[0x100], stored[0x100];
    fill(g, is_compressed && word < 0x9000);
    memcpy(x, g->hart->x, sizeof x);
    memcpy(bytes, g->memory + DATA + 0x100, sizeof bytes);
    poke(g, CODE, &word, is_compressed ? 2 : 4);
    unsigned count = put_expansion(g, e, word);
    hart_wrote(g->hart, CODE, PAGE_SIZE);
    run_from(g, CODE, 1, x, bytes);
    memcpy(done, g->hart->x, sizeof done);
    memcpy(stored, g->memory + DATA + 0x100, sizeof stored);
    bool is_behind = g->hart->pc == CODE + (is_compressed ? 2 : 4);
    run_from(g, EXPANSION, count, x, bytes);
    done[TEMPORARY] = g->hart->x[TEMPORARY];
    if (!is_behind || memcmp(done, g->hart->x, sizeof done) != 0 ||
        memcmp(stored, g->memory + DATA + 0x100, sizeof stored) != 0) {
        fail_msg("%s, 0x%x, is not its expansion", e->name, word);
    }
}

GUEST_TEST(expand, every_word_of_zcb)
{
    for (size_t i = 0; i < ARRAY_COUNT(expansions); i++) {
        for (uint32_t word = 0; word < 0x10000; word++) {
            if ((word & expansions[i].mask) == expansions[i].match) {
                for (unsigned trial = 0; trial < 16; trial++) {
                    check_word(g, &expansions[i], word);
                }
            }
        }
    }
}

/* All registers but the one that the expansion needs, any of them the same. */
GUEST_TEST(expand, zicond_of_all_registers)
{
    for (size_t i = 0; i < ARRAY_COUNT(expansions); i++) {
        for (uint32_t n = 0; n < 32 * 32 * 32 && expansions[i].match > 0xffff; n++) {
            uint32_t d = n % 32, s = n / 32 % 32, t = n / 1024;
            if (d != TEMPORARY && s != TEMPORARY && t != TEMPORARY) {
                check_word(g, &expansions[i], expansions[i].match | d << 7 | s << 15 | t << 20);
            }
        }
    }
}

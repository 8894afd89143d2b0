/* generate.c - write a random program, made of the rows of the instruction tables, to stdout */
/* SPDX-License-Identifier: MIT */
/* The raw image runs at 0x80000000 and ends by a store to the finisher. Every row of rv32.def and
 * compressed.def turns up but for those of `left_out`; a new row does so by itself. So that any
 * order of instructions ends and stays in memory, some registers are kept: sp, s0 and t2 point into
 * the data area, s1 where no memory is, t1 is a jump's base, t4 counts a loop, t5 and t6 are the
 * handler's. Branches go forward, but for those that close a loop, and traps come back behind the
 * instruction. */
#include "tests/lockstep/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t kinds[OP_COUNT] = {
#define INSN(name, extension, format, kind, match, mask, semantics, text) [OP_##name] = KIND_##kind,
#include "isa/rv32.def"
#undef INSN
};

/* The handler runs mret at each trap; wfi has nothing to wait for, and QEMU would sleep. QEMU 7.2
 * has no Zicond. */
static const uint8_t left_out[] = {OP_mret, OP_wfi, OP_czero_eqz, OP_czero_nez};

/* Reserved encodings that are illegal in both machines. */
static const uint32_t illegal_words[] = {0x0000,     0x9c79,     0x8002,
                                         0x0000000b, 0x04000033, 0x302000f3};

static const struct {
    uint32_t match;
    uint32_t mask;
} compressed[] = {
#define COMPRESSED(name, match, mask, base, rd, rs1, rs2, immediate, condition, operands) \
    {match, mask},
#include "isa/compressed.def"
#undef COMPRESSED
};

enum compressed_row {
#define COMPRESSED(name, match, mask, base, rd, rs1, rs2, immediate, condition, operands) \
    ROW_##name,
#include "isa/compressed.def"
#undef COMPRESSED
};

/* Nor Zcb. */
static const uint8_t compressed_left_out[] = {
    ROW_c_lbu,    ROW_c_lhu,    ROW_c_lh,     ROW_c_sb,     ROW_c_sh, ROW_c_mul,
    ROW_c_zext_b, ROW_c_sext_b, ROW_c_zext_h, ROW_c_sext_h, ROW_c_not};

uint32_t pick(struct program *p, uint32_t below)
{
    p->seed = p->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(p->seed >> 33) % below;
}

static uint32_t bits(struct program *p)
{
    return pick(p, 0x10000) << 16 | pick(p, 0x10000);
}

static bool is_kept(uint8_t rd)
{
    return rd == SP || (rd >= T1 && rd <= S1) || rd >= T4;
}

static bool is_left_out(uint8_t op)
{
    for (size_t i = 0; i < ARRAY_COUNT(left_out); i++) {
        if (left_out[i] == op) {
            return true;
        }
    }
    return false;
}

/* Is the word's compressed row one that QEMU has not? */
static bool is_foreign(uint32_t word)
{
    for (size_t i = 0; isa_size(word) == 2 && i < ARRAY_COUNT(compressed_left_out); i++) {
        size_t row = compressed_left_out[i];
        if ((word & compressed[row].mask) == compressed[row].match) {
            return true;
        }
    }
    return false;
}

struct item *put_word(struct program *p, uint32_t word)
{
    check(p->count < ITEMS_MAX);
    struct item *item = &p->items[p->count++];
    *item = (struct item){.word = word, .size = (uint8_t)isa_size(word)};
    return item;
}

struct item *put(struct program *p, struct insn insn)
{
    uint32_t word = 0;
    check(isa_encode(&insn, &word));
    return put_word(p, word);
}

void put_constant(struct program *p, uint8_t rd, uint32_t value)
{
    int32_t low = (int32_t)(value << 20) >> 20;
    put(p, (struct insn){OP_lui, 4, rd, 0, 0, (int32_t)(value - (uint32_t)low)});
    put(p, (struct insn){OP_addi, 4, rd, rd, 0, low});
}

/* Steps over the instruction that trapped, whatever its length; from a fetch that faulted it goes
 * back to the caller. */
static void put_handler(struct program *p)
{
    put(p, (struct insn){OP_csrrs, 4, T6, 0, 0, 0x342});
    put(p, (struct insn){OP_addi, 4, T6, T6, 0, -1}); /* instruction access fault is 1 */
    put(p, (struct insn){OP_bne, 4, 0, T6, 0, 12});
    put(p, (struct insn){OP_csrrw, 4, 0, RA, 0, 0x341});
    put(p, (struct insn){OP_mret, 4, 0, 0, 0, 0});
    put(p, (struct insn){OP_csrrs, 4, T5, 0, 0, 0x341});
    put(p, (struct insn){OP_lhu, 4, T6, T5, 0, 0});
    put(p, (struct insn){OP_andi, 4, T6, T6, 0, 3});
    put(p, (struct insn){OP_sltiu, 4, T6, T6, 0, 3}); /* 1 for a compressed one */
    put(p, (struct insn){OP_slli, 4, T6, T6, 0, 1});
    put(p, (struct insn){OP_sub, 4, T5, T5, T6, 0});
    put(p, (struct insn){OP_addi, 4, T5, T5, 0, 4});
    put(p, (struct insn){OP_csrrw, 4, 0, T5, 0, 0x341});
    put(p, (struct insn){OP_mret, 4, 0, 0, 0, 0});
}

static void put_start(struct program *p)
{
    if (p->is_privileged) {
        put_privileged_handler(p);
        put_privileged_start(p);
    } else {
        put(p, (struct insn){OP_jal, 4, 0, 0, 0, 60});
        put_handler(p);
        put_constant(p, T0, (uint32_t)BASE + 4);
        put(p, (struct insn){OP_csrrw, 4, 0, T0, 0, 0x305});
    }
    for (uint8_t i = 1; i < T5; i++) {
        put_constant(p, i, bits(p));
    }
    /* At the end of a page, or in the middle of one (DIFFERS_PMP_PAGES). */
    uint32_t middle = (uint32_t)BASE + DATA + (p->is_privileged ? 0x1800 : 0x1000);
    put_constant(p, S0, middle);
    put_constant(p, SP, middle - (p->is_privileged ? 0x80 : 0x800));
    put_constant(p, T2, middle);
    put_constant(p, S1, 0xa0000000);
    put_constant(p, T4, 0);
}

static void put_end(struct program *p)
{
    if (p->is_privileged) {
        put_privileged_end(p);
    }
    put_constant(p, T1, 0x100000);
    put_constant(p, T2, 0x5555);
    put(p, (struct insn){OP_sw, 4, 0, T1, T2, 0});
    put(p, (struct insn){OP_jal, 4, 0, 0, 0, 0});
}

/* A jump through t1, which is set to the target just before: auipc, addi, jump. */
static void put_indirect(struct program *p, uint32_t jump)
{
    put(p, (struct insn){OP_auipc, 4, T1, 0, 0, 0});
    struct item *add = put(p, (struct insn){OP_addi, 4, T1, T1, 0, 0});
    add->ahead = (uint8_t)(1 + pick(p, AHEAD_MAX));
    add->origin = 1;
    add->is_inside = true;
    put_word(p, jump)->is_inside = true;
}

/* Points t2 into the data area, as a rule aligned, for what has no offset of its own. */
static void put_pointer(struct program *p)
{
    int32_t offset = (int32_t)pick(p, 16) * 4 + (pick(p, 4) ? 0 : (int32_t)pick(p, 4));
    put(p, (struct insn){OP_addi, 4, T2, S0, 0, offset});
}

static bool put_row(struct program *p, uint8_t op)
{
    struct insn insn = {.op = op, .size = 4};
    uint32_t word;
    uint32_t match = 0, mask = 0;
    switch (op) {
#define INSN(name, extension, format, kind, row_match, row_mask, semantics, text) \
    case OP_##name:                                                               \
        match = row_match;                                                        \
        mask = row_mask;                                                          \
        break;
#include "isa/rv32.def"
#undef INSN
    }
    word = match | (bits(p) & ~mask);
    if (!isa_decode(word, &insn) || is_kept(insn.rd)) {
        return false;
    }
    bool is_atomic = kinds[op] == KIND_AMO || op == OP_lr_w || op == OP_sc_w;
    if (is_atomic) {
        put_pointer(p);
        insn.rs1 = pick(p, 16) ? T2 : S1;
        if (op == OP_sc_w && pick(p, 2)) { /* by chance alone it would hardly ever store */
            put(p, (struct insn){OP_lr_w, 4, T0, insn.rs1, 0, 0})->is_inside = true;
        }
        check(isa_encode(&insn, &word));
        put_word(p, word | pick(p, 4) << 25)->is_inside = true;
        return true;
    }
    if (kinds[op] == KIND_LOAD || kinds[op] == KIND_STORE) {
        insn.rs1 = pick(p, 16) ? S0 : S1;
        if (p->is_privileged) { /* near to boundaries, and often aligned */
            insn.imm = insn.imm / (pick(p, 2) ? 2 : 64) & (pick(p, 2) ? ~3 : ~0);
        }
    } else if (kinds[op] == KIND_CSR) {
        static const int32_t csrs[] = {0x340, 0x342, 0x343}; /* what is written is read */
        insn.imm = csrs[pick(p, ARRAY_COUNT(csrs))];
    } else if (op == OP_jalr) {
        put_indirect(p, 0x00000067 | (uint32_t)insn.rd << 7 | T1 << 15);
        return true;
    } else if (kinds[op] == KIND_BRANCH || kinds[op] == KIND_JUMP) {
        insn.imm = 0;
        put(p, insn)->ahead = (uint8_t)(1 + pick(p, AHEAD_MAX));
        return true;
    }
    put(p, insn);
    return true;
}

static bool put_compressed(struct program *p, size_t row)
{
    uint32_t word = compressed[row].match | (bits(p) & ~compressed[row].mask & 0xffff);
    struct insn insn;
    if (!isa_decode(word, &insn) || is_foreign(word)) {
        return false;
    }
    if (insn.op == OP_addi && insn.rd == SP && insn.rs1 == SP && insn.imm % 16 == 0 &&
        word >> 13 == 3 && insn.imm != -512) {
        put_word(p, word); /* c.addi16sp, then back again */
        put(p, (struct insn){OP_addi, 4, SP, SP, 0, -insn.imm})->is_inside = true;
        return true;
    }
    if (is_kept(insn.rd)) {
        return false;
    }
    if (insn.op == OP_jalr) {
        put_indirect(p, (word & ~0xf80u) | T1 << 7);
        return true;
    }
    if (kinds[insn.op] == KIND_LOAD || kinds[insn.op] == KIND_STORE) {
        if (insn.rs1 != S0 && insn.rs1 != SP && insn.rs1 != S1) {
            return false;
        }
    }
    struct item *item = put_word(p, word);
    if (kinds[insn.op] == KIND_BRANCH || kinds[insn.op] == KIND_JUMP) {
        item->ahead = (uint8_t)(1 + pick(p, AHEAD_MAX));
    }
    return true;
}

/* Two values at which arithmetic turns, and a row of two registers that takes them both. */
static void put_edges(struct program *p)
{
    static const uint32_t edges[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 31, 32};
    static const uint8_t registers[] = {T0, 10, 11, 28};
    uint8_t one = registers[pick(p, ARRAY_COUNT(registers))];
    uint8_t two = registers[pick(p, ARRAY_COUNT(registers))];
    put_constant(p, one, edges[pick(p, ARRAY_COUNT(edges))]);
    put_constant(p, two, edges[pick(p, ARRAY_COUNT(edges))]);
    uint8_t op;
    uint32_t word;
    do {
        op = (uint8_t)(1 + pick(p, OP_COUNT - 1));
    } while (kinds[op] != KIND_ALU || is_left_out(op) ||
             !isa_encode(&(struct insn){op, 4, T0, one, two, 0}, &word));
    put_word(p, word);
}

/* Arithmetic that may stand anywhere: one word, or two compressed instructions. */
static uint32_t some_arithmetic(struct program *p)
{
    struct insn insn;
    uint32_t word;
    do {
        word = pick(p, 4) ? bits(p) | 3 : 0x05050509; /* c.addi a0, 2 and c.addi a0, 1 */
    } while (!isa_decode(word, &insn) || kinds[insn.op] != KIND_ALU || is_left_out(insn.op) ||
             is_kept(insn.rd));
    return word;
}

/* Swaps two instructions, one of which runs next; fence.i is not needed by either machine. */
static void put_patch(struct program *p)
{
    const struct insn swap[] = {
        {OP_auipc, 4, T1, 0, 0, 0}, {OP_lw, 4, T3, T1, 0, 28},
        {OP_lw, 4, T0, T1, 0, 32},  {OP_sw, 4, 0, T1, T3, 32},
        {OP_sw, 4, 0, T1, T0, 28},  {pick(p, 2) ? OP_fence_i : OP_fence, 4, 0, 0, 0, 0},
        {OP_jal, 4, 0, 0, 0, 8},
    };
    size_t first = p->count;
    if (p->is_privileged) { /* DIFFERS_MPRV_CODE */
        put(p, (struct insn){OP_lui, 4, T0, 0, 0, 0x20000});
        put(p, (struct insn){OP_csrrc, 4, 0, T0, 0, 0x300});
    }
    for (size_t i = 0; i < ARRAY_COUNT(swap); i++) {
        put(p, swap[i]);
    }
    for (int i = 0; i < 2; i++) {
        put_word(p, some_arithmetic(p))->size = 4;
    }
    for (size_t i = first + 1; i < p->count; i++) {
        p->items[i].is_inside = true;
    }
}

/* Calls what cannot be fetched; the handler returns. */
static void put_fetch_fault(struct program *p)
{
    put(p, (struct insn){OP_jalr, 4, RA, S1, 0, (int32_t)pick(p, 2048) & ~1});
}

static void put_random(struct program *p);

/* Runs a few things some times over. Whoever jumps into the loop leaves it soon: t4 is small. */
static void put_loop(struct program *p)
{
    put(p, (struct insn){OP_addi, 4, T4, 0, 0, 2 + (int32_t)pick(p, 4)});
    size_t body = p->count;
    for (uint32_t n = 2 + pick(p, 5); n > 0; n--) {
        put_random(p);
    }
    put(p, (struct insn){OP_addi, 4, T4, T4, 0, -1});
    struct item *branch = put(p, (struct insn){OP_blt, 4, 0, 0, T4, 0});
    branch->back = (uint8_t)(p->count - 1 - body);
    branch->is_inside = true; /* past the count, it would never end */
}

static void put_random(struct program *p)
{
    bool is_done = p->is_privileged && pick(p, 4) == 0;
    if (is_done) {
        put_privileged(p);
    }
    while (!is_done) {
        uint32_t choice = pick(p, 64);
        if (choice == 0) {
            put_word(p, illegal_words[pick(p, ARRAY_COUNT(illegal_words))]);
            is_done = true;
        } else if (choice == 1) {
            put_fetch_fault(p);
            is_done = true;
        } else if (choice == 2) {
            put_patch(p);
            is_done = true;
        } else if (choice < 8) {
            put_edges(p);
            is_done = true;
        } else if (choice < 30) {
            is_done = put_compressed(p, pick(p, ARRAY_COUNT(compressed)));
        } else {
            uint8_t op = (uint8_t)(1 + pick(p, OP_COUNT - 1));
            is_done = !is_left_out(op) && put_row(p, op);
        }
    }
}

/* Gives the jump in `word` the offset; its bits lie wherever the format has them, so the few words
 * that differ from it in a compressed jump's immediate are tried. */
static uint32_t with_offset(uint32_t word, int32_t offset)
{
    struct insn insn, other;
    uint32_t full = 0;
    check(isa_decode(word, &insn));
    if (insn.size == 4) {
        insn.imm = offset;
        check(isa_encode(&insn, &full));
        return full;
    }
    uint32_t field = kinds[insn.op] == KIND_BRANCH ? 0x1c7c : 0x1ffc;
    for (uint32_t bits = 0; bits <= field; bits += 4) {
        full = (word & ~field) | (bits & field);
        if (isa_decode(full, &other) && other.imm == offset) {
            return full;
        }
    }
    check(false);
    return 0;
}

static void link_jumps(struct program *p, size_t first, size_t end)
{
    static uint32_t at[ITEMS_MAX + 1];
    for (size_t i = 0; i < p->count; i++) {
        at[i + 1] = at[i] + p->items[i].size;
    }
    for (size_t i = first; i < end; i++) {
        struct item *item = &p->items[i];
        if (item->back != 0) {
            item->word = with_offset(item->word, (int32_t)(at[i - item->back] - at[i]));
        }
        if (item->ahead == 0) {
            continue;
        }
        size_t target = i + item->ahead + item->origin;
        while (target < end && p->items[target].is_inside) {
            target++;
        }
        target = target < end ? target : end;
        item->word = with_offset(item->word, (int32_t)(at[target] - at[i - item->origin]));
    }
}

int main(int argc, char **argv)
{
    static struct program program;
    struct program *p = &program;
    if (argc != 3 && (argc != 4 || strcmp(argv[3], "privileged") != 0)) {
        fprintf(stderr, "usage: lockstep_generate SEED COUNT [privileged]\n");
        return 2;
    }
    p->is_privileged = argc == 4;
    p->seed = strtoull(argv[1], NULL, 0);
    unsigned long count = strtoul(argv[2], NULL, 0);
    put_start(p);
    size_t first = p->count;
    while (p->count < first + count && p->count < ITEMS_MAX - 256) {
        if (pick(p, 32) == 0) {
            put_loop(p);
        } else {
            put_random(p);
        }
    }
    size_t end = p->count;
    put_end(p);
    link_jumps(p, first, end);
    for (size_t i = 0; i < p->count; i++) {
        fwrite(&p->items[i].word, p->items[i].size, 1, stdout);
    }
    return 0;
}

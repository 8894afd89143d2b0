/* totals_test.c - what runs cost, against totals worked out by hand */
/* SPDX-License-Identifier: MIT */
/* Every instruction that retires costs a cycle, a trap costs one and retires nothing, a call of the
 * host one more for each 16 bytes, and the jump to itself that ends a run nothing (machine.md).
 * Each program runs at once, where pairs and triples are fused, and cut after each cycle. */
#include "guest.h"

enum { MIE = 8, MPP = 0x1800, TIMER = 0x80 };
enum { MSTATUS = 0x300, MIE_CSR = 0x304, MEPC = 0x341, MCAUSE = 0x342 };
enum { MCYCLE = 0xb00, TIME = 0xc01 };

/* A word as its two parcels. */
#define WORD(word) (word) & 0xffff, (word) >> 16

/* Code that traps, into a handler that is a jump to itself. Registers: a0 is 0, a1 HOLE, s0 two
 * bytes before it. */
static const struct fault {
    const char *name;
    uint32_t at;
    uint16_t code[6];
    uint32_t cycles, retired;
    uint32_t cause;
    uint32_t epc; /* behind `at` */
    uint32_t tval;
} faults[] = {
    {"c.addi, c.lw", CODE, {0x0505, 0x4190}, 2, 1, CAUSE_LOAD_FAULT, 2, HOLE},
    {"c.addi, c.lw, odd halfword", CODE + 2, {0x0505, 0x4190}, 2, 1, CAUSE_LOAD_FAULT, 2, HOLE},
    {"c.lw, c.addi", CODE, {0x4190, 0x0505}, 1, 0, CAUSE_LOAD_FAULT, 0, HOLE},
    {"c.lw, c.lw", CODE, {0x4190, 0x4190}, 1, 0, CAUSE_LOAD_FAULT, 0, HOLE},
    {"c.mv, c.lw of it", CODE, {0x872e, 0x4310}, 2, 1, CAUSE_LOAD_FAULT, 2, HOLE},
    {"two c.addi, c.sw", CODE, {0x0505, 0x0505, 0xc1d0}, 3, 2, CAUSE_STORE_FAULT, 4, HOLE + 4},
    {"c.sw, c.sw", CODE + 2, {0xc1d0, 0xc1d0}, 1, 0, CAUSE_STORE_FAULT, 0, HOLE + 4},
    {"c.addi, c.ebreak", CODE, {0x0505, 0x9002}, 2, 1, CAUSE_BREAKPOINT, 2, CODE + 2},
    {"c.ebreak", CODE + 2, {0x9002}, 1, 0, CAUSE_BREAKPOINT, 0, CODE + 2},
    {"c.addi, illegal", CODE, {0x0505, 0x0000}, 2, 1, CAUSE_ILLEGAL, 2, 0},
    {"c.addi, reserved", CODE + 2, {0x0505, 0x9c79}, 2, 1, CAUSE_ILLEGAL, 2, 0x9c79},
    {"c.li, c.bnez not taken, c.lw",
     CODE,
     {0x4501, 0xe111, 0x4190},
     3,
     2,
     CAUSE_LOAD_FAULT,
     4,
     HOLE},
    {"c.addi, c.bnez taken, c.lw",
     CODE,
     {0x0505, 0xe111, 0, 0x4190},
     3,
     2,
     CAUSE_LOAD_FAULT,
     6,
     HOLE},
    {"c.jr", CODE, {0x8582}, 2, 1, CAUSE_FETCH_FAULT, HOLE - CODE, HOLE},
    {"c.addi, c.jalr", CODE, {0x0505, 0x9582}, 3, 2, CAUSE_FETCH_FAULT, HOLE - CODE, HOLE},
    {"lui, lw", CODE, {WORD(0x800086b7), WORD(0x0006a683)}, 2, 1, CAUSE_LOAD_FAULT, 4, HOLE},
    {"auipc, sw", CODE, {WORD(0x00008697), WORD(0x00a6a423)}, 2, 1, CAUSE_STORE_FAULT, 4, HOLE + 8},
    {"add, lw", CODE, {WORD(0x00b50633), WORD(0x00062603)}, 2, 1, CAUSE_LOAD_FAULT, 4, HOLE},
    {"slli, srli, ecall",
     CODE,
     {WORD(0x01051613), WORD(0x01065613), WORD(0x00000073)},
     3,
     2,
     CAUSE_ECALL_M,
     8,
     0},
    {"amoadd.w, misaligned",
     CODE,
     {0x0505, WORD(0x00a4262f)},
     2,
     1,
     CAUSE_STORE_MISALIGNED,
     2,
     HOLE - 2},
    {"write of cycle", CODE, {0x0505, WORD(0xc0051573)}, 2, 1, CAUSE_ILLEGAL, 2, 0xc0051573},
    {"lw over the page's end", CODE, {0x0505, WORD(0x00042603)}, 2, 1, CAUSE_LOAD_FAULT, 2, HOLE},
    {"sw over the page's end", CODE, {0x0505, WORD(0x00c42023)}, 2, 1, CAUSE_STORE_FAULT, 2, HOLE},
    /* The page of the handler ends where code may not be. */
    {"c.addi at the page's end", CODE + 0x3ffe, {0x0505}, 2, 1, CAUSE_FETCH_FAULT, 2, READ_ONLY},
    {"c.addi, c.addi at the end",
     CODE + 0x3ffc,
     {0x0505, 0x0505},
     3,
     2,
     CAUSE_FETCH_FAULT,
     4,
     READ_ONLY},
    {"half a word at the end",
     CODE + 0x3ffc,
     {0x0505, 0x0513},
     2,
     1,
     CAUSE_FETCH_FAULT,
     2,
     READ_ONLY},
    {"lui at the end", CODE + 0x3ffc, {WORD(0x123456b7)}, 2, 1, CAUSE_FETCH_FAULT, 4, READ_ONLY},
    {"lui, addi at the end",
     CODE + 0x3ff8,
     {WORD(0x123456b7), WORD(0x67868693)},
     3,
     2,
     CAUSE_FETCH_FAULT,
     8,
     READ_ONLY},
    {"lui, half of addi",
     CODE + 0x3ffa,
     {WORD(0x123456b7), 0x8693},
     2,
     1,
     CAUSE_FETCH_FAULT,
     4,
     READ_ONLY},
    {"lui, lw at the end",
     CODE + 0x3ff8,
     {WORD(0x800086b7), WORD(0x0006a683)},
     2,
     1,
     CAUSE_LOAD_FAULT,
     4,
     HOLE},
};

static void begin(struct guest *g, uint32_t at)
{
    hart_reset(g->hart, at);
    g->hart->cycles = g->hart->not_retired = 0;
    hart_reset(g->hart, at);
    g->hart->csr.mtvec = HANDLER;
}

/* To the jump to itself, in one piece or cycle by cycle. */
static void run_to_end(struct guest *g, bool is_cut)
{
    enum hart_exit exit;
    do {
        exit = run(g, is_cut ? 1 : 100000);
    } while (is_cut && exit == HART_LIMIT && g->hart->cycles < 100000);
    assert_int_equal(exit, HART_SELF_JUMP);
}

static void check_fault(struct guest *g, const struct fault *fault, bool is_cut)
{
    begin(g, fault->at);
    g->hart->x[A1] = HOLE;
    g->hart->x[S0] = HOLE - 2;
    const uint32_t before = word_at(g, HOLE - 4);
    run_to_end(g, is_cut);
    const struct hart *h = g->hart;
    if (h->cycles != fault->cycles || retired(g) != fault->retired ||
        h->csr.mcause != fault->cause || h->csr.mepc != fault->at + fault->epc ||
        h->csr.mtval != fault->tval || word_at(g, HOLE - 4) != before) {
        fail_msg("%s%s: %u cycles, %u retired, cause %u, epc 0x%x, tval 0x%x", fault->name,
                 is_cut ? ", cut" : "", (unsigned)h->cycles, (unsigned)retired(g), h->csr.mcause,
                 h->csr.mepc, h->csr.mtval);
    }
}

GUEST_TEST(totals, of_faults_in_pairs_and_at_page_ends)
{
    g->at = HANDLER;
    put(g, jal, ZERO, 0, 0, 0);
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        uint32_t size = CODE + 0x4000 - faults[i].at;
        size = size < sizeof faults[i].code ? size : sizeof faults[i].code;
        poke(g, faults[i].at, faults[i].code, size);
        hart_wrote(g->hart, faults[i].at, size);
        check_fault(g, &faults[i], false);
        check_fault(g, &faults[i], true);
    }
}

/* What a whole program costs that begins in machine mode with that mstatus, and the timer as only
 * interrupt that is enabled. */
struct total {
    uint32_t mstatus;
    uint64_t mtimecmp;
    uint64_t cycles, retired;
};

static void check_total(struct guest *g, const struct total *total)
{
    for (unsigned is_cut = 0; is_cut < 2; is_cut++) {
        begin(g, CODE);
        open_pmp(g, 0);
        g->hart->csr.mstatus = total->mstatus;
        g->hart->csr.mie = TIMER;
        hart_set_timer(g->hart, total->mtimecmp);
        run_to_end(g, is_cut);
        assert_counts(g, total->cycles, total->retired);
    }
}

/* 4 instructions: on behind the one that trapped. */
static void put_resume(struct guest *g)
{
    put(g, csrrs, T0, ZERO, 0, MEPC);
    put(g, addi, T0, T0, 0, 4);
    put(g, csrrw, ZERO, T0, 0, MEPC);
    put(g, mret, 0, 0, 0, 0);
}

/* addi 1, and seven times: trap 1, handler 4, addi and bne 2. */
GUEST_TEST(totals, of_seven_calls)
{
    put(g, addi, A0, ZERO, 0, 7);
    put(g, ecall, 0, 0, 0, 0);
    put(g, addi, A0, A0, 0, -1);
    put(g, bne, 0, A0, ZERO, -8);
    put(g, jal, ZERO, 0, 0, 0);
    g->at = HANDLER;
    put_resume(g);
    check_total(g, &(struct total){MPP, ~0ull, 1 + 7 * 7, 1 + 7 * 6});
}

/* To user mode 4; there addi 1, trap of csrrs 1, handler 3 + 4, addi 1, trap of ecall 1, handler up
 * to its end 3. */
GUEST_TEST(totals, of_user_mode_and_back)
{
    put(g, auipc, T0, 0, 0, 0);
    put(g, addi, T0, T0, 0, 16);
    put(g, csrrw, ZERO, T0, 0, MEPC);
    put(g, mret, 0, 0, 0, 0);
    put(g, addi, A0, A0, 0, 1);
    put(g, csrrs, A1, ZERO, 0, MSTATUS);
    put(g, addi, A0, A0, 0, 1);
    put(g, ecall, 0, 0, 0, 0);
    g->at = HANDLER;
    put(g, csrrs, T1, ZERO, 0, MCAUSE);
    put(g, addi, T1, T1, 0, -CAUSE_ECALL_U);
    put(g, beq, 0, T1, ZERO, 20);
    put_resume(g);
    put(g, jal, ZERO, 0, 0, 0);
    check_total(g, &(struct total){0, ~0ull, 4 + 1 + 1 + 7 + 1 + 1 + 3, 18 - 2});
    assert_int_equal(g->hart->x[A0], 2);
}

/* The outer trap 1, 4 of its handler, the inner trap 1, its handler 3 + 4, the rest of the outer 3.
 */
GUEST_TEST(totals, of_a_trap_in_a_handler)
{
    put(g, ecall, 0, 0, 0, 0);
    put(g, jal, ZERO, 0, 0, 0);
    g->at = HANDLER;
    put(g, addi, T2, T2, 0, 1);
    put(g, addi, A5, ZERO, 0, 2);
    put(g, beq, 0, T2, A5, 24);
    put(g, csrrs, S1, ZERO, 0, MEPC);
    put(g, ecall, 0, 0, 0, 0);
    put(g, addi, S1, S1, 0, 4);
    put(g, csrrw, ZERO, S1, 0, MEPC);
    put(g, mret, 0, 0, 0, 0);
    put_resume(g);
    check_total(g, &(struct total){MPP, ~0ull, 1 + 4 + 1 + 7 + 3, 16 - 2});
}

/* An interrupt that nobody takes away: nine times trap 1 and handler 4, and once more, with the
 * csrrw that ends it. The program does not come to run before. */
GUEST_TEST(totals, of_an_interrupt_storm)
{
    put(g, addi, A1, A0, 0, 0);
    put(g, jal, ZERO, 0, 0, 0);
    g->at = HANDLER;
    put(g, addi, A0, A0, 0, 1);
    put(g, addi, A5, ZERO, 0, 10);
    put(g, bne, 0, A0, A5, 8);
    put(g, csrrw, ZERO, ZERO, 0, MIE_CSR);
    put(g, mret, 0, 0, 0, 0);
    check_total(g, &(struct total){MPP | MIE, 0, 10 * 5 + 1 + 1, 10 * 4 + 1 + 1});
    assert_int_equal(g->hart->x[A1], 10);
}

/* wfi 1, whatever time it skips; trap 1, csrrw and mret 2, csrrs 1 and 1. */
GUEST_TEST(totals, of_a_wait_for_the_timer)
{
    put(g, wfi, 0, 0, 0, 0);
    put(g, csrrs, A0, ZERO, 0, TIME);
    put(g, csrrs, A1, ZERO, 0, MCYCLE);
    put(g, jal, ZERO, 0, 0, 0);
    g->at = HANDLER;
    put(g, csrrw, ZERO, ZERO, 0, MIE_CSR);
    put(g, mret, 0, 0, 0, 0);
    check_total(g, &(struct total){MPP | MIE, 5000, 6, 5});
    assert_int_equal(g->hart->x[A0], 5000);
    assert_int_equal(g->hart->x[A1], 5);
}

/* A jump to itself that waits for mtime 5, which is cycle 50, retires each time: 50, trap 1, csrrw
 * 1. */
GUEST_TEST(totals, of_a_busy_wait_for_the_timer)
{
    put(g, jal, ZERO, 0, 0, 0);
    g->at = HANDLER;
    put(g, csrrw, ZERO, ZERO, 0, MIE_CSR);
    put(g, jal, ZERO, 0, 0, 0);
    check_total(g, &(struct total){MPP | MIE, 5, 52, 51});
}

/* addi 1, and three times: the call's words 3, two more for 17 bytes, addi and bne 2. */
GUEST_TEST(totals, of_semihosting_calls)
{
    put(g, addi, A2, ZERO, 0, 3);
    put_word(g, 0x01f01013);
    put_word(g, 0x00100073);
    put_word(g, 0x40705013);
    put(g, addi, A2, A2, 0, -1);
    put(g, bne, 0, A2, ZERO, -16);
    put(g, jal, ZERO, 0, 0, 0);
    g->payload = 17;
    check_total(g, &(struct total){MPP, ~0ull, 1 + 3 * 7, 1 + 3 * 5});
    assert_int_equal(g->calls, 6);
}

/* run_test.c - the cap is exact at every cycle, and a run in pieces is the run in one */
/* SPDX-License-Identifier: MIT */
#include "guest.h"
#include "state.h"

/* A program in which nearly everything happens: loops, traps and mret, devices, misaligned
 * accesses, atomics, code that changes itself, counters, calls with payload. */
static void put_mixture(struct guest *g)
{
    g->hart->x[S0] = DATA + 0x80;
    g->hart->x[S1] = CODE;
    g->hart->x[A1] = DEVICE;
    g->hart->x[A2] = 3;
    g->hart->x[A3] = WATCHED + 5;
    g->payload = 40;
    uint32_t top = g->at;
    uint32_t changed = g->at + 8;
    put(g, addi, T0, S1, 0, 0x100);
    put(g, lw, T1, T0, 0, 0);
    put(g, addi, T2, T2, 0, 1); /* this word is replaced on the way */
    put(g, sw, 0, S1, T1, (int32_t)(changed - CODE));
    put(g, lw, A4, S0, 0, -1);
    put(g, sw, 0, S0, T2, 2);
    put(g, lw, A4, A1, 0, 4);
    put(g, sw, 0, A1, T2, 8);
    put(g, sh, 0, A3, T2, 0);
    put(g, ecall, 0, 0, 0, 0);
    put_half(g, 0x0505); /* c.addi a0, 1 */
    put_word(g, 0);      /* illegal */
    put_half(g, 0x0001);
    put(g, lr_w, A4, S0, 0, 0);
    put(g, sc_w, A4, S0, T2, 0);
    put(g, amoadd_w, A4, S0, T2, 0);
    put(g, csrrs, A5, ZERO, 0, 0xb00);
    put(g, csrrw, A5, A5, 0, 0xb02);
    put(g, lw, A4, S1, 0, -4); /* nobody's */
    while (g->at % 4) {
        put_half(g, 0x0001);
    }
    put_word(g, 0x01f01013);
    put_word(g, 0x00100073);
    put_word(g, 0x40705013);
    put(g, addi, A2, A2, 0, -1);
    put(g, bne, 0, A2, ZERO, (int32_t)(top - g->at));
    put_half(g, 0x9002); /* c.ebreak */
    put_half(g, 0x0001);
    put(g, jal, 0, 0, 0, 0);
    g->at = CODE + 0x100;
    put(g, addi, T2, T2, 0, 0x55);
    g->at = HANDLER; /* on to the next halfword: an illegal word is two of them */
    put(g, csrrs, T1, ZERO, 0, 0x341);
    put(g, addi, T1, T1, 0, 4);
    put(g, csrrw, 0, T1, 0, 0x341);
    put(g, csrrsi, 0, 1, 0, 0x340);
    put(g, mret, 0, 0, 0, 0);
}

GUEST_TEST(cap, cuts_at_every_cycle_and_the_rest_runs_the_same)
{
    static struct state whole, cut;
    put_mixture(g);
    assert_int_equal(run(g, 10000), HART_SELF_JUMP);
    read_state(g, &whole);
    assert_int_equal(g->calls, 3);
    assert_true(whole.cycles > 100 && whole.cycles < 1000);
    for (uint64_t cap = 0; cap <= whole.cycles + 1; cap++) {
        struct guest again;
        guest_init(&again);
        put_mixture(&again);
        enum hart_exit exit = hart_run(again.hart, cap);
        if (cap <= whole.cycles) {
            assert_int_equal(exit, HART_LIMIT);
            assert_true(again.hart->cycles >= cap);
            assert_true(again.hart->cycles <= cap + 3); /* a call's payload: three cycles */
            uint64_t stopped = again.hart->cycles;
            assert_int_equal(hart_run(again.hart, cap), HART_LIMIT); /* it stays where it is */
            assert_int_equal(again.hart->cycles, stopped);
            exit = hart_run(again.hart, 10000);
        }
        assert_int_equal(exit, HART_SELF_JUMP);
        read_state(&again, &cut);
        assert_same(&whole, &cut);
        guest_deinit(&again);
    }
}

GUEST_TEST(cap, one_cycle_at_a_time_is_the_run_in_one)
{
    static struct state whole, stepped;
    put_mixture(g);
    assert_int_equal(run(g, 10000), HART_SELF_JUMP);
    read_state(g, &whole);
    struct guest again;
    guest_init(&again);
    put_mixture(&again);
    enum hart_exit exit = HART_LIMIT;
    for (int i = 0; i < 10000 && exit == HART_LIMIT; i++) {
        exit = run(&again, 1);
    }
    assert_int_equal(exit, HART_SELF_JUMP);
    read_state(&again, &stepped);
    assert_same(&whole, &stepped);
    guest_deinit(&again);
}

/* Worked out by hand: what one round of a loop costs. */
GUEST_TEST(cap, counts_a_loop)
{
    g->hart->x[A0] = 1000;
    put(g, addi, A0, A0, 0, -1);
    put(g, bne, 0, A0, ZERO, -4);
    put(g, jal, 0, 0, 0, 0);
    assert_int_equal(run(g, 1999), HART_LIMIT);
    assert_int_equal(g->hart->pc, CODE + 4);
    assert_int_equal(g->hart->x[A0], 0);
    assert_int_equal(hart_run(g->hart, 2000), HART_LIMIT); /* the cap comes before the jump */
    assert_int_equal(g->hart->pc, CODE + 8);
    assert_int_equal(hart_run(g->hart, 2001), HART_SELF_JUMP);
    assert_counts(g, 2000, 2000);
}

GUEST_TEST(cap, far_away_and_close_by)
{
    put(g, jal, 0, 0, 0, 4);
    put(g, jal, 0, 0, 0, 0);
    g->hart->cycles = (1ull << 62) - 1;
    assert_int_equal(hart_run(g->hart, (1ull << 62) - 1), HART_LIMIT);
    assert_int_equal(g->hart->pc, CODE);
    assert_int_equal(hart_run(g->hart, 1ull << 62), HART_LIMIT);
    assert_int_equal(g->hart->pc, CODE + 4);
    assert_int_equal(hart_run(g->hart, (1ull << 62) + 1), HART_SELF_JUMP);
    assert_int_equal(g->hart->cycles, 1ull << 62);
}

GUEST_TEST(cap, is_passed_by_payload_only)
{
    g->payload = 160;
    put_word(g, 0x01f01013);
    put_word(g, 0x00100073);
    put_word(g, 0x40705013);
    assert_int_equal(hart_run(g->hart, 5), HART_LIMIT);
    assert_counts(g, 12, 2);
    assert_int_equal(g->hart->pc, CODE + 8);
    assert_int_equal(hart_run(g->hart, 12), HART_LIMIT);
    assert_int_equal(hart_run(g->hart, 13), HART_LIMIT);
    assert_counts(g, 13, 3);
}

GUEST_TEST(self_jump, does_not_retire)
{
    put(g, addi, A0, A0, 0, 1);
    put(g, jal, ZERO, 0, 0, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(g, 100), HART_SELF_JUMP);
        assert_int_equal(g->hart->pc, CODE + 4);
        assert_counts(g, 1, 1);
    }
    g->hart->pc = g->at;
    put_half(g, 0xa001); /* c.j 0 */
    assert_int_equal(run(g, 100), HART_SELF_JUMP);
    assert_int_equal(g->hart->pc, CODE + 8);
    assert_counts(g, 1, 1);
}

GUEST_TEST(self_jump, is_no_other_endless_loop)
{
    static const struct {
        enum op op;
        unsigned rd, rs1;
    } rows[] = {{OP_jal, RA, 0}, {OP_beq, 0, ZERO}, {OP_jalr, 0, A0}};
    g->hart->x[A0] = CODE;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        g->at = CODE;
        put_word(g, encode(rows[i].op, rows[i].rd, rows[i].rs1, 0, 0));
        hart_wrote(g->hart, CODE, 4);
        assert_int_equal(run(g, 100), HART_LIMIT);
        assert_int_equal(g->hart->pc, CODE);
        assert_counts(g, 100 * (i + 1), 100 * (i + 1));
    }
}

GUEST_TEST(self_jump, is_one_once_it_has_been_stored)
{
    g->hart->x[A0] = CODE + 8;
    g->hart->x[A1] = 0x6f;
    put(g, jal, ZERO, 0, 0, 8);
    put(g, sw, 0, A0, A1, 0);
    put(g, jal, ZERO, 0, 0, -4);
    assert_int_equal(run(g, 100), HART_SELF_JUMP);
    assert_int_equal(g->hart->pc, CODE + 8);
    assert_counts(g, 3, 3);
}

GUEST_TEST(wfi, retires_and_waits_behind_itself)
{
    put(g, wfi, 0, 0, 0, 0);
    put(g, wfi, 0, 0, 0, 0);
    assert_int_equal(run(g, 100), HART_WAIT);
    assert_int_equal(g->hart->pc, CODE + 4);
    assert_counts(g, 1, 1);
    assert_int_equal(run(g, 100), HART_WAIT);
    assert_int_equal(g->hart->pc, CODE + 8);
    assert_counts(g, 2, 2);
    g->hart->pc = CODE;
    assert_int_equal(run(g, 1), HART_WAIT); /* begun below the cap, it completes */
    assert_counts(g, 3, 3);
}

GUEST_TEST(reset, makes_registers_as_new_and_leaves_meter_and_memory)
{
    static struct state before, after;
    put_mixture(g);
    assert_int_equal(run(g, 77), HART_LIMIT);
    read_state(g, &before);
    hart_reset(g->hart, CODE + 0x1234);
    read_state(g, &after);
    static const uint32_t zeros[32];
    assert_memory_equal(after.x, zeros, sizeof zeros);
    assert_int_equal(after.pc, CODE + 0x1234);
    assert_int_equal(after.csr.mstatus, 0x1800);
    assert_int_equal(after.csr.mtvec, 0);
    assert_int_equal(after.csr.mepc | after.csr.mcause | after.csr.mtval | after.csr.mscratch, 0);
    assert_false(after.has_reservation);
    assert_false(after.has_crashed);
    assert_int_equal(after.cycles, before.cycles);
    assert_int_equal(after.retired, before.retired);
    assert_memory_equal(after.memory, before.memory, sizeof before.memory);
    assert_int_equal(hart_mtime(g->hart), 0);
}

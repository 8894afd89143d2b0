/* trap_test.c - traps: their CSRs, what they cost, the way back, and a trap within a trap */
/* SPDX-License-Identifier: MIT */
#include "guest.h"

enum { MIE = 8, MPIE = 0x80, MPP = 0x1800 };

/* Privileged specification 1.12, table 3.6: the other tests use the names. */
TEST(cause, has_the_number_of_the_specification)
{
    assert_int_equal(CAUSE_FETCH_MISALIGNED, 0);
    assert_int_equal(CAUSE_FETCH_FAULT, 1);
    assert_int_equal(CAUSE_ILLEGAL, 2);
    assert_int_equal(CAUSE_BREAKPOINT, 3);
    assert_int_equal(CAUSE_LOAD_MISALIGNED, 4);
    assert_int_equal(CAUSE_LOAD_FAULT, 5);
    assert_int_equal(CAUSE_STORE_MISALIGNED, 6);
    assert_int_equal(CAUSE_STORE_FAULT, 7);
    assert_int_equal(CAUSE_ECALL_U, 8);
    assert_int_equal(CAUSE_ECALL_M, 11);
}

GUEST_TEST(trap, costs_a_cycle_and_does_not_retire)
{
    put(g, addi, A0, ZERO, 0, 1);
    put(g, ecall, 0, 0, 0, 0);
    g->at = HANDLER;
    put(g, addi, A1, ZERO, 0, 2);
    put(g, csrrs, T0, ZERO, 0, 0xb00); /* mcycle: addi, trap, addi */
    put(g, csrrs, T1, ZERO, 0, 0xb02); /* minstret: addi, addi, csrrs */
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_ECALL_M, CODE + 4, 0);
    assert_counts(g, 2, 1);
    assert_int_equal(run(g, 3), HART_LIMIT);
    assert_counts(g, 5, 4);
    assert_int_equal(g->hart->x[T0], 3);
    assert_int_equal(g->hart->x[T1], 3);
}

GUEST_TEST(trap, leaves_the_registers_of_a_faulting_instruction_alone)
{
    g->hart->x[A0] = HOLE;
    g->hart->x[A1] = 77;
    put(g, lw, A1, A0, 0, 0);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_trapped(g, CAUSE_LOAD_FAULT, CODE, HOLE);
    assert_int_equal(g->hart->x[A1], 77);
    assert_counts(g, 1, 0);
}

GUEST_TEST(trap, stacks_mie_and_mret_brings_it_back)
{
    g->hart->csr.mstatus |= MIE;
    put(g, ecall, 0, 0, 0, 0);
    put(g, addi, A0, ZERO, 0, 5);
    g->at = HANDLER;
    put(g, csrrs, T0, ZERO, 0, 0x341);
    put(g, addi, T0, T0, 0, 4);
    put(g, csrrw, 0, T0, 0, 0x341);
    put(g, mret, 0, 0, 0, 0);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->csr.mstatus, MPP | MPIE);
    assert_int_equal(run(g, 4), HART_LIMIT);
    assert_int_equal(g->hart->csr.mstatus, MPIE | MIE); /* 3.3.2: MPP is the lesser mode */
    assert_int_equal(g->hart->pc, CODE + 4);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->x[A0], 5);
    assert_counts(g, 6, 5);
}

GUEST_TEST(trap, of_a_trap_handler_clears_mpie)
{
    put(g, ecall, 0, 0, 0, 0);
    g->at = HANDLER;
    put(g, ecall, 0, 0, 0, 0);
    g->hart->csr.mstatus |= MIE;
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_ECALL_M, HANDLER, 0);
    assert_int_equal(g->hart->csr.mstatus, MPP);
    assert_counts(g, 2, 0);
}

GUEST_TEST(trap, of_ebreak_shows_its_address)
{
    put(g, ebreak, 0, 0, 0, 0);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_trapped(g, CAUSE_BREAKPOINT, CODE, CODE);
    assert_counts(g, 1, 0);
}

GUEST_TEST(trap, of_compressed_ebreak_shows_its_address)
{
    put_half(g, 0x0001);
    put_half(g, 0x9002);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_BREAKPOINT, CODE + 2, CODE + 2);
    assert_counts(g, 2, 1);
}

GUEST_TEST(trap, is_vectored_for_interrupts_only)
{
    g->hart->csr.mtvec = HANDLER | 1;
    put(g, ecall, 0, 0, 0, 0);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->pc, HANDLER);
}

GUEST_TEST(illegal, shows_its_bits)
{
    static const uint32_t words[] = {0x00000000, 0x9c79,     0x8002,     0x0000000b,
                                     0x04000033, 0xffffffff, 0x0000001f, 0x12345077};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        /* What lies behind a compressed one is no part of it. */
        uint32_t bits = words[i] % 4 == 3 ? words[i] : words[i] & 0xffff;
        uint32_t at = CODE + 16 * (uint32_t)i;
        g->at = at;
        put_word(g, words[i] % 4 == 3 ? words[i] : words[i] | 0xabcd0000);
        g->hart->pc = at;
        assert_int_equal(run(g, 1), HART_LIMIT);
        assert_trapped(g, CAUSE_ILLEGAL, at, bits);
        assert_counts(g, i + 1, 0);
    }
}

GUEST_TEST(illegal, is_what_a_csr_refuses)
{
    put(g, csrrs, A0, ZERO, 0, 0x180); /* satp: there is none */
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_trapped(g, CAUSE_ILLEGAL, CODE, 0x18002573);
}

GUEST_TEST(fetch, faults_outside_executable_pages)
{
    static const uint32_t targets[] = {HOLE, DATA, READ_ONLY, DEVICE, 0x1000};
    put(g, jalr, RA, A0, 0, 0);
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        g->hart->pc = CODE;
        g->hart->x[A0] = targets[i];
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_trapped(g, CAUSE_FETCH_FAULT, targets[i], targets[i]);
        assert_int_equal(g->hart->x[RA], CODE + 4);
        assert_counts(g, 2 * i + 2, i + 1);
    }
    assert_int_equal(g->loads + g->stores, 0);
}

GUEST_TEST(fetch, of_a_page_without_code_at_its_start_works_at_its_end)
{
    put(g, jalr, 0, A0, 0, 0);
    g->hart->x[A0] = ROM_CODE + 0xffe;
    g->at = ROM_CODE + 0xffe;
    put_half(g, 0x4515); /* c.li a0, 5; behind it DATA cannot be executed */
    assert_int_equal(run(g, 3), HART_LIMIT);
    assert_int_equal(g->hart->x[A0], 5);
    assert_trapped(g, CAUSE_FETCH_FAULT, DATA, DATA);
    assert_counts(g, 3, 2);
}

GUEST_TEST(fetch, of_a_word_that_leaves_its_page_faults_at_the_second_half)
{
    g->at = ROM_CODE + 0xffe;
    g->hart->pc = g->at;
    put(g, addi, A0, ZERO, 0, 1);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_trapped(g, CAUSE_FETCH_FAULT, ROM_CODE + 0xffe, DATA);
    assert_int_equal(g->hart->x[A0], 0);
    assert_counts(g, 1, 0);
}

GUEST_TEST(fetch, of_a_word_over_two_pages_works)
{
    g->at = CODE + 0xffe;
    g->hart->pc = g->at;
    put(g, addi, A0, ZERO, 0, 0x123);
    put(g, auipc, A1, 0, 0, 0);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_int_equal(g->hart->x[A0], 0x123);
    assert_int_equal(g->hart->x[A1], CODE + 0x1002);
    assert_counts(g, 2, 2);
}

GUEST_TEST(double_trap, at_mtvec_0_costs_nothing_and_keeps_the_first)
{
    g->hart->csr.mtvec = 1; /* page 0 could be executed; its base is 0 all the same */
    g->hart->csr.mstatus |= MIE;
    put(g, addi, A0, ZERO, 0, 1);
    put(g, ebreak, 0, 0, 0, 0);
    assert_int_equal(run(g, 100), HART_DOUBLE_TRAP);
    assert_trapped(g, CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
    assert_int_equal(g->hart->csr.mstatus, MPP | MPIE);
    assert_counts(g, 2, 1);
    assert_int_equal(run(g, 100), HART_DOUBLE_TRAP);
    assert_counts(g, 2, 1);
}

GUEST_TEST(double_trap, where_the_handler_cannot_be_fetched)
{
    static const uint32_t handlers[] = {HOLE, DATA, DEVICE};
    for (size_t i = 0; i < ARRAY_COUNT(handlers); i++) {
        hart_reset(g->hart, CODE);
        g->hart->csr.mtvec = handlers[i];
        assert_int_equal(run(g, 100), HART_DOUBLE_TRAP);
        assert_trapped(g, CAUSE_ILLEGAL, CODE, 0);
        assert_counts(g, i + 1, 0);
    }
}

GUEST_TEST(double_trap, comes_after_the_cap)
{
    g->hart->csr.mtvec = 0;
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_counts(g, 1, 0);
    assert_int_equal(hart_run(g->hart, 1), HART_LIMIT);
    assert_int_equal(hart_run(g->hart, 2), HART_DOUBLE_TRAP);
    assert_counts(g, 1, 0);
}

GUEST_TEST(double_trap, is_not_a_handler_that_traps)
{
    assert_int_equal(run(g, 1000), HART_LIMIT); /* zeros at CODE, zeros at HANDLER */
    assert_trapped(g, CAUSE_ILLEGAL, HANDLER, 0);
    assert_counts(g, 1000, 0);
}

GUEST_TEST(crash, is_remembered_until_mret_but_not_for_ecall)
{
    put(g, ecall, 0, 0, 0, 0);
    put(g, ebreak, 0, 0, 0, 0);
    g->at = HANDLER;
    put(g, addi, A0, A0, 0, 1);
    put(g, mret, 0, 0, 0, 0);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_false(g->hart->has_crashed);
    g->hart->csr.mepc += 4;
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_true(g->hart->has_crashed);
    assert_int_equal(g->hart->last_exception.cause, CAUSE_BREAKPOINT);
    assert_int_equal(g->hart->last_exception.epc, CODE + 4);
    assert_int_equal(g->hart->last_exception.tval, CODE + 4);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_false(g->hart->has_crashed);
}

/* `slli x0, x0, 31; ebreak; srai x0, x0, 7` at the guest's `at`. */
static void put_call(struct guest *g)
{
    put_word(g, 0x01f01013);
    put_word(g, 0x00100073);
    put_word(g, 0x40705013);
}

GUEST_TEST(semihosting, retires_and_costs_a_cycle_for_16_bytes)
{
    static const struct {
        uint32_t payload;
        uint32_t cycles;
    } rows[] = {{0, 0}, {1, 1}, {15, 1}, {16, 1}, {17, 2}, {4096, 256}, {0x02000000, 0x200000}};
    put_call(g);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        hart_reset(g->hart, CODE);
        g->hart->cycles = g->hart->not_retired = 0;
        g->payload = rows[i].payload;
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_counts(g, rows[i].cycles + 2, 2);
        assert_int_equal(g->hart->pc, CODE + 8);
    }
    assert_int_equal(g->calls, ARRAY_COUNT(rows));
}

GUEST_TEST(semihosting, stops_behind_the_ebreak)
{
    g->payload = 33;
    g->hart->x[A0] = SEMIHOST_STOPS;
    put_call(g);
    assert_int_equal(run(g, 100), HART_STOP);
    assert_int_equal(g->hart->pc, CODE + 8);
    assert_counts(g, 5, 2);
}

GUEST_TEST(semihosting, runs_only_within_one_page)
{
    static const struct {
        uint32_t at;
        bool is_call;
    } rows[] = {{CODE + 0xff4, true},  {CODE + 0xff6, false}, {CODE + 0xff8, false},
                {CODE + 0xffa, false}, {CODE + 0xffc, false}, {CODE + 0xffe, false},
                {CODE + 0x1000, true}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        unsigned calls = g->calls;
        g->at = rows[i].at;
        put_call(g);
        hart_wrote(g->hart, rows[i].at, 12);
        g->hart->pc = rows[i].at;
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_int_equal(g->calls - calls, rows[i].is_call);
        if (!rows[i].is_call) {
            assert_trapped(g, CAUSE_BREAKPOINT, rows[i].at + 4, rows[i].at + 4);
        }
    }
}

GUEST_TEST(semihosting, needs_all_three_words)
{
    static const uint32_t words[][3] = {{0x01f01013, 0x00100073, 0x40705093},
                                        {0x01f01093, 0x00100073, 0x40705013},
                                        {0x00000013, 0x00100073, 0x40705013}};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        g->at = CODE;
        for (size_t n = 0; n < 3; n++) {
            put_word(g, words[i][n]);
        }
        hart_wrote(g->hart, CODE, 12);
        g->hart->pc = CODE;
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_trapped(g, CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
    }
    assert_int_equal(g->calls, 0);
}

GUEST_TEST(semihosting, is_a_breakpoint_where_the_bus_has_none)
{
    g->hart->bus.semihost = NULL;
    put_call(g);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
}

GUEST_TEST(semihosting, with_a_compressed_ebreak_is_a_breakpoint)
{
    put_word(g, 0x01f01013);
    put_half(g, 0x9002);
    put_word(g, 0x40705013);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
    assert_int_equal(g->calls, 0);
}

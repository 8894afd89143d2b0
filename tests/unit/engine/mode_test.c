/* mode_test.c - user mode: the way there and back, what it may not do, MPRV, and code of both modes
 */
/* SPDX-License-Identifier: MIT */
#include "guest.h"

enum { MIE = 8, MPIE = 0x80, MPP = 0x1800, MPRV = 0x20000, TW = 0x200000 };
enum { MSTATUS = 0x300, MCOUNTEREN = 0x306, PMPCFG0 = 0x3a0, PMPADDR0 = 0x3b0 };

static void set_csr(struct guest *g, uint32_t number, uint32_t value)
{
    assert_true(hart_csr_write(g->hart, number, value));
}

/* A reset hart that stands in user mode and may reach everything. */
static void enter_user(struct guest *g)
{
    hart_reset(g->hart, CODE);
    open_pmp(g, 0);
    g->hart->csr.mtvec = HANDLER;
    g->hart->mode = MODE_U;
    g->hart->csr.mstatus = 0;
}

/* Runs the instruction at CODE, in the hart's mode; true where it trapped. */
static bool is_trapping(struct guest *g, uint32_t word)
{
    poke(g, CODE, &word, 4);
    hart_wrote(g->hart, CODE, 4);
    g->hart->pc = CODE;
    uint64_t cycles = g->hart->cycles, before = retired(g);
    assert_int_equal(run(g, 1), HART_LIMIT);
    bool is_trap = g->hart->pc == HANDLER;
    assert_int_equal(g->hart->cycles, cycles + 1);
    assert_int_equal(retired(g), before + !is_trap);
    assert_true(!is_trap || g->hart->mode == MODE_M);
    return is_trap;
}

GUEST_TEST(mode, changes_by_mret_and_ecall)
{
    open_pmp(g, 0);
    g->hart->csr.mstatus = MPIE | TW;
    g->hart->csr.mepc = CODE + 0x100;
    put(g, mret, 0, 0, 0, 0);
    g->at = CODE + 0x100;
    put(g, addi, A0, ZERO, 0, 7);
    put(g, ecall, 0, 0, 0, 0);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->mode, MODE_U);
    assert_int_equal(g->hart->pc, CODE + 0x100);
    assert_int_equal(g->hart->csr.mstatus, MPIE | MIE | TW);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_ECALL_U, CODE + 0x104, 0);
    assert_int_equal(g->hart->mode, MODE_M);
    assert_int_equal(g->hart->csr.mstatus, MPIE | TW); /* MPP is user mode */
    assert_int_equal(g->hart->x[A0], 7);
    assert_false(g->hart->has_crashed);
    assert_counts(g, 3, 2);
}

GUEST_TEST(mode, mprv_ends_at_an_mret_to_user_mode_only)
{
    open_pmp(g, 0);
    put(g, mret, 0, 0, 0, 0);
    g->hart->csr.mstatus = MPRV | MPP;
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->mode, MODE_M);
    assert_int_equal(g->hart->csr.mstatus, MPRV | MPIE);
    g->hart->pc = CODE;
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->mode, MODE_U);
    assert_int_equal(g->hart->csr.mstatus, MPIE | MIE);
}

GUEST_TEST(mode, of_a_reserved_number_is_never_in_mpp)
{
    static const struct {
        uint32_t old, write, value;
    } rows[] = {{0, 0x0800, 0},           {0, 0x1000, 0},           {0, 0x1800, 0x1800},
                {0x1800, 0x0800, 0x1800}, {0x1800, 0x1000, 0x1800}, {0x1800, 0, 0},
                {0x1800, ~0u, 0x221888},  {0, 0xfffff7ff, 0x220088}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        set_csr(g, MSTATUS, rows[i].old);
        g->hart->x[A0] = rows[i].write;
        assert_false(is_trapping(g, encode(OP_csrrw, A1, A0, 0, MSTATUS)));
        assert_int_equal(g->hart->x[A1], rows[i].old);
        assert_int_equal(g->hart->csr.mstatus & ~8u, rows[i].value & ~8u);
        hart_reset(g->hart, CODE); /* MPRV, and what else it may have set */
        g->hart->csr.mtvec = HANDLER;
    }
}

GUEST_TEST(user, may_not_use_what_is_machine_modes)
{
    const uint32_t words[] = {
        encode(OP_mret, 0, 0, 0, 0),        encode(OP_csrrs, A0, 0, 0, MSTATUS),
        encode(OP_csrrw, A0, A0, 0, 0x340), encode(OP_csrrs, A0, 0, 0, 0xb00),
        encode(OP_csrrs, A0, 0, 0, 0xf14),  encode(OP_csrrs, A0, 0, 0, 0x747),
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        enter_user(g);
        set_csr(g, MCOUNTEREN, 7);
        assert_true(is_trapping(g, words[i]));
        assert_trapped(g, CAUSE_ILLEGAL, CODE, words[i]);
        assert_int_equal(g->hart->csr.mstatus & MPP, 0);
        hart_reset(g->hart, CODE);
        g->hart->csr.mtvec = HANDLER;
        g->hart->csr.mepc = CODE;
        assert_false(is_trapping(g, words[i]));
    }
}

GUEST_TEST(user, reads_the_counters_that_mcounteren_names_and_writes_none)
{
    static const uint32_t numbers[] = {0xc00, 0xc01, 0xc02, 0xc80, 0xc81, 0xc82};
    for (uint32_t enabled = 0; enabled < 8; enabled++) {
        for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
            bool is_enabled = enabled >> i % 3 & 1;
            enter_user(g);
            set_csr(g, MCOUNTEREN, enabled);
            assert_int_equal(is_trapping(g, encode(OP_csrrs, A0, 0, 0, (int32_t)numbers[i])),
                             !is_enabled);
            enter_user(g);
            set_csr(g, MCOUNTEREN, 7);
            assert_true(is_trapping(g, encode(OP_csrrw, A0, 0, 0, (int32_t)numbers[i])));
        }
    }
}

GUEST_TEST(user, waits_unless_tw_forbids_it_at_once)
{
    put(g, wfi, 0, 0, 0, 0);
    for (unsigned i = 0; i < 4; i++) {
        bool is_user = i & 1, has_tw = i & 2;
        enter_user(g);
        g->hart->mode = is_user ? MODE_U : MODE_M;
        g->hart->csr.mstatus = has_tw ? TW : 0;
        g->hart->csr.mie = 8;
        hart_set_pending(g->hart, INTERRUPT_SOFTWARE, false);
        bool is_illegal = is_user && has_tw;
        assert_int_equal(run(g, 1), is_illegal ? HART_LIMIT : HART_WAIT);
        if (is_illegal) {
            assert_trapped(g, CAUSE_ILLEGAL, CODE, 0x10500073);
        }
    }
}

GUEST_TEST(user, has_no_semihosting)
{
    put_word(g, 0x01f01013);
    put_word(g, 0x00100073);
    put_word(g, 0x40705013);
    enter_user(g);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
    assert_int_equal(g->calls, 0);
}

/* 3.7.1.3, straight after a reset: nothing matches. */
GUEST_TEST(user, may_nothing_where_no_entry_matches)
{
    g->hart->mode = MODE_U;
    put(g, addi, A0, A0, 0, 1);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_trapped(g, CAUSE_FETCH_FAULT, CODE, CODE);
    g->hart->csr.mstatus = MPRV; /* of user mode */
    g->hart->x[A1] = DATA;
    assert_true(is_trapping(g, encode(OP_lw, A0, A1, 0, 0)));
    assert_trapped(g, CAUSE_LOAD_FAULT, CODE, DATA);
    g->hart->csr.mstatus = MPRV;
    assert_true(is_trapping(g, encode(OP_sb, 0, A1, A0, 0)));
    assert_trapped(g, CAUSE_STORE_FAULT, CODE, DATA);
}

/* The page of DATA is user mode's to read, its second half to write. */
static void protect_data(struct guest *g)
{
    set_csr(g, PMPADDR0, DATA >> 2 | 0x200 | 0xff); /* NAPOT: DATA + 0x800, 2 KiB */
    set_csr(g, PMPADDR0 + 1, DATA >> 2 | 0x1ff);    /* NAPOT: 4 KiB */
    set_csr(g, PMPCFG0, 0x191b);
}

GUEST_TEST(mprv, gives_loads_and_stores_the_mode_in_mpp)
{
    static const struct {
        enum op op;
        uint32_t address;
        bool is_user_fault;
        uint32_t cause;
    } rows[] = {
        {OP_lw, DATA, false, 0},
        {OP_lw, DATA + 0x800, false, 0},
        {OP_sw, DATA + 0x800, false, 0},
        {OP_sw, DATA, true, CAUSE_STORE_FAULT},
        {OP_lw, CODE + 0x800, true, CAUSE_LOAD_FAULT},
        {OP_lr_w, CODE + 0x800, true, CAUSE_LOAD_FAULT},
        {OP_amoadd_w, DATA, true, CAUSE_STORE_FAULT},
        {OP_amoadd_w, DATA + 0x800, false, 0},
        {OP_lw, DEVICE, true, CAUSE_LOAD_FAULT},
        {OP_sw, DEVICE, true, CAUSE_STORE_FAULT},
    };
    static const uint32_t statuses[] = {0, MPP, MPRV | MPP, MPRV};
    protect_data(g);
    for (size_t i = 0; i < ARRAY_COUNT(rows) * ARRAY_COUNT(statuses); i++) {
        size_t row = i / ARRAY_COUNT(statuses);
        unsigned loads = g->loads, stores = g->stores;
        uint32_t status = statuses[i % ARRAY_COUNT(statuses)];
        bool is_fault = rows[row].is_user_fault && status == MPRV;
        g->hart->csr.mstatus = status;
        g->hart->x[A1] = rows[row].address;
        assert_int_equal(
            is_trapping(g, encode(rows[row].op, rows[row].op == OP_sw ? 0 : A0, A1, 0, 0)),
            is_fault);
        if (is_fault) {
            assert_trapped(g, rows[row].cause, CODE, rows[row].address);
            assert_int_equal(g->loads + g->stores, loads + stores); /* nobody heard of it */
        }
    }
}

/* Both modes have run the same instruction; a store by either is seen by both. */
GUEST_TEST(code, of_both_modes_is_dropped_by_a_store_of_either)
{
    const uint32_t one = encode(OP_addi, A0, ZERO, 0, 1), two = encode(OP_addi, A0, ZERO, 0, 2);
    for (unsigned i = 0; i < 4; i++) {
        enum mode storing = i & 1 ? MODE_U : MODE_M, running = i & 2 ? MODE_U : MODE_M;
        enter_user(g);
        poke(g, CODE + 0x100, &one, 4);
        g->at = CODE;
        put(g, sw, 0, A1, A2, 0);
        hart_wrote(g->hart, CODE, 0x200);
        for (unsigned n = 0; n < 2; n++) {
            g->hart->mode = n ? MODE_U : MODE_M;
            g->hart->pc = CODE + 0x100;
            assert_int_equal(run(g, 1), HART_LIMIT);
        }
        g->hart->mode = storing;
        g->hart->x[A1] = CODE + 0x100;
        g->hart->x[A2] = two;
        g->hart->pc = CODE;
        assert_int_equal(run(g, 1), HART_LIMIT);
        g->hart->mode = running;
        g->hart->pc = CODE + 0x100;
        assert_int_equal(run(g, 1), HART_LIMIT);
        assert_int_equal(g->hart->x[A0], 2);
    }
}

/* What machine mode has predecoded is no way round the PMP. */
GUEST_TEST(code, that_machine_mode_ran_is_not_user_modes_to_run)
{
    put(g, addi, A0, A0, 0, 1);
    put(g, jal, ZERO, 0, 0, -4);
    assert_int_equal(run(g, 20), HART_LIMIT);
    g->hart->mode = MODE_U;
    g->hart->pc = CODE;
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_trapped(g, CAUSE_FETCH_FAULT, CODE, CODE);
    set_csr(g, PMPADDR0, CODE >> 2 | 0x1ff);
    set_csr(g, PMPCFG0, 0x1c); /* X alone */
    g->hart->mode = MODE_U;
    g->hart->pc = CODE;
    assert_int_equal(run(g, 20), HART_LIMIT);
    assert_int_equal(g->hart->mode, MODE_U);
    set_csr(g, PMPCFG0, 0x1b); /* R and W */
    g->hart->pc = CODE;
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_trapped(g, CAUSE_FETCH_FAULT, CODE, CODE);
}

/* interrupt_test.c - which interrupt is taken, exactly when, and what wakes or never will */
/* SPDX-License-Identifier: MIT */
#include "guest.h"
#include "state.h"

enum { MIE = 8, MPIE = 0x80, MPP = 0x1800, MIP_CSR = 0x344, TIME_CSR = 0xc01 };
enum { SOFT = 1 << 3, TIMER = 1 << 7, EXTERNAL = 1 << 11 };

/* Fills CODE with `addi a0, a0, 1` and enables interrupts of `mie`. */
static void put_counting(struct guest *g, uint32_t mie)
{
    for (unsigned i = 0; i < 1000; i++) {
        put(g, addi, A0, A0, 0, 1);
    }
    put(g, jal, ZERO, 0, 0, -4000);
    g->hart->csr.mie = mie;
    g->hart->csr.mstatus |= MIE;
}

static void set_lines(struct guest *g, uint32_t lines)
{
    hart_set_pending(g->hart, INTERRUPT_SOFTWARE, lines & SOFT);
    hart_set_pending(g->hart, INTERRUPT_EXTERNAL, lines & EXTERNAL);
    hart_set_timer(g->hart, lines & TIMER ? 0 : ~0ull);
}

static uint32_t lines_of(unsigned bits)
{
    return (bits & 1 ? SOFT : 0) | (bits & 2 ? TIMER : 0) | (bits & 4 ? EXTERNAL : 0);
}

/* 3.1.9: MEI, MSI, MTI; 0 for none. */
static uint32_t first_of(uint32_t ready)
{
    return ready & EXTERNAL ? 11 : ready & SOFT ? 3 : ready & TIMER ? 7 : 0;
}

GUEST_TEST(interrupt, is_the_first_of_those_pending_and_enabled)
{
    put_counting(g, 0);
    for (unsigned i = 0; i < 8 * 8 * 4; i++) {
        uint32_t lines = lines_of(i % 8), enabled = lines_of(i / 8 % 8);
        bool has_mie = i & 64, is_user = i & 128;
        hart_reset(g->hart, CODE + 4 * i);
        open_pmp(g, 0);
        g->hart->csr.mtvec = HANDLER;
        g->hart->csr.mie = enabled;
        g->hart->csr.mstatus = has_mie ? MIE : 0;
        g->hart->mode = is_user ? MODE_U : MODE_M;
        g->hart->cycles = g->hart->not_retired = 0;
        set_lines(g, lines);
        uint32_t wanted = has_mie || is_user ? first_of(lines & enabled) : 0;
        assert_int_equal(run(g, 1), HART_LIMIT);
        assert_counts(g, 1, wanted == 0);
        if (wanted == 0) {
            assert_int_equal(g->hart->pc, CODE + 4 * i + 4);
            continue;
        }
        assert_trapped(g, 0x80000000u | wanted, CODE + 4 * i, 0);
        assert_int_equal(g->hart->csr.mstatus, (is_user ? 0 : MPP) | (has_mie ? MPIE : 0));
        assert_int_equal(g->hart->mode, MODE_M);
        assert_false(g->hart->has_crashed);
    }
}

GUEST_TEST(interrupt, is_vectored_by_its_number)
{
    static const struct {
        uint32_t line, offset;
    } rows[] = {{SOFT, 12}, {TIMER, 28}, {EXTERNAL, 44}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        hart_reset(g->hart, CODE);
        g->hart->csr.mtvec = HANDLER | 1;
        g->hart->csr.mie = SOFT | TIMER | EXTERNAL;
        g->hart->csr.mstatus |= MIE;
        set_lines(g, rows[i].line);
        assert_int_equal(run(g, 1), HART_LIMIT);
        assert_int_equal(g->hart->pc, HANDLER + rows[i].offset);
        assert_int_equal(g->hart->csr.mepc, CODE);
    }
}

GUEST_TEST(interrupt, shows_in_mip_which_only_devices_change)
{
    put(g, csrrw, A1, A0, 0, MIP_CSR);
    put(g, csrrs, A2, ZERO, 0, MIP_CSR);
    for (unsigned i = 0; i < 8; i++) {
        g->hart->pc = CODE;
        g->hart->x[A0] = i % 2 ? ~0u : 0;
        set_lines(g, lines_of(i));
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_int_equal(g->hart->x[A1], lines_of(i));
        assert_int_equal(g->hart->x[A2], lines_of(i));
    }
}

GUEST_TEST(interrupt, comes_after_the_cap_and_before_the_fetch)
{
    put_counting(g, SOFT);
    set_lines(g, SOFT);
    g->hart->pc = HOLE; /* cannot be fetched, nor has it to be */
    assert_int_equal(hart_run(g->hart, 0), HART_LIMIT);
    assert_counts(g, 0, 0);
    assert_int_equal(hart_run(g->hart, 1), HART_LIMIT);
    assert_trapped(g, 0x80000003, HOLE, 0);
    assert_counts(g, 1, 0);
}

GUEST_TEST(interrupt, of_a_handler_that_cannot_be_fetched_ends_the_run)
{
    put_counting(g, EXTERNAL);
    set_lines(g, EXTERNAL);
    g->hart->csr.mtvec = 1;                  /* base 0, vectored: page 0 could be executed at 44 */
    assert_int_equal(run(g, 1), HART_LIMIT); /* the cap comes first */
    assert_int_equal(run(g, 5), HART_DOUBLE_TRAP);
    assert_int_equal(g->hart->csr.mcause, 0x8000000b);
    assert_int_equal(g->hart->csr.mepc, CODE);
    assert_counts(g, 1, 0);
}

GUEST_TEST(interrupt, loses_the_reservation)
{
    put_counting(g, SOFT);
    g->hart->has_reservation = true;
    set_lines(g, SOFT);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_false(g->hart->has_reservation);
}

static void raise_software(struct guest *g)
{
    hart_set_pending(g->hart, INTERRUPT_SOFTWARE, true);
}

/* Whatever bus function raises it, the next instruction does not run. */
GUEST_TEST(interrupt, from_within_a_bus_function_is_taken_behind_that_instruction)
{
    static const struct {
        enum op op;
        uint32_t address;
    } rows[] = {{OP_lw, DEVICE}, {OP_sw, DEVICE}, {OP_sw, WATCHED}, {OP_amoadd_w, WATCHED}};
    g->hook = raise_software;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        hart_reset(g->hart, CODE);
        g->at = CODE;
        put_word(g, encode(rows[i].op, rows[i].op == OP_sw ? 0 : A2, A1,
                           rows[i].op == OP_lw ? 0 : A0, 0));
        put_counting(g, SOFT);
        hart_wrote(g->hart, CODE, 8);
        g->hart->csr.mtvec = HANDLER;
        g->hart->x[A1] = rows[i].address;
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_trapped(g, 0x80000003, CODE + 4, 0);
        assert_int_equal(g->hart->x[A0], 0);
    }
}

GUEST_TEST(interrupt, from_within_a_semihosting_call_is_taken_behind_it)
{
    g->hook = raise_software;
    put_word(g, 0x01f01013);
    put_word(g, 0x00100073);
    put_word(g, 0x40705013);
    put_counting(g, SOFT);
    assert_int_equal(run(g, 3), HART_LIMIT);
    assert_trapped(g, 0x80000003, CODE + 8, 0);
}

/* csrrsi and mret switch interrupts on; the very next boundary sees it. */
GUEST_TEST(interrupt, is_taken_right_behind_what_enables_it)
{
    static const struct {
        uint32_t word;
        uint32_t mie, mstatus;
    } rows[] = {
        {0x30046073, SOFT, MPP},        /* csrrsi x0, mstatus, 8 */
        {0x30446073, 0, MPP | MIE},     /* csrrsi x0, mie, 8 */
        {0x30200073, SOFT, MPP | MPIE}, /* mret */
        {0x30200073, SOFT, 0},          /* mret to user mode */
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        hart_reset(g->hart, CODE);
        g->at = CODE;
        put_word(g, rows[i].word);
        hart_wrote(g->hart, CODE, 4);
        g->hart->csr.mtvec = HANDLER;
        g->hart->csr.mepc = CODE + 0x100;
        g->hart->csr.mie = rows[i].mie;
        g->hart->csr.mstatus = rows[i].mstatus;
        set_lines(g, SOFT);
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_trapped(g, 0x80000003, rows[i].word == 0x30200073 ? CODE + 0x100 : CODE + 4, 0);
    }
}

/* mtime is cycles / 10: it reaches 7 before the instruction at cycle 70. */
GUEST_TEST(timer, fires_at_the_exact_cycle_however_the_run_is_cut)
{
    static struct state whole, cut;
    put_counting(g, TIMER);
    for (uint64_t step = 1; step < 100; step += 6) {
        hart_reset(g->hart, CODE);
        g->hart->cycles = g->hart->not_retired = 0;
        hart_reset(g->hart, CODE);
        g->hart->csr.mtvec = HANDLER;
        g->hart->csr.mie = TIMER;
        g->hart->csr.mstatus |= MIE;
        hart_set_timer(g->hart, 7);
        while (g->hart->cycles < 71) {
            uint64_t limit = g->hart->cycles + step;
            assert_int_equal(hart_run(g->hart, limit < 71 ? limit : 71), HART_LIMIT);
        }
        assert_trapped(g, 0x80000007, CODE + 280, 0);
        assert_counts(g, 71, 70);
        assert_int_equal(g->hart->x[A0], 70);
        read_state(g, step == 1 ? &whole : &cut);
        if (step > 1) {
            assert_same(&whole, &cut);
        }
    }
}

GUEST_TEST(timer, is_pending_from_mtimecmp_on_but_never_at_all_ones)
{
    static const struct {
        uint64_t mtime, mtimecmp;
        bool is_pending;
    } rows[] = {{0, 0, true},
                {5, 6, false},
                {6, 6, true},
                {7, 6, true},
                {~0ull, ~0ull, false},
                {~0ull, 0, true},
                {~0ull - 1, ~0ull - 1, true}};
    put(g, csrrs, A1, ZERO, 0, MIP_CSR);
    put(g, csrrs, A2, ZERO, 0, TIME_CSR);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        g->hart->pc = CODE;
        g->hart->cycles = 20;
        g->hart->time_offset = rows[i].mtime - 2;
        hart_set_timer(g->hart, rows[i].mtimecmp);
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_int_equal(g->hart->x[A1], rows[i].is_pending ? TIMER : 0);
        assert_int_equal(g->hart->x[A2], (uint32_t)rows[i].mtime);
    }
}

GUEST_TEST(timer, that_is_farther_than_the_meter_counts_never_fires)
{
    put_counting(g, TIMER);
    hart_set_timer(g->hart, ~0ull - 1);
    g->hart->time_offset = 0;
    assert_int_equal(run(g, 500), HART_LIMIT);
    assert_counts(g, 500, 500);
    g->hart->time_offset = 0 - g->hart->cycles / 10 + (1ull << 62);
    assert_int_equal(run(g, 500), HART_LIMIT);
    assert_counts(g, 1000, 1000);
}

static void set_time(struct guest *g)
{
    hart_set_mtime(g->hart, 1000);
}

GUEST_TEST(timer, set_by_a_store_to_mtime_fires_at_once)
{
    for (unsigned before = 0; before < 12; before++) { /* whatever the tenths of the tick */
        hart_reset(g->hart, CODE);
        g->hart->cycles = g->hart->not_retired = 0;
        hart_reset(g->hart, CODE);
        g->at = CODE;
        for (unsigned i = 0; i < before; i++) {
            put(g, addi, ZERO, ZERO, 0, 0);
        }
        put(g, sw, 0, A1, A0, 0);
        put(g, csrrs, A2, ZERO, 0, TIME_CSR);
        hart_wrote(g->hart, CODE, g->at - CODE);
        g->hook = set_time;
        g->hart->x[A1] = DEVICE;
        assert_int_equal(run(g, before + 2), HART_LIMIT);
        assert_int_equal(g->hart->x[A2], 1000);
    }
    hart_reset(g->hart, CODE + 11 * 4); /* the store again */
    g->hart->csr.mtvec = HANDLER;
    g->hart->csr.mie = TIMER;
    g->hart->csr.mstatus |= MIE;
    g->hart->x[A1] = DEVICE;
    hart_set_timer(g->hart, 1000);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, 0x80000007, CODE + 12 * 4, 0);
}

/* wfi at CODE; what is enabled, pending and set, and what comes of it. */
GUEST_TEST(wfi, wakes_by_what_is_enabled_whatever_mie)
{
    static const struct {
        uint32_t mie, lines;
        uint64_t mtimecmp;
        bool is_waking;
        uint32_t mtime; /* behind it */
    } rows[] = {
        {0, 0, ~0ull, false, 0},
        {0, SOFT | EXTERNAL, 50, false, 0},
        {SOFT, SOFT, ~0ull, true, 0},
        {EXTERNAL, EXTERNAL, 50, true, 0},
        {EXTERNAL, SOFT, ~0ull, false, 0},
        {TIMER, 0, ~0ull, false, 0},
        {TIMER, SOFT, 50, true, 50},
        {TIMER | SOFT, SOFT, 50, true, 0},
        {TIMER, 0, 0, true, 0},
        {TIMER, 0, ~0ull - 1, true, ~1u},
        {SOFT | EXTERNAL, 0, 50, false, 0},
    };
    put(g, wfi, 0, 0, 0, 0);
    put(g, csrrs, A2, ZERO, 0, TIME_CSR);
    for (size_t i = 0; i < 2 * ARRAY_COUNT(rows); i++) {
        size_t row = i / 2;
        bool has_mie = i % 2;
        hart_reset(g->hart, CODE);
        g->hart->cycles = g->hart->not_retired = 0;
        hart_reset(g->hart, CODE);
        g->hart->csr.mtvec = HANDLER;
        g->hart->csr.mie = rows[row].mie;
        g->hart->csr.mstatus = 0;
        set_lines(g, rows[row].lines);
        hart_set_timer(g->hart, rows[row].mtimecmp);
        g->hart->csr.mstatus = has_mie && !(rows[row].lines & rows[row].mie) ? MIE : 0;
        bool is_due = rows[row].mtimecmp == 0;
        g->hart->csr.mstatus = is_due ? 0 : g->hart->csr.mstatus;
        assert_int_equal(run(g, 1), rows[row].is_waking ? HART_LIMIT : HART_WAIT);
        assert_int_equal(g->hart->pc, CODE + 4);
        assert_counts(g, 1, 1);
        assert_int_equal((uint32_t)hart_mtime(g->hart), rows[row].mtime);
        if (!rows[row].is_waking) {
            continue;
        }
        bool is_taken = g->hart->csr.mstatus & MIE;
        assert_int_equal(run(g, 1), HART_LIMIT);
        assert_int_equal(g->hart->pc, is_taken ? HANDLER : CODE + 8);
        assert_counts(g, 2, 2 - is_taken);
    }
}

/* jal x0, 0 at CODE. */
GUEST_TEST(self_jump, ends_the_run_unless_a_timer_can_interrupt_it)
{
    static const struct {
        uint32_t mie, mstatus;
        uint64_t mtimecmp;
        enum mode mode;
        enum hart_exit exit;
    } rows[] = {
        {TIMER, MIE, ~0ull, MODE_M, HART_SELF_JUMP}, {TIMER, 0, 9, MODE_M, HART_SELF_JUMP},
        {SOFT, MIE, 9, MODE_M, HART_SELF_JUMP},      {TIMER, MIE, 9, MODE_M, HART_LIMIT},
        {TIMER, 0, 9, MODE_U, HART_LIMIT},           {0, MIE, 9, MODE_U, HART_SELF_JUMP},
        {TIMER, MIE, ~0ull - 1, MODE_M, HART_LIMIT},
    };
    put(g, addi, A0, A0, 0, 1);
    put(g, jal, ZERO, 0, 0, 0);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (uint64_t cap = 2; cap < 120; cap += 29) {
            hart_reset(g->hart, CODE);
            g->hart->cycles = g->hart->not_retired = 0;
            hart_reset(g->hart, CODE);
            open_pmp(g, 0);
            g->hart->csr.mtvec = HANDLER;
            g->hart->csr.mie = rows[i].mie;
            g->hart->csr.mstatus = rows[i].mstatus;
            g->hart->mode = rows[i].mode;
            hart_set_timer(g->hart, rows[i].mtimecmp);
            assert_int_equal(hart_run(g->hart, cap < 91 ? cap : 91), rows[i].exit);
            if (rows[i].exit == HART_SELF_JUMP) {
                assert_int_equal(g->hart->pc, CODE + 4);
                assert_counts(g, 1, 1);
            } else if (cap < 91 || rows[i].mtimecmp > 9) {
                assert_int_equal(g->hart->pc, CODE + 4);
                assert_counts(g, cap < 91 ? cap : 91, cap < 91 ? cap : 91);
            } else { /* each jump retired, up to mtime 9 */
                assert_trapped(g, 0x80000007, CODE + 4, 0);
                assert_counts(g, 91, 90);
            }
        }
    }
}

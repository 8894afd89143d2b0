/* access_test.c - loads, stores, atomics and devices: what each does, and what a fault leaves */
/* SPDX-License-Identifier: MIT */
#include "guest.h"

static const enum op loads[] = {OP_lb, OP_lbu, OP_lh, OP_lhu, OP_lw};
static const enum op stores[] = {OP_sb, OP_sh, OP_sw};

static uint32_t size_of(enum op op)
{
    return op == OP_lw || op == OP_sw ? 4 : op == OP_lh || op == OP_lhu || op == OP_sh ? 2 : 1;
}

/* Runs one instruction, at CODE; true where it trapped. */
static bool is_trapping(struct guest *g, uint32_t word)
{
    if (word_at(g, CODE) != word) {
        poke(g, CODE, &word, 4);
        hart_wrote(g->hart, CODE, 4);
    }
    g->hart->pc = CODE;
    uint64_t cycles = g->hart->cycles;
    uint64_t before = retired(g);
    assert_int_equal(run(g, 1), HART_LIMIT);
    bool is_trap = g->hart->pc == HANDLER;
    assert_int_equal(g->hart->cycles, cycles + 1);
    assert_int_equal(retired(g), before + !is_trap);
    return is_trap;
}

static uint32_t expected_load(enum op op, const uint8_t *bytes)
{
    uint32_t value = 0;
    memcpy(&value, bytes, size_of(op));
    return op == OP_lb ? (uint32_t)(int8_t)value : op == OP_lh ? (uint32_t)(int16_t)value : value;
}

GUEST_TEST(load, works_at_every_offset_and_over_a_pages_end)
{
    uint8_t bytes[16];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(0x7b + 0x11 * i);
    }
    poke(g, CODE + 0xff8, bytes, sizeof bytes);
    for (size_t i = 0; i < ARRAY_COUNT(loads); i++) {
        for (unsigned at = 0; at <= sizeof bytes - 4; at++) {
            g->hart->x[A0] = CODE + 0xff8 + at + 100;
            assert_false(is_trapping(g, encode(loads[i], A1, A0, 0, -100)));
            assert_int_equal(g->hart->x[A1], expected_load(loads[i], bytes + at));
        }
    }
    assert_int_equal(g->hart->dirty[CODE / PAGE_SIZE + 1], 0);
}

GUEST_TEST(store, works_at_every_offset_and_marks_both_pages)
{
    for (size_t i = 0; i < ARRAY_COUNT(stores); i++) {
        for (unsigned at = 0; at <= 12; at++) {
            uint32_t address = CODE + 0x1ff8 + at;
            uint32_t size = size_of(stores[i]);
            uint8_t wanted[16];
            memset(wanted, 0xee, sizeof wanted);
            poke(g, CODE + 0x1ff8, wanted, sizeof wanted);
            memcpy(wanted + at, "\x44\x33\x22\x81", size);
            memset(g->hart->dirty + CODE / PAGE_SIZE, 0, 4);
            g->hart->x[A0] = address;
            g->hart->x[A1] = 0x81223344;
            assert_false(is_trapping(g, encode(stores[i], 0, A0, A1, 0)));
            assert_memory_equal(g->memory + CODE + 0x1ff8, wanted, sizeof wanted);
            assert_int_equal(g->hart->dirty[CODE / PAGE_SIZE + 1], address < CODE + 0x2000);
            assert_int_equal(g->hart->dirty[CODE / PAGE_SIZE + 2], address + size > CODE + 0x2000);
            assert_int_equal(g->hart->dirty[CODE / PAGE_SIZE + 3], 0);
        }
    }
}

GUEST_TEST(load, names_the_first_byte_that_faults)
{
    for (size_t i = 0; i < ARRAY_COUNT(loads); i++) {
        uint32_t size = size_of(loads[i]);
        for (uint32_t at = 0; at < 8; at++) {
            uint32_t address = HOLE - 4 + at; /* WATCHED is before, nothing behind */
            bool is_fault = address + size > HOLE;
            g->hart->x[A0] = address;
            g->hart->x[A1] = 0x5eed;
            assert_int_equal(is_trapping(g, encode(loads[i], A1, A0, 0, 0)), is_fault);
            if (is_fault) {
                assert_trapped(g, CAUSE_LOAD_FAULT, CODE, address < HOLE ? HOLE : address);
                assert_int_equal(g->hart->x[A1], 0x5eed);
            }
        }
    }
}

GUEST_TEST(store, that_leaves_its_page_for_a_fault_does_nothing)
{
    for (size_t i = 0; i < ARRAY_COUNT(stores); i++) {
        uint32_t size = size_of(stores[i]);
        for (uint32_t at = 0; at < 8; at++) {
            uint32_t address = HOLE - 4 + at;
            const uint32_t old = 0x11111111;
            poke(g, HOLE - 4, &old, 4);
            g->hart->dirty[WATCHED / PAGE_SIZE] = 0;
            g->hart->x[A0] = address;
            bool is_fault = address + size > HOLE;
            assert_int_equal(is_trapping(g, encode(stores[i], 0, A0, A0, 0)), is_fault);
            if (is_fault) {
                assert_trapped(g, CAUSE_STORE_FAULT, CODE, address < HOLE ? HOLE : address);
                assert_int_equal(word_at(g, HOLE - 4), old);
                assert_int_equal(g->hart->dirty[WATCHED / PAGE_SIZE], 0);
            }
        }
    }
    assert_int_equal(g->hart->dirty[HOLE / PAGE_SIZE], 0);
}

GUEST_TEST(store, from_a_page_that_cannot_be_written_names_its_own_first_byte)
{
    g->hart->x[A0] = ROM_CODE + 0xffe; /* two bytes of ROM, two of DATA */
    assert_true(is_trapping(g, encode(OP_sw, 0, A0, A0, 0)));
    assert_trapped(g, CAUSE_STORE_FAULT, CODE, ROM_CODE + 0xffe);
    assert_int_equal(word_at(g, DATA), 0);
    assert_int_equal(g->hart->dirty[DATA / PAGE_SIZE], 0);
    g->hart->x[A0] = CODE + 0x3ffd; /* three bytes may be written, one may not */
    assert_true(is_trapping(g, encode(OP_sw, 0, A0, A0, 0)));
    assert_trapped(g, CAUSE_STORE_FAULT, CODE, READ_ONLY);
    assert_int_equal(word_at(g, CODE + 0x3ffc), 0);
    assert_int_equal(g->hart->dirty[CODE / PAGE_SIZE + 3], 0);
}

GUEST_TEST(access, wraps_at_4_gib)
{
    uint32_t address = 0xfffffffe;
    g->hart->x[A0] = address;
    g->hart->x[A1] = 0x44332211;
    assert_false(is_trapping(g, encode(OP_sw, 0, A0, A1, 0)));
    assert_int_equal(word_at(g, 0xfffffffc), 0x22110000);
    assert_int_equal(word_at(g, 0), 0x4433);
    assert_int_equal(g->hart->dirty[0], 1);
    assert_int_equal(g->hart->dirty[0xfffff], 1);
    assert_false(is_trapping(g, encode(OP_lw, A2, A0, 0, 0)));
    assert_int_equal(g->hart->x[A2], 0x44332211);
    g->hart->x[A0] = 0xfffffffc;
    assert_false(is_trapping(g, encode(OP_lh, A2, A0, 0, 4)));
    assert_int_equal(g->hart->x[A2], 0x4433);
    g->hart->x[A0] = 0;
    assert_false(is_trapping(g, encode(OP_lhu, A2, A0, 0, -2)));
    assert_int_equal(g->hart->x[A2], 0x2211);
}

GUEST_TEST(access, of_rd_0_still_faults)
{
    g->hart->x[A0] = HOLE;
    assert_true(is_trapping(g, encode(OP_lw, ZERO, A0, 0, 0)));
    g->hart->x[A0] = CODE;
    assert_false(is_trapping(g, encode(OP_lw, ZERO, A0, 0, 0)));
    assert_int_equal(g->hart->x[ZERO], 0);
}

GUEST_TEST(device, gets_naturally_aligned_accesses)
{
    static const uint32_t values[] = {0xfffffff4, 0xf4, 0xfffff3f4, 0xf3f4, 0x8182f3f4};
    for (size_t i = 0; i < ARRAY_COUNT(loads); i++) {
        g->hart->x[A0] = DEVICE + 8;
        assert_false(is_trapping(g, encode(loads[i], A1, A0, 0, 0)));
        assert_int_equal(g->hart->x[A1], values[i]);
        assert_int_equal(g->device_address, DEVICE + 8);
        assert_int_equal(g->device_size, size_of(loads[i]));
    }
    for (size_t i = 0; i < ARRAY_COUNT(stores); i++) {
        g->hart->x[A0] = DEVICE + 12;
        g->hart->x[A1] = 0x89abcdef;
        assert_false(is_trapping(g, encode(stores[i], 0, A0, A1, 0)));
        assert_int_equal(g->device_value, 0x89abcdef & (~0u >> (32 - 8 * size_of(stores[i]))));
        assert_int_equal(g->device_address, DEVICE + 12);
        assert_int_equal(g->device_size, size_of(stores[i]));
    }
    assert_int_equal(g->loads, 5);
    assert_int_equal(g->stores, 3);
    assert_int_equal(g->hart->dirty[DEVICE / PAGE_SIZE], 0);
}

GUEST_TEST(device, never_hears_of_a_misaligned_access)
{
    static const struct {
        enum op op;
        uint32_t at;
        uint32_t fault;
    } rows[] = {
        {OP_lw, DEVICE + 1, DEVICE + 1}, {OP_lw, DEVICE + 2, DEVICE + 2},
        {OP_lh, DEVICE + 3, DEVICE + 3}, {OP_lw, DEVICE - 2, DEVICE},
        {OP_lh, DEVICE - 1, DEVICE},     {OP_sw, DEVICE + 2, DEVICE + 2},
        {OP_sh, DEVICE + 1, DEVICE + 1}, {OP_sw, DEVICE - 3, DEVICE},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        bool is_store = rows[i].op == OP_sb || rows[i].op == OP_sh || rows[i].op == OP_sw;
        g->hart->x[A0] = rows[i].at;
        assert_true(is_trapping(g, encode(rows[i].op, is_store ? 0 : A1, A0, 0, 0)));
        assert_trapped(g, is_store ? CAUSE_STORE_FAULT : CAUSE_LOAD_FAULT, CODE, rows[i].fault);
    }
    assert_int_equal(g->loads + g->stores, 0);
    assert_int_equal(word_at(g, DEVICE - 4), 0);
}

GUEST_TEST(device, never_hears_of_an_atomic)
{
    g->hart->x[A0] = DEVICE;
    assert_true(is_trapping(g, encode(OP_lr_w, A1, A0, 0, 0)));
    assert_trapped(g, CAUSE_LOAD_FAULT, CODE, DEVICE);
    assert_true(is_trapping(g, encode(OP_sc_w, A1, A0, A1, 0)));
    assert_trapped(g, CAUSE_STORE_FAULT, CODE, DEVICE);
    assert_true(is_trapping(g, encode(OP_amoadd_w, A1, A0, A1, 0)));
    assert_trapped(g, CAUSE_STORE_FAULT, CODE, DEVICE);
    assert_int_equal(g->loads + g->stores, 0);
}

GUEST_TEST(device, that_stops_the_run_does_so_behind_the_instruction)
{
    g->is_stopping = true;
    g->hart->x[A0] = DEVICE;
    put(g, lhu, A1, A0, 0, 0);
    put(g, sw, 0, A0, A0, 0);
    assert_int_equal(run(g, 10), HART_STOP);
    assert_int_equal(g->hart->pc, CODE + 4);
    assert_int_equal(g->hart->x[A1], 0xf3f4);
    assert_counts(g, 1, 1);
    assert_int_equal(run(g, 10), HART_STOP);
    assert_int_equal(g->hart->pc, CODE + 8);
    assert_counts(g, 2, 2);
}

GUEST_TEST(watched_page, tells_of_stores_once_they_are_done)
{
    g->hart->x[A0] = WATCHED + 0x100;
    g->hart->x[A1] = 1;
    assert_false(is_trapping(g, encode(OP_sb, 0, A0, A1, 0)));
    assert_false(is_trapping(g, encode(OP_sw, 0, A0, A1, 1)));
    assert_false(is_trapping(g, encode(OP_amoadd_w, A2, A0, A1, 0)));
    assert_int_equal(g->watched, 3);
    assert_false(is_trapping(g, encode(OP_lw, A2, A0, 0, 0)));
    assert_int_equal(g->watched, 3);
    g->hart->x[A0] = WATCHED - 2; /* it begins in the page before */
    assert_false(is_trapping(g, encode(OP_sw, 0, A0, A1, 0)));
    assert_int_equal(g->watched, 4);
}

/* Runs `word` at CODE, which stores STOP_VALUE in a watched page. */
static void assert_stops(struct guest *g, uint32_t word)
{
    poke(g, CODE, &word, 4);
    hart_wrote(g->hart, CODE, 4);
    uint64_t cycles = g->hart->cycles;
    g->hart->pc = CODE;
    assert_int_equal(run(g, 10), HART_STOP);
    assert_int_equal(g->hart->pc, CODE + 4);
    assert_int_equal(g->hart->cycles, cycles + 1);
    assert_int_equal(word_at(g, WATCHED + 16), STOP_VALUE);
}

GUEST_TEST(watched_page, stops_with_the_instruction_complete)
{
    g->hart->x[A0] = WATCHED + 16;
    g->hart->x[A1] = STOP_VALUE;
    assert_stops(g, encode(OP_sw, 0, A0, A1, 0));
    const uint32_t old = 0xabcd;
    poke(g, WATCHED + 16, &old, 4);
    g->hart->x[A2] = 99;
    assert_stops(g, encode(OP_amoswap_w, A2, A0, A1, 0));
    assert_int_equal(g->hart->x[A2], old);
    assert_false(is_trapping(g, encode(OP_lr_w, A3, A0, 0, 0)));
    assert_stops(g, encode(OP_sc_w, A2, A0, A1, 0));
    assert_int_equal(g->hart->x[A2], 0);
}

GUEST_TEST(atomic, causes_are_4_and_5_for_lr_but_6_and_7_for_the_others)
{
    static const struct {
        uint32_t at;
        bool is_misaligned;
        bool is_lr_allowed;
    } rows[] = {{DATA + 1, true, false}, {DATA + 2, true, false},  {HOLE, false, false},
                {HOLE + 3, true, false}, {READ_ONLY, false, true}, {ROM_CODE, false, true}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        g->hart->x[A0] = rows[i].at;
        g->hart->x[A1] = 0x77;
        bool is_bad = rows[i].is_misaligned;
        assert_int_equal(is_trapping(g, encode(OP_lr_w, A2, A0, 0, 0)), !rows[i].is_lr_allowed);
        if (!rows[i].is_lr_allowed) {
            assert_trapped(g, is_bad ? CAUSE_LOAD_MISALIGNED : CAUSE_LOAD_FAULT, CODE, rows[i].at);
        }
        g->hart->has_reservation = true;
        g->hart->reservation = rows[i].at;
        assert_true(is_trapping(g, encode(OP_amoor_w, A1, A0, A1, 0)));
        assert_trapped(g, is_bad ? CAUSE_STORE_MISALIGNED : CAUSE_STORE_FAULT, CODE, rows[i].at);
        assert_false(g->hart->has_reservation);
        assert_true(is_trapping(g, encode(OP_sc_w, A1, A0, A1, 0))); /* before the reservation */
        assert_trapped(g, is_bad ? CAUSE_STORE_MISALIGNED : CAUSE_STORE_FAULT, CODE, rows[i].at);
        assert_int_equal(g->hart->x[A1], 0x77);
    }
}

GUEST_TEST(atomic, amo_reads_writes_and_marks)
{
    const uint32_t old = 0x80000005;
    poke(g, DATA + 8, &old, 4);
    g->hart->x[A0] = DATA + 8;
    g->hart->x[A1] = 7;
    assert_false(is_trapping(g, encode(OP_amomax_w, A2, A0, A1, 0)));
    assert_int_equal(g->hart->x[A2], old);
    assert_int_equal(word_at(g, DATA + 8), 7);
    assert_int_equal(g->hart->dirty[DATA / PAGE_SIZE], 1);
    g->hart->x[A0] = DATA + 8;
    assert_false(is_trapping(g, encode(OP_amoadd_w, A0, A0, A0, 0))); /* all the same register */
    assert_int_equal(g->hart->x[A0], 7);
    assert_int_equal(word_at(g, DATA + 8), DATA + 15);
    g->hart->x[A0] = DATA + 8;
    assert_false(is_trapping(g, encode(OP_amoswap_w, ZERO, A0, ZERO, 0)));
    assert_int_equal(word_at(g, DATA + 8), 0);
    assert_int_equal(g->hart->x[ZERO], 0);
}

static void reserve(struct guest *g, uint32_t address)
{
    g->hart->x[A0] = address;
    assert_false(is_trapping(g, encode(OP_lr_w, A2, A0, 0, 0)));
    assert_int_equal(g->hart->x[A2], word_at(g, address));
}

/* Tries an SC of 0x1234; its answer is what `is_mine` says, and memory agrees. */
static void assert_sc(struct guest *g, uint32_t address, bool is_mine)
{
    uint32_t old = word_at(g, address);
    g->hart->x[A0] = address;
    g->hart->x[A1] = old + 0x1234;
    assert_false(is_trapping(g, encode(OP_sc_w, A2, A0, A1, 0)));
    assert_int_equal(g->hart->x[A2], !is_mine);
    assert_int_equal(word_at(g, address), is_mine ? old + 0x1234 : old);
}

GUEST_TEST(reservation, is_one_word_and_is_used_up)
{
    assert_sc(g, DATA, false);
    reserve(g, DATA);
    assert_sc(g, DATA, true);
    assert_sc(g, DATA, false);
    reserve(g, DATA);
    assert_sc(g, DATA + 4, false);
    assert_sc(g, DATA, false); /* any SC loses it */
    reserve(g, DATA);
    reserve(g, DATA + 8);
    assert_sc(g, DATA, false);
    reserve(g, DATA + 8);
    assert_sc(g, DATA + 8, true);
}

GUEST_TEST(reservation, survives_the_harts_own_stores_and_amos)
{
    reserve(g, DATA);
    g->hart->x[A1] = 5;
    assert_false(is_trapping(g, encode(OP_sw, 0, A0, A1, 0)));
    assert_false(is_trapping(g, encode(OP_amoadd_w, A3, A0, A1, 0)));
    assert_int_equal(word_at(g, DATA), 10);
    assert_sc(g, DATA, true);
}

GUEST_TEST(reservation, is_lost_at_a_trap_and_at_mret)
{
    reserve(g, DATA);
    assert_true(is_trapping(g, encode(OP_ecall, 0, 0, 0, 0)));
    assert_sc(g, DATA, false);
    reserve(g, DATA);
    g->hart->csr.mepc = CODE + 4;
    assert_false(is_trapping(g, encode(OP_mret, 0, 0, 0, 0)));
    assert_sc(g, DATA, false);
    reserve(g, DATA);
    g->hart->x[A0] = DATA + 2;
    assert_true(is_trapping(g, encode(OP_sc_w, A2, A0, A1, 0)));
    assert_sc(g, DATA, false);
}

GUEST_TEST(reservation, is_lost_where_somebody_else_writes)
{
    static const struct {
        int32_t at;
        uint32_t len;
        bool is_kept;
    } rows[] = {{-4, 4, true}, {-4, 5, false},  {0, 1, false}, {3, 1, false},
                {4, 4, true},  {-8, 64, false}, {1, 0, true},  {0, 0, true}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        reserve(g, DATA + 64);
        hart_wrote(g->hart, DATA + 64 + (uint32_t)rows[i].at, rows[i].len);
        assert_sc(g, DATA + 64, rows[i].is_kept);
    }
    reserve(g, 0xfffffffc); /* the last word of all */
    hart_wrote(g->hart, 0xfffffff8, 8);
    assert_sc(g, 0xfffffffc, false);
    reserve(g, 0xfffffffc);
    hart_wrote(g->hart, 0xfffffff8, 4);
    assert_sc(g, 0xfffffffc, true);
}

GUEST_TEST(may, asks_every_byte)
{
    struct hart *h = g->hart;
    assert_true(hart_may(h, CODE, 0x8000, PAGE_READ));
    assert_false(hart_may(h, CODE, 0x8001, PAGE_READ));
    assert_true(hart_may(h, CODE, 0x4000, PAGE_WRITE));
    assert_false(hart_may(h, CODE, 0x4001, PAGE_WRITE));
    assert_true(hart_may(h, DATA, 0x2000, PAGE_WRITE)); /* a watched one too */
    assert_false(hart_may(h, DEVICE, 1, PAGE_READ));
    assert_false(hart_may(h, DEVICE, 1, PAGE_WRITE));
    assert_true(hart_may(h, HOLE, 0, PAGE_READ));
    assert_true(hart_may(h, 0xfffff000, 0x1000, PAGE_READ));
    assert_false(hart_may(h, 0xfffff000, 0x1001, PAGE_READ)); /* it does not wrap */
    assert_false(hart_may(h, 0xfffff000, ~0u, PAGE_READ));
    assert_true(is_trapping(g, 0)); /* CODE now holds predecoded instructions */
    assert_true(hart_may(h, CODE, 1, PAGE_WRITE));
}

GUEST_TEST(wrote, marks_exactly_its_pages)
{
    uint8_t *dirty = g->hart->dirty + CODE / PAGE_SIZE;
    hart_wrote(g->hart, CODE + 0xfff, 0);
    assert_int_equal(dirty[0] + dirty[1], 0);
    hart_wrote(g->hart, CODE + 0x1fff, 0x1002);
    assert_memory_equal(dirty, "\0\1\1\1\0", 5);
    hart_wrote(g->hart, 0xffffffff, 1);
    assert_int_equal(g->hart->dirty[0xfffff], 1);
    assert_int_equal(g->hart->dirty[0], 0);
}

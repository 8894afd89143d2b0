/* code_test.c - the very next fetch sees a store, whoever stored and wherever the code lies */
/* SPDX-License-Identifier: MIT */
#include "guest.h"

/* c.li a0, 1 and c.li a0, 2, and the same as words. */
enum { LI_1 = 0x4505, LI_2 = 0x4509 };

static uint32_t li(int32_t value)
{
    return encode(OP_addi, A0, ZERO, 0, value);
}

/* Runs the instruction at `at` once, so that it is predecoded; a0 is what it loads. */
static uint32_t run_at(struct guest *g, uint32_t at)
{
    g->hart->pc = at;
    g->hart->x[A0] = 0;
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_not_equal(g->hart->pc, HANDLER);
    return g->hart->x[A0];
}

/* Runs `word` at CODE and then what follows at `at`, without leaving the interpreter. */
static uint32_t store_and_run(struct guest *g, uint32_t word, uint32_t at)
{
    g->at = CODE;
    put_word(g, word);
    put(g, jal, 0, 0, 0, (int32_t)(at - g->at));
    hart_wrote(g->hart, CODE, 8);
    g->hart->pc = CODE;
    g->hart->x[A0] = 0;
    assert_int_equal(run(g, 3), HART_LIMIT);
    return g->hart->x[A0];
}

static const uint32_t places[] = {CODE + 0x100, CODE + 0x102, CODE + 0xffc, CODE + 0xffe,
                                  CODE + 0x1000};

GUEST_TEST(code, sees_a_stored_word)
{
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        g->at = places[i];
        put_word(g, li(1));
        hart_wrote(g->hart, places[i], 4);
        assert_int_equal(run_at(g, places[i]), 1);
        g->hart->x[A1] = places[i];
        g->hart->x[A2] = li(2);
        assert_int_equal(store_and_run(g, encode(OP_sw, 0, A1, A2, 0), places[i]), 2);
    }
}

/* Each of the four bytes alone: both halves, and over a page's end. */
GUEST_TEST(code, sees_each_stored_byte)
{
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        for (uint32_t byte = 0; byte < 4; byte++) {
            uint32_t before = li(0x155);
            uint32_t after = byte == 0   ? encode(OP_lui, A0, 0, 0, (int32_t)(before & 0xfffff000))
                             : byte == 1 ? encode(OP_xori, A0, ZERO, 0, 0x155)
                             : byte == 2 ? li(0x15d)
                                         : li(0x2a5);
            after = (before & ~(0xffu << 8 * byte)) | (after & (0xffu << 8 * byte));
            g->at = places[i];
            put_word(g, before);
            hart_wrote(g->hart, places[i], 4);
            assert_int_equal(run_at(g, places[i]), 0x155);
            g->hart->x[A1] = places[i] + byte;
            g->hart->x[A2] = after >> 8 * byte;
            (void)store_and_run(g, encode(OP_sb, 0, A1, A2, 0), places[i]);
            uint32_t changed = g->hart->x[A0];
            hart_wrote(g->hart, places[i], 4);
            assert_int_equal(word_at(g, places[i]), after);
            assert_int_equal(changed, run_at(g, places[i]));
        }
    }
}

GUEST_TEST(code, sees_a_misaligned_store_over_two_pages)
{
    const uint32_t first = CODE + 0xffc; /* four parcels, two of them in the next page */
    for (uint32_t at = first + 1; at <= first + 3; at++) {
        g->at = first;
        for (int n = 0; n < 4; n++) {
            put_half(g, LI_1);
        }
        hart_wrote(g->hart, first, 8);
        for (uint32_t n = 0; n < 8; n += 2) {
            assert_int_equal(run_at(g, first + n), 1);
        }
        /* At an odd address its outer bytes complete a c.li a0, 1 and begin a c.li a0, 2. */
        g->hart->x[A1] = at;
        g->hart->x[A2] = at % 2 ? LI_2 >> 8 | LI_2 << 8 | (uint32_t)LI_2 << 24 : LI_2 << 16 | LI_2;
        (void)store_and_run(g, encode(OP_sw, 0, A1, A2, 0), first);
        uint32_t changed = at + at % 2;
        for (uint32_t n = first; n < first + 8; n += 2) {
            assert_int_equal(run_at(g, n), n == changed || n == changed + 2 ? 2 : 1);
        }
    }
}

GUEST_TEST(code, sees_what_an_amo_and_an_sc_store)
{
    g->at = CODE + 0x200;
    put_word(g, li(1));
    assert_int_equal(run_at(g, CODE + 0x200), 1);
    g->hart->x[A1] = CODE + 0x200;
    g->hart->x[A2] = li(2);
    assert_int_equal(store_and_run(g, encode(OP_amoswap_w, A3, A1, A2, 0), CODE + 0x200), 2);
    assert_int_equal(g->hart->x[A3], li(1));
    g->hart->has_reservation = true;
    g->hart->reservation = CODE + 0x200;
    g->hart->x[A2] = li(3);
    assert_int_equal(store_and_run(g, encode(OP_sc_w, A3, A1, A2, 0), CODE + 0x200), 3);
    assert_int_equal(g->hart->x[A3], 0);
}

GUEST_TEST(code, that_overwrites_itself_still_completes)
{
    static const enum op ops[] = {OP_sw, OP_amoswap_w, OP_sc_w};
    for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
        bool is_store = ops[i] == OP_sw;
        uint32_t word = encode(ops[i], is_store ? 0 : A3, A1, A2, 0);
        g->at = CODE + 0x300;
        put_word(g, word);
        put_word(g, li(7));
        hart_wrote(g->hart, CODE + 0x300, 8);
        g->hart->has_reservation = true;
        g->hart->reservation = CODE + 0x300;
        g->hart->x[A1] = CODE + 0x300;
        g->hart->x[A2] = li(2);
        g->hart->x[A3] = 99;
        g->hart->pc = CODE + 0x300;
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_int_equal(g->hart->x[A0], 7);
        assert_int_equal(g->hart->x[A3], is_store ? 99 : ops[i] == OP_sc_w ? 0 : word);
        assert_int_equal(g->hart->x[ZERO], 0);
        assert_int_equal(run_at(g, CODE + 0x300), 2);
    }
}

GUEST_TEST(code, sees_a_store_to_the_next_instruction)
{
    for (int pass = 0; pass < 2; pass++) {
        g->at = CODE;
        put(g, sw, 0, A1, A2, 0);
        put_word(g, li(1 + pass));
        g->hart->pc = CODE;
        g->hart->x[A1] = CODE + 4;
        g->hart->x[A2] = li(5 + pass);
        assert_int_equal(run(g, 2), HART_LIMIT);
        assert_int_equal(g->hart->x[A0], 5 + pass);
    }
}

GUEST_TEST(code, sees_what_somebody_else_wrote)
{
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        for (uint32_t half = 0; half < 4; half += 2) {
            g->at = places[i];
            put_word(g, li(0x123));
            hart_wrote(g->hart, places[i], 4);
            assert_int_equal(run_at(g, places[i]), 0x123);
            uint32_t word = half ? li(0x77) : encode(OP_ori, A0, ZERO, 0, 0x123) | 0x8000;
            poke(g, places[i] + half, (uint8_t *)&word + half, 2);
            hart_wrote(g->hart, places[i] + half, 2);
            uint32_t changed = run_at(g, places[i]);
            hart_wrote(g->hart, places[i], 4);
            assert_int_equal(changed, run_at(g, places[i]));
            assert_int_not_equal(word_at(g, places[i]), li(0x123));
        }
    }
    g->at = CODE + 0xffe; /* a long write that covers the second half only */
    put_word(g, li(0x123));
    hart_wrote(g->hart, CODE + 0xffe, 4);
    assert_int_equal(run_at(g, CODE + 0xffe), 0x123);
    memset(g->memory + CODE + 0x1000, 0, 0x2000);
    hart_wrote(g->hart, CODE + 0x1000, 0x2000);
    assert_int_equal(run_at(g, CODE + 0xffe), 0);
}

GUEST_TEST(code, becomes_a_word_where_it_was_compressed)
{
    g->at = CODE + 0x400;
    put_half(g, LI_1);
    put_half(g, LI_2);
    assert_int_equal(run_at(g, CODE + 0x400), 1);
    assert_int_equal(run_at(g, CODE + 0x402), 2);
    g->hart->x[A1] = CODE + 0x400;
    g->hart->x[A2] = li(0x45) & 0xffff;
    assert_int_equal(store_and_run(g, encode(OP_sh, 0, A1, A2, 0), CODE + 0x400), 0x450);
    assert_int_equal(g->hart->pc, CODE + 0x404);
    assert_int_equal(run_at(g, CODE + 0x402), 2);
}

GUEST_TEST(code, may_be_entered_in_the_middle_of_a_word)
{
    g->at = CODE + 0x500;
    put_word(g, LI_2 << 16 | 0x0513); /* addi a0, x9..., whose second half is c.li a0, 2 */
    (void)run_at(g, CODE + 0x500);
    assert_int_equal(run_at(g, CODE + 0x502), 2);
    (void)run_at(g, CODE + 0x500);
    assert_int_equal(g->hart->pc, CODE + 0x504);
}

GUEST_TEST(code, in_a_page_that_holds_data_too_keeps_dirty_marks)
{
    g->at = CODE + 0x600;
    put(g, sw, 0, A1, A1, 0);
    g->hart->x[A1] = CODE + 0x700;
    (void)run_at(g, CODE + 0x600);
    g->hart->dirty[CODE / PAGE_SIZE] = 0;
    (void)run_at(g, CODE + 0x600);
    assert_int_equal(g->hart->dirty[CODE / PAGE_SIZE], 1);
}

GUEST_TEST(pc, wraps_at_4_gib)
{
    g->at = LAST_PAGE + 0xffc;
    put(g, addi, A0, ZERO, 0, 1);
    g->at = 0;
    put(g, auipc, A1, 0, 0, 0);
    put(g, auipc, A2, 0, 0, (int32_t)0xfffff000);
    put(g, jal, RA, 0, 0, -12); /* to the last word */
    g->hart->pc = LAST_PAGE + 0xffc;
    assert_int_equal(run(g, 4), HART_LIMIT);
    assert_int_equal(g->hart->pc, 0xfffffffc);
    assert_int_equal(g->hart->x[A0], 1);
    assert_int_equal(g->hart->x[A1], 0);
    assert_int_equal(g->hart->x[A2], 0xfffff004);
    assert_int_equal(g->hart->x[RA], 12);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_int_equal(g->hart->pc, 4);
    assert_counts(g, 6, 6);
}

GUEST_TEST(pc, of_a_branch_and_a_call_wrap_too)
{
    g->hart->pc = g->at = LAST_PAGE + 0xff8;
    put(g, beq, 0, ZERO, ZERO, 16);
    g->at = 8;
    put(g, jal, RA, 0, 0, -1048576);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->pc, 8);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_trapped(g, CAUSE_FETCH_FAULT, 0xfff00008, 0xfff00008);
    g->hart->pc = g->at = LAST_PAGE + 0xffc;
    put(g, jalr, RA, ZERO, 0, 9); /* bit 0 of the target is cleared */
    hart_wrote(g->hart, LAST_PAGE + 0xffc, 4);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->pc, 8);
    assert_int_equal(g->hart->x[RA], 0);
}

GUEST_TEST(pc, of_a_word_round_the_address_space)
{
    g->at = LAST_PAGE + 0xffe;
    uint32_t word = li(0x345);
    poke(g, LAST_PAGE + 0xffe, &word, 2);
    poke(g, 0, (uint8_t *)&word + 2, 2);
    assert_int_equal(run_at(g, LAST_PAGE + 0xffe), 0x345);
    assert_int_equal(g->hart->pc, 2);
    g->hart->x[A1] = 0; /* a store into its second half, on the other side */
    g->hart->x[A2] = li(0x346) >> 16;
    uint32_t store = encode(OP_sh, 0, A1, A2, 0);
    poke(g, LAST_PAGE + 0xf00, &store, 4);
    (void)run_at(g, LAST_PAGE + 0xf00);
    assert_int_equal(run_at(g, LAST_PAGE + 0xffe), 0x346);
    word = li(0x347);
    poke(g, 0, (uint8_t *)&word + 2, 2);
    hart_wrote(g->hart, 0, 2);
    assert_int_equal(run_at(g, LAST_PAGE + 0xffe), 0x347);
}

GUEST_TEST(jalr, reads_its_base_before_it_links)
{
    g->hart->x[RA] = CODE + 0x40;
    put(g, jalr, RA, RA, 0, 4);
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->pc, CODE + 0x44);
    assert_int_equal(g->hart->x[RA], CODE + 4);
    g->at = CODE + 0x44;
    put_half(g, 0x9082); /* c.jalr ra */
    assert_int_equal(run(g, 1), HART_LIMIT);
    assert_int_equal(g->hart->pc, CODE + 4);
    assert_int_equal(g->hart->x[RA], CODE + 0x46);
}

GUEST_TEST(compressed, pairs_run_at_each_halfword)
{
    put_half(g, LI_1);            /* a0 = 1 */
    put(g, addi, A0, A0, 0, 256); /* over a word's boundary */
    put_half(g, 0x0509);          /* c.addi a0, 2 */
    put_half(g, 0xa011);          /* c.j .+4 */
    put_half(g, 0x0000);          /* stepped over */
    put(g, jal, RA, 0, 0, 6);
    put_half(g, 0x0000);
    put_half(g, 0x0505); /* c.addi a0, 1 */
    assert_int_equal(run(g, 6), HART_LIMIT);
    assert_int_equal(g->hart->x[A0], 260);
    assert_int_equal(g->hart->x[RA], CODE + 16);
    assert_int_equal(g->hart->pc, CODE + 20);
    assert_counts(g, 6, 6);
}

/* plic_test.c - priorities, gateways, claim and complete */
/* SPDX-License-Identifier: MIT */
#include "machine/plic.h"

#include "test.h"

static void enable_all(struct plic *p, uint8_t priority)
{
    for (unsigned i = 0; i < PLIC_WORDS; i++) {
        plic_set_enable(p, i, ~0u);
    }
    for (unsigned i = 1; i <= PLIC_SOURCES_MAX; i++) {
        p->priority[i] = priority;
    }
}

TEST(plic, claims_by_priority_then_number)
{
    struct plic p = {{0}};
    enable_all(&p, 3);
    p.priority[50] = 7;
    p.priority[7] = 1;
    p.priority[33] = 0; /* never */
    static const unsigned raised[] = {96, 7, 33, 50, 12, 1, 64};
    static const unsigned expected[] = {50, 1, 12, 64, 96, 7, 0};
    for (unsigned i = 0; i < 7; i++) {
        plic_raise(&p, raised[i], true);
    }
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(plic_claim(&p), expected[i]);
    }
    assert_false(plic_is_interrupting(&p));
}

TEST(plic, interrupts_over_its_threshold_only)
{
    for (unsigned priority = 0; priority <= PLIC_PRIORITY_MAX; priority++) {
        for (unsigned threshold = 0; threshold <= PLIC_PRIORITY_MAX; threshold++) {
            struct plic p = {{0}};
            enable_all(&p, (uint8_t)priority);
            p.threshold = (uint8_t)threshold;
            assert_false(plic_is_interrupting(&p));
            assert_int_equal(plic_is_listening(&p, 9), priority > threshold);
            plic_raise(&p, 9, true);
            assert_int_equal(plic_is_interrupting(&p), priority > threshold);
            plic_set_enable(&p, 0, ~0u & ~(1u << 9));
            assert_false(plic_is_interrupting(&p));
            assert_false(plic_is_listening(&p, 9));
            assert_int_equal(plic_claim(&p), 0);
            plic_set_enable(&p, 0, 1u << 9);
            assert_int_equal(plic_claim(&p), priority ? 9 : 0);
        }
    }
}

/* A line that stays up is one request until it is served, and then the next. */
TEST(plic, opens_the_gateway_at_completion)
{
    struct plic p = {{0}};
    enable_all(&p, 1);
    plic_raise(&p, 96, true);
    plic_raise(&p, 96, true);
    assert_int_equal(plic_claim(&p), 96);
    plic_raise(&p, 96, false);
    plic_raise(&p, 96, true);
    assert_false(plic_is_interrupting(&p));
    assert_false(plic_is_listening(&p, 96));
    assert_int_equal(plic_claim(&p), 0);
    plic_complete(&p, 96);
    assert_true(plic_is_interrupting(&p));
    assert_int_equal(plic_claim(&p), 96);
    plic_raise(&p, 96, false);
    plic_complete(&p, 96);
    assert_false(plic_is_interrupting(&p));
    assert_int_equal(plic_claim(&p), 0);
}

TEST(plic, keeps_a_request_whose_line_went_down)
{
    struct plic p = {{0}};
    enable_all(&p, 1);
    plic_raise(&p, 31, true);
    plic_raise(&p, 31, false);
    assert_true(plic_is_interrupting(&p));
    assert_int_equal(plic_claim(&p), 31);
    plic_complete(&p, 31);
    assert_int_equal(plic_claim(&p), 0);
}

TEST(plic, ignores_completions_of_what_is_none)
{
    struct plic p = {{0}};
    enable_all(&p, 1);
    plic_raise(&p, 32, true);
    assert_int_equal(plic_claim(&p), 32);
    static const uint32_t others[] = {0, 1, 31, 33, 97, 128, 4096, 0x7fffffff, 0xffffffff};
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        plic_complete(&p, others[i]);
        assert_int_equal(plic_claim(&p), 0);
    }
    plic_set_enable(&p, 1, 0);
    plic_complete(&p, 32); /* not enabled: ignored */
    plic_set_enable(&p, 1, 1);
    assert_int_equal(plic_claim(&p), 0);
    plic_complete(&p, 32);
    assert_int_equal(plic_claim(&p), 32);
}

TEST(plic, has_no_source_beyond_its_last)
{
    struct plic p = {{0}};
    enable_all(&p, 1);
    assert_int_equal(p.enable[0], 0xfffffffe);
    assert_int_equal(p.enable[1], 0xffffffff);
    assert_int_equal(p.enable[2], 0xffffffff);
    assert_int_equal(p.enable[3], 1);
}

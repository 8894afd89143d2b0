/* state.h - what a run leaves behind, so that two runs can be compared */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "guest.h"

/* All that a run may change but the tables of predecoded code. */
struct state {
    uint32_t x[32];
    uint32_t pc;
    uint64_t cycles, retired;
    struct csrs csr;
    enum mode mode;
    uint32_t lines;
    uint64_t time_offset, mtimecmp;
    uint32_t reservation;
    bool has_reservation, is_entering, has_crashed;
    struct trap last_exception;
    unsigned loads, stores, watched, calls;
    uint8_t memory[0x8000];
    uint8_t dirty[16];
};

static inline void assert_same(const struct state *a, const struct state *b)
{
    assert_memory_equal(a->x, b->x, sizeof a->x);
    assert_int_equal(a->pc, b->pc);
    assert_int_equal(a->cycles, b->cycles);
    assert_int_equal(a->retired, b->retired);
    assert_memory_equal(&a->csr, &b->csr, sizeof a->csr);
    assert_int_equal(a->mode, b->mode);
    assert_int_equal(a->lines, b->lines);
    assert_int_equal(a->time_offset, b->time_offset);
    assert_int_equal(a->mtimecmp, b->mtimecmp);
    assert_int_equal(a->has_reservation, b->has_reservation);
    if (a->has_reservation) {
        assert_int_equal(a->reservation, b->reservation);
    }
    assert_int_equal(a->is_entering, b->is_entering);
    assert_int_equal(a->has_crashed, b->has_crashed);
    assert_memory_equal(&a->last_exception, &b->last_exception, sizeof a->last_exception);
    assert_int_equal(a->loads, b->loads);
    assert_int_equal(a->stores, b->stores);
    assert_int_equal(a->watched, b->watched);
    assert_int_equal(a->calls, b->calls);
    assert_memory_equal(a->memory, b->memory, sizeof a->memory);
    assert_memory_equal(a->dirty, b->dirty, sizeof a->dirty);
}

static inline void read_state(const struct guest *g, struct state *ret_state)
{
    const struct hart *h = g->hart;
    *ret_state = (struct state){.pc = h->pc,
                                .cycles = h->cycles,
                                .retired = retired(g),
                                .csr = h->csr,
                                .mode = h->mode,
                                .lines = h->lines,
                                .time_offset = h->time_offset,
                                .mtimecmp = h->mtimecmp,
                                .reservation = h->reservation,
                                .has_reservation = h->has_reservation,
                                .is_entering = h->is_entering,
                                .has_crashed = h->has_crashed,
                                .last_exception = h->last_exception,
                                .loads = g->loads,
                                .stores = g->stores,
                                .watched = g->watched,
                                .calls = g->calls};
    memcpy(ret_state->x, h->x, sizeof ret_state->x);
    memcpy(ret_state->memory, g->memory + CODE, sizeof ret_state->memory);
    memcpy(ret_state->dirty, h->dirty + CODE / PAGE_SIZE, sizeof ret_state->dirty);
}

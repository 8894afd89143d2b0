/* call.h - semihosting calls of a board, one at a time */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "board.h"

enum {
#define CALL(number, name, function, text) name = (number),
#include "machine/semihost.def"
#undef CALL
};
enum { APPLICATION_EXIT = 0x20026, RUN_TIME_ERROR = 0x20023 };
static const uint32_t bad = 0xffffffff;
static const uint32_t block = 0x80000100u, buffer = 0x80001000u;

/* What the last call cost in cycles, beyond its instructions'. */
static uint32_t extra;

/* Steps to a call and over it; the run goes on. */
static inline uint32_t call(struct board *b, uint32_t operation, uint32_t parameter)
{
    struct hart *h = b->machine->hart;
    static const uint32_t words[] = {0x01f01013, 0x00100073, 0x40705013};
    if (memcmp(at(b, CALL), words, sizeof words) != 0) {
        poke(b, CALL, words, sizeof words);
    }
    h->pc = CALL;
    h->x[A0] = operation;
    h->x[A1] = parameter;
    uint64_t cycles = h->cycles, payload = h->not_retired;
    assert_true(machine_step(b->machine, &b->stop));
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.pc, CALL + 8);
    extra = (uint32_t)(h->not_retired - payload);
    assert_int_equal(h->cycles - cycles, extra + 2);
    return b->stop.x[A0];
}

/* A call whose parameter block is `a, b, c`. */
static inline uint32_t call3(struct board *b, uint32_t operation, uint32_t first, uint32_t second,
                             uint32_t third)
{
    const uint32_t words[] = {first, second, third};
    poke(b, block, words, sizeof words);
    return call(b, operation, block);
}

/* Puts a name at `buffer` and opens it. */
static inline uint32_t open_name(struct board *b, const char *name, uint32_t mode)
{
    uint32_t len = (uint32_t)strlen(name);
    poke(b, buffer, name, len + 1);
    return call3(b, SYS_OPEN, buffer, mode, len);
}

/* board.h - a machine with a program written instruction by instruction, for the machine's tests */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "machine/internal.h"

#include "assemble.h"
#include <string.h>

/* Where the trap handler of tests that have one is, and where a semihosting call is put. */
enum { HANDLER = ROM_BASE + 0x1000, CALL = ROM_BASE + 0x2000 };
static const uint32_t ram = 0x80000000u;
static const uint32_t finisher = 0x100000, uart = 0x10000000, lambda = 0x10010000;

struct board {
    struct machine *machine;
    struct stop stop;
    uint32_t at; /* where the next instruction is put */
    char console[256];
    size_t console_len;
};

static inline void board_console(void *context, struct span bytes)
{
    struct board *b = context;
    assert_true(bytes.len <= sizeof b->console - b->console_len);
    memcpy(b->console + b->console_len, bytes.data, bytes.len);
    b->console_len += bytes.len;
}

/* Zeroed fields of `config` get values that suit most tests. */
static inline void board_init(struct board *b, struct machine_config config)
{
    *b = (struct board){.at = ROM_BASE};
    config.cycles_max = config.cycles_max ? config.cycles_max : 100000;
    config.console = board_console;
    config.console_context = b;
    assert_int_equal(machine_create(&config, &b->machine), 0);
    machine_reset(b->machine);
}

static inline void board_deinit(struct board *b)
{
    machine_destroy(b->machine);
}

static inline uint32_t *x_of(struct board *b)
{
    return b->machine->hart->x;
}

static inline uint8_t *at(struct board *b, uint32_t address)
{
    return b->machine->memory + address;
}

static inline uint32_t word_at(struct board *b, uint32_t address)
{
    uint32_t word;
    memcpy(&word, at(b, address), sizeof word);
    return word;
}

/* Writes as the host, before or between steps. */
static inline void poke(struct board *b, uint32_t address, const void *bytes, uint32_t len)
{
    memcpy(at(b, address), bytes, len);
    hart_wrote(b->machine->hart, address, len);
}

static inline void put_word(struct board *b, uint32_t word)
{
    poke(b, b->at, &word, 4);
    b->at += 4;
}

/* Appends an instruction: `rd, rs1, rs2, imm`, 0 for what its format has not. */
#define put(board, name, ...) put_word(board, encode(OP_##name, __VA_ARGS__))

static inline void put_li(struct board *b, unsigned rd, uint32_t value)
{
    int32_t low = (int32_t)(value << 20) >> 20;
    put(b, lui, rd, 0, 0, (int32_t)(value - (uint32_t)low));
    put(b, addi, rd, rd, 0, low);
}

static inline void put_self_jump(struct board *b)
{
    put(b, jal, 0, 0, 0, 0);
}

static inline enum halt run(struct board *b)
{
    machine_run(b->machine, &b->stop);
    return b->stop.halt;
}

/* Runs `word`, put at the board's `at`; true where a trap was taken. mtvec is HANDLER then. */
static inline bool is_trapping(struct board *b, uint32_t word)
{
    struct hart *h = b->machine->hart;
    h->csr.mtvec = HANDLER;
    put_word(b, word);
    h->pc = b->at - 4;
    h->is_entering = false;
    assert_true(machine_step(b->machine, &b->stop));
    return b->stop.pc == HANDLER;
}

#define assert_trap(board, cause, tval)                                        \
    do {                                                                       \
        assert_int_equal((board)->machine->hart->csr.mcause, cause);           \
        assert_int_equal((board)->machine->hart->csr.mtval, (uint32_t)(tval)); \
        assert_int_equal((board)->machine->hart->csr.mepc, (board)->at - 4);   \
    } while (0)

#define BOARD_TEST(subject, behaviour)                          \
    static void board_##subject##_##behaviour(struct board *b); \
    TEST(subject, behaviour)                                    \
    {                                                           \
        struct board b;                                         \
        board_init(&b, (struct machine_config){0});             \
        board_##subject##_##behaviour(&b);                      \
        board_deinit(&b);                                       \
    }                                                           \
    static void board_##subject##_##behaviour(struct board *b)

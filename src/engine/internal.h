/* internal.h - what the interpreter and the cold paths of the engine share */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/engine.h"
#include "isa/isa.h"

/* Own bits in the access table, beside enum page_access. PAGE_WRITE there means the fast path. */
enum {
    PAGE_WRITABLE = 8, /* stores are allowed, by the slow path where PAGE_WRITE is clear */
    PAGE_DECODED = 16, /* holds predecoded instructions: a store must drop them */
    PAGE_KNOWN = 32,   /* the bus was asked */
};

/* One instruction, ready to run. Zero is "decode me first". No format has both a second source
 * register and an immediate of more than 13 bits, so they share a place. */
struct predecoded {
    uint16_t handler;
    uint8_t rd; /* 32 in place of 0 */
    uint8_t rs1;
    union {
        int32_t imm; /* the bits of an illegal one */
        struct {
            int16_t imm16; /* of stores, and of branches in halfwords */
            uint8_t rs2;
        };
    };
};

enum {
    /* Entries on each side of the table: more than the longest branch, in halfwords. */
    CODE_ENTRIES_GUARD = 1 << 12,
    /* A handler may run so many instructions (fuse.def): a store drops as many halfwords before the
     * changed one as they can reach over. */
    FUSED_MAX = 3,
    CODE_REACH = 2 * FUSED_MAX - 1,
};

/* Handlers that know more of an instruction's operands than its row says, so that they read less.
 */
enum form {
    FORM_ANY,
    FORM_SAME, /* rs1 is rd */
    FORM_ZERO, /* rs1 is x0 */
    FORM_COUNT,
};

enum cause {
#define CAUSE(name, number, text) CAUSE_##name = (number),
#include "isa/cause.def"
#undef CAUSE
};

/* What a cold path did with the instruction at h->pc. */
enum step {
    STEP_NEXT, /* complete; go on behind it */
    STEP_TRAP, /* a trap was taken; go on at h->pc */
    STEP_STOP, /* complete, and hart_run returns */
};

/* Takes an exception of the instruction at h->pc (privileged 3.1.6.1): one cycle, CSRs, pc. */
enum step trap_take(struct hart *h, uint32_t cause, uint32_t tval);

/* Returns from a trap: pc and MIE of before it. */
void hart_mret(struct hart *h);

unsigned page_flags(struct hart *h, uint32_t address);
enum step load_slow(struct hart *h, uint32_t address, unsigned size, uint32_t *ret_value);
enum step store_slow(struct hart *h, uint32_t address, unsigned size, uint32_t value);
enum step load_reserved(struct hart *h, uint32_t address, uint32_t *ret_value);
enum step store_conditional(struct hart *h, uint32_t address, uint32_t value, uint32_t *ret_failed);
/* Checks an AMO's address; then its word may be read, and written by store_slow. */
enum step amo_check(struct hart *h, uint32_t address);
enum step break_or_call(struct hart *h);
/* The instruction bits at pc, as mtval shows them. */
uint32_t bits_at(struct hart *h, uint32_t pc);

/* Reads the instruction at `pc`, a parcel at a time: true with its bits (a compressed one's are the
 * low half), or false with the first address that may not be fetched. */
bool fetch(struct hart *h, uint32_t pc, uint32_t *ret_word, uint32_t *ret_fault);

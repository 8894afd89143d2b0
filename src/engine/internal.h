/* internal.h - what the interpreter and the cold paths of the engine share */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/engine.h"
#include "isa/isa.h"

/* Own bits in the tables of pages, beside enum page_access. There, PAGE_READ and PAGE_WRITE of a
 * view mean that an aligned access may take the fast path anywhere in the page, PAGE_EXECUTE that
 * any of it may be fetched. Where a bit is clear, the slow paths look closer. */
enum {
    PAGE_WRITABLE = 8, /* of a view: as PAGE_WRITE would, but by the slow path */
    PAGE_DECODED = 16, /* of a view: it holds predecoded instructions, which a store must drop */
    PAGE_KNOWN = 32,   /* the other bits hold; of a view, all but PAGE_DECODED */
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
    STEP_LOOK, /* complete; look for interrupts, modes and PMP before going on behind it */
    STEP_TRAP, /* a trap was taken or returned from: look, and go on at h->pc */
    STEP_STOP, /* complete, and hart_run returns */
};

enum {
    MSTATUS_MIE = 1 << 3,
    MSTATUS_MPIE = 1 << 7,
    MSTATUS_MPP = 3 << 11,
    MSTATUS_MPP_AT = 11,
    MSTATUS_MPRV = 1 << 17,
    MSTATUS_TW = 1 << 21,
    MSECCFG_MML = 1,
    MSECCFG_MMWP = 2,
    MSECCFG_RLB = 4,
    PMP_LOCK = 0x80,
};

/* hart.c */

/* Takes an exception of the instruction at h->pc (privileged 3.1.6.1): one cycle, CSRs, pc. */
enum step trap_take(struct hart *h, uint32_t cause, uint32_t tval);
/* Returns from a trap (3.3.2): pc, mode and MIE of before it. Illegal in U mode. */
enum step hart_mret(struct hart *h);
/* The interrupts that are pending, as mip has them. */
uint32_t hart_pending(const struct hart *h);

/* csr.c */

struct csr_row;
/* The row of a CSR that the hart's mode may read, and write too where `is_write`; else NULL. */
const struct csr_row *csr_find(const struct hart *h, uint32_t number, bool is_write);
uint32_t csr_read(const struct hart *h, const struct csr_row *row, uint32_t number);
/* By the WARL rules of the row; STEP_NEXT or STEP_LOOK. */
enum step csr_write(struct hart *h, const struct csr_row *row, uint32_t number, uint32_t value);

/* pmp.c; `wanted` and what is allowed are made of enum page_access, whose bits R, W and X share */

/* May the mode make this access? It is checked whole, and may wrap. */
bool pmp_allows(const struct hart *h, enum mode mode, uint32_t address, unsigned size,
                unsigned wanted);
/* What the mode may do anywhere in the page by accesses that no entry can match in part. */
unsigned pmp_page(const struct hart *h, enum mode mode, uint32_t page);
/* Writes pmpcfg, pmpaddr or mseccfg as far as locks allow (3.7.1.2, Smepmp 2); `index` counts from
 * the row's first register. */
void pmp_write_config(struct hart *h, uint32_t index, uint32_t value);
void pmp_write_address(struct hart *h, uint32_t index, uint32_t value);
void pmp_write_seccfg(struct hart *h, uint32_t value);
/* Makes h->pmp what the CSRs say, and the views forget what changed. */
void pmp_sync(struct hart *h);

/* view.c */

/* The mode of loads and stores: MPRV lends M mode that of before the trap (3.1.6.3). */
enum mode view_data_mode(const struct hart *h);
struct view *view_of(struct hart *h, enum mode mode);
/* What the bus said of the address's page. */
unsigned plain_flags(struct hart *h, uint32_t address);
/* What the mode may do in the address's page without looking closer. */
unsigned view_flags(struct hart *h, enum mode mode, uint32_t address);
/* The mode has predecoded an instruction there: stores to the page, by any mode, must drop it. */
void view_mark_decoded(struct hart *h, enum mode mode, uint32_t address);
/* Drops the predecoded instructions of all modes that overlap the bytes, all in one page. */
void view_wrote(struct hart *h, uint32_t address, uint32_t len);
/* Forgets what the view knows of the pages from `first` to `last` (addresses in them), and the code
 * that it may no longer run. */
void view_forget(struct hart *h, enum mode mode, uint32_t first, uint32_t last);

/* interpret.c */

/* Runs in the hart's mode up to `limit`, or HART_LIMIT before it, where hart_run has to look. */
enum hart_exit interpret(struct hart *h, uint64_t limit);

/* access.c: accesses that the interpreter's short way does not cover. Each does all of it or takes
 * the trap. */

/* `size` is 1, 2 or 4; the value comes zero-extended. */
enum step load_slow(struct hart *h, uint32_t address, unsigned size, uint32_t *ret_value);
enum step store_slow(struct hart *h, uint32_t address, unsigned size, uint32_t value);
/* LR.W and SC.W; *ret_failed is 0 where the store was done. */
enum step load_reserved(struct hart *h, uint32_t address, uint32_t *ret_value);
enum step store_conditional(struct hart *h, uint32_t address, uint32_t value, uint32_t *ret_failed);
/* Checks an AMO's address; then its word may be read, and written by store_slow. */
enum step amo_check(struct hart *h, uint32_t address);
enum step break_or_call(struct hart *h);
enum step environment_call(struct hart *h);
/* The instruction bits at pc, as mtval shows them. */
uint32_t bits_at(struct hart *h, uint32_t pc);

/* Reads the instruction at `pc`, a parcel at a time: true with its bits (a compressed one's are the
 * low half), or false with the first address that may not be fetched. */
bool fetch(struct hart *h, uint32_t pc, uint32_t *ret_word, uint32_t *ret_fault);

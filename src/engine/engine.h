/* engine.h - one RV32 hart over a flat memory: state, traps, counters, and the interpreter */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: hart_create -> hart_allow_code -> hart_reset -> hart_run ... -> hart_destroy.
 * The engine knows no devices: what is not plain memory goes through `struct bus`. A hart belongs
 * to one thread at a time; nothing is allocated while it runs. */
#include "base/check.h"
#include "base/err.h"
#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a guest may do with a page; a page with none of these belongs to the bus or to nobody.
 * The bus hears of each store to a watched page once it is done. */
enum page_access { PAGE_READ = 1, PAGE_WRITE = 2, PAGE_EXECUTE = 4, PAGE_WATCHED = 64 };

enum bus_result {
    BUS_OK,
    BUS_FAULT, /* nothing there, or not so: an access fault */
    BUS_STOP,  /* done, and the run ends (or is reset) behind this instruction */
};

/* What lies around a hart. All functions get `context`. */
struct bus {
    /* The access that plain memory in page `index` (address / 4096) allows, 0 for none. Asked once
     * for each page: the answer stays as it is. */
    unsigned (*page)(void *context, uint32_t index);
    /* A naturally aligned access of 1, 2 or 4 bytes outside plain memory. */
    enum bus_result (*load)(void *context, uint32_t address, unsigned size, uint32_t *ret_value);
    enum bus_result (*store)(void *context, uint32_t address, unsigned size, uint32_t value);
    /* A store by the guest in a watched page, already in memory: BUS_OK or BUS_STOP. NULL where no
     * page is watched. */
    enum bus_result (*stored)(void *context, uint32_t address, unsigned size);
    /* A semihosting call: operation in a0, parameter in a1, answer to a0. `ret_bytes` is the
     * payload copied, which the meter charges. NULL: the sequence is a breakpoint. */
    enum bus_result (*semihost)(void *context, uint32_t *ret_bytes);
    void *context;
};

/* Stored CSRs, from csr.def. */
struct csrs {
#define CSR(name, number, count, kind, reset, writable, section, text) CSR_FIELD_##kind(name)
#define CSR_FIELD_STORED(name)                                         uint32_t name;
#define CSR_FIELD_FIXED(name)
#define CSR_FIELD_CYCLE(name)
#define CSR_FIELD_CYCLEH(name)
#define CSR_FIELD_INSTRET(name)
#define CSR_FIELD_INSTRETH(name)
#define CSR_FIELD_TIME(name)
#define CSR_FIELD_TIMEH(name)
#include "isa/csr.def"
#undef CSR
};

struct trap {
    uint32_t cause;
    uint32_t epc;
    uint32_t tval;
};

struct predecoded;

struct hart {
    uint32_t x[33]; /* x[0] is always 0; x[32] takes what is written to x0 */
    uint32_t pc;
    uint64_t cycles;      /* the meter (machine.md, "Cycles, time and determinism") */
    uint64_t not_retired; /* cycles that were no instruction: traps, copied payload */
    uint64_t cycle_offset;
    uint64_t instret_offset;
    uint64_t time_offset; /* mtime = cycles / 10 + this */
    struct csrs csr;
    uint32_t reservation; /* word address, valid while has_reservation */
    bool has_reservation;
    bool is_entering; /* a trap was taken and its handler has not begun */
    bool has_crashed; /* an exception other than ecall since the last mret: last_exception */
    struct trap last_exception;
    uint8_t *memory; /* host address of guest address 0, borrowed: 4 GiB of address space */
    uint8_t *access; /* one byte a page, filled on first use: enum page_access and own bits */
    uint8_t *dirty;  /* one byte a page: 1 where a store went */
    struct predecoded *code; /* one entry a halfword of the address space, zero: not decoded */
    struct bus bus;
};

/* Why hart_run came back. pc stays at a jump to itself and at a handler that cannot be fetched. */
enum hart_exit {
    HART_LIMIT,       /* cycles >= limit, at an instruction boundary */
    HART_STOP,        /* the bus said so; that instruction is complete */
    HART_SELF_JUMP,   /* `jal x0, 0`: nothing can ever change again */
    HART_WAIT,        /* `wfi`, which retired, and no interrupt can ever come */
    HART_DOUBLE_TRAP, /* a trap whose handler cannot be fetched, or is at 0 */
};

/* Maps the hart's tables (sparse). `memory` (borrowed) must span 4 GiB. Returns owned. */
MUST_CHECK int hart_create(const struct bus *bus, void *memory, struct hart **ret_hart);
/* Accepts NULL. */
void hart_destroy(struct hart *h);
/* Lets code in [base, base + size) be predecoded; elsewhere a fetch faults. */
MUST_CHECK int hart_allow_code(struct hart *h, uint32_t base, uint32_t size);
/* Registers and CSRs to their reset values, pc to `entry`; the meter and memory stay. */
void hart_reset(struct hart *h, uint32_t entry);
/* Runs until the meter reaches `limit` or something else of enum hart_exit happens. */
enum hart_exit hart_run(struct hart *h, uint64_t limit);
/* Tells the hart that somebody else wrote to its memory: marks pages dirty, drops stale
 * predecoded instructions and a reservation that overlaps. */
void hart_wrote(struct hart *h, uint32_t address, uint32_t len);
/* May plain memory be read (or written) at every byte of [address, address + len)? */
bool hart_may(struct hart *h, uint32_t address, uint32_t len, enum page_access access);

/* The CSR's value as an instruction that reads it now would see it; false where there is none. */
MUST_CHECK bool hart_csr_read(const struct hart *h, uint32_t number, uint32_t *ret_value);
/* False where there is none or it can only be read. Takes effect for the next instruction. */
MUST_CHECK bool hart_csr_write(struct hart *h, uint32_t number, uint32_t value);

/* 10 MHz ticks of a 100 MHz clock that counts the meter's cycles. */
static inline uint64_t hart_mtime(const struct hart *h)
{
    return h->cycles / 10 + h->time_offset;
}

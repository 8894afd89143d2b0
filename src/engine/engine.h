/* engine.h - one RV32 hart over a flat memory: state, traps, counters, and the interpreter */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: hart_create -> hart_allow_code -> hart_reset -> hart_run ... -> hart_destroy.
 * The engine knows no devices: what is not plain memory goes through `struct bus`, and what devices
 * ask for comes by hart_set_pending and hart_set_timer, also from within a bus function: the hart
 * looks before its next instruction. A hart belongs to one thread at a time; nothing is allocated
 * while it runs. */
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
    /* An `ecall` of M mode that may be the machine's own to answer, in place of its trap; the meter
     * charges as for semihosting. BUS_FAULT: it traps after all. NULL: it always does. */
    enum bus_result (*ecall)(void *context, uint32_t *ret_bytes);
    /* `wfi` is about to skip `ticks` of mtime, up to the timer. BUS_FAULT: it does; BUS_OK:
     * something came in before, so it looks again; BUS_STOP: the run ends. NULL: nothing ever comes
     * in. */
    enum bus_result (*wait)(void *context, uint64_t ticks);
};

/* Stored CSRs, from csr.def. */
struct csrs {
#define CSR(name, number, count, kind, reset, writable, section, text) CSR_FIELD_##kind(name, count)
#define CSR_FIELD_STORED(name, count)                                  uint32_t name;
#define CSR_FIELD_CONTROL(name, count)                                 uint32_t name;
#define CSR_FIELD_STATUS(name, count)                                  uint32_t name;
#define CSR_FIELD_SECCFG(name, count)                                  uint32_t name;
#define CSR_FIELD_PMPCFG(name, count)                                  uint32_t name[count];
#define CSR_FIELD_PMPADDR(name, count)                                 uint32_t name[count];
#define CSR_FIELD_FIXED(name, count)
#define CSR_FIELD_PENDING(name, count)
#define CSR_FIELD_CYCLE(name, count)
#define CSR_FIELD_CYCLEH(name, count)
#define CSR_FIELD_INSTRET(name, count)
#define CSR_FIELD_INSTRETH(name, count)
#define CSR_FIELD_TIME(name, count)
#define CSR_FIELD_TIMEH(name, count)
#include "isa/csr.def"
#undef CSR
};

/* Bits in mip and mie. */
enum interrupt {
#define INTERRUPT(name, number, text) INTERRUPT_##name = (number),
#include "isa/interrupt.def"
#undef INTERRUPT
};

/* Privilege modes, as mstatus.MPP has them. */
enum mode { MODE_U = 0, MODE_M = 3 };

/* One PMP entry as it was last looked at: the bytes it matches, none where `is_on` is not set. */
struct pmp_entry {
    uint32_t first;
    uint32_t last;
    uint8_t config;
    bool is_on;
};

enum { PMP_ENTRIES_COUNT = 16 };

/* What the PMP's CSRs mean. They run ahead of it until the hart looks. */
struct pmp {
    struct pmp_entry entries[PMP_ENTRIES_COUNT];
    uint32_t seccfg;
    bool is_stale; /* the CSRs were written since */
    bool is_on;    /* some entry matches something */
    bool binds_m;  /* M mode too: a locked entry, MML or MMWP */
};

enum { VIEW_CHUNKS_COUNT = 256 };

struct predecoded;

/* What one mode may do without asking, and the code that it has run. */
struct view {
    uint8_t *access;         /* one byte a page, filled on first use: bits of internal.h */
    struct predecoded *code; /* one entry a halfword of the address space, zero: not decoded */
    uint8_t is_used[VIEW_CHUNKS_COUNT]; /* has access[] of these 4096 pages anything but zeros? */
};

struct trap {
    uint32_t cause;
    uint32_t epc;
    uint32_t tval;
};

struct hart {
    uint32_t x[33]; /* x[0] is always 0; x[32] takes what is written to x0 */
    uint32_t pc;
    uint64_t cycles;      /* the meter (machine.md, "Cycles, time and determinism") */
    uint64_t not_retired; /* cycles that were no instruction: traps, copied payload */
    uint64_t cycle_offset;
    uint64_t instret_offset;
    uint64_t time_offset; /* mtime = cycles / 10 + this */
    uint64_t mtimecmp;    /* the timer asks from this mtime on; all ones: never */
    struct csrs csr;
    enum mode mode;
    uint32_t lines; /* what devices ask for, by enum interrupt */
    struct pmp pmp;
    uint32_t reservation; /* word address, valid while has_reservation */
    bool has_reservation;
    bool is_entering;  /* a trap was taken and its handler has not begun */
    bool ends_at_zero; /* what stands at address 0 is HART_SELF_JUMP (hart_end_at_zero) */
    bool has_crashed;  /* an exception other than ecall since the last mret: last_exception */
    struct trap last_exception;
    bool must_look;   /* a device changed what it asks for, or the time */
    uint8_t *memory;  /* host address of guest address 0, borrowed: 4 GiB of address space */
    uint8_t *plain;   /* one byte a page: what the bus said of it, with a bit of internal.h */
    uint8_t *dirty;   /* one byte a page: 1 where a store went */
    struct view u, m; /* of U mode, and of M mode */
    struct bus bus;
};

/* Why hart_run came back. pc stays at a jump to itself and at a handler that cannot be fetched. */
enum hart_exit {
    HART_LIMIT,       /* cycles >= limit, at an instruction boundary */
    HART_STOP,        /* the bus said so; that instruction is complete */
    HART_SELF_JUMP,   /* `jal x0, 0`, or the end at 0, and no timer will interrupt it: it did not
                         retire */
    HART_WAIT,        /* `wfi`, which retired, with nothing pending and no timer set */
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
/* From now on control that comes to address 0 ends there, or no longer does. */
void hart_end_at_zero(struct hart *h, bool is_end);
/* Runs until the meter reaches `limit` or something else of enum hart_exit happens. A timer that is
 * set and enabled is waited for: a jump to itself burns the cycles up to it, `wfi` skips them.
 * Whoever has devices with work pending decides what HART_SELF_JUMP and HART_WAIT mean, and may run
 * on. */
enum hart_exit hart_run(struct hart *h, uint64_t limit);
/* Would an interrupt that is pending and enabled wake the hart from `wfi`? */
bool hart_is_awake(const struct hart *h);
/* May interrupts be taken now, where they are enabled in mie? */
bool hart_can_interrupt(const struct hart *h);

/* A device raises or drops its line: INTERRUPT_SOFTWARE or INTERRUPT_EXTERNAL. */
void hart_set_pending(struct hart *h, enum interrupt line, bool is_pending);
/* Sets mtimecmp: INTERRUPT_TIMER is pending while mtime is not less; never at all ones. */
void hart_set_timer(struct hart *h, uint64_t mtimecmp);
/* Sets mtime to what the instruction behind the one that runs reads: for a store to its register.
 */
void hart_set_mtime(struct hart *h, uint64_t mtime);

/* Tells the hart that somebody else wrote to its memory: marks pages dirty, drops stale
 * predecoded instructions and a reservation that overlaps. */
void hart_wrote(struct hart *h, uint32_t address, uint32_t len);
/* Puts the hart back to what it was: `saved` is a copy of *h, made between two runs. Memory, with
 * its dirty marks, is for the caller to put back before (hart_wrote tells of it). */
void hart_restore(struct hart *h, const struct hart *saved);
/* May the hart, as it stands, read (write, execute) plain memory at every byte of [address, address
 * + len)? */
bool hart_may(struct hart *h, uint32_t address, uint32_t len, enum page_access access);

/* The CSR's value as an instruction of M mode that reads it now would see it; false where there is
 * none. */
MUST_CHECK bool hart_csr_read(const struct hart *h, uint32_t number, uint32_t *ret_value);
/* False where there is none or it can only be read. Takes effect for the next instruction. */
MUST_CHECK bool hart_csr_write(struct hart *h, uint32_t number, uint32_t value);

/* 10 MHz ticks of a 100 MHz clock that counts the meter's cycles. */
static inline uint64_t hart_mtime(const struct hart *h)
{
    return h->cycles / 10 + h->time_offset;
}

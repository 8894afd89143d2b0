/* hart.c - life of a hart, traps and interrupts, and the loop that looks between runs of code */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include "os/map.h"
#include <stdlib.h>
#include <string.h>

enum { PAGES_COUNT = 1 << 20, TABLES_COUNT = 4 };

static const uint64_t never = ~0ull;
static const size_t code_bytes =
    ((1ull << 31) + 2ull * CODE_ENTRIES_GUARD) * sizeof(struct predecoded);
static const size_t tables_bytes = (size_t)PAGES_COUNT * TABLES_COUNT;

static void *code_base(const struct view *view)
{
    return view->code ? view->code - CODE_ENTRIES_GUARD : NULL;
}

static int map_code(struct view *view)
{
    void *code;
    int err = os_reserve(code_bytes, &code);
    if (err) {
        return err;
    }
    view->code = (struct predecoded *)code + CODE_ENTRIES_GUARD;
    return os_map_zero(code, code_bytes, OS_READ);
}

static int map_tables(struct hart *h)
{
    void *bytes;
    int err = os_reserve(tables_bytes, &bytes);
    if (err) {
        return err;
    }
    h->plain = bytes;
    h->dirty = h->plain + PAGES_COUNT;
    h->u.access = h->dirty + PAGES_COUNT;
    h->m.access = h->u.access + PAGES_COUNT;
    err = os_map_zero(bytes, tables_bytes, OS_READ | OS_WRITE);
    if (!err) {
        err = map_code(&h->m);
    }
    return err ? err : map_code(&h->u);
}

int hart_create(const struct bus *bus, void *memory, struct hart **ret_hart)
{
    struct hart *h = calloc(1, sizeof *h);
    if (!h) {
        return ERR_NO_MEMORY;
    }
    h->bus = *bus;
    h->memory = memory;
    int err = map_tables(h);
    if (err) {
        hart_destroy(h);
        return err;
    }
    hart_reset(h, 0);
    *ret_hart = h;
    return 0;
}

void hart_destroy(struct hart *h)
{
    if (h) {
        os_unmap(code_base(&h->m), code_bytes);
        os_unmap(code_base(&h->u), code_bytes);
        os_unmap(h->plain, tables_bytes);
        free(h);
    }
}

int hart_allow_code(struct hart *h, uint32_t base, uint32_t size)
{
    size_t bytes = (size_t)size / 2 * sizeof(struct predecoded);
    int err = os_map_zero(h->m.code + base / 2, bytes, OS_READ | OS_WRITE);
    return err ? err : os_map_zero(h->u.code + base / 2, bytes, OS_READ | OS_WRITE);
}

void hart_reset(struct hart *h, uint32_t entry)
{
    memset(h->x, 0, sizeof h->x);
    h->pc = entry;
    h->csr = (struct csrs){
#define CSR(name, number, count, kind, reset, writable, section, text) CSR_RESET_##kind(name, reset)
#define CSR_RESET_STORED(name, reset)                                  .name = (reset),
#define CSR_RESET_CONTROL(name, reset)                                 .name = (reset),
#define CSR_RESET_STATUS(name, reset)                                  .name = (reset),
#define CSR_RESET_SECCFG(name, reset)                                  .name = (reset),
#define CSR_RESET_PMPCFG(name, reset)                                  .name = {reset},
#define CSR_RESET_PMPADDR(name, reset)                                 .name = {reset},
#define CSR_RESET_FIXED(name, reset)
#define CSR_RESET_PENDING(name, reset)
#define CSR_RESET_CYCLE(name, reset)
#define CSR_RESET_CYCLEH(name, reset)
#define CSR_RESET_INSTRET(name, reset)
#define CSR_RESET_INSTRETH(name, reset)
#define CSR_RESET_TIME(name, reset)
#define CSR_RESET_TIMEH(name, reset)
#include "isa/csr.def"
#undef CSR
    };
    h->pmp.is_stale = true;
    h->mode = MODE_M;
    h->lines = 0;
    h->mtimecmp = never;
    h->cycle_offset = 0 - h->cycles;
    h->instret_offset = 0 - (h->cycles - h->not_retired);
    h->time_offset = 0 - h->cycles / 10;
    h->has_reservation = false;
    h->is_entering = false;
    h->has_crashed = false;
}

void hart_end_at_zero(struct hart *h, bool is_end)
{
    h->ends_at_zero = is_end;
    hart_wrote(h, 0, 4); /* the entry there may be of before */
}

void hart_restore(struct hart *h, const struct hart *saved)
{
    /* What the views know is of now: it holds until the PMP is looked at again. */
    const struct view u = h->u, m = h->m;
    const struct pmp pmp = h->pmp;
    bool is_end_changed = h->ends_at_zero != saved->ends_at_zero;
    *h = *saved;
    h->u = u;
    h->m = m;
    h->pmp = pmp;
    h->pmp.is_stale = true;
    if (is_end_changed) {
        hart_end_at_zero(h, saved->ends_at_zero);
    }
}

/* 3.1.6.1: to machine mode with interrupts off; mstatus keeps what was before. */
static void enter(struct hart *h, struct trap trap, uint32_t handler)
{
    uint32_t enabled = h->csr.mstatus & MSTATUS_MIE;
    h->csr.mepc = trap.epc;
    h->csr.mcause = trap.cause;
    h->csr.mtval = trap.tval;
    h->csr.mstatus &= ~(uint32_t)(MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_MIE);
    h->csr.mstatus |= (uint32_t)h->mode << MSTATUS_MPP_AT | (enabled ? MSTATUS_MPIE : 0);
    h->mode = MODE_M;
    h->pc = handler;
    h->has_reservation = false;
    h->is_entering = true;
    h->not_retired++;
}

enum step trap_take(struct hart *h, uint32_t cause, uint32_t tval)
{
    struct trap trap = {cause, h->pc, tval};
    if (cause != CAUSE_ECALL_M && cause != CAUSE_ECALL_U) {
        h->has_crashed = true;
        h->last_exception = trap;
    }
    enter(h, trap, h->csr.mtvec & ~3u);
    return STEP_TRAP;
}

enum step hart_mret(struct hart *h)
{
    if (h->mode != MODE_M) {
        return trap_take(h, CAUSE_ILLEGAL, bits_at(h, h->pc));
    }
    uint32_t status = h->csr.mstatus;
    h->mode = (enum mode)((status & MSTATUS_MPP) >> MSTATUS_MPP_AT);
    status &= ~(uint32_t)(MSTATUS_MIE | MSTATUS_MPP | (h->mode == MODE_M ? 0 : MSTATUS_MPRV));
    status |= (status & MSTATUS_MPIE ? MSTATUS_MIE : 0) | MSTATUS_MPIE;
    h->csr.mstatus = status; /* MPP is the lesser of the two modes that there are */
    h->pc = h->csr.mepc;
    h->has_reservation = false;
    h->has_crashed = false;
    return STEP_TRAP;
}

static bool has_timer(const struct hart *h)
{
    return h->mtimecmp != never;
}

uint32_t hart_pending(const struct hart *h)
{
    bool is_due = has_timer(h) && hart_mtime(h) >= h->mtimecmp;
    return h->lines | (uint32_t)is_due << INTERRUPT_TIMER;
}

void hart_set_pending(struct hart *h, enum interrupt line, bool is_pending)
{
    check(line != INTERRUPT_TIMER);
    uint32_t bit = 1u << line;
    h->lines = is_pending ? h->lines | bit : h->lines & ~bit;
    h->must_look = true;
}

void hart_set_timer(struct hart *h, uint64_t mtimecmp)
{
    h->mtimecmp = mtimecmp;
    h->must_look = true;
}

void hart_set_mtime(struct hart *h, uint64_t mtime)
{
    h->time_offset = mtime - (h->cycles + 1) / 10;
    h->must_look = true;
}

/* 3.1.6.1: in a lesser mode, interrupts for machine mode are always enabled. */
bool hart_can_interrupt(const struct hart *h)
{
    return h->mode != MODE_M || (h->csr.mstatus & MSTATUS_MIE);
}

static bool is_timer_enabled(const struct hart *h)
{
    return has_timer(h) && h->csr.mie >> INTERRUPT_TIMER & 1;
}

/* Takes the first of the interrupts that are pending and enabled (3.1.9); false where none is. */
static bool interrupt_take(struct hart *h)
{
    static const uint32_t numbers[] = {
#define INTERRUPT(name, number, text) number,
#include "isa/interrupt.def"
#undef INTERRUPT
    };
    uint32_t ready = hart_can_interrupt(h) ? hart_pending(h) & h->csr.mie : 0;
    if (ready == 0) {
        return false;
    }
    size_t i = 0;
    while (!(ready >> numbers[i] & 1)) {
        i++;
    }
    bool is_vectored = h->csr.mtvec & 1;
    enter(h, (struct trap){1u << 31 | numbers[i], h->pc, 0},
          (h->csr.mtvec & ~3u) + (is_vectored ? 4 * numbers[i] : 0));
    h->cycles++;
    return true;
}

/* The first cycle at which the timer is due, `never` where the meter does not come so far. */
static uint64_t timer_cycle(const struct hart *h)
{
    uint64_t wait = h->mtimecmp - hart_mtime(h); /* it is not due yet */
    uint64_t tick;
    uint64_t cycle;
    bool is_past = __builtin_add_overflow(h->cycles / 10, wait, &tick) ||
                   __builtin_mul_overflow(tick, 10u, &cycle);
    return is_past ? never : cycle;
}

/* Up to which cycle code may run without a look. */
static uint64_t limit_of(const struct hart *h, uint64_t limit)
{
    if (!hart_can_interrupt(h) || !is_timer_enabled(h)) {
        return limit;
    }
    uint64_t timer = timer_cycle(h);
    return timer < limit ? timer : limit;
}

bool hart_is_awake(const struct hart *h)
{
    return hart_pending(h) & h->csr.mie;
}

/* `wfi` goes on (HART_LIMIT) with an interrupt pending, or a timer to which time skips; it waits
 * where neither is. MIE does not matter (3.3.3). */
static enum hart_exit wake(struct hart *h)
{
    while (!hart_is_awake(h)) {
        if (!is_timer_enabled(h)) {
            return HART_WAIT;
        }
        uint64_t ticks = h->mtimecmp - hart_mtime(h);
        enum bus_result came = h->bus.wait ? h->bus.wait(h->bus.context, ticks) : BUS_FAULT;
        if (came == BUS_STOP) {
            return HART_STOP;
        }
        if (came == BUS_FAULT) {
            h->time_offset += ticks;
        }
    }
    return HART_LIMIT;
}

/* A jump to itself that a timer will interrupt retires once a cycle; false where none will. */
static bool spin(struct hart *h, uint64_t limit)
{
    if (!hart_can_interrupt(h) || !is_timer_enabled(h)) {
        return false;
    }
    h->cycles = limit_of(h, limit);
    return true;
}

/* Is there a handler for the trap just taken, and can its first instruction be fetched? */
static bool can_enter(struct hart *h)
{
    uint32_t word;
    uint32_t fault;
    return h->csr.mtvec >> 2 != 0 && fetch(h, h->pc, &word, &fault);
}

enum hart_exit hart_run(struct hart *h, uint64_t limit)
{
    while (h->cycles < limit) {
        h->must_look = false;
        pmp_sync(h);
        if (interrupt_take(h)) {
            continue;
        }
        if (h->is_entering && !can_enter(h)) {
            return HART_DOUBLE_TRAP;
        }
        h->is_entering = false;
        enum hart_exit exit = interpret(h, limit_of(h, limit));
        exit = exit == HART_WAIT                          ? wake(h)
               : exit == HART_SELF_JUMP && spin(h, limit) ? HART_LIMIT
                                                          : exit;
        if (exit != HART_LIMIT) {
            return exit;
        }
    }
    return HART_LIMIT;
}

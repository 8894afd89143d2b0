/* hart.c - life of a hart, traps, CSRs */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include "os/map.h"
#include <stdlib.h>
#include <string.h>

enum { PAGES_COUNT = 1 << 20, MSTATUS_MIE = 1 << 3, MSTATUS_MPIE = 1 << 7 };

static const size_t code_bytes =
    ((1ull << 31) + 2ull * CODE_ENTRIES_GUARD) * sizeof(struct predecoded);

static void *code_base(struct hart *h)
{
    return h->code ? h->code - CODE_ENTRIES_GUARD : NULL;
}

static int map_tables(struct hart *h)
{
    void *code;
    int err = os_reserve(code_bytes, &code);
    if (err) {
        return err;
    }
    h->code = (struct predecoded *)code + CODE_ENTRIES_GUARD;
    err = os_map_zero(code, code_bytes, OS_READ);
    if (err) {
        return err;
    }
    void *bytes;
    err = os_reserve(2 * PAGES_COUNT, &bytes);
    if (err) {
        return err;
    }
    h->access = bytes;
    h->dirty = h->access + PAGES_COUNT;
    return os_map_zero(bytes, 2 * PAGES_COUNT, OS_READ | OS_WRITE);
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
        os_unmap(code_base(h), code_bytes);
        os_unmap(h->access, 2 * PAGES_COUNT);
        free(h);
    }
}

int hart_allow_code(struct hart *h, uint32_t base, uint32_t size)
{
    return os_map_zero(h->code + base / 2, (size_t)size / 2 * sizeof(struct predecoded),
                       OS_READ | OS_WRITE);
}

void hart_reset(struct hart *h, uint32_t entry)
{
    memset(h->x, 0, sizeof h->x);
    h->pc = entry;
    h->csr = (struct csrs){
#define CSR(name, number, count, kind, reset, writable, section, text) CSR_RESET_##kind(name, reset)
#define CSR_RESET_STORED(name, reset)                                  .name = (reset),
#define CSR_RESET_FIXED(name, reset)
#define CSR_RESET_CYCLE(name, reset)
#define CSR_RESET_CYCLEH(name, reset)
#define CSR_RESET_INSTRET(name, reset)
#define CSR_RESET_INSTRETH(name, reset)
#define CSR_RESET_TIME(name, reset)
#define CSR_RESET_TIMEH(name, reset)
#include "isa/csr.def"
#undef CSR
    };
    h->cycle_offset = 0 - h->cycles;
    h->instret_offset = 0 - (h->cycles - h->not_retired);
    h->time_offset = 0 - h->cycles / 10;
    h->has_reservation = false;
    h->is_entering = false;
    h->has_crashed = false;
}

enum step trap_take(struct hart *h, uint32_t cause, uint32_t tval)
{
    h->csr.mepc = h->pc;
    h->csr.mcause = cause;
    h->csr.mtval = tval;
    h->csr.mstatus = (h->csr.mstatus & ~(uint32_t)(MSTATUS_MPIE | MSTATUS_MIE)) |
                     (h->csr.mstatus & MSTATUS_MIE) << 4;
    if (cause != CAUSE_ECALL_M) {
        h->has_crashed = true;
        h->last_exception = (struct trap){cause, h->pc, tval};
    }
    h->pc = h->csr.mtvec & ~3u;
    h->has_reservation = false;
    h->is_entering = true;
    h->not_retired++;
    return STEP_TRAP;
}

/* Privileged 3.3.2: the pc and MIE of before the trap. */
void hart_mret(struct hart *h)
{
    uint32_t enabled = h->csr.mstatus & MSTATUS_MPIE;
    h->csr.mstatus = (h->csr.mstatus & ~(uint32_t)MSTATUS_MIE) | enabled >> 4 | MSTATUS_MPIE;
    h->pc = h->csr.mepc;
    h->has_reservation = false;
    h->has_crashed = false;
}

enum csr_kind { STORED, FIXED, CYCLE, CYCLEH, INSTRET, INSTRETH, TIME, TIMEH };

struct csr_row {
    uint16_t number;
    uint16_t count;
    uint8_t kind;
    uint8_t offset; /* in struct csrs, of a stored one */
    uint32_t reset;
    uint32_t writable;
};

static const struct csr_row csr_rows[] = {
#define CSR(name, number, count, kind, reset, writable, section, text) \
    {number, count, kind, CSR_OFFSET_##kind(name), reset, writable},
#define CSR_OFFSET_STORED(name)   offsetof(struct csrs, name)
#define CSR_OFFSET_FIXED(name)    0
#define CSR_OFFSET_CYCLE(name)    0
#define CSR_OFFSET_CYCLEH(name)   0
#define CSR_OFFSET_INSTRET(name)  0
#define CSR_OFFSET_INSTRETH(name) 0
#define CSR_OFFSET_TIME(name)     0
#define CSR_OFFSET_TIMEH(name)    0
#include "isa/csr.def"
#undef CSR
};

static const struct csr_row *find_csr(uint32_t number)
{
    for (size_t i = 0; i < ARRAY_COUNT(csr_rows); i++) {
        const struct csr_row *row = &csr_rows[i];
        if (number >= row->number && number - row->number < row->count) {
            return row;
        }
    }
    return NULL;
}

bool hart_csr_read(const struct hart *h, uint32_t number, uint32_t *ret_value)
{
    const struct csr_row *row = find_csr(number);
    if (!row) {
        return false;
    }
    uint64_t cycles = h->cycles + h->cycle_offset;
    uint64_t instret = h->cycles - h->not_retired + h->instret_offset;
    switch ((enum csr_kind)row->kind) {
    case STORED:
        memcpy(ret_value, (const uint8_t *)&h->csr + row->offset, sizeof *ret_value);
        return true;
    case FIXED:
        *ret_value = row->reset;
        return true;
    case CYCLE:
        *ret_value = (uint32_t)cycles;
        return true;
    case CYCLEH:
        *ret_value = (uint32_t)(cycles >> 32);
        return true;
    case INSTRET:
        *ret_value = (uint32_t)instret;
        return true;
    case INSTRETH:
        *ret_value = (uint32_t)(instret >> 32);
        return true;
    case TIME:
        *ret_value = (uint32_t)hart_mtime(h);
        return true;
    case TIMEH:
        *ret_value = (uint32_t)(hart_mtime(h) >> 32);
        return true;
    }
    check(false);
}

/* Replaces one half of a 64-bit counter that stands at `now` at the next instruction. */
static uint64_t counter_half(uint64_t now, uint32_t value, bool is_high)
{
    return is_high ? (now & 0xffffffffu) | (uint64_t)value << 32 : now >> 32 << 32 | value;
}

bool hart_csr_write(struct hart *h, uint32_t number, uint32_t value)
{
    const struct csr_row *row = find_csr(number);
    if (!row || number >= 0xc00) {
        return false;
    }
    bool is_high = row->kind == CYCLEH || row->kind == INSTRETH;
    uint64_t cycles = h->cycles + 1;
    uint64_t instret = cycles - h->not_retired;
    if (row->kind == STORED) {
        uint8_t *place = (uint8_t *)&h->csr + row->offset;
        uint32_t old;
        memcpy(&old, place, sizeof old);
        value = (old & ~row->writable) | (value & row->writable);
        memcpy(place, &value, sizeof value);
    } else if (row->kind == CYCLE || row->kind == CYCLEH) {
        h->cycle_offset = counter_half(cycles + h->cycle_offset, value, is_high) - cycles;
    } else if (row->kind == INSTRET || row->kind == INSTRETH) {
        h->instret_offset = counter_half(instret + h->instret_offset, value, is_high) - instret;
    }
    return true;
}

/* csr.c - control and status registers: the rows of csr.def, who may read and write them */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include <string.h>

enum csr_kind {
    STORED,
    CONTROL,
    STATUS,
    SECCFG,
    PMPCFG,
    PMPADDR,
    FIXED,
    PENDING,
    CYCLE,
    CYCLEH,
    INSTRET,
    INSTRETH,
    TIME,
    TIMEH,
};

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
#define CSR_OFFSET_CONTROL(name)  offsetof(struct csrs, name)
#define CSR_OFFSET_STATUS(name)   offsetof(struct csrs, name)
#define CSR_OFFSET_SECCFG(name)   offsetof(struct csrs, name)
#define CSR_OFFSET_PMPCFG(name)   offsetof(struct csrs, name)
#define CSR_OFFSET_PMPADDR(name)  offsetof(struct csrs, name)
#define CSR_OFFSET_FIXED(name)    0
#define CSR_OFFSET_PENDING(name)  0
#define CSR_OFFSET_CYCLE(name)    0
#define CSR_OFFSET_CYCLEH(name)   0
#define CSR_OFFSET_INSTRET(name)  0
#define CSR_OFFSET_INSTRETH(name) 0
#define CSR_OFFSET_TIME(name)     0
#define CSR_OFFSET_TIMEH(name)    0
#include "isa/csr.def"
#undef CSR
};

/* From this number on they can only be read (privileged 2.1). */
enum { READ_ONLY_FROM = 0xc00 };

static const struct csr_row *find_row(uint32_t number)
{
    for (size_t i = 0; i < ARRAY_COUNT(csr_rows); i++) {
        const struct csr_row *row = &csr_rows[i];
        if (number >= row->number && number - row->number < row->count) {
            return row;
        }
    }
    return NULL;
}

/* 2.1 for the mode in the number; 3.1.11 for the counters, whose bits in mcounteren are numbered as
 * they are. */
static bool is_accessible(const struct hart *h, uint32_t number)
{
    if (h->mode == MODE_M) {
        return true;
    }
    return (number >> 8 & 3) == MODE_U && h->csr.mcounteren >> (number & 31) & 1;
}

const struct csr_row *csr_find(const struct hart *h, uint32_t number, bool is_write)
{
    const struct csr_row *row = find_row(number);
    bool is_allowed = row && is_accessible(h, number) && !(is_write && number >= READ_ONLY_FROM);
    return is_allowed ? row : NULL;
}

uint32_t csr_read(const struct hart *h, const struct csr_row *row, uint32_t number)
{
    uint64_t cycles = h->cycles + h->cycle_offset;
    uint64_t instret = h->cycles - h->not_retired + h->instret_offset;
    uint32_t value;
    switch ((enum csr_kind)row->kind) {
    case STORED:
    case CONTROL:
    case STATUS:
    case SECCFG:
    case PMPCFG:
    case PMPADDR:
        memcpy(&value, (const uint8_t *)&h->csr + row->offset + 4 * (number - row->number),
               sizeof value);
        return value;
    case FIXED:
        return row->reset;
    case PENDING:
        return hart_pending(h);
    case CYCLE:
        return (uint32_t)cycles;
    case CYCLEH:
        return (uint32_t)(cycles >> 32);
    case INSTRET:
        return (uint32_t)instret;
    case INSTRETH:
        return (uint32_t)(instret >> 32);
    case TIME:
        return (uint32_t)hart_mtime(h);
    case TIMEH:
        return (uint32_t)(hart_mtime(h) >> 32);
    }
    check(false);
}

/* Replaces one half of a 64-bit counter that stands at `now` at the next instruction. */
static uint64_t counter_half(uint64_t now, uint32_t value, bool is_high)
{
    return is_high ? (now & 0xffffffffu) | (uint64_t)value << 32 : now >> 32 << 32 | value;
}

static void write_counter(struct hart *h, const struct csr_row *row, uint32_t value)
{
    bool is_high = row->kind == CYCLEH || row->kind == INSTRETH;
    uint64_t cycles = h->cycles + 1;
    uint64_t instret = cycles - h->not_retired;
    if (row->kind == CYCLE || row->kind == CYCLEH) {
        h->cycle_offset = counter_half(cycles + h->cycle_offset, value, is_high) - cycles;
    } else {
        h->instret_offset = counter_half(instret + h->instret_offset, value, is_high) - instret;
    }
}

static void write_stored(struct hart *h, const struct csr_row *row, uint32_t value)
{
    memcpy((uint8_t *)&h->csr + row->offset, &value, sizeof value);
}

/* There is no mode 1 or 2: such an MPP leaves the field as it is (WARL). */
static uint32_t legal_status(uint32_t old, uint32_t value)
{
    uint32_t mode = (value & MSTATUS_MPP) >> MSTATUS_MPP_AT;
    bool is_mode = mode == MODE_U || mode == MODE_M;
    return is_mode ? value : (value & ~(uint32_t)MSTATUS_MPP) | (old & MSTATUS_MPP);
}

enum step csr_write(struct hart *h, const struct csr_row *row, uint32_t number, uint32_t value)
{
    uint32_t index = number - row->number;
    uint32_t old = csr_read(h, row, number);
    value = (old & ~row->writable) | (value & row->writable);
    switch ((enum csr_kind)row->kind) {
    case STORED:
        write_stored(h, row, value);
        return STEP_NEXT;
    case CONTROL:
        write_stored(h, row, value);
        return STEP_LOOK;
    case STATUS:
        write_stored(h, row, legal_status(old, value));
        return STEP_LOOK;
    case SECCFG:
        pmp_write_seccfg(h, value);
        return STEP_LOOK;
    case PMPCFG:
        pmp_write_config(h, index, value);
        return STEP_LOOK;
    case PMPADDR:
        pmp_write_address(h, index, value);
        return STEP_LOOK;
    case CYCLE:
    case CYCLEH:
    case INSTRET:
    case INSTRETH:
        write_counter(h, row, value);
        return STEP_NEXT;
    case FIXED:
    case PENDING:
    case TIME:
    case TIMEH:
        return STEP_NEXT;
    }
    check(false);
}

bool hart_csr_read(const struct hart *h, uint32_t number, uint32_t *ret_value)
{
    const struct csr_row *row = find_row(number);
    if (row) {
        *ret_value = csr_read(h, row, number);
    }
    return row;
}

bool hart_csr_write(struct hart *h, uint32_t number, uint32_t value)
{
    const struct csr_row *row = number < READ_ONLY_FROM ? find_row(number) : NULL;
    if (row) {
        (void)csr_write(h, row, number, value);
    }
    return row;
}

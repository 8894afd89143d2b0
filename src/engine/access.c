/* access.c - memory accesses that the interpreter's fast path leaves alone */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include <string.h>

unsigned page_flags(struct hart *h, uint32_t address)
{
    uint32_t index = address / PAGE_SIZE;
    if (!h->access[index]) {
        unsigned flags = h->bus.page(h->bus.context, index);
        flags |= flags & PAGE_WRITE ? PAGE_WRITABLE : 0;
        flags &= flags & PAGE_WATCHED ? ~(unsigned)PAGE_WRITE : ~0u;
        h->access[index] = (uint8_t)(flags | PAGE_KNOWN);
    }
    return h->access[index];
}

bool hart_may(struct hart *h, uint32_t address, uint32_t len, enum page_access access)
{
    unsigned wanted = access == PAGE_WRITE ? (unsigned)PAGE_WRITABLE : (unsigned)access;
    uint64_t end = (uint64_t)address + len;
    if (end > GiB(4)) {
        return false;
    }
    for (uint64_t at = address; at < end; at = (at / PAGE_SIZE + 1) * PAGE_SIZE) {
        if ((page_flags(h, (uint32_t)at) & wanted) != wanted) {
            return false;
        }
    }
    return true;
}

/* Forgets the predecoded instructions that overlap the bytes, or whose handler runs one that does.
 * Those before keep their operands: the handler of a pair that ends there reads them. */
static void drop_code(struct hart *h, uint32_t address, uint32_t len)
{
    uint32_t first = address / 2;
    uint32_t count = (address % 2 + len + 1) / 2;
    memset(&h->code[first], 0, count * sizeof *h->code);
    for (uint32_t back = 1; back <= CODE_REACH; back++) {
        /* Round the address space's end. */
        struct predecoded *d = &h->code[(address - 2 * back) / 2];
        if (d->handler) { /* the table before a window can only be read */
            d->handler = 0;
        }
    }
}

void hart_wrote(struct hart *h, uint32_t address, uint32_t len)
{
    for (uint64_t at = address, end = at + len; at < end;) {
        uint64_t next = (at / PAGE_SIZE + 1) * PAGE_SIZE;
        next = next < end ? next : end;
        h->dirty[at / PAGE_SIZE] = 1;
        if (h->access[at / PAGE_SIZE] & PAGE_DECODED) {
            drop_code(h, (uint32_t)at, (uint32_t)(next - at));
        }
        at = next;
    }
    uint64_t reserved = h->reservation;
    if (len > 0 && reserved + 4 > address && reserved < (uint64_t)address + len) {
        h->has_reservation = false;
    }
}

/* Finds the first byte that may not be accessed; addresses wrap at 4 GiB. */
static bool find_fault(struct hart *h, uint32_t address, unsigned size, unsigned wanted,
                       uint32_t *ret_fault)
{
    uint32_t last = address + size - 1;
    if (!(page_flags(h, address) & wanted)) {
        *ret_fault = address;
        return true;
    }
    if (!(page_flags(h, last) & wanted)) {
        *ret_fault = last & ~(uint32_t)(PAGE_SIZE - 1);
        return true;
    }
    return false;
}

static bool is_device(struct hart *h, uint32_t address, unsigned size)
{
    return address % size == 0 &&
           !(page_flags(h, address) & (PAGE_READ | PAGE_WRITABLE | PAGE_EXECUTE));
}

enum step load_slow(struct hart *h, uint32_t address, unsigned size, uint32_t *ret_value)
{
    if (is_device(h, address, size)) {
        enum bus_result result = h->bus.load(h->bus.context, address, size, ret_value);
        return result == BUS_FAULT  ? trap_take(h, CAUSE_LOAD_FAULT, address)
               : result == BUS_STOP ? STEP_STOP
                                    : STEP_NEXT;
    }
    uint32_t fault;
    if (find_fault(h, address, size, PAGE_READ, &fault)) {
        return trap_take(h, CAUSE_LOAD_FAULT, fault);
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint32_t)h->memory[(uint32_t)(address + i)] << 8 * i;
    }
    *ret_value = value;
    return STEP_NEXT;
}

enum step store_slow(struct hart *h, uint32_t address, unsigned size, uint32_t value)
{
    if (is_device(h, address, size)) {
        value &= ~0u >> (32 - 8 * size);
        enum bus_result result = h->bus.store(h->bus.context, address, size, value);
        return result == BUS_FAULT  ? trap_take(h, CAUSE_STORE_FAULT, address)
               : result == BUS_STOP ? STEP_STOP
                                    : STEP_NEXT;
    }
    uint32_t fault;
    if (find_fault(h, address, size, PAGE_WRITABLE, &fault)) {
        return trap_take(h, CAUSE_STORE_FAULT, fault);
    }
    for (unsigned i = 0; i < size; i++) {
        uint32_t at = address + i;
        h->memory[at] = (uint8_t)(value >> 8 * i);
        h->dirty[at / PAGE_SIZE] = 1;
        if (h->access[at / PAGE_SIZE] & PAGE_DECODED) {
            drop_code(h, at, 1);
        }
    }
    bool is_watched =
        (h->access[address / PAGE_SIZE] | h->access[(address + size - 1) / PAGE_SIZE]) &
        PAGE_WATCHED;
    return is_watched && h->bus.stored(h->bus.context, address, size) == BUS_STOP ? STEP_STOP
                                                                                  : STEP_NEXT;
}

enum step load_reserved(struct hart *h, uint32_t address, uint32_t *ret_value)
{
    if (address % 4) {
        return trap_take(h, CAUSE_LOAD_MISALIGNED, address);
    }
    if (!(page_flags(h, address) & PAGE_READ)) {
        return trap_take(h, CAUSE_LOAD_FAULT, address);
    }
    memcpy(ret_value, h->memory + address, sizeof *ret_value);
    h->reservation = address;
    h->has_reservation = true;
    return STEP_NEXT;
}

enum step amo_check(struct hart *h, uint32_t address)
{
    unsigned wanted = PAGE_READ | PAGE_WRITABLE;
    if (address % 4) {
        return trap_take(h, CAUSE_STORE_MISALIGNED, address);
    }
    if ((page_flags(h, address) & wanted) != wanted) {
        return trap_take(h, CAUSE_STORE_FAULT, address);
    }
    return STEP_NEXT;
}

enum step store_conditional(struct hart *h, uint32_t address, uint32_t value, uint32_t *ret_failed)
{
    enum step step = amo_check(h, address);
    if (step != STEP_NEXT) {
        return step;
    }
    bool is_mine = h->has_reservation && h->reservation == address;
    h->has_reservation = false;
    *ret_failed = !is_mine;
    return is_mine ? store_slow(h, address, 4, value) : STEP_NEXT;
}

static uint32_t parcel_at(struct hart *h, uint32_t pc)
{
    uint16_t parcel;
    memcpy(&parcel, h->memory + pc, sizeof parcel);
    return parcel;
}

bool fetch(struct hart *h, uint32_t pc, uint32_t *ret_word, uint32_t *ret_fault)
{
    *ret_fault = pc;
    if (!(page_flags(h, pc) & PAGE_EXECUTE)) {
        return false;
    }
    *ret_word = parcel_at(h, pc);
    if (isa_size(*ret_word) == 2) {
        return true;
    }
    *ret_fault = pc + 2;
    if (!(page_flags(h, pc + 2) & PAGE_EXECUTE)) {
        return false;
    }
    *ret_word |= parcel_at(h, pc + 2) << 16;
    return true;
}

uint32_t bits_at(struct hart *h, uint32_t pc)
{
    uint32_t word = 0;
    uint32_t fault;
    return fetch(h, pc, &word, &fault) ? word : 0;
}

/* Semihosting 0.2: `slli x0, x0, 0x1f; ebreak; srai x0, x0, 7`, uncompressed, within one page. */
static bool is_call(struct hart *h)
{
    uint32_t pc = h->pc;
    uint32_t page = pc / PAGE_SIZE;
    return h->bus.semihost && (pc - 4) / PAGE_SIZE == page && (pc + 7) / PAGE_SIZE == page &&
           bits_at(h, pc - 4) == 0x01f01013 && bits_at(h, pc) == 0x00100073 &&
           bits_at(h, pc + 4) == 0x40705013;
}

enum step break_or_call(struct hart *h)
{
    if (!is_call(h)) {
        return trap_take(h, CAUSE_BREAKPOINT, h->pc);
    }
    uint32_t bytes = 0;
    enum bus_result result = h->bus.semihost(h->bus.context, &bytes);
    uint64_t extra = ((uint64_t)bytes + 15) / 16;
    h->cycles += extra;
    h->not_retired += extra;
    return result == BUS_STOP ? STEP_STOP : STEP_NEXT;
}

/* access.c - memory accesses that the interpreter's fast path leaves alone */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include <string.h>

/* May the mode reach every byte of [at, end), in one page, taken one by one? */
static bool may_in_page(struct hart *h, enum mode mode, uint32_t at, uint32_t len, unsigned access)
{
    unsigned wanted = access == PAGE_WRITE ? (unsigned)PAGE_WRITABLE : access;
    if (view_flags(h, mode, at) & wanted) {
        return true;
    }
    bool is_allowed = plain_flags(h, at) & access;
    for (uint32_t i = 0; is_allowed && i < len; i++) {
        is_allowed = pmp_allows(h, mode, at + i, 1, access);
    }
    return is_allowed;
}

bool hart_may(struct hart *h, uint32_t address, uint32_t len, enum page_access access)
{
    pmp_sync(h);
    enum mode mode = access == PAGE_EXECUTE ? h->mode : view_data_mode(h);
    uint64_t end = (uint64_t)address + len;
    if (end > GiB(4)) {
        return false;
    }
    for (uint64_t at = address; at < end;) {
        uint64_t next = (at / PAGE_SIZE + 1) * PAGE_SIZE;
        next = next < end ? next : end;
        if (!may_in_page(h, mode, (uint32_t)at, (uint32_t)(next - at), access)) {
            return false;
        }
        at = next;
    }
    return true;
}

void hart_wrote(struct hart *h, uint32_t address, uint32_t len)
{
    for (uint64_t at = address, end = at + len; at < end;) {
        uint64_t next = (at / PAGE_SIZE + 1) * PAGE_SIZE;
        next = next < end ? next : end;
        h->dirty[at / PAGE_SIZE] = 1;
        view_wrote(h, (uint32_t)at, (uint32_t)(next - at));
        at = next;
    }
    uint64_t reserved = h->reservation;
    if (len > 0 && reserved + 4 > address && reserved < (uint64_t)address + len) {
        h->has_reservation = false;
    }
}

/* Can the mode's load or store (PAGE_READ or PAGE_WRITE) not be done? At a byte that it may not
 * reach by itself, or as a whole, where each of its bytes may be reached but not by one PMP entry;
 * addresses wrap at 4 GiB. */
static bool find_fault(struct hart *h, uint32_t address, unsigned size, unsigned access,
                       uint32_t *ret_fault)
{
    enum mode mode = view_data_mode(h);
    unsigned wanted = access == PAGE_WRITE ? PAGE_WRITABLE : PAGE_READ;
    bool is_simple = address % size == 0 || !h->pmp.is_on;
    if (is_simple && (view_flags(h, mode, address) & wanted) &&
        (view_flags(h, mode, address + size - 1) & wanted)) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        if (!(plain_flags(h, address + i) & access) ||
            !pmp_allows(h, mode, address + i, 1, access)) {
            *ret_fault = address + i;
            return true;
        }
    }
    *ret_fault = address;
    return !pmp_allows(h, mode, address, size, access);
}

static bool is_device(struct hart *h, uint32_t address, unsigned size)
{
    return address % size == 0 &&
           !(plain_flags(h, address) & (PAGE_READ | PAGE_WRITE | PAGE_EXECUTE));
}

/* What follows from the answer of a bus function, during which devices may have asked for more. */
static enum step answered(const struct hart *h, enum bus_result result)
{
    return result == BUS_STOP ? STEP_STOP : h->must_look ? STEP_LOOK : STEP_NEXT;
}

static enum step device_load(struct hart *h, uint32_t address, unsigned size, uint32_t *ret_value)
{
    if (!pmp_allows(h, view_data_mode(h), address, size, PAGE_READ)) {
        return trap_take(h, CAUSE_LOAD_FAULT, address);
    }
    enum bus_result result = h->bus.load(h->bus.context, address, size, ret_value);
    return result == BUS_FAULT ? trap_take(h, CAUSE_LOAD_FAULT, address) : answered(h, result);
}

static enum step device_store(struct hart *h, uint32_t address, unsigned size, uint32_t value)
{
    if (!pmp_allows(h, view_data_mode(h), address, size, PAGE_WRITE)) {
        return trap_take(h, CAUSE_STORE_FAULT, address);
    }
    value &= ~0u >> (32 - 8 * size);
    enum bus_result result = h->bus.store(h->bus.context, address, size, value);
    return result == BUS_FAULT ? trap_take(h, CAUSE_STORE_FAULT, address) : answered(h, result);
}

enum step load_slow(struct hart *h, uint32_t address, unsigned size, uint32_t *ret_value)
{
    if (is_device(h, address, size)) {
        return device_load(h, address, size, ret_value);
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
        return device_store(h, address, size, value);
    }
    uint32_t fault;
    if (find_fault(h, address, size, PAGE_WRITE, &fault)) {
        return trap_take(h, CAUSE_STORE_FAULT, fault);
    }
    for (unsigned i = 0; i < size; i++) {
        uint32_t at = address + i;
        h->memory[at] = (uint8_t)(value >> 8 * i);
        h->dirty[at / PAGE_SIZE] = 1;
        view_wrote(h, at, 1);
    }
    bool is_watched = (plain_flags(h, address) | plain_flags(h, address + size - 1)) & PAGE_WATCHED;
    return is_watched ? answered(h, h->bus.stored(h->bus.context, address, size)) : STEP_NEXT;
}

enum step load_reserved(struct hart *h, uint32_t address, uint32_t *ret_value)
{
    if (address % 4) {
        return trap_take(h, CAUSE_LOAD_MISALIGNED, address);
    }
    if (!may_in_page(h, view_data_mode(h), address, 4, PAGE_READ)) {
        return trap_take(h, CAUSE_LOAD_FAULT, address);
    }
    memcpy(ret_value, h->memory + address, sizeof *ret_value);
    h->reservation = address;
    h->has_reservation = true;
    return STEP_NEXT;
}

enum step amo_check(struct hart *h, uint32_t address)
{
    enum mode mode = view_data_mode(h);
    if (address % 4) {
        return trap_take(h, CAUSE_STORE_MISALIGNED, address);
    }
    if (!may_in_page(h, mode, address, 4, PAGE_READ) ||
        !may_in_page(h, mode, address, 4, PAGE_WRITE)) {
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

/* Each parcel is an access of its own. */
static bool may_fetch(struct hart *h, uint32_t pc)
{
    return may_in_page(h, h->mode, pc, 2, PAGE_EXECUTE);
}

bool fetch(struct hart *h, uint32_t pc, uint32_t *ret_word, uint32_t *ret_fault)
{
    *ret_fault = pc;
    if (!may_fetch(h, pc)) {
        return false;
    }
    *ret_word = parcel_at(h, pc);
    if (isa_size(*ret_word) == 2) {
        return true;
    }
    *ret_fault = pc + 2;
    if (!may_fetch(h, pc + 2)) {
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

/* Semihosting 0.2: `slli x0, x0, 0x1f; ebreak; srai x0, x0, 7`, uncompressed, within one page; in M
 * mode, since an app under a kernel must not power the machine down. */
static bool is_call(struct hart *h)
{
    uint32_t pc = h->pc;
    uint32_t page = pc / PAGE_SIZE;
    return h->bus.semihost && h->mode == MODE_M && (pc - 4) / PAGE_SIZE == page &&
           (pc + 7) / PAGE_SIZE == page && bits_at(h, pc - 4) == 0x01f01013 &&
           bits_at(h, pc) == 0x00100073 && bits_at(h, pc + 4) == 0x40705013;
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
    return answered(h, result);
}

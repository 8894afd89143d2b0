/* guest.h - a hart with a bus of its own and no machine, for the engine's tests */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/internal.h"
#include "os/map.h"

#include "assemble.h"
#include <string.h>

/* Pages of the guest: CODE has four that allow everything; HOLE belongs to nobody. */
enum {
    CODE = 0x80000000u,
    READ_ONLY = CODE + 0x4000,
    ROM_CODE = CODE + 0x5000, /* read and execute */
    DATA = CODE + 0x6000,     /* read and write, not executable */
    WATCHED = CODE + 0x7000,  /* everything; a store of STOP_VALUE there stops */
    HOLE = CODE + 0x8000,
    PAST_HOLE = CODE + 0x9000, /* everything */
    DEVICE = CODE + 0xa000,    /* takes and gives aligned words, halfwords and bytes */
    LAST_PAGE = 0xfffff000u,
    STOP_VALUE = 0x53,
    HANDLER = CODE + 0x3000, /* where mtvec points in a new guest */
    SEMIHOST_STOPS = 7,      /* operation after which the run ends */
};

struct guest {
    struct hart *hart;
    uint8_t *memory;
    uint32_t at; /* where the next instruction is put */
    unsigned loads, stores, watched, calls;
    uint32_t device_address, device_size, device_value; /* of the last access */
    bool is_stopping;                                   /* device accesses end the run */
    uint32_t payload;                                   /* that a semihosting call copies */
    void (*hook)(struct guest *g); /* called within each bus function, where it is set */
};

static const size_t guest_reservation = GiB(8);
static const uint32_t guest_pages[] = {
    CODE, CODE + 0x1000, CODE + 0x2000, CODE + 0x3000, READ_ONLY, ROM_CODE,
    DATA, WATCHED,       PAST_HOLE,     LAST_PAGE,     0};

static inline unsigned guest_page(void *context, uint32_t index)
{
    (void)context;
    for (size_t i = 0; i < ARRAY_COUNT(guest_pages); i++) {
        if (guest_pages[i] / PAGE_SIZE == index) {
            switch (guest_pages[i]) {
            case READ_ONLY:
                return PAGE_READ;
            case ROM_CODE:
                return PAGE_READ | PAGE_EXECUTE;
            case DATA:
                return PAGE_READ | PAGE_WRITE;
            case WATCHED:
                return PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_WATCHED;
            }
            return PAGE_READ | PAGE_WRITE | PAGE_EXECUTE;
        }
    }
    return 0;
}

static inline void guest_hook(struct guest *g)
{
    if (g->hook) {
        g->hook(g);
    }
}

static inline enum bus_result guest_access(struct guest *g, uint32_t address, unsigned size)
{
    g->device_address = address;
    g->device_size = size;
    guest_hook(g);
    if (address / PAGE_SIZE != DEVICE / PAGE_SIZE) {
        return BUS_FAULT;
    }
    return g->is_stopping ? BUS_STOP : BUS_OK;
}

static inline enum bus_result guest_load(void *context, uint32_t address, unsigned size,
                                         uint32_t *ret_value)
{
    struct guest *g = context;
    *ret_value = 0x8182f3f4;
    g->loads++;
    return guest_access(g, address, size);
}

static inline enum bus_result guest_store(void *context, uint32_t address, unsigned size,
                                          uint32_t value)
{
    struct guest *g = context;
    g->device_value = value;
    g->stores++;
    return guest_access(g, address, size);
}

static inline enum bus_result guest_stored(void *context, uint32_t address, unsigned size)
{
    struct guest *g = context;
    (void)size;
    g->watched++;
    guest_hook(g);
    return g->memory[address] == STOP_VALUE ? BUS_STOP : BUS_OK;
}

static inline enum bus_result guest_semihost(void *context, uint32_t *ret_bytes)
{
    struct guest *g = context;
    g->calls++;
    guest_hook(g);
    *ret_bytes = g->payload;
    return g->hart->x[A0] == SEMIHOST_STOPS ? BUS_STOP : BUS_OK;
}

/* A hart at CODE whose trap handler is at HANDLER; nothing is there but zeros. */
static inline void guest_init(struct guest *g)
{
    *g = (struct guest){.at = CODE};
    const struct bus bus = {guest_page, guest_load, guest_store, guest_stored, guest_semihost, g};
    void *memory;
    assert_int_equal(os_reserve(guest_reservation, &memory), 0);
    g->memory = memory;
    assert_int_equal(hart_create(&bus, memory, &g->hart), 0);
    for (size_t i = 0; i < ARRAY_COUNT(guest_pages); i++) {
        int access = OS_READ | OS_WRITE;
        assert_int_equal(os_map_zero(g->memory + guest_pages[i], PAGE_SIZE, access), 0);
        if (guest_page(g, guest_pages[i] / PAGE_SIZE) & PAGE_EXECUTE) {
            assert_int_equal(hart_allow_code(g->hart, guest_pages[i], PAGE_SIZE), 0);
        }
    }
    hart_reset(g->hart, CODE);
    g->hart->csr.mtvec = HANDLER;
}

static inline void guest_deinit(struct guest *g)
{
    hart_destroy(g->hart);
    os_unmap(g->memory, guest_reservation);
}

/* Memory as the host sees it, before the run. */
static inline void poke(struct guest *g, uint32_t address, const void *bytes, uint32_t len)
{
    memcpy(g->memory + address, bytes, len);
}

static inline uint32_t word_at(const struct guest *g, uint32_t address)
{
    uint32_t word;
    memcpy(&word, g->memory + address, sizeof word);
    return word;
}

static inline void put_word(struct guest *g, uint32_t word)
{
    poke(g, g->at, &word, 4);
    g->at += 4;
}

static inline void put_half(struct guest *g, uint32_t parcel)
{
    poke(g, g->at, &parcel, 2);
    g->at += 2;
}

/* Appends an instruction: `rd, rs1, rs2, imm`, 0 for what its format has not. */
#define put(guest, name, ...) put_word(guest, encode(OP_##name, __VA_ARGS__))

/* Runs `count` cycles at the most from where the hart stands. */
static inline enum hart_exit run(struct guest *g, uint64_t count)
{
    return hart_run(g->hart, g->hart->cycles + count);
}

static inline uint64_t retired(const struct guest *g)
{
    return g->hart->cycles - g->hart->not_retired;
}

/* Gives every mode every byte: PMP entry 0 matches all, or from `entry` on. */
static inline void open_pmp(struct guest *g, uint32_t entry)
{
    uint32_t config;
    assert_true(hart_csr_read(g->hart, 0x3a0 + entry / 4, &config));
    config |= 0x1fu << 8 * (entry % 4); /* NAPOT, X, W, R */
    assert_true(hart_csr_write(g->hart, 0x3b0 + entry, ~0u));
    assert_true(hart_csr_write(g->hart, 0x3a0 + entry / 4, config));
}

#define assert_counts(guest, wanted_cycles, wanted_retired)     \
    do {                                                        \
        assert_int_equal((guest)->hart->cycles, wanted_cycles); \
        assert_int_equal(retired(guest), wanted_retired);       \
    } while (0)

/* The trap just taken: pc is at the handler. */
#define assert_trapped(guest, wanted_cause, wanted_epc, wanted_tval)         \
    do {                                                                     \
        assert_int_equal((guest)->hart->csr.mcause, wanted_cause);           \
        assert_int_equal((guest)->hart->csr.mepc, (uint32_t)(wanted_epc));   \
        assert_int_equal((guest)->hart->csr.mtval, (uint32_t)(wanted_tval)); \
        assert_int_equal((guest)->hart->pc, (guest)->hart->csr.mtvec & ~3u); \
    } while (0)

#define GUEST_TEST(subject, behaviour)                          \
    static void guest_##subject##_##behaviour(struct guest *g); \
    TEST(subject, behaviour)                                    \
    {                                                           \
        struct guest g;                                         \
        guest_init(&g);                                         \
        guest_##subject##_##behaviour(&g);                      \
        guest_deinit(&g);                                       \
    }                                                           \
    static void guest_##subject##_##behaviour(struct guest *g)

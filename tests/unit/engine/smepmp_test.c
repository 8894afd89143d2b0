/* smepmp_test.c - the PMP's truth tables, by instructions at each alignment about a boundary */
/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include "isa/internal.h"

enum { PMPCFG0 = 0x3a0, PMPADDR0 = 0x3b0, MSECCFG = 0x747 };
enum { R = 1, W = 2, X = 4, TOR = 8, NA4 = 16, NAPOT = 24, LOCK = 0x80 };
enum { MML = 1, MMWP = 2, RLB = 4, MPRV = 0x20000 };
enum { BASE_ENTRY = 2, ENTRY, CODE_ENTRY, BACKGROUND_ENTRY = 15 };
enum { INSIDE = 1, OUTSIDE = 2, AROUND = 8 };

/* What an entry of these bits allows: privileged 1.12, 3.7.1.2, and with MML Smepmp 1.0, 2.1. Of W
 * without R there is a meaning with MML only. */
static const struct truth {
    uint32_t mml;
    uint8_t config;
    uint8_t machine, user;
} truths[] = {
    {0, 0, R | W | X, 0},
    {0, X, R | W | X, X},
    {0, R, R | W | X, R},
    {0, R | X, R | W | X, R | X},
    {0, R | W, R | W | X, R | W},
    {0, R | W | X, R | W | X, R | W | X},
    {0, LOCK, 0, 0},
    {0, LOCK | X, X, X},
    {0, LOCK | R, R, R},
    {0, LOCK | R | X, R | X, R | X},
    {0, LOCK | R | W, R | W, R | W},
    {0, LOCK | R | W | X, R | W | X, R | W | X},
    {MML, 0, 0, 0},
    {MML, X, 0, X},
    {MML, W, R | W, R},
    {MML, W | X, R | W, R | W},
    {MML, R, 0, R},
    {MML, R | X, 0, R | X},
    {MML, R | W, 0, R | W},
    {MML, R | W | X, 0, R | W | X},
    {MML, LOCK, 0, 0},
    {MML, LOCK | X, X, 0},
    {MML, LOCK | W, X, X},
    {MML, LOCK | W | X, R | X, X},
    {MML, LOCK | R, R, 0},
    {MML, LOCK | R | X, R | X, 0},
    {MML, LOCK | R | W, R | W, 0},
    {MML, LOCK | R | W | X, R, R},
};

/* Outside of the entry: one that matches everything, or none; what the modes may do there. */
static const struct outside {
    uint32_t seccfg; /* goes with entries of the same MML */
    uint8_t config;
    uint8_t machine, user;
} outsides[] = {
    {0, 0, R | W | X, 0}, {0, NAPOT | R | W | X, R | W | X, R | W | X}, {MMWP, 0, 0, 0},
    {MML, 0, R | W, 0},   {MML, NAPOT | W | X, R | W, R | W},           {MML | MMWP, 0, 0, 0},
};

/* In the middle of a page, at its ends, over two, and where addresses wrap. */
static const struct region {
    uint8_t match;
    uint32_t base, size;
} regions[] = {
    {NA4, CODE + 0x1400, 4},        {NAPOT, CODE + 0x1ff8, 8}, {NAPOT, CODE + 0x2000, 0x1000},
    {TOR, CODE + 0x1ffc, 8},        {TOR, CODE + 0x1404, 12},  {TOR, LAST_PAGE + 0x800, 0x800},
    {NAPOT, LAST_PAGE + 0xff0, 16},
};

static const struct access {
    enum op op;
    unsigned size, wanted;
    uint32_t fault, misaligned; /* the cause; 0 where it may be misaligned */
} accesses[] = {
    {OP_lbu, 1, R, CAUSE_LOAD_FAULT, 0},
    {OP_lhu, 2, R, CAUSE_LOAD_FAULT, 0},
    {OP_lw, 4, R, CAUSE_LOAD_FAULT, 0},
    {OP_sb, 1, W, CAUSE_STORE_FAULT, 0},
    {OP_sh, 2, W, CAUSE_STORE_FAULT, 0},
    {OP_sw, 4, W, CAUSE_STORE_FAULT, 0},
    {OP_lr_w, 4, R, CAUSE_LOAD_FAULT, CAUSE_LOAD_MISALIGNED},
    {OP_sc_w, 4, R | W, CAUSE_STORE_FAULT, CAUSE_STORE_MISALIGNED},
    {OP_amoswap_w, 4, R | W, CAUSE_STORE_FAULT, CAUSE_STORE_MISALIGNED},
};

/* Who accesses; MPRV lends M mode the loads and stores of U mode. */
enum who { MACHINE, USER, LENT, WHO_COUNT };

static const struct {
    enum mode mode;
    uint32_t mstatus;
    bool has_rights_of_user;
} whos[WHO_COUNT] = {{MODE_M, 0, false}, {MODE_U, 0, true}, {MODE_M, MPRV, true}};

/* One protected region and all about it. */
struct scene {
    struct guest *g;
    const struct truth *truth;
    const struct region *region;
    const struct outside *outside;
};

static void set_csr(struct guest *g, uint32_t number, uint32_t value)
{
    assert_true(hart_csr_write(g->hart, number, value));
}

static void set_entry(struct guest *g, unsigned entry, unsigned config, uint32_t address)
{
    uint32_t number = PMPCFG0 + entry / 4, word;
    set_csr(g, PMPADDR0 + entry, address);
    assert_true(hart_csr_read(g->hart, number, &word));
    set_csr(g, number, word | config << 8 * (entry % 4));
    assert_true(hart_csr_read(g->hart, number, &word));
    assert_int_equal(word >> 8 * (entry % 4) & 0xff, config);
}

/* Everybody may execute CODE, where the accesses stand; RLB so that locked code can be made. */
static void protect(const struct scene *s)
{
    struct guest *g = s->g;
    const struct region *region = s->region;
    uint32_t address = region->base >> 2;
    hart_reset(g->hart, CODE);
    g->hart->csr.mtvec = HANDLER;
    set_csr(g, MSECCFG, RLB | s->truth->mml | s->outside->seccfg);
    if (region->match == TOR) {
        set_csr(g, PMPADDR0 + BASE_ENTRY, address);
        address = (uint32_t)(((uint64_t)region->base + region->size) >> 2);
    } else if (region->match == NAPOT) {
        address |= region->size / 8 - 1;
    }
    set_entry(g, ENTRY, region->match | s->truth->config, address);
    set_entry(g, CODE_ENTRY, NAPOT | (s->truth->mml ? LOCK | W : R | W | X), CODE >> 2 | 0x1ff);
    set_entry(g, BACKGROUND_ENTRY, s->outside->config, ~0u);
}

static unsigned rights(const struct scene *s, enum who who, unsigned sides)
{
    unsigned inside = whos[who].has_rights_of_user ? s->truth->user : s->truth->machine;
    unsigned outside = whos[who].has_rights_of_user ? s->outside->user : s->outside->machine;
    return sides == INSIDE ? inside : sides == OUTSIDE ? outside : 0;
}

static unsigned sides_of(const struct scene *s, uint32_t address, unsigned size)
{
    unsigned sides = 0;
    for (unsigned i = 0; i < size; i++) {
        sides |= address + i - s->region->base < s->region->size ? INSIDE : OUTSIDE;
    }
    return sides;
}

/* True with what mtval must be, where the access may not be: the first byte that is forbidden by
 * itself, or the access, which only its parts would be allowed (3.7.1.3). */
static bool is_forbidden(const struct scene *s, enum who who, const struct access *access,
                         uint32_t address, uint32_t *ret_byte)
{
    *ret_byte = address;
    unsigned size = access->size, wanted = access->wanted;
    if ((rights(s, who, sides_of(s, address, size)) & wanted) == wanted) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        if ((rights(s, who, sides_of(s, address + i, 1)) & wanted) != wanted) {
            *ret_byte = address + i;
            return true;
        }
    }
    return true;
}

static void fail_at(const struct scene *s, enum who who, const char *what, uint32_t address)
{
    fail_msg("%s at 0x%x, who %d: region 0x%x + 0x%x, config 0x%x, seccfg 0x%x, outside 0x%x: pc "
             "0x%x cause 0x%x tval 0x%x",
             what, address, (int)who, s->region->base, s->region->size, s->truth->config,
             s->truth->mml | s->outside->seccfg, s->outside->config, s->g->hart->pc,
             s->g->hart->csr.mcause, s->g->hart->csr.mtval);
}

/* Runs one instruction; was that the trap, or else the way behind the instruction? */
static bool ends_in(const struct scene *s, enum who who, uint32_t pc, unsigned size,
                    const struct trap *trap)
{
    struct hart *h = s->g->hart;
    h->pc = pc;
    h->mode = whos[who].mode;
    h->csr.mstatus = whos[who].mstatus;
    h->is_entering = false; /* of a trap before, whose handler nobody runs */
    uint64_t before = retired(s->g);
    if (run(s->g, 1) != HART_LIMIT) {
        return false;
    }
    bool is_retired = retired(s->g) == before + 1;
    if (!trap) {
        return is_retired && h->pc == pc + size && h->mode == whos[who].mode;
    }
    return !is_retired && h->pc == HANDLER && h->mode == MODE_M && h->csr.mcause == trap->cause &&
           h->csr.mtval == trap->tval && h->csr.mepc == pc &&
           (h->csr.mstatus >> 11 & 3) == (uint32_t)whos[who].mode;
}

static uint32_t bytes_at(const struct guest *g, uint32_t address, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint32_t)g->memory[(uint32_t)(address + i)] << 8 * i;
    }
    return value;
}

/* What the access left in a register and in memory: `old` was there. */
static bool is_done(const struct guest *g, const struct access *access, uint32_t address,
                    uint32_t old, bool is_trap)
{
    bool is_load = access->wanted == R || access->op == OP_amoswap_w;
    bool is_store = access->op != OP_sc_w && (access->wanted & W);
    uint32_t mask = ~0u >> (32 - 8 * access->size);
    uint32_t loaded = is_trap ? 77 : is_load ? old : access->op == OP_sc_w ? 1 : 77;
    uint32_t stored = is_store && !is_trap ? g->hart->x[A0] & mask : old;
    return g->hart->x[A2] == loaded && bytes_at(g, address, access->size) == stored;
}

static void check_access(const struct scene *s, enum who who, size_t n, uint32_t address)
{
    const struct access *access = &accesses[n];
    struct trap trap = {.cause = access->fault};
    bool is_trap = is_forbidden(s, who, access, address, &trap.tval);
    if (access->misaligned && address % 4) {
        is_trap = true;
        trap = (struct trap){.cause = access->misaligned, .tval = address};
    }
    struct hart *h = s->g->hart;
    uint32_t old = bytes_at(s->g, address, access->size);
    h->x[A0] = old + 0x01030507;
    h->x[A1] = address;
    h->x[A2] = 77;
    h->has_reservation = false;
    if (!ends_in(s, who, CODE + 4 * (uint32_t)n, 4, is_trap ? &trap : NULL) ||
        !is_done(s->g, access, address, old, is_trap)) {
        fail_at(s, who, isa_row(access->op)->name, address);
    }
}

/* A compressed instruction, then one of two parcels, each an access of its own. */
static void check_fetch(const struct scene *s, enum who who, uint32_t pc)
{
    static const uint32_t nops[] = {0x0001, 0x00000013};
    for (unsigned parcels = 1; parcels <= 2; parcels++) {
        for (unsigned i = 0; i < parcels; i++) {
            uint16_t parcel = (uint16_t)(nops[parcels - 1] >> 16 * i);
            poke(s->g, pc + 2 * i, &parcel, 2);
            hart_wrote(s->g->hart, pc + 2 * i, 2);
        }
        const struct trap *expected = NULL;
        struct trap trap = {.cause = CAUSE_FETCH_FAULT};
        for (unsigned i = 0; i < parcels && !expected; i++) {
            trap.tval = pc + 2 * i;
            bool is_allowed = rights(s, who, sides_of(s, trap.tval, 2)) & X;
            expected = is_allowed ? NULL : &trap;
        }
        if (!ends_in(s, who, pc, 2 * parcels, expected)) {
            fail_at(s, who, parcels == 1 ? "compressed" : "word", pc);
        }
    }
}

static void check_about(const struct scene *s, uint32_t edge)
{
    for (uint32_t at = edge - AROUND; at != edge + AROUND + 1; at++) {
        for (enum who who = 0; who < WHO_COUNT; who++) {
            for (size_t n = 0; n < ARRAY_COUNT(accesses); n++) {
                check_access(s, who, n, at);
            }
            if (at % 2 == 0 && who != LENT) {
                check_fetch(s, who, at);
            }
        }
    }
}

GUEST_TEST(smepmp, truth_table_holds_at_each_alignment_about_a_boundary)
{
    for (size_t n = 0; n < ARRAY_COUNT(accesses); n++) {
        bool is_plain_store = accesses[n].wanted == W;
        put_word(g, encode(accesses[n].op, is_plain_store ? 0 : A2, A1,
                           accesses[n].wanted & W ? A0 : 0, 0));
    }
    for (size_t i = 0; i < ARRAY_COUNT(truths) * ARRAY_COUNT(outsides); i++) {
        struct scene s = {.g = g,
                          .truth = &truths[i / ARRAY_COUNT(outsides)],
                          .outside = &outsides[i % ARRAY_COUNT(outsides)]};
        for (size_t n = 0; n < ARRAY_COUNT(regions); n++) {
            s.region = &regions[n];
            if (s.truth->mml == (s.outside->seccfg & MML)) {
                protect(&s);
                check_about(&s, s.region->base);
                check_about(&s, s.region->base + s.region->size);
            }
        }
    }
}

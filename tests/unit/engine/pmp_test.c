/* pmp_test.c - memory protection against a model of the specification, its locks, and stale views
 */
/* SPDX-License-Identifier: MIT */
#include "guest.h"
#include "state.h"

enum { PMPCFG0 = 0x3a0, PMPADDR0 = 0x3b0, MSECCFG = 0x747 };
enum { R = 1, W = 2, X = 4, TOR = 8, NA4 = 16, NAPOT = 24, LOCK = 0x80 };
enum { MML = 1, MMWP = 2, RLB = 4 };

static uint64_t seed = 1;

static uint32_t pick(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static void set_csr(struct guest *g, uint32_t number, uint32_t value)
{
    assert_true(hart_csr_write(g->hart, number, value));
}

static uint32_t csr(struct guest *g, uint32_t number)
{
    uint32_t value;
    assert_true(hart_csr_read(g->hart, number, &value));
    return value;
}

static unsigned config(struct guest *g, unsigned entry)
{
    return csr(g, PMPCFG0 + entry / 4) >> 8 * (entry % 4) & 0xff;
}

static void set_config(struct guest *g, unsigned entry, unsigned value)
{
    uint32_t others = csr(g, PMPCFG0 + entry / 4) & ~(0xffu << 8 * (entry % 4));
    set_csr(g, PMPCFG0 + entry / 4, others | value << 8 * (entry % 4));
}

/* The model: 3.7.1 for a byte, from the CSRs as a guest reads them. */
static bool is_matched(struct guest *g, unsigned entry, uint32_t byte)
{
    uint64_t address = csr(g, PMPADDR0 + entry);
    uint64_t word = byte >> 2; /* in the units of pmpaddr */
    switch (config(g, entry) & NAPOT) {
    case TOR:
        return word < address && word >= (entry ? csr(g, PMPADDR0 + entry - 1) : 0);
    case NA4:
        return word == address;
    case NAPOT: {
        unsigned ones = 0;
        while (address >> ones & 1) {
            ones++;
        }
        return word >> (ones + 1) == address >> (ones + 1);
    }
    }
    return false;
}

/* Smepmp 1.0, the truth table, as prose has it: what a matching entry lets the mode do. */
static unsigned rights(struct guest *g, unsigned entry, bool is_machine)
{
    unsigned bits = config(g, entry), rwx = bits & 7;
    bool is_locked = bits & LOCK;
    if (!(csr(g, MSECCFG) & MML)) {
        return is_machine && !is_locked ? R | W | X : rwx;
    }
    if (rwx == W) {
        return is_locked ? X : is_machine ? R | W : R;
    }
    if (rwx == (W | X)) {
        return is_locked ? (is_machine ? R | X : X) : R | W;
    }
    if (is_locked && rwx == (R | W | X)) {
        return R;
    }
    return is_locked == is_machine ? rwx : 0;
}

static bool model_allows(struct guest *g, bool is_machine, uint32_t address, unsigned size,
                         unsigned wanted)
{
    for (unsigned entry = 0; entry < 16; entry++) {
        unsigned matched = 0;
        for (unsigned i = 0; i < size; i++) {
            matched += is_matched(g, entry, address + i);
        }
        if (matched > 0) {
            return matched == size && (rights(g, entry, is_machine) & wanted) == wanted;
        }
    }
    uint32_t seccfg = csr(g, MSECCFG);
    return is_machine && !(seccfg & MMWP) && !(seccfg & MML && wanted & X);
}

/* Entries about the pages of the guest, and the end of the address space. */
static void randomize(struct guest *g)
{
    static const uint32_t bases[] = {CODE, CODE + 0x1000, DATA, WATCHED, HOLE, LAST_PAGE, 0};
    static const uint32_t sizes[] = {0, 1, 3, 7, 0x1ff, 0x3ff, 0x7ff, 0x1fffffff, ~0u};
    for (unsigned entry = 0; entry < 16; entry++) {
        uint32_t base = bases[pick(ARRAY_COUNT(bases))] + pick(0x800) * pick(3);
        base += pick(2) * 0x1000 - pick(16);
        uint32_t low = sizes[pick(ARRAY_COUNT(sizes))];
        set_csr(g, PMPADDR0 + entry, (base >> 2 & ~low) | low >> pick(2));
    }
    for (unsigned i = 0; i < 4; i++) {
        uint32_t value = pick(0x10000) << 16 | pick(0x10000);
        set_csr(g, PMPCFG0 + i, pick(4) ? value : value & 0x7f7f7f7f);
    }
}

static bool is_load_allowed(struct guest *g, uint32_t address, unsigned size)
{
    uint32_t unused;
    return load_slow(g->hart, address, size, &unused) != STEP_TRAP;
}

/* A mode's loads, stores and fetches, slow and by its view, are what the model says. */
static void compare_access(struct guest *g, bool is_machine, uint32_t address, unsigned size)
{
    struct hart *h = g->hart;
    enum mode mode = is_machine ? MODE_M : MODE_U;
    bool can_read = model_allows(g, is_machine, address, size, R);
    bool can_write = model_allows(g, is_machine, address, size, W);
    bool can_fetch = model_allows(g, is_machine, address & ~1u, 2, X);
    unsigned flags = view_flags(h, mode, address);
    if (address % size == 0) {
        assert_true(can_read || !(flags & PAGE_READ));
        assert_true(can_write || !(flags & (PAGE_WRITE | PAGE_WRITABLE)));
    }
    assert_true(can_fetch || !(flags & PAGE_EXECUTE));
    h->mode = mode;
    assert_int_equal(is_load_allowed(g, address, size), can_read);
    h->mode = mode;
    assert_int_equal(store_slow(h, address, size, 0) != STEP_TRAP, can_write);
    h->mode = mode;
    if (address % 4 == 0 && size == 4) {
        uint32_t unused;
        assert_int_equal(load_reserved(h, address, &unused) != STEP_TRAP, can_read);
        h->mode = mode;
        assert_int_equal(amo_check(h, address) != STEP_TRAP,
                         model_allows(g, is_machine, address, size, R | W));
        h->mode = mode;
    }
    uint32_t word, fault;
    const uint16_t compressed = 1;
    poke(g, address & ~1u, &compressed, 2);
    assert_int_equal(fetch(h, address & ~1u, &word, &fault), can_fetch);
}

GUEST_TEST(pmp, allows_what_the_specification_says)
{
    static const uint32_t bases[] = {CODE, CODE + 0x1000, CODE + 0x2000, LAST_PAGE};
    for (unsigned trial = 0; trial < 3000; trial++) {
        hart_reset(g->hart, CODE);
        if (pick(2)) {
            set_csr(g, MSECCFG, pick(8)); /* with RLB, or what locks would follow */
        }
        randomize(g);
        if (pick(2)) {
            set_csr(g, MSECCFG, pick(8));
        }
        pmp_sync(g->hart);
        for (unsigned i = 0; i < 12; i++) {
            /* The guest's own bytes, so that only the PMP can say no; the last ones wrap. */
            uint32_t address = bases[pick(4)] + pick(2) * 0xff0 + pick(16);
            compare_access(g, pick(2), address, 1u << pick(3));
        }
    }
}

GUEST_TEST(pmp, names_the_byte_that_may_not_be_accessed)
{
    static const struct {
        uint32_t at;
        uint32_t fault;
    } rows[] = {
        {DATA + 0x7fe, DATA + 0x800}, /* passes the end of what is allowed */
        {DATA + 0x3fe, DATA + 0x3fe}, /* each byte may be, but not by one entry */
        {DATA + 0x800, DATA + 0x800},
    };
    set_csr(g, PMPADDR0, DATA >> 2);
    set_csr(g, PMPADDR0 + 1, (DATA + 0x400) >> 2);
    set_csr(g, PMPADDR0 + 2, (DATA + 0x800) >> 2);
    set_csr(g, PMPCFG0, (uint32_t)(TOR | R | W) << 16 | (TOR | R | W) << 8);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t unused;
        pmp_sync(g->hart);
        g->hart->mode = MODE_U;
        assert_int_equal(load_slow(g->hart, rows[i].at, 4, &unused), STEP_TRAP);
        assert_int_equal(g->hart->csr.mtval, rows[i].fault);
        g->hart->mode = MODE_U;
        assert_int_equal(store_slow(g->hart, rows[i].at, 4, ~0u), STEP_TRAP);
        assert_int_equal(g->hart->csr.mtval, rows[i].fault);
        assert_int_equal(word_at(g, rows[i].at), 0);
    }
}

GUEST_TEST(pmp, stores_no_w_without_r_unless_mml)
{
    for (unsigned bits = 0; bits < 0x100; bits++) {
        hart_reset(g->hart, CODE);
        set_config(g, 5, bits);
        unsigned legal = (bits & (R | W)) == W ? bits & ~(unsigned)W : bits;
        assert_int_equal(config(g, 5), legal & 0x9f);
        hart_reset(g->hart, CODE);
        set_csr(g, MSECCFG, MML | RLB);
        set_config(g, 5, bits);
        assert_int_equal(config(g, 5), bits & 0x9f);
    }
}

/* Smepmp 2, rule 4b. */
GUEST_TEST(pmp, makes_no_locked_code_with_mml)
{
    static const uint8_t code[] = {LOCK | X, LOCK | W, LOCK | W | X, LOCK | R | X};
    for (unsigned bits = 0; bits < 16; bits++) {
        unsigned value = (bits & 7) | (bits & 8 ? LOCK : 0) | NA4;
        bool is_code = memchr(code, (int)(value & ~(unsigned)NA4), sizeof code);
        hart_reset(g->hart, CODE);
        set_config(g, 7, NA4 | R);
        set_csr(g, MSECCFG, MML);
        set_config(g, 7, value);
        assert_int_equal(config(g, 7), is_code ? NA4 | R : value);
    }
}

GUEST_TEST(pmp, locks_an_entry_and_the_lower_bound_of_a_range)
{
    for (unsigned i = 0; i < 8; i++) {
        bool is_tor = i & 1, has_lock = i & 2, has_bypass = i & 4;
        bool is_kept = has_lock && !has_bypass;
        hart_reset(g->hart, CODE);
        set_csr(g, MSECCFG, has_bypass ? RLB : 0);
        for (unsigned n = 2; n < 6; n++) {
            set_csr(g, PMPADDR0 + n, n);
        }
        set_config(g, 4, (is_tor ? TOR : NAPOT) | (has_lock ? LOCK : 0) | R);
        for (unsigned n = 2; n < 6; n++) {
            set_csr(g, PMPADDR0 + n, n + 100);
        }
        set_config(g, 4, 0);
        set_config(g, 3, W | R);
        assert_int_equal(csr(g, PMPADDR0 + 2), 102);
        assert_int_equal(csr(g, PMPADDR0 + 3), is_kept && is_tor ? 3 : 103);
        assert_int_equal(csr(g, PMPADDR0 + 4), is_kept ? 4 : 104);
        assert_int_equal(csr(g, PMPADDR0 + 5), 105);
        assert_int_equal(config(g, 4), is_kept ? (is_tor ? TOR : NAPOT) | LOCK | R : 0);
        assert_int_equal(config(g, 3), R | W);
    }
}

GUEST_TEST(pmp, keeps_mml_and_mmwp_and_lets_rlb_come_back_only_without_a_lock)
{
    for (uint32_t i = 0; i < 64 * 2; i++) {
        uint32_t first = i % 8, second = i / 8 % 8;
        bool has_lock = i / 64;
        hart_reset(g->hart, CODE);
        set_csr(g, MSECCFG, first);
        assert_int_equal(csr(g, MSECCFG), first);
        set_config(g, 15, has_lock ? LOCK : 0); /* of an entry that is off */
        set_csr(g, MSECCFG, second | 0xfffffff8);
        bool can_bypass = (first & RLB) || !has_lock;
        assert_int_equal(csr(g, MSECCFG),
                         ((first | second) & (MML | MMWP)) | (can_bypass ? second & RLB : 0));
        hart_reset(g->hart, CODE);
        assert_int_equal(csr(g, MSECCFG) | csr(g, PMPCFG0 + 3), 0);
    }
}

/* Instructions that walk through code and data of all pages, for the modes to run. */
static void put_walk(struct guest *g)
{
    for (uint32_t page = CODE; page < HOLE; page += 0x1000) {
        for (g->at = page; g->at < page + 0x1000;) {
            uint32_t choice = pick(8);
            if (choice < 3) {
                put(g, addi, A0, A0, 0, (int32_t)pick(100));
            } else if (choice == 3) {
                put(g, lw, A2, A1, 0, (int32_t)pick(512) * 4 - 1024 + (int32_t)pick(2) * 2);
            } else if (choice == 4) {
                put(g, sw, 0, A1, A0, (int32_t)pick(512) * 4 - 1024);
            } else if (choice == 5 && g->at < page + 0xf00) {
                put(g, bne, 0, A0, A2, 8 + 2 * (int32_t)pick(100));
            } else {
                put_half(g, 0x0505); /* c.addi a0, 1 */
                put_half(g, 0x0605); /* c.addi a2, 1 */
            }
        }
    }
}

/* What the host changes between two stretches of code. */
static void change(struct guest *g, uint32_t choice, uint64_t from)
{
    uint64_t kept = seed;
    seed = from;
    unsigned entry = pick(4);
    uint32_t base = CODE + pick(8) * 0x1000 + (pick(3) ? 0 : pick(0x400) * 4);
    switch (choice) {
    case 0:
        set_csr(g, PMPADDR0 + entry, base >> 2 | (0x1ffu >> pick(2)));
        break;
    case 1:
        set_csr(g, PMPADDR0 + entry, base >> 2);
        break;
    case 2:
        set_config(g, entry, pick(0x20) | (pick(8) ? 0 : LOCK));
        break;
    case 3:
        set_config(g, 15, NAPOT | (pick(2) ? R | W | X : pick(8)));
        break;
    case 4:
        set_csr(g, MSECCFG, pick(16) ? RLB : RLB | MMWP);
        break;
    }
    seed = kept;
}

/* Everything that the views and the code tables hold goes. */
static void forget_all(struct guest *g)
{
    for (size_t i = 0; i < ARRAY_COUNT(guest_pages); i++) {
        hart_wrote(g->hart, guest_pages[i], PAGE_SIZE);
    }
    memset(g->hart->u.access, 0, GiB(4) / PAGE_SIZE);
    memset(g->hart->m.access, 0, GiB(4) / PAGE_SIZE);
}

static void run_stretch(struct guest *g, uint32_t at, uint32_t data, bool is_user)
{
    g->hart->pc = at;
    g->hart->mode = is_user ? MODE_U : MODE_M;
    g->hart->x[A1] = data;
    (void)run(g, 40);
}

/* After any change a hart that remembers does what one does that has forgotten everything. */
TEST(view, is_never_stale)
{
    static struct state a, b;
    struct guest kept, fresh;
    guest_init(&kept);
    guest_init(&fresh);
    uint64_t from = seed;
    put_walk(&kept);
    seed = from;
    put_walk(&fresh);
    for (unsigned trial = 0; trial < 10000; trial++) {
        if (trial % 500 == 0) {
            hart_reset(kept.hart, CODE);
            hart_reset(fresh.hart, CODE);
            kept.hart->csr.mtvec = fresh.hart->csr.mtvec = HANDLER;
            set_csr(&kept, PMPADDR0 + 15, ~0u);
            set_csr(&fresh, PMPADDR0 + 15, ~0u);
        }
        for (uint32_t n = pick(3); n > 0; n--) {
            uint32_t choice = pick(5);
            from = seed + n;
            change(&kept, choice, from);
            change(&fresh, choice, from);
        }
        uint32_t at = CODE + pick(8) * 0x1000 + pick(0x400) * 4;
        uint32_t data = CODE + pick(8) * 0x1000 + pick(0x400) * 4;
        bool is_user = pick(4);
        forget_all(&fresh);
        run_stretch(&kept, at, data, is_user);
        run_stretch(&fresh, at, data, is_user);
        read_state(&kept, &a);
        read_state(&fresh, &b);
        memcpy(a.dirty, b.dirty, sizeof a.dirty); /* forget_all marks pages */
        assert_same(&a, &b);
    }
    guest_deinit(&kept);
    guest_deinit(&fresh);
}

/* Smepmp 1.0, 2: what mseccfg says holds for the instruction behind the one that writes it. */
TEST(pmp, mseccfg_holds_at_once)
{
    struct guest g;
    guest_init(&g);
    set_csr(&g, PMPADDR0, CODE >> 2 | 0x7ff); /* the four pages of code */
    set_config(&g, 0, NAPOT | R | X);
    g.hart->x[A0] = MMWP;
    g.hart->x[A2] = DATA;
    put_word(&g, encode(OP_lw, A1, A2, 0, 0));
    put_word(&g, encode(OP_csrrw, 0, A0, 0, MSECCFG));
    put_word(&g, encode(OP_lw, A1, A2, 0, 0));
    (void)run(&g, 3);
    assert_int_equal(g.hart->csr.mcause, CAUSE_LOAD_FAULT);
    assert_int_equal(g.hart->csr.mepc, CODE + 8);
    guest_deinit(&g);
}

/* privileged.c - what a random program does to modes, memory protection and interrupts */
/* SPDX-License-Identifier: MIT */
/* Whatever mode runs it, any order of these pieces ends: what a mode may not do is a trap, and the
 * handler goes on behind it, or in machine mode after U mode's ecall. Entries 0 and 1 of the PMP
 * keep the code executable for both modes and the devices machine mode's; the others may be
 * anything. Interrupts come where a store or a CSR makes them come, so both machines take them at
 * the same instruction: the timer is due at once or never. What QEMU 7.2 gets wrong is avoided
 * (qemu-differs.def). */
#include "tests/lockstep/generate.h"

enum {
    HANDLER = BASE + 4,
    ISLANDS = BASE + 0x103800, /* code that returns at once, under the other entries */
    ISLANDS_BYTES = 0x100,
    WINDOW = BASE + 0x101800, /* the middle of what loads and stores reach */
    SOFT = 0x02000000,        /* msip */
    TIMER = 0x02004000,       /* mtimecmp */
};

enum {
    MSTATUS = 0x300,
    MIE = 0x304,
    MTVEC = 0x305,
    MCOUNTEREN = 0x306,
    MEPC = 0x341,
    MCAUSE = 0x342,
    PMPCFG = 0x3a0,
    PMPADDR = 0x3b0,
    MSECCFG = 0x747,
};

enum { STATUS_MIE = 8, STATUS_MPIE = 0x80, STATUS_MPP = 0x1800, STATUS_MPRV = 0x20000 };
enum { STATUS_TW = 0x200000 };
enum { MML = 1, MMWP = 2, RLB = 4 };
enum { R = 1, W = 2, X = 4, TOR = 8, NAPOT = 24, LOCK = 0x80 };
enum { ENTRIES_COUNT = 16, ENTRIES_KEPT = 2 };

static void put_csr(struct program *p, uint8_t op, int32_t csr, uint32_t value)
{
    put_constant(p, T0, value);
    put(p, (struct insn){op, 4, 0, T0, 0, csr});
}

static void put_store(struct program *p, uint32_t address, int32_t offset, uint8_t rs2)
{
    put_constant(p, T1, address);
    put(p, (struct insn){OP_sw, 4, 0, T1, rs2, offset});
}

static void put_jump(struct program *p, int32_t offset)
{
    put(p, (struct insn){OP_jal, 4, 0, 0, 0, offset});
}

/* Loads and stores of the handler are machine mode's own. */
static void put_own_access(struct program *p)
{
    put(p, (struct insn){OP_lui, 4, T5, 0, 0, STATUS_MPRV});
    put(p, (struct insn){OP_csrrc, 4, 0, T5, 0, MSTATUS});
}

/* Behind the instruction that trapped; behind the call, where that could not be fetched. */
static const struct insn exception[] = {
    {OP_addi, 4, T6, T6, 0, -1},      {OP_bne, 4, 0, T6, 0, 12}, /* instruction access fault is 1 */
    {OP_csrrw, 4, 0, RA, 0, MEPC},    {OP_mret, 4, 0, 0, 0, 0},
    {OP_addi, 4, T6, T6, 0, -7},      {OP_bne, 4, 0, T6, 0, 16}, /* ecall of U mode is 8 */
    {OP_lui, 4, T5, 0, 0, 0x2000},    {OP_addi, 4, T5, T5, 0, STATUS_MPP - 0x2000},
    {OP_csrrs, 4, 0, T5, 0, MSTATUS}, {OP_csrrs, 4, T5, 0, 0, MEPC},
    {OP_lhu, 4, T6, T5, 0, 0},        {OP_andi, 4, T6, T6, 0, 3},
    {OP_sltiu, 4, T6, T6, 0, 3}, /* 1 for a compressed one */
    {OP_slli, 4, T6, T6, 0, 1},       {OP_sub, 4, T5, T5, T6, 0},
    {OP_addi, 4, T5, T5, 0, 4},       {OP_csrrw, 4, 0, T5, 0, MEPC},
    {OP_mret, 4, 0, 0, 0, 0},
};

/* Interrupts take away what asked for them. */
static const struct insn software[] = {
    {OP_lui, 4, T5, 0, 0, SOFT},
    {OP_sw, 4, 0, T5, 0, 0},
    {OP_mret, 4, 0, 0, 0, 0},
};
static const struct insn timer[] = {
    {OP_lui, 4, T5, 0, 0, TIMER},
    {OP_addi, 4, T6, 0, 0, -1},
    {OP_sw, 4, 0, T5, T6, 4},
    {OP_mret, 4, 0, 0, 0, 0},
};

static void put_all(struct program *p, const struct insn *insns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(p, insns[i]);
    }
}

void put_privileged_handler(struct program *p)
{
    enum { VECTORS = 8, OWN = 2, WHICH = 5 };
    enum { COMMON = VECTORS, EXCEPTION = COMMON + OWN + WHICH };
    enum { SOFTWARE = EXCEPTION + ARRAY_COUNT(exception), TIMED = SOFTWARE + OWN + 3 };
    enum { END = TIMED + OWN + ARRAY_COUNT(timer) };
    put_jump(p, 4 + 4 * END);
    for (int32_t cause = 0; cause < VECTORS; cause++) {
        put_jump(p, 4 * ((cause == 3 ? SOFTWARE : cause == 7 ? TIMED : COMMON) - cause));
    }
    put_own_access(p);
    put(p, (struct insn){OP_csrrs, 4, T6, 0, 0, MCAUSE});
    put(p, (struct insn){OP_bge, 4, 0, T6, 0, 4 * (EXCEPTION - COMMON - OWN - 1)});
    put(p, (struct insn){OP_andi, 4, T6, T6, 0, 4}); /* 7, not 3 */
    put(p, (struct insn){OP_bne, 4, 0, T6, 0, 4 * (TIMED - COMMON - OWN - 3)});
    put_jump(p, 4 * (SOFTWARE - COMMON - OWN - 4));
    put_all(p, exception, ARRAY_COUNT(exception));
    put_own_access(p);
    put_all(p, software, ARRAY_COUNT(software));
    put_own_access(p);
    put_all(p, timer, ARRAY_COUNT(timer));
    check(p->count == 1 + END);
}

/* Everything there returns. */
static void put_islands(struct program *p)
{
    put_constant(p, T1, (uint32_t)ISLANDS);
    put_constant(p, T3, 0x80828082); /* c.jr ra, twice */
    put(p, (struct insn){OP_addi, 4, T0, T1, 0, ISLANDS_BYTES});
    put(p, (struct insn){OP_sw, 4, 0, T1, T3, 0});
    put(p, (struct insn){OP_addi, 4, T1, T1, 0, 4});
    put(p, (struct insn){OP_bne, 4, 0, T1, T0, -8});
}

static uint32_t some_address(struct program *p)
{
    uint32_t base = pick(p, 3) ? (uint32_t)WINDOW : (uint32_t)ISLANDS + ISLANDS_BYTES / 2;
    uint32_t reach = pick(p, 2) ? 64 : 1024;
    return base + pick(p, 2 * reach) - reach;
}

/* MML must find machine mode's code executable, which then may become the shared kind. RLB stays
 * with it (DIFFERS_PMP_MML). */
void put_privileged_start(struct program *p)
{
    static const uint32_t kinds[] = {0, RLB, MMWP, MMWP | RLB, MML | RLB, MML | MMWP | RLB};
    p->seccfg = kinds[pick(p, ARRAY_COUNT(kinds))];
    put_islands(p); /* while nothing forbids it */
    put_csr(p, OP_csrrw, MTVEC, (uint32_t)HANDLER + pick(p, 2));
    put_csr(p, OP_csrrw, PMPADDR, (uint32_t)BASE >> 2 | (0x10000 / 8 - 1));
    put_csr(p, OP_csrrw, PMPADDR + 1, 0x08000000 / 8 - 1);
    for (int32_t entry = ENTRIES_KEPT; entry < ENTRIES_COUNT; entry++) {
        put_csr(p, OP_csrrw, PMPADDR + entry, some_address(p) >> 2);
    }
    uint32_t code = NAPOT | R | W | X, devices = NAPOT | (pick(p, 2) ? R | W : 0);
    if (p->seccfg & MML) {
        put_csr(p, OP_csrrw, MSECCFG, RLB);
        put_csr(p, OP_csrrw, PMPCFG, LOCK | NAPOT | R | X);
        code = LOCK | NAPOT | W | X;
        devices = NAPOT | W | (pick(p, 2) ? X : 0);
    }
    put_csr(p, OP_csrrw, MSECCFG, p->seccfg & ~(uint32_t)MMWP);
    put_csr(p, OP_csrrw, PMPCFG, devices << 8 | code);
    put_csr(p, OP_csrrw, MSECCFG, p->seccfg);
    put_csr(p, OP_csrrs, MSTATUS, STATUS_MPRV);
    put_csr(p, OP_csrrc, MSTATUS, STATUS_MPRV);
    put(p, (struct insn){OP_addi, 4, T3, 0, 0, -1});
    put_store(p, TIMER, 4, T3);
}

void put_privileged_end(struct program *p)
{
    put(p, (struct insn){OP_ecall, 4, 0, 0, 0, 0});
    put_csr(p, OP_csrrc, MSTATUS, STATUS_MPRV);
}

static void put_set_or_clear(struct program *p, int32_t csr, uint32_t value)
{
    put_csr(p, pick(p, 2) ? OP_csrrs : OP_csrrc, csr, value);
}

/* To U mode, and back by ecall; to machine mode too, or not at all where it is not machine mode's
 * to say. Interrupts are off until mret. */
static void put_return(struct program *p, bool is_to_user)
{
    put(p, (struct insn){OP_csrrci, 4, 0, STATUS_MIE, 0, MSTATUS});
    if (!is_to_user) { /* DIFFERS_STALE_MPRV */
        put_csr(p, OP_csrrc, MSTATUS, STATUS_MPRV);
    }
    put_set_or_clear(p, MSTATUS, STATUS_MPIE);
    put_csr(p, is_to_user ? OP_csrrc : OP_csrrs, MSTATUS, STATUS_MPP);
    put(p, (struct insn){OP_auipc, 4, T1, 0, 0, 0});
    put(p, (struct insn){OP_addi, 4, T1, T1, 0, 16});
    put(p, (struct insn){OP_csrrw, 4, 0, T1, 0, MEPC});
    put(p, (struct insn){OP_mret, 4, 0, 0, 0, 0});
}

static void put_mode(struct program *p)
{
    if (pick(p, 3)) {
        put(p, (struct insn){OP_ecall, 4, 0, 0, 0, 0});
    }
    put_return(p, pick(p, 4));
}

static void put_status(struct program *p)
{
    static const uint32_t masks[] = {
        STATUS_MIE,  STATUS_MIE,  STATUS_MPIE, STATUS_MPP,
        STATUS_MPRV, STATUS_MPRV, STATUS_TW,   STATUS_MIE | STATUS_MPP};
    put_set_or_clear(p, MSTATUS, masks[pick(p, ARRAY_COUNT(masks))]);
}

static void put_enable(struct program *p)
{
    static const uint32_t enables[] = {8, 0x80, 0x88, 0x888};
    static const uint8_t ops[] = {OP_csrrw, OP_csrrs, OP_csrrs, OP_csrrc};
    put_csr(p, ops[pick(p, ARRAY_COUNT(ops))], MIE, enables[pick(p, ARRAY_COUNT(enables))]);
}

static void put_software(struct program *p)
{
    put(p, (struct insn){OP_addi, 4, T0, 0, 0, (int32_t)pick(p, 4) > 0});
    put_store(p, SOFT, 0, T0);
}

/* Due at once, or never. */
static void put_timer(struct program *p)
{
    put(p, (struct insn){OP_addi, 4, T0, 0, 0, pick(p, 4) ? 0 : -1});
    put_store(p, TIMER, 0, 0);
    put(p, (struct insn){OP_sw, 4, 0, T1, T0, 4});
}

/* Something is pending and enabled, but not taken: it wakes the hart. In U mode TW forbids it. */
static void put_wait(struct program *p)
{
    put(p, (struct insn){OP_ecall, 4, 0, 0, 0, 0});
    put(p, (struct insn){OP_csrrci, 4, 0, STATUS_MIE, 0, MSTATUS});
    put_csr(p, OP_csrrc, MSTATUS, STATUS_MPRV);
    if (pick(p, 2)) {
        put(p, (struct insn){OP_csrrsi, 4, 0, 8, 0, MIE});
        put(p, (struct insn){OP_addi, 4, T0, 0, 0, 1});
        put_store(p, SOFT, 0, T0);
    } else {
        put_csr(p, OP_csrrs, MSTATUS, STATUS_TW);
        put_return(p, true);
    }
    put(p, (struct insn){OP_wfi, 4, 0, 0, 0, 0});
}

/* Adds to an entry's bits by a write, which also makes QEMU look at its address and mseccfg again.
 */
static void put_config(struct program *p, int32_t entry, uint32_t config)
{
    put_csr(p, OP_csrrs, PMPCFG + entry / 4, config << 8 * (entry % 4));
}

/* Without MML no entry is locked where RLB is set (DIFFERS_PMP_RLB). */
static uint32_t some_config(struct program *p)
{
    uint32_t config = pick(p, 8) | pick(p, 4) * 8;
    if (!(p->seccfg & MML) && (config & W)) {
        config |= R; /* DIFFERS_PMP_W */
    }
    bool can_lock = p->seccfg & MML ? pick(p, 3) == 0 : !(p->seccfg & RLB) && pick(p, 16) == 0;
    return config | (can_lock ? LOCK : 0);
}

/* Writes an entry while it is off, and so is the one above, whose lower bound it may be; then both
 * pmpcfg (DIFFERS_PMP_BASE). */
static void put_protection(struct program *p)
{
    int32_t entry = ENTRIES_KEPT + (int32_t)pick(p, ENTRIES_COUNT - ENTRIES_KEPT);
    int32_t last = entry + 1 < ENTRIES_COUNT ? entry + 1 : entry;
    uint32_t ones = pick(p, 4) ? (1u << pick(p, 12)) - 1 : 0; /* NAPOT, to 16 KiB */
    if (pick(p, 4)) {
        put(p, (struct insn){OP_ecall, 4, 0, 0, 0, 0});
    }
    for (int32_t i = entry; i <= last; i++) {
        put_csr(p, OP_csrrc, PMPCFG + i / 4, 0xffu << 8 * (i % 4));
    }
    put_csr(p, OP_csrrw, PMPADDR + entry, some_address(p) >> 2 | ones);
    for (int32_t i = entry; i <= last; i++) {
        put_config(p, i, some_config(p));
    }
}

/* MML and RLB stay; MMWP may be set. A switch of MPRV makes QEMU look (DIFFERS_PMP_MMWP). */
static void put_security(struct program *p)
{
    put_csr(p, OP_csrrw, MSECCFG, (p->seccfg & (MML | RLB)) | (pick(p, 8) ? 0 : MMWP));
    put_csr(p, OP_csrrs, MSTATUS, STATUS_MPRV);
    put_csr(p, OP_csrrc, MSTATUS, STATUS_MPRV);
}

static void put_vectors(struct program *p)
{
    put(p, (struct insn){pick(p, 2) ? OP_csrrsi : OP_csrrci, 4, 0, 1, 0, MTVEC});
}

/* Which of them U mode may read; what they read is each machine's own affair. */
static void put_counter(struct program *p)
{
    static const int32_t counters[] = {0xc00, 0xc01, 0xc02, 0xc80, 0xc81, 0xc82};
    if (pick(p, 2)) {
        put(p, (struct insn){OP_csrrwi, 4, 0, (uint8_t)pick(p, 8), 0, MCOUNTEREN});
    } else {
        put(p, (struct insn){OP_csrrs, 4, 0, 0, 0, counters[pick(p, ARRAY_COUNT(counters))]});
    }
}

static void put_call(struct program *p)
{
    put_constant(p, T1, (uint32_t)ISLANDS + 2 * pick(p, ISLANDS_BYTES / 2));
    put(p, (struct insn){OP_jalr, 4, RA, T1, 0, 0});
}

/* Where the boundaries are close together. */
static void put_accesses(struct program *p)
{
    static const uint8_t ops[] = {OP_lb, OP_lhu, OP_lw, OP_lw, OP_sb, OP_sh, OP_sw, OP_sw};
    for (uint32_t n = 4 + pick(p, 4); n > 0; n--) {
        uint8_t op = ops[pick(p, ARRAY_COUNT(ops))], data = (uint8_t)(10 + pick(p, 8));
        bool is_store = op == OP_sb || op == OP_sh || op == OP_sw;
        put(p, (struct insn){op, 4, is_store ? 0 : data, S0, is_store ? data : 0,
                             (int32_t)pick(p, 144) - 72});
    }
}

static void put_look(struct program *p)
{
    static const int32_t csrs[] = {MSTATUS, MIE,   MTVEC, MCOUNTEREN, 0x344,   MEPC,
                                   MCAUSE,  0x301, 0x310, 0x320,      MSECCFG, 0xf14};
    int32_t csr = csrs[pick(p, ARRAY_COUNT(csrs))];
    if (pick(p, 2)) {
        csr = pick(p, 4) ? PMPADDR + (int32_t)pick(p, 16) : PMPCFG + (int32_t)pick(p, 4);
    }
    put(p, (struct insn){OP_csrrs, 4, (uint8_t)(10 + pick(p, 8)), 0, 0, csr});
}

void put_privileged(struct program *p)
{
    static void (*const pieces[])(struct program * p) = {
        put_mode,       put_mode,     put_mode,     put_mode,    put_status,     put_status,
        put_enable,     put_enable,   put_timer,    put_timer,   put_software,   put_software,
        put_wait,       put_call,     put_call,     put_call,    put_protection, put_protection,
        put_protection, put_security, put_vectors,  put_counter, put_look,       put_accesses,
        put_accesses,   put_accesses, put_accesses,
    };
    size_t first = p->count + 1;
    pieces[pick(p, ARRAY_COUNT(pieces))](p);
    for (size_t i = first; i < p->count; i++) {
        p->items[i].is_inside = true;
    }
}

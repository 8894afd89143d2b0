/* step.c - run a program on Mote's interpreter, beside another machine's trace of it */
/* SPDX-License-Identifier: MIT */
/* usage: lockstep_step PROGRAM MEMORY <STEPS, in the form that follow.c reads. Registers, pc and
 * CSRs must agree after each step, but for the rows of qemu-differs.def; then the interpreter goes
 * on from the other machine's answer. Memory must agree at the end. At last the program runs twice
 * more, cut into longer and into shorter pieces, which must be the same to the bit wherever both
 * stand, counts included. Prints the traps that were taken, by the mode before and mcause, and each
 * wfi that went on. */
#include "machine/internal.h"

#include "isa/isa.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lockstep/memory.h"
#include "tests/lockstep/rows.h"

static const uint64_t cycles_max = 10000000;

enum cause {
#define CAUSE(name, number, text) CAUSE_##name = (number),
#include "isa/cause.def"
#undef CAUSE
};

enum { TIMER_PENDING = 1 << 7, MPP = 3 << 11, MPRV = 1 << 17, MIP = 0x344 };

struct step {
    uint32_t pc;
    uint32_t x[32];
    uint32_t mtvec, mscratch, mepc, mcause, mtval, mstatus, mie, mip;
};

enum { STEP_WORDS = sizeof(struct step) / 4 };

/* The step that a hart stands at. */
static struct step step_of(const struct hart *h)
{
    struct step step = {.pc = h->pc,
                        .mtvec = h->csr.mtvec,
                        .mscratch = h->csr.mscratch,
                        .mepc = h->csr.mepc,
                        .mcause = h->csr.mcause,
                        .mtval = h->csr.mtval,
                        .mstatus = h->csr.mstatus,
                        .mie = h->csr.mie};
    check(hart_csr_read(h, MIP, &step.mip));
    memcpy(step.x, h->x, sizeof step.x);
    return step;
}

static void adopt(struct hart *h, const struct step *step)
{
    h->pc = step->pc;
    memcpy(h->x, step->x, sizeof step->x);
    h->csr.mtvec = step->mtvec;
    h->csr.mscratch = step->mscratch;
    h->csr.mepc = step->mepc;
    h->csr.mcause = step->mcause;
    h->csr.mtval = step->mtval;
    h->csr.mstatus = step->mstatus;
    h->csr.mie = step->mie;
}

/* Whatever protects it; 0 where programs have no memory. */
static uint32_t word_at(const struct machine *m, uint32_t address)
{
    uint32_t word = 0;
    if (address - (uint32_t)RAM_BASE <= MEMORY_BYTES - sizeof word) {
        memcpy(&word, m->memory + address, sizeof word);
    }
    return word;
}

static struct machine *load(const struct image *image, const struct step *begin)
{
    struct machine *m;
    struct msg msg;
    const struct machine_config config = {.cycles_max = cycles_max};
    check(machine_create(&config, &m) == 0);
    check(machine_load(m, image, -1, &msg) == 0);
    machine_reset(m);
    adopt(m->hart, begin);
    if (begin->mip & TIMER_PENDING) {
        hart_set_timer(m->hart, 0);
    }
    return m;
}

/* What the instruction at the step's pc is, and the word that the last LR read. */
struct follower {
    struct machine *machine;
    struct insn insn;
    uint32_t word;
    uint32_t reserved_value;
};

/* DIFFERS_SC_CHECKS: the other machine fails an SC without a reservation before it looks at the
 * address. True where the step is not for Mote to make. */
static bool is_failing_first(const struct follower *f)
{
    const struct hart *h = f->machine->hart;
    uint32_t address = h->x[f->insn.rs1];
    return f->insn.op == OP_sc_w && !(h->has_reservation && h->reservation == address) &&
           (address % 4 != 0 || !hart_may(f->machine->hart, address, 4, PAGE_WRITE));
}

static void fail_first(struct follower *f)
{
    struct hart *h = f->machine->hart;
    h->has_reservation = false;
    h->pc += f->insn.size;
    h->x[f->insn.rd] = f->insn.rd != 0;
}

/* DIFFERS_SC_VALUE: a store of the same hart that changed the word makes the SC fail. */
static void drop_changed_reservation(struct follower *f)
{
    struct hart *h = f->machine->hart;
    if (f->insn.op == OP_lr_w) {
        f->reserved_value = word_at(f->machine, h->x[f->insn.rs1]);
    } else if (f->insn.op == OP_sc_w && h->has_reservation &&
               word_at(f->machine, h->reservation) != f->reserved_value) {
        h->has_reservation = false;
    }
}

static char mode_name(enum mode mode)
{
    return mode == MODE_M ? 'M' : 'U';
}

/* Runs for a cycle; tells of a trap. False where the run has ended. */
static bool run_cycle(struct machine *m)
{
    struct hart *h = m->hart;
    struct stop stop;
    enum mode mode = h->mode;
    uint64_t not_retired = h->not_retired;
    bool is_running = machine_step(m, &stop);
    if (h->not_retired != not_retired) {
        printf("%c %" PRIx32 "\n", mode_name(mode), h->csr.mcause);
    }
    return is_running;
}

static bool is_interrupted(const struct hart *h)
{
    return hart_can_interrupt(h) && hart_is_awake(h);
}

/* Makes one step, and takes the interrupt or the fetch's trap that it led to: the other machine
 * tells of its handler only. False where the run has ended. */
static bool make_step(struct follower *f)
{
    struct hart *h = f->machine->hart;
    f->word = word_at(f->machine, h->pc);
    (void)isa_decode(f->word, &f->insn);
    if (is_failing_first(f)) {
        fail_first(f);
        return true;
    }
    drop_changed_reservation(f);
    uint64_t not_retired = h->not_retired;
    bool is_running = run_cycle(f->machine);
    if (f->insn.op == OP_wfi && h->not_retired == not_retired) {
        printf("%c wfi\n", mode_name(h->mode));
    }
    while (is_running && (is_interrupted(h) || !hart_may(h, h->pc, 2, PAGE_EXECUTE))) {
        is_running = run_cycle(f->machine);
    }
    return is_running;
}

/* DIFFERS_FAULT_MTVAL: Mote names the first byte of the access that is forbidden. */
static void accept_address(const struct follower *f, const struct step *before, struct step *mine,
                           const struct step *other)
{
    bool is_fault = mine->mcause == CAUSE_LOAD_FAULT || mine->mcause == CAUSE_STORE_FAULT;
    uint32_t address = before->x[f->insn.rs1] + (uint32_t)f->insn.imm;
    uint32_t bytes = rows[f->insn.op].bytes;
    if (is_fault && mine->mtval - address < bytes &&
        (other->mtval == address || other->mtval == (address & ~(bytes - 1)))) {
        mine->mtval = other->mtval;
    }
}

/* Gives `mine` the other machine's answer wherever qemu-differs.def accepts it. */
static void accept(const struct follower *f, const struct step *before, struct step *mine,
                   const struct step *other)
{
    bool is_atomic =
        rows[f->insn.op].kind == KIND_AMO || f->insn.op == OP_lr_w || f->insn.op == OP_sc_w;
    if (mine->mcause == CAUSE_BREAKPOINT && other->mtval == 0) {
        mine->mtval = 0; /* DIFFERS_EBREAK_MTVAL */
    }
    accept_address(f, before, mine, other);
    if (f->insn.op == OP_mret && (before->mstatus & MPP) != MPP) {
        mine->mstatus |= other->mstatus & MPRV; /* DIFFERS_MRET_MPRV */
    }
    if (is_atomic && mine->pc == (mine->mtvec & ~3u) && other->mcause >= CAUSE_LOAD_MISALIGNED &&
        other->mcause <= CAUSE_STORE_FAULT) {
        mine->mcause = other->mcause; /* DIFFERS_AMO_CAUSE */
    }
}

static void report(const struct follower *f, const struct step *before, const struct step *mine,
                   const struct step *other)
{
    char text[ISA_TEXT_MAX];
    isa_disassemble(f->word, before->pc, text);
    fprintf(stderr, "after %08" PRIx32 ": %s\n", before->pc, text);
    const uint32_t *b = &before->pc, *m = &mine->pc, *o = &other->pc;
    for (size_t i = 0; i < STEP_WORDS; i++) {
        if (m[i] != o[i]) {
            fprintf(stderr,
                    "word %zu: was %08" PRIx32 ", Mote %08" PRIx32 ", traced %08" PRIx32 "\n", i,
                    b[i], m[i], o[i]);
        }
    }
    const struct csrs *csr = &f->machine->hart->csr;
    fprintf(stderr, "then Mote's mode %d, mseccfg %" PRIx32 ", PMP:", (int)f->machine->hart->mode,
            csr->mseccfg);
    for (size_t i = 0; i < PMP_ENTRIES_COUNT; i++) {
        fprintf(stderr, " %02" PRIx32 ":%08" PRIx32, csr->pmpcfg[i / 4] >> 8 * (i % 4) & 0xff,
                csr->pmpaddr[i] << 2);
    }
    fprintf(stderr, "\n");
}

/* Steps through the whole trace; the number of steps, or 0 where one or the memory differs. */
static unsigned long follow(const struct image *image, const struct step *begin,
                            const uint8_t memory[MEMORY_BYTES])
{
    struct follower f = {.machine = load(image, begin)};
    struct step before = *begin, other;
    unsigned long count = 0;
    while (make_step(&f)) {
        struct step mine = step_of(f.machine->hart);
        if (fread(&other, sizeof other, 1, stdin) != 1) {
            fprintf(stderr, "the trace ends at %08" PRIx32 "\n", before.pc);
            count = 0;
            break;
        }
        accept(&f, &before, &mine, &other);
        if (memcmp(&mine, &other, sizeof mine) != 0) {
            report(&f, &before, &mine, &other);
            count = 0;
            break;
        }
        adopt(f.machine->hart, &other);
        before = other;
        count++;
    }
    if (count > 0 && !is_same_memory(f.machine->memory + (uint32_t)RAM_BASE, memory)) {
        count = 0;
    }
    machine_destroy(f.machine);
    return count;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static bool is_same(const struct machine *a, const struct machine *b)
{
    const struct hart *one = a->hart, *two = b->hart;
    const struct step left = step_of(one), right = step_of(two);
    return memcmp(&left, &right, sizeof left) == 0 && one->cycles == two->cycles &&
           one->not_retired == two->not_retired && one->mode == two->mode &&
           memcmp(&one->csr, &two->csr, sizeof one->csr) == 0;
}

static bool is_same_ram(const struct machine *a, const struct machine *b)
{
    return memcmp(machine_ram_dirty(a), machine_ram_dirty(b), RAM_SIZE / PAGE_SIZE) == 0 &&
           memcmp(a->memory + (uint32_t)RAM_BASE, b->memory + (uint32_t)RAM_BASE, MEMORY_BYTES) ==
               0;
}

/* Runs up to `limit` in pieces of one to sixteen cycles. */
static enum hart_exit run_cut(struct hart *h, uint64_t limit, uint64_t *seed)
{
    enum hart_exit exit;
    do {
        uint64_t piece = h->cycles + 1 + next_random(seed) % 16;
        exit = hart_run(h, piece < limit ? piece : limit);
    } while (exit == HART_LIMIT && h->cycles < limit);
    return exit;
}

/* A run of longer stretches and one that is cut more often are the same wherever both stand. */
static bool is_same_when_cut(const struct image *image, const struct step *begin)
{
    struct machine *whole = load(image, begin), *cut = load(image, begin);
    enum hart_exit end, exit;
    uint64_t seed = begin->pc + whole->hart->cycles;
    bool is_right;
    do {
        uint64_t limit = whole->hart->cycles + 1 + next_random(&seed) % 256;
        end = hart_run(whole->hart, limit);
        exit = run_cut(cut->hart, limit, &seed);
        is_right = end == exit && is_same(whole, cut);
    } while (is_right && end == HART_LIMIT && whole->hart->cycles < cycles_max);
    is_right = is_right && end == HART_STOP && is_same_ram(whole, cut);
    if (!is_right) {
        fprintf(stderr,
                "cut: exits %d and %d, cycles %" PRIu64 " and %" PRIu64 ", pc %08" PRIx32
                " and %08" PRIx32 "\n",
                (int)end, (int)exit, whole->hart->cycles, cut->hart->cycles, whole->hart->pc,
                cut->hart->pc);
    }
    machine_destroy(whole);
    machine_destroy(cut);
    return is_right;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[MEMORY_BYTES], memory[MEMORY_BYTES];
    size_t len = argc == 3 ? file_read(argv[1], bytes) : 0;
    struct step begin;
    if (len == 0 || file_read(argv[2], memory) != MEMORY_BYTES ||
        fread(&begin, sizeof begin, 1, stdin) != 1) {
        fprintf(stderr, "usage: lockstep_step PROGRAM MEMORY <STEPS\n");
        return 2;
    }
    const struct image image = {
        .entry = begin.pc, .segments_count = 1, .segments = {{(uint32_t)RAM_BASE, {bytes, len}}}};
    unsigned long count = follow(&image, &begin, memory);
    if (count == 0 || !is_same_when_cut(&image, &begin)) {
        return 1;
    }
    printf("%lu steps\n", count);
    return 0;
}

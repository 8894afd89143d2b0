/* step.c - run a program on Mote's interpreter, beside another machine's trace of it */
/* SPDX-License-Identifier: MIT */
/* usage: lockstep_step PROGRAM MEMORY <STEPS, in the form that follow.c reads. Registers, pc and
 * CSRs must agree after each step, but for the rows of qemu-differs.def; then the interpreter goes
 * on from the other machine's answer. Memory must agree at the end. At last the program runs twice
 * more, in one piece and cut at random cycles, which must leave the same state to the bit, counts
 * included. */
#include "machine/internal.h"

#include "isa/isa.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lockstep/memory.h"

static const uint64_t cycles_max = 10000000;

enum cause {
#define CAUSE(name, number, text) CAUSE_##name = (number),
#include "isa/cause.def"
#undef CAUSE
};

static const uint8_t kinds[OP_COUNT] = {
#define INSN(name, extension, format, kind, match, mask, semantics, text) [OP_##name] = KIND_##kind,
#include "isa/rv32.def"
#undef INSN
};

struct step {
    uint32_t pc;
    uint32_t x[32];
    uint32_t mtvec, mscratch, mepc, mcause, mtval;
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
                        .mtval = h->csr.mtval};
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
}

static uint32_t word_at(const struct machine *m, uint32_t address)
{
    uint32_t word = 0;
    if (hart_may(m->hart, address, sizeof word, PAGE_READ)) {
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

/* Makes one step, and takes the trap of a fetch that it led to: the other machine tells of its
 * handler only. False where the run has ended. */
static bool make_step(struct follower *f)
{
    struct hart *h = f->machine->hart;
    struct stop stop;
    f->word = word_at(f->machine, h->pc);
    (void)isa_decode(f->word, &f->insn);
    if (is_failing_first(f)) {
        fail_first(f);
        return true;
    }
    drop_changed_reservation(f);
    bool is_running = machine_step(f->machine, &stop);
    if (is_running && !hart_may(h, h->pc, 2, PAGE_EXECUTE)) {
        is_running = machine_step(f->machine, &stop);
    }
    return is_running;
}

/* Gives `mine` the other machine's answer wherever qemu-differs.def accepts it. */
static void accept(const struct follower *f, struct step *mine, const struct step *other)
{
    bool is_atomic =
        kinds[f->insn.op] == KIND_AMO || f->insn.op == OP_lr_w || f->insn.op == OP_sc_w;
    bool is_access = mine->mcause == CAUSE_LOAD_FAULT || mine->mcause == CAUSE_STORE_FAULT;
    if (mine->mcause == CAUSE_BREAKPOINT && other->mtval == 0) {
        mine->mtval = 0; /* DIFFERS_EBREAK_MTVAL */
    }
    if (is_access && other->mtval == (mine->mtval & ~3u)) {
        mine->mtval = other->mtval; /* DIFFERS_FAULT_MTVAL, of a word */
    }
    if (is_access && other->mtval == (mine->mtval & ~1u)) {
        mine->mtval = other->mtval; /* of a halfword */
    }
    if (is_atomic && mine->pc == mine->mtvec && other->mcause >= CAUSE_LOAD_MISALIGNED &&
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
        accept(&f, &mine, &other);
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
           one->not_retired == two->not_retired &&
           memcmp(&one->csr, &two->csr, sizeof one->csr) == 0 &&
           memcmp(machine_ram_dirty(a), machine_ram_dirty(b), RAM_SIZE / PAGE_SIZE) == 0 &&
           memcmp(a->memory + (uint32_t)RAM_BASE, b->memory + (uint32_t)RAM_BASE, MEMORY_BYTES) ==
               0;
}

/* Runs whole, and cut after one to sixteen cycles each time: the same comes out. */
static bool is_same_when_cut(const struct image *image, const struct step *begin)
{
    struct machine *whole = load(image, begin), *cut = load(image, begin);
    enum hart_exit end = hart_run(whole->hart, cycles_max), exit;
    uint64_t seed = begin->pc + whole->hart->cycles;
    do {
        exit = hart_run(cut->hart, cut->hart->cycles + 1 + next_random(&seed) % 16);
    } while (exit == HART_LIMIT && cut->hart->cycles < cycles_max);
    bool is_right = end == exit && end == HART_STOP && is_same(whole, cut);
    if (!is_right) {
        fprintf(stderr, "cut: exits %d and %d, cycles %" PRIu64 " and %" PRIu64 "\n", (int)end,
                (int)exit, whole->hart->cycles, cut->hart->cycles);
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

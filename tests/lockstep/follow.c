/* follow.c - check each step of another machine's trace against the instruction tables */
/* SPDX-License-Identifier: MIT */
/* usage: lockstep_follow PROGRAM MEMORY <STEPS. A step is the state before an instruction, as 41
 * words: pc, x0 to x31, mtvec, mscratch, mepc, mcause, mtval, mstatus, mie, mip. From each step and
 * the memory that the stores so far have made, the tables say what the next step must be; at last
 * that memory must be what the other machine left in the file MEMORY. Prints the rows that ran. */
#include "isa/internal.h"
#include "isa/isa.h"
#include "isa/semantics.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lockstep/memory.h"
#include "tests/lockstep/rows.h"

enum { FINISHER = 0x100000 };
static const uint32_t memory_base = 0x80000000;
enum csr { MTVEC, MSCRATCH, MEPC, MCAUSE, MTVAL, MSTATUS, MIE, MIP, CSR_COUNT };
static const uint32_t csr_numbers[CSR_COUNT] = {0x305, 0x340, 0x341, 0x342,
                                                0x343, 0x300, 0x304, 0x344};
enum { STATUS_MIE = 8, STATUS_MPIE = 0x80, STATUS_MPP = 0x1800 };

enum cause {
#define CAUSE(name, number, text) CAUSE_##name = (number),
#include "isa/cause.def"
#undef CAUSE
};

enum differs {
#define DIFFERS(name, section, text) DIFFERS_##name,
#include "tests/lockstep/qemu-differs.def"
#undef DIFFERS
    DIFFERS_COUNT
};

struct step {
    uint32_t pc;
    uint32_t x[32];
    uint32_t csr[CSR_COUNT];
};

struct follower {
    uint8_t memory[MEMORY_BYTES];
    bool is_reserved;
    uint32_t reserved;
    uint32_t reserved_value;
    uint32_t mtval;                  /* QEMU's, where the two differ */
    bool is_accepted[DIFFERS_COUNT]; /* for the next step only */
    bool is_finished;
};

#define VALUE_ALU(expression)    (uint32_t)(expression)
#define VALUE_BRANCH(expression) (uint32_t)(expression)
#define VALUE_JUMP(expression)   (uint32_t)(expression)
#define VALUE_AMO(expression)    (uint32_t)(expression)
#define VALUE_CSR(expression)    (uint32_t)(expression)
#define VALUE_LOAD(type)         (uint32_t)(type) m
#define VALUE_STORE(type)        b
#define VALUE_SYSTEM(unused)     0

/* What the semantics column gives; `m` is the old value of memory or CSR. */
static uint32_t value_of(const struct insn *insn, const struct step *now, uint32_t m)
{
    uint32_t a = now->x[insn->rs1], b = now->x[insn->rs2], i = (uint32_t)insn->imm, pc = now->pc;
    if (rows[insn->op].kind == KIND_CSR) {
        b = isa_row(insn->op)->format == FORMAT_CSRI ? insn->rs1 : a;
    }
    switch (insn->op) {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    case OP_##name:                                                       \
        return VALUE_##kind(semantics);
#include "isa/rv32.def"
#undef INSN
    }
    return 0;
}

static bool is_in_memory(uint32_t address, uint32_t bytes)
{
    return address - memory_base <= MEMORY_BYTES - bytes;
}

static uint32_t read_memory(const struct follower *f, uint32_t address, uint32_t bytes)
{
    uint32_t value = 0;
    memcpy(&value, f->memory + (address - memory_base), bytes);
    return value;
}

static void write_memory(struct follower *f, uint32_t address, uint32_t bytes, uint32_t value)
{
    memcpy(f->memory + (address - memory_base), &value, bytes);
}

static void set_register(struct step *next, uint8_t rd, uint32_t value)
{
    if (rd != 0) {
        next->x[rd] = value;
    }
}

static void trap(struct follower *f, struct step *next, uint32_t cause, uint32_t value)
{
    next->csr[MEPC] = next->pc;
    next->csr[MCAUSE] = cause;
    next->csr[MTVAL] = value;
    next->csr[MSTATUS] = STATUS_MPP | (next->csr[MSTATUS] & STATUS_MIE ? STATUS_MPIE : 0);
    next->pc = next->csr[MTVEC] & ~3u;
    f->is_reserved = false;
}

static void access_memory(struct follower *f, const struct insn *insn, const struct step *now,
                          struct step *next)
{
    uint32_t address = now->x[insn->rs1] + (uint32_t)insn->imm;
    uint32_t bytes = rows[insn->op].bytes;
    bool is_load = rows[insn->op].kind == KIND_LOAD;
    if (!is_load && address == FINISHER) {
        f->is_finished = true;
    } else if (!is_in_memory(address, bytes)) {
        next->pc = now->pc;
        trap(f, next, is_load ? CAUSE_LOAD_FAULT : CAUSE_STORE_FAULT, address);
        f->is_accepted[DIFFERS_FAULT_MTVAL] = true;
        f->mtval = address & ~(bytes - 1);
    } else if (is_load) {
        set_register(next, insn->rd, value_of(insn, now, read_memory(f, address, bytes)));
    } else {
        write_memory(f, address, bytes, value_of(insn, now, 0));
    }
}

/* The value for rd of an SC that finds its reservation: 0 where it stores. */
static uint32_t store_conditional(struct follower *f, uint32_t address, uint32_t value)
{
    bool is_unchanged = read_memory(f, address, 4) == f->reserved_value; /* DIFFERS_SC_VALUE */
    f->is_reserved = false;
    if (is_unchanged) {
        write_memory(f, address, 4, value);
    }
    return !is_unchanged;
}

static void access_atomically(struct follower *f, const struct insn *insn, const struct step *now,
                              struct step *next)
{
    uint32_t address = now->x[insn->rs1];
    bool is_load = insn->op == OP_lr_w;
    if (insn->op == OP_sc_w && !(f->is_reserved && f->reserved == address)) {
        f->is_reserved = false; /* DIFFERS_SC_CHECKS */
        set_register(next, insn->rd, 1);
        return;
    }
    if (address % 4 != 0 || !is_in_memory(address, 4)) {
        uint32_t misaligned = is_load ? CAUSE_LOAD_MISALIGNED : CAUSE_STORE_MISALIGNED;
        uint32_t fault = is_load ? CAUSE_LOAD_FAULT : CAUSE_STORE_FAULT;
        next->pc = now->pc;
        trap(f, next, address % 4 != 0 ? misaligned : fault, address);
        f->is_accepted[DIFFERS_AMO_CAUSE] = true;
        return;
    }
    uint32_t old = read_memory(f, address, 4);
    if (is_load) {
        f->is_reserved = true;
        f->reserved = address;
        f->reserved_value = old;
    } else if (insn->op == OP_sc_w) {
        old = store_conditional(f, address, now->x[insn->rs2]);
    } else {
        write_memory(f, address, 4, value_of(insn, now, old));
    }
    set_register(next, insn->rd, old);
}

static void access_csr(const struct insn *insn, const struct step *now, struct step *next)
{
    for (unsigned i = 0; i < CSR_COUNT; i++) {
        if (csr_numbers[i] == (uint32_t)insn->imm) {
            uint32_t old = now->csr[i];
            next->csr[i] = value_of(insn, now, old);
            set_register(next, insn->rd, old);
            return;
        }
    }
    fprintf(stderr, "CSR 0x%x is not followed\n", (unsigned)insn->imm);
    exit(1);
}

static void run_system(struct follower *f, const struct insn *insn, const struct step *now,
                       struct step *next)
{
    switch (insn->op) {
    case OP_lr_w:
    case OP_sc_w:
        access_atomically(f, insn, now, next);
        break;
    case OP_fence:
    case OP_fence_i:
        break;
    case OP_mret:
        next->pc = now->csr[MEPC];
        next->csr[MSTATUS] = STATUS_MPIE | (now->csr[MSTATUS] & STATUS_MPIE ? STATUS_MIE : 0);
        f->is_reserved = false;
        break;
    default: /* ecall and ebreak; anything else fails the comparison */
        next->pc = now->pc;
        trap(f, next, insn->op == OP_ecall ? CAUSE_ECALL_M : CAUSE_BREAKPOINT,
             insn->op == OP_ecall ? 0 : now->pc);
        f->mtval = 0;
        f->is_accepted[DIFFERS_EBREAK_MTVAL] = insn->op == OP_ebreak;
    }
}

static void run(struct follower *f, const struct insn *insn, const struct step *now,
                struct step *next)
{
    switch (rows[insn->op].kind) {
    case KIND_ALU:
        set_register(next, insn->rd, value_of(insn, now, 0));
        break;
    case KIND_LOAD:
    case KIND_STORE:
        access_memory(f, insn, now, next);
        break;
    case KIND_BRANCH:
        next->pc = value_of(insn, now, 0) ? now->pc + (uint32_t)insn->imm : next->pc;
        break;
    case KIND_JUMP:
        set_register(next, insn->rd, next->pc);
        next->pc = value_of(insn, now, 0);
        break;
    case KIND_AMO:
        access_atomically(f, insn, now, next);
        break;
    case KIND_CSR:
        access_csr(insn, now, next);
        break;
    case KIND_SYSTEM:
        run_system(f, insn, now, next);
        break;
    case KIND_NONE:
        break;
    }
}

/* Turns `now` into what the tables say comes next; `word` is the instruction there. */
static struct step predict(struct follower *f, const struct step *now, uint32_t word)
{
    struct insn insn;
    struct step next = *now;
    memset(f->is_accepted, 0, sizeof f->is_accepted);
    if (!isa_decode(word, &insn)) {
        trap(f, &next, CAUSE_ILLEGAL, insn.size == 2 ? word & 0xffff : word);
        return next;
    }
    next.pc += insn.size;
    run(f, &insn, now, &next);
    if (!is_in_memory(next.pc, 2)) { /* QEMU tells of the handler only */
        trap(f, &next, CAUSE_FETCH_FAULT, next.pc);
    }
    if (insn.size == 2) {
        printf("%s\n", isa_compressed(word & 0xffff)->name);
    }
    printf("%s\n", isa_row(insn.op)->name);
    return next;
}

static bool is_same(const struct follower *f, struct step *expected, const struct step *found)
{
    if ((f->is_accepted[DIFFERS_EBREAK_MTVAL] || f->is_accepted[DIFFERS_FAULT_MTVAL]) &&
        found->csr[MTVAL] == f->mtval) {
        expected->csr[MTVAL] = f->mtval;
    }
    if (f->is_accepted[DIFFERS_AMO_CAUSE] && found->csr[MCAUSE] >= CAUSE_LOAD_MISALIGNED &&
        found->csr[MCAUSE] <= CAUSE_STORE_FAULT) {
        expected->csr[MCAUSE] = found->csr[MCAUSE];
    }
    return memcmp(expected, found, sizeof *found) == 0;
}

static void report(const struct step *now, uint32_t word, const struct step *expected,
                   const struct step *found)
{
    char text[ISA_TEXT_MAX];
    isa_disassemble(word, now->pc, text);
    fprintf(stderr, "after %08" PRIx32 ": %s\n", now->pc, text);
    const uint32_t *e = &expected->pc, *g = &found->pc, *n = &now->pc;
    for (size_t i = 0; i < sizeof *now / sizeof *n; i++) {
        if (e[i] != g[i]) {
            fprintf(stderr,
                    "word %zu: was %08" PRIx32 ", expected %08" PRIx32 ", found %08" PRIx32 "\n", i,
                    n[i], e[i], g[i]);
        }
    }
}

static uint32_t word_at(const struct follower *f, uint32_t pc)
{
    return is_in_memory(pc, 4) ? read_memory(f, pc, 4) : 0;
}

/* Follows the trace from `now` to the program's end. */
static bool follow(struct follower *f, struct step now)
{
    struct step found;
    for (;;) {
        uint32_t word = word_at(f, now.pc);
        struct step expected = predict(f, &now, word);
        if (f->is_finished) {
            return true;
        }
        if (fread(&found, sizeof found, 1, stdin) != 1) {
            fprintf(stderr, "the trace ends at %08" PRIx32 "\n", now.pc);
            return false;
        }
        if (!is_same(f, &expected, &found)) {
            report(&now, word, &expected, &found);
            return false;
        }
        now = found;
    }
}

int main(int argc, char **argv)
{
    static struct follower follower;
    static uint8_t memory[MEMORY_BYTES];
    struct step begin;
    if (argc != 3 || file_read(argv[1], follower.memory) == 0 ||
        file_read(argv[2], memory) != MEMORY_BYTES || fread(&begin, sizeof begin, 1, stdin) != 1) {
        fprintf(stderr, "usage: lockstep_follow PROGRAM MEMORY <STEPS\n");
        return 2;
    }
    return follow(&follower, begin) && is_same_memory(follower.memory, memory) ? 0 : 1;
}

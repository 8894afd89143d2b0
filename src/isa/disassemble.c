/* disassemble.c - write an instruction as GNU objdump's `-M no-aliases` does */
/* SPDX-License-Identifier: MIT */
#include "isa/internal.h"
#include "isa/isa.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A CSR's number from its name in csr.def. */
enum csr_number {
#define CSR(name, number, count, kind, reset, writable, section, text) CSR_##name = (number),
#include "isa/csr.def"
#undef CSR
};

static const struct {
    uint16_t number;
    uint16_t count;
    const char *name;
} csrs[] = {
#define CSR(name, number, count, kind, reset, writable, section, text) {number, count, #name},
#include "isa/csr.def"
#undef CSR
};

/* Rows of csr.def that stand for several registers: 3 to 31 of their kind, or those of the PMP. */
#define SERIES(a, z)                                                                        \
    {                                                                                       \
        a "3" z, a "4" z, a "5" z, a "6" z, a "7" z, a "8" z, a "9" z, a "10" z, a "11" z,  \
            a "12" z, a "13" z, a "14" z, a "15" z, a "16" z, a "17" z, a "18" z, a "19" z, \
            a "20" z, a "21" z, a "22" z, a "23" z, a "24" z, a "25" z, a "26" z, a "27" z, \
            a "28" z, a "29" z, a "30" z, a "31" z                                          \
    }
#define PMPADDRS                                                                            \
    {                                                                                       \
        "pmpaddr0", "pmpaddr1", "pmpaddr2", "pmpaddr3", "pmpaddr4", "pmpaddr5", "pmpaddr6", \
            "pmpaddr7", "pmpaddr8", "pmpaddr9", "pmpaddr10", "pmpaddr11", "pmpaddr12",      \
            "pmpaddr13", "pmpaddr14", "pmpaddr15"                                           \
    }
enum { SERIES_COUNT = 29 };
static const struct {
    uint16_t number;
    const char *names[SERIES_COUNT];
} csr_series[] = {
    {CSR_pmpcfg, {"pmpcfg0", "pmpcfg1", "pmpcfg2", "pmpcfg3"}},
    {CSR_pmpaddr, PMPADDRS},
    {CSR_mhpmevent, SERIES("mhpmevent", "")},
    {CSR_mhpmcounter, SERIES("mhpmcounter", "")},
    {CSR_mhpmcounterh, SERIES("mhpmcounter", "h")},
};

static const char *const register_names[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const struct {
    uint32_t number;
    const char *text;
} causes[] = {
#define CAUSE(name, number, text) {number, text},
#include "isa/cause.def"
#undef CAUSE
#define INTERRUPT(name, number, text) {1u << 31 | (number), text},
#include "isa/interrupt.def"
#undef INTERRUPT
};

const char *isa_register_name(unsigned index)
{
    check(index < ARRAY_COUNT(register_names));
    return register_names[index];
}

static const char *series_name(uint32_t first, uint32_t index)
{
    for (size_t i = 0; i < ARRAY_COUNT(csr_series); i++) {
        if (csr_series[i].number == first && index < SERIES_COUNT) {
            return csr_series[i].names[index];
        }
    }
    return NULL;
}

const char *isa_csr_name(uint32_t number)
{
    for (size_t i = 0; i < ARRAY_COUNT(csrs); i++) {
        if (number - csrs[i].number < csrs[i].count) {
            return csrs[i].count == 1 ? csrs[i].name
                                      : series_name(csrs[i].number, number - csrs[i].number);
        }
    }
    return NULL;
}

const char *isa_cause_text(uint32_t mcause)
{
    for (size_t i = 0; i < ARRAY_COUNT(causes); i++) {
        if (causes[i].number == mcause) {
            return causes[i].text;
        }
    }
    return "unknown cause";
}

/* The text so far; `text` has room for ISA_TEXT_MAX characters, which no row reaches. */
struct line {
    char *text;
    size_t len;
};

static void PRINTF(2, 3) put(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line->text + line->len, ISA_TEXT_MAX - line->len, format, args);
    va_end(args);
    check(len >= 0 && (size_t)len < ISA_TEXT_MAX - line->len);
    line->len += (size_t)len;
}

/* A row's name as a mnemonic: `_` stands for the dot. */
static void put_mnemonic(struct line *line, const char *name)
{
    size_t start = line->len;
    put(line, "%s", name);
    for (char *at = line->text + start; *at; at++) {
        *at = *at == '_' ? '.' : *at;
    }
}

static void put_fence_set(struct line *line, uint32_t set)
{
    for (unsigned i = 0; i < 4; i++) {
        if (set & 8u >> i) {
            put(line, "%c", "iorw"[i]);
        }
    }
    if (set == 0) {
        put(line, "unknown"); /* objdump's word; the specification reserves the empty set */
    }
}

static void put_csr(struct line *line, uint32_t number)
{
    const char *name = isa_csr_name(number);
    if (name) {
        put(line, "%s", name);
    } else {
        put(line, "0x%x", (unsigned)number);
    }
}

/* Writes what one letter of an `operands` column stands for; other characters as they are. */
static void put_operand(struct line *line, char letter, const struct insn *insn, uint32_t pc)
{
    uint32_t imm = (uint32_t)insn->imm;
    switch (letter) {
    case 'd':
        put(line, "%s", isa_register_name(insn->rd));
        break;
    case 's':
        put(line, "%s", isa_register_name(insn->rs1));
        break;
    case 't':
        put(line, "%s", isa_register_name(insn->rs2));
        break;
    case 'i':
        put(line, "%d", insn->imm);
        break;
    case 'h':
        put(line, "0x%x", (unsigned)imm);
        break;
    case 'u':
        put(line, "0x%x", (unsigned)(imm >> 12));
        break;
    case 'p':
        put(line, "0x%x", (unsigned)(pc + imm));
        break;
    case 'c':
        put_csr(line, imm);
        break;
    case 'z':
        put(line, "%u", insn->rs1);
        break;
    case 'f':
        put_fence_set(line, imm >> 4 & 15);
        put(line, ",");
        put_fence_set(line, imm & 15);
        break;
    case 'n':
        if (insn->imm != 0) {
            put(line, "%d", insn->imm);
        }
        break;
    default:
        put(line, "%c", letter);
    }
}

static void put_operands(struct line *line, const char *operands, const struct insn *insn,
                         uint32_t pc)
{
    size_t before = line->len;
    put(line, "\t");
    for (; *operands; operands++) {
        put_operand(line, *operands, insn, pc);
    }
    if (line->len == before + 1) {
        line->text[before] = 0; /* none: no tab either */
        line->len = before;
    }
}

static bool has_ordering(unsigned op)
{
    return isa_row(op)->format == FORMAT_A || isa_row(op)->format == FORMAT_LR;
}

unsigned isa_disassemble(uint32_t word, uint32_t pc, char ret_text[ISA_TEXT_MAX])
{
    static const char *const orderings[] = {"", ".rl", ".aq", ".aqrl"};
    struct line line = {.text = ret_text};
    struct insn insn;
    if (!isa_decode(word, &insn)) {
        if (insn.size == 2) {
            put(&line, ".2byte\t0x%x", (unsigned)(word & 0xffff));
        } else {
            put(&line, ".4byte\t0x%x", (unsigned)word);
        }
    } else if (insn.size == 2) {
        const struct compressed *row = isa_compressed(word & 0xffff);
        put_mnemonic(&line, row->name);
        put_operands(&line, row->operands, &insn, pc);
    } else {
        put_mnemonic(&line, isa_row(insn.op)->name);
        put(&line, "%s", has_ordering(insn.op) ? orderings[word >> 25 & 3] : "");
        put_operands(&line, isa_format(insn.op)->operands, &insn, pc);
    }
    return insn.size;
}

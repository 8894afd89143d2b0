/* trace.c - steps through a run and writes it down */
/* SPDX-License-Identifier: MIT */
#include "cmd/trace.h"
#include "isa/isa.h"
#include "os/clock.h"

#include <inttypes.h>

enum { WRITES_COLUMN = 64 };

enum { W = WINDOW_WRITE, X = WINDOW_EXECUTE };

enum format {
#define FORMAT(name, ...) FORMAT_##name,
#include "isa/format.def"
#undef FORMAT
};

enum {
#define CSR(name, number, ...) CSR_##name = (number),
#include "isa/csr.def"
#undef CSR
};

static const struct {
    bool has_rd;
} formats[] = {
#define FORMAT(name, rd, ...) [FORMAT_##name] = {rd},
#include "isa/format.def"
#undef FORMAT
};

/* Of a row's semantics column only a store's is a type. */
#define SIZE_ALU(semantics)    0
#define SIZE_LOAD(semantics)   0
#define SIZE_STORE(semantics)  sizeof(semantics)
#define SIZE_BRANCH(semantics) 0
#define SIZE_JUMP(semantics)   0
#define SIZE_AMO(semantics)    4
#define SIZE_CSR(semantics)    0
#define SIZE_SYSTEM(semantics) 0

static const struct {
    enum kind kind;
    enum format format;
    uint32_t store_size;
} rows[OP_COUNT] = {
    [OP_illegal] = {KIND_SYSTEM, FORMAT_N, 0},
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [OP_##name] = {KIND_##kind, FORMAT_##format, SIZE_##kind(semantics)},
#include "isa/rv32.def"
#undef INSN
};

/* One line under way. */
struct line {
    FILE *to;
    struct machine *machine;
    const struct stop *before;
    const struct stop *after;
    int gap; /* blanks before the next thing that was written */
};

/* Plain memory that allows `access`, NULL elsewhere. */
static const uint8_t *memory_at(struct machine *m, uint32_t address, uint32_t size, unsigned access)
{
    const struct window_row *windows = machine_windows(m);
    const struct window_row *w = window_at(windows, address);
    uint32_t offset = w ? address - w->base : 0;
    bool is_there = w && offset <= w->size - size && (w->access & access) != 0;
    return is_there ? machine_window(m, (enum window)(w - windows)) + offset : NULL;
}

static bool fetch_half(struct machine *m, uint32_t address, uint32_t *ret_half)
{
    const uint8_t *p = memory_at(m, address, 2, X);
    if (p) {
        *ret_half = p[0] | (uint32_t)p[1] << 8;
    }
    return p != NULL;
}

struct code {
    struct insn insn; /* no instruction where it cannot be fetched, or is none */
    char bytes[9];
    char text[ISA_TEXT_MAX];
};

/* What is about to run, read before it runs, since it may write over itself. */
static struct code read_code(struct machine *m, uint32_t pc)
{
    struct code code = {.bytes = "-", .text = "(not fetched)"};
    uint32_t low;
    uint32_t high = 0;
    if (!fetch_half(m, pc, &low) || (isa_size(low) == 4 && !fetch_half(m, pc + 2, &high))) {
        return code;
    }
    uint32_t word = low | high << 16;
    unsigned size = isa_disassemble(word, pc, code.text);
    snprintf(code.bytes, sizeof code.bytes, size == 2 ? "%04" PRIx32 : "%08" PRIx32,
             size == 2 ? word & 0xffff : word);
    for (char *p = code.text; *p; p++) {
        *p = *p == '\t' ? ' ' : *p;
    }
    UNUSED bool is_one = isa_decode(word, &code.insn);
    return code;
}

static void print_write(struct line *line, const char *name, uint32_t value)
{
    fprintf(line->to, "%*s%s=%08" PRIx32, line->gap, "", name, value);
    line->gap = 2;
}

/* The instruction's own register, of the same value or not, and what semihosting changed. */
static void print_registers(struct line *line, const struct insn *insn)
{
    for (unsigned i = 1; i < 32; i++) {
        bool is_written = formats[rows[insn->op].format].has_rd && insn->rd == i;
        if (is_written || line->before->x[i] != line->after->x[i]) {
            print_write(line, isa_register_name(i), line->after->x[i]);
        }
    }
}

static void print_csr(struct line *line, uint32_t number)
{
    uint32_t value;
    const char *name = isa_csr_name(number);
    if (name && machine_csr(line->machine, number, &value)) {
        print_write(line, name, value);
    }
}

/* Memory as it is now; a device gets the register's low part, and keeps what it wants of it. */
static void print_store(struct line *line, uint32_t address, uint32_t size, uint32_t value)
{
    const uint8_t *p = memory_at(line->machine, address, size, W);
    if (p) {
        memcpy(&value, p, size);
    }
    value = size < 4 ? value & ((1u << 8 * size) - 1) : value;
    fprintf(line->to, "%*s[%08" PRIx32 "]=%0*" PRIx32, line->gap, "", address, (int)(2 * size),
            value);
    line->gap = 2;
}

static void print_effects(struct line *line, const struct insn *insn)
{
    const uint32_t *x = line->before->x;
    switch (rows[insn->op].kind) {
    case KIND_STORE:
    case KIND_AMO:
        print_store(line, x[insn->rs1] + (uint32_t)insn->imm, rows[insn->op].store_size,
                    x[insn->rs2]);
        break;
    case KIND_CSR:
        if (isa_writes_csr(insn->op, insn->rs1)) {
            print_csr(line, (uint32_t)insn->imm);
        }
        break;
    default:
        if (insn->op == OP_sc_w && line->after->x[insn->rd] == 0 && insn->rd != 0) {
            print_store(line, x[insn->rs1], 4, 0);
        } else if (insn->op == OP_mret) {
            print_csr(line, CSR_mstatus);
        }
        break;
    }
}

static void print_step(struct line *line, const struct code *code)
{
    const struct stop *before = line->before;
    int column = fprintf(line->to, "%10" PRIu64 "  %08" PRIx32 "  %-8s  %s", before->cycles,
                         before->pc, code->bytes, code->text);
    line->gap = column < WRITES_COLUMN ? WRITES_COLUMN - column : 2;
    if (line->after->instructions == before->instructions) {
        fprintf(line->to, "%*strap to %08" PRIx32, line->gap, "", line->after->pc);
        line->gap = 2;
        print_csr(line, CSR_mcause);
        print_csr(line, CSR_mepc);
        print_csr(line, CSR_mtval);
    } else {
        print_registers(line, &code->insn);
        print_effects(line, &code->insn);
    }
    fputc('\n', line->to);
}

void trace_run(struct machine *m, const struct trace *trace, struct stop *ret_stop)
{
    FILE *to = trace->to;
    uint64_t end_ns = os_now_ns() + trace->time_max_ns;
    struct stop before = {.pc = trace->entry};
    struct stop after = {0};
    bool is_running = true;
    const struct window_row *windows = machine_windows(m);
    before.x[2] = windows[WINDOW_RAM].base + windows[WINDOW_RAM].size; /* sp at reset */
    before.x[11] = windows[WINDOW_DTB].base;                           /* a1; the others are zero */
    while (is_running) {
        struct code code = read_code(m, before.pc);
        is_running = machine_step(m, &after);
        if (after.cycles == before.cycles && !is_running) {
            break; /* a cap, or a jump to itself that does not retire */
        }
        struct line line = {.to = to, .machine = m, .before = &before, .after = &after};
        print_step(&line, &code);
        before = after;
        if (is_running && os_now_ns() >= end_ns) {
            after.halt = HALT_TIME;
            break;
        }
    }
    fprintf(to, "%10" PRIu64 "  %08" PRIx32 "  %s\n", after.cycles, after.pc,
            halt_text(after.halt));
    *ret_stop = after;
}

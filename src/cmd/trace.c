/* trace.c - steps through a run and writes it down */
/* SPDX-License-Identifier: MIT */
#include "cmd/trace.h"
#include "cmd/number.h"
#include "machine/symbols.h"

#include <inttypes.h>

enum { WRITES_COLUMN = 64 };

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
    const struct step *step;
    int gap; /* blanks before the next thing that was written */
};

struct code {
    char bytes[9];
    char text[ISA_TEXT_MAX];
};

static struct code read_code(const struct step *step)
{
    struct code code = {.bytes = "-", .text = "(not fetched)"};
    if (step->size == 0) {
        return code;
    }
    UNUSED unsigned same = isa_disassemble(step->word, step->before->pc, code.text);
    snprintf(code.bytes, sizeof code.bytes, step->size == 2 ? "%04" PRIx32 : "%08" PRIx32,
             step->size == 2 ? step->word & 0xffff : step->word);
    for (char *p = code.text; *p; p++) {
        *p = *p == '\t' ? ' ' : *p;
    }
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
        if (is_written || line->step->before->x[i] != line->step->after->x[i]) {
            print_write(line, isa_register_name(i), line->step->after->x[i]);
        }
    }
}

static void print_csr(struct line *line, uint32_t number)
{
    uint32_t value;
    const char *name = isa_csr_name(number);
    if (name && machine_csr(line->step->machine, number, &value)) {
        print_write(line, name, value);
    }
}

/* Memory as it is now; a device gets the register's low part, and keeps what it wants of it. */
static void print_store(struct line *line, uint32_t address, uint32_t size, uint32_t value)
{
    const uint8_t *p = step_memory(line->step->machine, address, size, WINDOW_WRITE);
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
    const uint32_t *x = line->step->before->x;
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
        if (insn->op == OP_sc_w && line->step->after->x[insn->rd] == 0 && insn->rd != 0) {
            print_store(line, x[insn->rs1], 4, 0);
        } else if (insn->op == OP_mret) {
            print_csr(line, CSR_mstatus);
        }
        break;
    }
}

static void print_step(FILE *to, const struct step *step)
{
    const struct stop *before = step->before;
    struct line line = {.to = to, .step = step};
    struct code code = read_code(step);
    int column = fprintf(to, "%10" PRIu64 "  %08" PRIx32 "  %-8s  %s", before->cycles, before->pc,
                         code.bytes, code.text);
    line.gap = column < WRITES_COLUMN ? WRITES_COLUMN - column : 2;
    if (step_is_trap(step)) {
        fprintf(to, "%*strap to %08" PRIx32, line.gap, "", step->after->pc);
        line.gap = 2;
        print_csr(&line, CSR_mcause);
        print_csr(&line, CSR_mepc);
        print_csr(&line, CSR_mtval);
    } else {
        print_registers(&line, &step->insn);
        print_effects(&line, &step->insn);
    }
    fputc('\n', to);
}

static bool is_wanted(const struct trace *trace, const struct step *step)
{
    uint32_t pc = step->before->pc;
    bool is_in = !trace->is_chosen || (trace->has_traps && step_is_trap(step));
    for (uint32_t i = 0; i < trace->ranges_count && !is_in; i++) {
        is_in = pc - trace->ranges[i].first <= trace->ranges[i].last - trace->ranges[i].first;
    }
    return is_in;
}

void trace_see(void *context, const struct step *step)
{
    const struct trace *trace = context;
    if (is_wanted(trace, step)) {
        print_step(trace->to, step);
    }
}

void trace_end(const struct trace *trace, const struct stop *stop)
{
    fprintf(trace->to, "%10" PRIu64 "  %08" PRIx32 "  %s\n", stop->cycles, stop->pc,
            halt_text(stop->halt));
}

/* ---- what is chosen */

enum { WORD_SIZE = 256 };

static int add_range(struct trace *trace, uint32_t first, uint32_t last, struct msg *msg)
{
    if (trace->ranges_count == TRACE_RANGES_MAX) {
        return fail(msg, ERR_USAGE, "--trace-only: over %d functions and ranges", TRACE_RANGES_MAX);
    }
    trace->ranges[trace->ranges_count++] = (struct trace_range){first, last};
    return 0;
}

/* `0xA-0xB`, or one address. */
static int choose_addresses(struct trace *trace, char *word, struct msg *msg)
{
    struct msg why;
    uint32_t first;
    uint32_t last;
    char *dash = strchr(word, '-');
    if (dash) {
        *dash = 0;
    }
    int err = number_parse_address(word, &first, &why);
    err = err ? err : number_parse_address(dash ? dash + 1 : word, &last, &why);
    if (err) {
        return fail(msg, ERR_USAGE, "--trace-only: %s", why.text);
    }
    if (last < first) {
        return fail(msg, ERR_USAGE,
                    "--trace-only: 0x%08" PRIx32 "-0x%08" PRIx32 " ends before it begins", first,
                    last);
    }
    return add_range(trace, first, last, msg);
}

static int choose_function(struct trace *trace, const char *name, const struct symbols *symbols,
                           struct msg *msg)
{
    struct image_place place;
    uint32_t number = 0;
    bool is_found = false;
    while (symbols_next_place(symbols, &number, &place)) {
        if (place.is_code && span_equals_string(place.name, name)) {
            uint32_t most = UINT32_MAX - place.address;
            int err =
                add_range(trace, place.address,
                          place.address + (place.size - 1 < most ? place.size - 1 : most), msg);
            if (err) {
                return err;
            }
            is_found = true;
        }
    }
    return is_found ? 0
                    : fail(msg, ERR_USAGE,
                           "--trace-only: the image has no function `%.60s` (nor is it `traps` or "
                           "0xA-0xB)%s",
                           name, symbols->begins_count ? "" : ": it has no symbols");
}

static int choose_word(struct trace *trace, struct span text, const struct symbols *symbols,
                       struct msg *msg)
{
    char word[WORD_SIZE];
    if (text.len == 0 || text.len >= sizeof word) {
        return fail(msg, ERR_USAGE, "--trace-only: %s",
                    text.len ? "a name of 256 or more characters" : "an empty name");
    }
    memcpy(word, text.data, text.len);
    word[text.len] = 0;
    if (strcmp(word, "traps") == 0) {
        trace->has_traps = true;
        return 0;
    }
    return word[0] >= '0' && word[0] <= '9' ? choose_addresses(trace, word, msg)
                                            : choose_function(trace, word, symbols, msg);
}

int trace_choose(struct trace *trace, const struct option_list *wanted, const struct image *image,
                 struct msg *msg)
{
    struct symbols symbols;
    trace->is_chosen = wanted->count > 0;
    int err = symbols_init(&symbols, image);
    if (err) {
        return fail(msg, err, "no memory for the image's symbols");
    }
    for (size_t i = 0; !err && i < wanted->count; i++) {
        struct span rest = span_of_string(wanted->items[i]);
        do {
            err = choose_word(trace, span_cut(&rest, ','), &symbols, msg);
        } while (!err && rest.data);
    }
    symbols_deinit(&symbols);
    return err;
}

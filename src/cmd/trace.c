/* trace.c - steps through a run and writes it down */
/* SPDX-License-Identifier: MIT */
#include "cmd/trace.h"
#include "isa/isa.h"
#include "os/clock.h"

#include <inttypes.h>

enum { WRITES_COLUMN = 64 };

static const struct {
    uint32_t base;
    uint32_t size;
} windows[] = {
#define WINDOW(name, base, size, access, text) [WINDOW_##name] = {base, size},
#include "abi/mem.def"
#undef WINDOW
};

static bool fetch_half(struct machine *m, uint32_t address, uint32_t *ret_half)
{
    for (enum window w = 0; w < WINDOW_COUNT; w++) {
        uint32_t offset = address - windows[w].base;
        if (offset < windows[w].size - 1) {
            const uint8_t *p = machine_window(m, w) + offset;
            *ret_half = p[0] | (uint32_t)p[1] << 8;
            return true;
        }
    }
    return false;
}

/* What is about to run, read before it runs, since it may write over itself. */
static void describe(struct machine *m, uint32_t pc, char bytes[9], char text[ISA_TEXT_MAX])
{
    uint32_t low;
    uint32_t high = 0;
    if (!fetch_half(m, pc, &low)) {
        snprintf(bytes, 9, "-");
        snprintf(text, ISA_TEXT_MAX, "(no memory)");
        return;
    }
    if (isa_size(low) == 4 && !fetch_half(m, pc + 2, &high)) {
        high = 0;
    }
    uint32_t word = low | high << 16;
    unsigned size = isa_disassemble(word, pc, text);
    snprintf(bytes, 9, size == 2 ? "%04" PRIx32 : "%08" PRIx32, size == 2 ? word & 0xffff : word);
    for (char *p = text; *p; p++) {
        *p = *p == '\t' ? ' ' : *p;
    }
}

struct code {
    const char *bytes;
    const char *text;
};

static void print_step(FILE *to, const struct stop *before, const struct stop *after,
                       const struct code *code)
{
    int column = fprintf(to, "%10" PRIu64 "  %08" PRIx32 "  %-8s  %s", before->cycles, before->pc,
                         code->bytes, code->text);
    int gap = column < WRITES_COLUMN ? WRITES_COLUMN - column : 2;
    for (unsigned i = 1; i < 32; i++) {
        if (before->x[i] != after->x[i]) {
            fprintf(to, "%*s%s=%08" PRIx32, gap, "", isa_register_name(i), after->x[i]);
            gap = 2;
        }
    }
    if (after->instructions == before->instructions) {
        fprintf(to, "%*strap to %08" PRIx32, gap, "", after->pc);
    }
    fputc('\n', to);
}

void trace_run(struct machine *m, const struct trace *trace, struct stop *ret_stop)
{
    FILE *to = trace->to;
    uint64_t end_ns = os_now_ns() + trace->time_max_ns;
    struct stop before = {.pc = trace->entry};
    struct stop after = {0};
    bool is_running = true;
    before.x[2] = RAM_BASE + (uint32_t)RAM_SIZE; /* sp at reset; the others are zero */
    while (is_running) {
        char bytes[9];
        char text[ISA_TEXT_MAX];
        describe(m, before.pc, bytes, text);
        is_running = machine_step(m, &after);
        if (after.cycles == before.cycles && !is_running) {
            break; /* a cap, or a jump to itself that does not retire */
        }
        print_step(to, &before, &after, &(struct code){bytes, text});
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

/* step.c - runs a machine by single instructions, each read before it runs */
/* SPDX-License-Identifier: MIT */
#include "cmd/step.h"

const uint8_t *step_memory(struct machine *m, uint32_t address, uint32_t size, unsigned access)
{
    const struct window_row *windows = machine_windows(m);
    const struct window_row *w = window_at(windows, address);
    uint32_t offset = w ? address - w->base : 0;
    bool is_there = w && offset <= w->size - size && (w->access & access) != 0;
    return is_there ? machine_window(m, (enum window)(w - windows)) + offset : NULL;
}

static bool fetch_half(struct machine *m, uint32_t address, uint32_t *ret_half)
{
    const uint8_t *p = step_memory(m, address, 2, WINDOW_EXECUTE);
    if (p) {
        *ret_half = p[0] | (uint32_t)p[1] << 8;
    }
    return p != NULL;
}

/* Instructions decoded before, by the low bits of their address: decoding walks a table. */
enum { DECODED_COUNT = 4096 };

struct decoder {
    struct {
        uint32_t word;
        struct insn insn; /* size 0: nothing there yet */
    } rows[DECODED_COUNT];
};

static void read_code(struct decoder *decoder, struct step *step)
{
    uint32_t pc = step->before->pc;
    uint32_t low;
    uint32_t high = 0;
    step->insn = (struct insn){.op = OP_illegal};
    step->size = 0;
    step->word = 0;
    if (!fetch_half(step->machine, pc, &low) ||
        (isa_size(low) == 4 && !fetch_half(step->machine, pc + 2, &high))) {
        return;
    }
    uint32_t word = low | high << 16;
    struct insn *known = &decoder->rows[pc / 2 % DECODED_COUNT].insn;
    if (known->size == 0 || decoder->rows[pc / 2 % DECODED_COUNT].word != word) {
        UNUSED bool is_one = isa_decode(word, known);
        decoder->rows[pc / 2 % DECODED_COUNT].word = word;
    }
    step->insn = *known;
    step->size = isa_size(word);
    step->word = word;
}

void step_run(struct machine *m, const struct step_options *options, struct stop *ret_stop)
{
    struct decoder decoder = {0};
    struct stop stops[2] = {{.pc = options->entry}};
    unsigned last = 0; /* stops[last] is what the step before left */
    bool is_running = true;
    const struct window_row *windows = machine_windows(m);
    stops[0].x[2] = windows[WINDOW_RAM].base + windows[WINDOW_RAM].size; /* sp at reset */
    stops[0].x[11] = windows[WINDOW_DTB].base; /* a1; the others are zero */
    while (is_running) {
        struct stop *after = &stops[1 - last];
        struct step step = {.machine = m, .before = &stops[last], .after = after};
        read_code(&decoder, &step);
        is_running = machine_step(m, after);
        last = 1 - last;
        if (after->cycles == step.before->cycles && !is_running) {
            break; /* a cap, or a jump to itself that does not retire */
        }
        for (unsigned i = 0; i < options->watchers_count; i++) {
            options->watchers[i].see(options->watchers[i].context, &step);
        }
    }
    *ret_stop = stops[last];
}

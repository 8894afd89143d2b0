/* gdb_monitor.c - `monitor` commands: what a debugger has no command of its own for */
/* SPDX-License-Identifier: MIT */
#include "cmd/gdb_internal.h"

#include <inttypes.h>

typedef void monitor_function(struct gdb *g, struct span argument, struct buf *out);

static monitor_function help, cycles, halt, history, end;

static const struct {
    const char *name;
    monitor_function *function;
    const char *argument; /* "": it takes none */
    const char *text;
} commands[] = {
#define MONITOR(name, function, argument, text) {#name, function, argument, text},
#include "cmd/monitor.def"
#undef MONITOR
};

static void help(struct gdb *g UNUSED, struct span argument UNUSED, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        buf_print(out, "monitor %-7s %-9s  %s\n", commands[i].name, commands[i].argument,
                  commands[i].text);
    }
}

static uint32_t csr(const struct gdb *g, uint32_t number)
{
    uint32_t value = 0;
    UNUSED bool is_there = debug_csr(g->debug, number, &value);
    return value;
}

static void cycles(struct gdb *g, struct span argument UNUSED, struct buf *out)
{
    enum {
#define CSR(name, number, ...) CSR_##name = (number),
#include "isa/csr.def"
#undef CSR
    };
    struct stop stop = debug_stop(g->debug);
    uint64_t ticks = (uint64_t)csr(g, CSR_timeh) << 32 | csr(g, CSR_time);
    buf_print(out,
              "cycles %" PRIu64 " of %" PRIu64 ", instructions %" PRIu64 ", mtime %" PRIu64 "\n",
              stop.cycles, machine_cycles_max(g->machine), stop.instructions, ticks);
}

static void halt(struct gdb *g, struct span argument UNUSED, struct buf *out)
{
    struct stop stop = debug_stop(g->debug);
    if (!debug_is_ended(g->debug)) {
        buf_puts(out, "the run has not ended\n");
        return;
    }
    buf_print(out, "halt %s after %" PRIu64 " cycles", halt_text(stop.halt), stop.cycles);
    if (stop.halt == HALT_POWER_DOWN) {
        buf_print(out, ", exit code %" PRIu32, stop.exit_code);
    } else if (stop.halt == HALT_FAULT) {
        char mtval[MTVAL_TEXT_MAX];
        machine_mtval_text(&stop, mtval);
        buf_print(out, ": %s at pc 0x%08" PRIx32 ", %s", machine_cause_text(stop.mcause), stop.mepc,
                  mtval);
    }
    buf_puts(out, "\n");
}

static void history(struct gdb *g, struct span argument UNUSED, struct buf *out)
{
    struct history_size size = debug_history(g->debug);
    buf_print(out, "back to cycle %" PRIu64 ": %zu checkpoints, %" PRIu64 " KiB of pages\n",
              size.first, size.checkpoints, size.bytes >> 10);
}

static void end(struct gdb *g, struct span argument, struct buf *out)
{
    if (span_equals_string(argument, "stop") || span_equals_string(argument, "exit")) {
        g->is_end_a_stop = argument.data[0] == 's';
        buf_print(out, "a power down will %.4s\n", (const char *)argument.data);
    } else {
        buf_puts(out, "monitor end: write `monitor end stop` or `monitor end exit`\n");
    }
}

void gdb_monitor(struct gdb *g, struct span command, struct buf *out)
{
    struct span rest = span_trim(command);
    struct span name = span_cut(&rest, ' ');
    rest = rest.data ? span_trim(rest) : span_of("", 0);
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        if (!span_equals_string(name, commands[i].name)) {
            continue;
        }
        if (rest.len && !commands[i].argument[0]) {
            buf_print(out, "monitor %s takes no argument\n", commands[i].name);
        } else {
            commands[i].function(g, rest, out);
        }
        return;
    }
    buf_puts(out, "there is no such command; these are:\n");
    help(g, rest, out);
}

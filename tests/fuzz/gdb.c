/* gdb.c - whatever a debugger sends, the stub answers in order and the machine stays whole */
/* SPDX-License-Identifier: MIT */
#include "cmd/gdb_stub.h"

#include "base/check.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 8192, WORK_MAX = 40, CYCLES_MAX = 20000 };

/* Sums up in RAM, prints, takes a trap and returns from it, calls semihosting, and so on for ever:
 *   la t0, handler; csrw mtvec, t0; lui a1, 0x80000; lui a2, 0x10000; li a0, 0
 *   again: addi a0, a0, 1; sw a0, 0(a1); amoadd.w a3, a0, (a1); lb a4, 1(a1); sb a0, 0(a2)
 *   ecall; j again
 *   handler: csrr t2, mepc; addi t2, t2, 4; csrw mepc, t2; mret */
static const uint32_t program[] = {
    0x00000297, 0x03c28293, 0x30529073, 0x800005b7, 0x10000637, 0x00000513, 0x00150513,
    0x00a5a023, 0x00a5a6af, 0x00158703, 0x00a60023, 0x00000073, 0xfe9ff06f, 0x00000013,
    0x00000013, 0x341023f3, 0x00438393, 0x34139073, 0x30200073,
};

static void count_console(void *context, struct span bytes)
{
    *(size_t *)context += bytes.len;
}

/* Where a byte 0 stands in the input, the machine may run for a while. */
static void work(struct gdb *g)
{
    for (int i = 0; i < WORK_MAX && gdb_is_running(g); i++) {
        gdb_work(g);
    }
    buf_clear(gdb_output(g));
}

static void feed(struct gdb *g, struct span input)
{
    while (input.data && gdb_end(g) == GDB_OPEN) {
        gdb_feed(g, span_cut(&input, 0));
        work(g);
    }
}

static void check_stop(struct machine *m, const struct gdb *g)
{
    struct stop stop = gdb_stop(g);
    check(stop.cycles <= CYCLES_MAX + 1);
    check(stop.instructions <= stop.cycles);
    check(stop.pc % 2 == 0);
    check(stop.x[0] == 0);
    machine_run(m, &stop);
    check(stop.cycles <= CYCLES_MAX + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine *m;
    struct gdb *g;
    size_t console = 0;
    const struct machine_config config = {
        .cycles_max = CYCLES_MAX, .console = count_console, .console_context = &console};
    if (size > INPUT_BYTES_MAX) {
        return 0;
    }
    check(machine_create(&config, &m) == 0);
    memcpy(machine_window(m, WINDOW_ROM), program, sizeof program);
    machine_reset(m);
    check(gdb_create(m, &g) == 0);
    feed(g, span_of(data, size));
    check_stop(m, g);
    gdb_destroy(g);
    machine_destroy(m);
    return 0;
}

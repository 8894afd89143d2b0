/* input.c - what comes in at the console while a machine runs, and waiting for it */
/* SPDX-License-Identifier: MIT */
#include "machine/internal.h"

#include "os/clock.h"

static const uint64_t for_ever = ~0ull;
enum { TICK_NS = 100 };

/* One byte, onto the line; else why there is none. Where no byte can be taken there is still the
 * end of the run to hear of, and of a wait no less than its time. Whoever waits is not charged for
 * it. */
static int take(struct machine *m, uint64_t wait_ns)
{
    const struct machine_input *input = m->config.input;
    bool is_wanted = !m->is_input_over && m->uart.line_count < UART_LINE_MAX;
    if (m->is_input_over || (!is_wanted && wait_ns == for_ever)) {
        wait_ns = 0; /* nothing will come that such a wait could be for */
    }
    const struct moment now = {m->hart->cycles, hart_mtime(m->hart)};
    uint64_t begin = wait_ns ? os_now_ns() : 0;
    int came = input->read(input->context, now, wait_ns, is_wanted);
    m->clock.since_ns += wait_ns ? os_now_ns() - begin : 0;
    if (came >= 0) {
        const uint8_t byte = (uint8_t)came;
        size_t taken = uart_send(&m->uart, span_of(&byte, 1));
        check(taken == 1);
        machine_update_lines(m);
    }
    m->is_input_over |= came == INPUT_END;
    m->request = came == INPUT_QUIT ? REQUEST_QUIT : m->request;
    return came;
}

bool machine_take_input(struct machine *m)
{
    int came = m->config.input ? take(m, 0) : INPUT_NONE;
    while (came >= 0) {
        came = take(m, 0);
    }
    return came != INPUT_QUIT;
}

uint64_t machine_input_next(const struct machine *m)
{
    const struct machine_input *input = m->config.input;
    return input && !m->is_input_over ? input->next(input->context) : for_ever;
}

/* A jump to itself is left by an interrupt only, which must be let in. */
bool machine_await_input(struct machine *m, enum hart_exit exit)
{
    bool is_jump = exit == HART_SELF_JUMP;
    while (m->config.input && machine_hears_uart(m) && (!is_jump || hart_can_interrupt(m->hart))) {
        if (take(m, for_ever) < 0) {
            return false;
        }
        if (is_jump || hart_is_awake(m->hart)) {
            return true;
        }
    }
    return false;
}

enum bus_result machine_wait(void *context, uint64_t ticks)
{
    struct machine *m = context;
    if (!m->config.input) {
        return BUS_FAULT;
    }
    int came = take(m, ticks < for_ever / TICK_NS ? ticks * TICK_NS : for_ever - 1);
    return came >= 0 ? BUS_OK : came == INPUT_QUIT ? BUS_STOP : BUS_FAULT;
}

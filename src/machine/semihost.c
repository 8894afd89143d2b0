/* semihost.c - RISC-V semihosting 0.2 on the windows: standard input is IN, output is OUT */
/* SPDX-License-Identifier: MIT */
#include "machine/internal.h"

enum operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITEC = 0x03,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_READC = 0x07,
    SYS_ISERROR = 0x08,
    SYS_ISTTY = 0x09,
    SYS_SEEK = 0x0a,
    SYS_FLEN = 0x0c,
    SYS_CLOCK = 0x10,
    SYS_TIME = 0x11,
    SYS_ERRNO = 0x13,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
    SYS_TICKFREQ = 0x31,
};
enum { A0 = 10, A1 = 11, STDIN = 0, STDOUT = 1, STDERR = 2, FEATURES = 3, FEATURES_LEN = 5 };
enum { STOPPED_APPLICATION_EXIT = 0x20026 };

/* Reads word `index` of the parameter block; false for a bad pointer. */
static bool parameter(struct machine *m, unsigned index, uint32_t *ret_value)
{
    uint32_t address = m->hart->x[A1] + 4 * index;
    if (!hart_may(m->hart, address, 4, PAGE_READ)) {
        return false;
    }
    memcpy(ret_value, m->memory + address, sizeof *ret_value);
    return true;
}

/* Appends to OUT as far as it has room; the number of bytes taken. */
static uint32_t append_out(struct machine *m, const uint8_t *bytes, uint32_t len)
{
    uint32_t room = OUT_SIZE - m->out_len;
    len = len < room ? len : room;
    memcpy(m->memory + OUT_BASE + m->out_len, bytes, len);
    hart_wrote(m->hart, OUT_BASE + m->out_len, len);
    m->out_len += len;
    m->has_out_len = true;
    return len;
}

static uint32_t write_handle(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t handle;
    uint32_t address;
    uint32_t len;
    if (!parameter(m, 0, &handle) || !parameter(m, 1, &address) || !parameter(m, 2, &len) ||
        (handle != STDOUT && handle != STDERR) || !hart_may(m->hart, address, len, PAGE_READ)) {
        return ~0u;
    }
    uint32_t done = len;
    if (handle == STDOUT) {
        done = append_out(m, m->memory + address, len);
    } else {
        machine_console(m, m->memory + address, len);
    }
    *ret_bytes = done;
    return len - done;
}

static uint32_t read_handle(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t handle;
    uint32_t address;
    uint32_t len;
    if (!parameter(m, 0, &handle) || !parameter(m, 1, &address) || !parameter(m, 2, &len) ||
        handle != STDIN || !hart_may(m->hart, address, len, PAGE_WRITE)) {
        return ~0u;
    }
    uint32_t left = m->in_len - m->in_at;
    uint32_t done = len < left ? len : left;
    memcpy(m->memory + address, m->memory + IN_BASE + m->in_at, done);
    hart_wrote(m->hart, address, done);
    m->in_at += done;
    *ret_bytes = done;
    return len - done;
}

static uint32_t write_string(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t address = m->hart->x[A1];
    uint32_t len = 0;
    while (hart_may(m->hart, address + len, 1, PAGE_READ)) {
        if (m->memory[address + len] == 0) {
            *ret_bytes = append_out(m, m->memory + address, len);
            return 0;
        }
        len++;
    }
    return ~0u;
}

static uint32_t write_char(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t address = m->hart->x[A1];
    if (!hart_may(m->hart, address, 1, PAGE_READ)) {
        return ~0u;
    }
    *ret_bytes = append_out(m, m->memory + address, 1);
    return 0;
}

/* `:tt` for reading, writing or appending is handle 0, 1 or 2; any other file is refused. */
static uint32_t open_file(struct machine *m)
{
    uint32_t address;
    uint32_t mode;
    uint32_t len;
    if (!parameter(m, 0, &address) || !parameter(m, 1, &mode) || !parameter(m, 2, &len) ||
        !hart_may(m->hart, address, len, PAGE_READ)) {
        return ~0u;
    }
    if (span_equals_string(span_of(m->memory + address, len), ":tt") && mode < 12) {
        return mode / 4;
    }
    return ~0u;
}

static uint32_t handle_answer(struct machine *m, enum operation operation)
{
    uint32_t handle;
    if (!parameter(m, 0, &handle) || handle > STDERR) {
        return ~0u;
    }
    switch (operation) {
    case SYS_FLEN:
        return handle == STDIN ? m->in_len : handle == STDOUT ? m->out_len : 0;
    case SYS_ISTTY:
        return handle == STDERR;
    default:
        return 0;
    }
}

static enum bus_result exit_with(struct machine *m, uint32_t reason, uint32_t code)
{
    machine_power_down(m, reason == STOPPED_APPLICATION_EXIT ? code : 1);
    return BUS_STOP;
}

static uint32_t read_char(struct machine *m, uint32_t *ret_bytes)
{
    if (m->in_at >= m->in_len) {
        return ~0u;
    }
    *ret_bytes = 1;
    return m->memory[IN_BASE + m->in_at++];
}

enum bus_result machine_semihost(void *context, uint32_t *ret_bytes)
{
    struct machine *m = context;
    uint32_t *x = m->hart->x;
    uint32_t first = 0;
    uint32_t second = 0;
    switch ((enum operation)x[A0]) {
    case SYS_OPEN:
        x[A0] = open_file(m);
        return BUS_OK;
    case SYS_WRITEC:
        x[A0] = write_char(m, ret_bytes);
        return BUS_OK;
    case SYS_WRITE0:
        x[A0] = write_string(m, ret_bytes);
        return BUS_OK;
    case SYS_WRITE:
        x[A0] = write_handle(m, ret_bytes);
        return BUS_OK;
    case SYS_READ:
        x[A0] = read_handle(m, ret_bytes);
        return BUS_OK;
    case SYS_READC:
        x[A0] = read_char(m, ret_bytes);
        return BUS_OK;
    case SYS_CLOSE:
    case SYS_ISTTY:
    case SYS_FLEN:
        x[A0] = handle_answer(m, (enum operation)x[A0]);
        return BUS_OK;
    case SYS_ISERROR:
        x[A0] = parameter(m, 0, &first) && (int32_t)first < 0;
        return BUS_OK;
    case SYS_CLOCK:
        x[A0] = (uint32_t)(hart_mtime(m->hart) / 100000);
        return BUS_OK;
    case SYS_TIME:
        x[A0] = (uint32_t)(hart_mtime(m->hart) / 10000000);
        return BUS_OK;
    case SYS_TICKFREQ:
        x[A0] = 10000000;
        return BUS_OK;
    case SYS_EXIT:
        return exit_with(m, x[A1], 0);
    case SYS_EXIT_EXTENDED:
        if (!parameter(m, 0, &first) || !parameter(m, 1, &second)) {
            break;
        }
        return exit_with(m, first, second);
    default:
        break;
    }
    x[A0] = ~0u;
    return BUS_OK;
}

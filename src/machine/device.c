/* device.c - memory windows and device registers behind the hart's bus */
/* SPDX-License-Identifier: MIT */
#include "machine/internal.h"

#include <assert.h>

enum { R = PAGE_READ, W = PAGE_WRITE };

enum device {
#define DEVICE(name, base, size, widths, text) DEVICE_##name,
#define REGISTER(device, name, offset, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
    DEVICE_COUNT
};

static const struct {
    uint32_t base;
    uint32_t size;
    unsigned widths;
} devices[DEVICE_COUNT] = {
#define DEVICE(name, base, size, widths, text) {base, size, widths},
#define REGISTER(device, name, offset, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

/* A register's number is its address, which no two share. */
enum {
#define DEVICE(name, base, size, widths, text) name##_DEVICE_BASE = (base),
#define REGISTER(device, name, offset, access, text) \
    device##_##name = (device##_DEVICE_BASE) + (offset),
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

static const struct {
    uint32_t address;
    unsigned access;
} registers[] = {
#define DEVICE(name, base, size, widths, text)
#define REGISTER(device, name, offset, access, text) {device##_##name, access},
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

static_assert(META_REPLY_AT + META_REPLY_MAX <= META_SIZE, "the parts of META lie in it");

void machine_console(struct machine *m, const void *bytes, size_t len)
{
    if (m->config.console && len > 0) {
        m->config.console(m->config.console_context, span_of(bytes, len));
    }
}

void machine_power_down(struct machine *m, uint32_t exit_code)
{
    m->request = REQUEST_POWER_DOWN;
    m->exit_code = exit_code;
}

static bool is_tohost_in(const struct machine *m, uint32_t page)
{
    uint32_t tohost = m->config.tohost;
    return tohost && (tohost / PAGE_SIZE == page || (tohost + 3) / PAGE_SIZE == page);
}

/* An odd value ends the run, as the RISC-V test environments expect. */
static enum bus_result bus_stored(void *context, uint32_t address, unsigned size)
{
    struct machine *m = context;
    uint32_t tohost = m->config.tohost;
    if (address + size <= tohost || address >= tohost + 4) {
        return BUS_OK;
    }
    uint32_t value;
    memcpy(&value, m->memory + tohost, sizeof value);
    if (value % 2 == 0) {
        return BUS_OK;
    }
    machine_power_down(m, value >> 1);
    return BUS_STOP;
}

static unsigned bus_page(void *context, uint32_t index)
{
    const struct machine *m = context;
    const struct window_row *w = window_at(m->windows, index * PAGE_SIZE);
    return w ? w->access | (is_tohost_in(m, index) ? PAGE_WATCHED : 0) : 0;
}

static bool is_decoded(const struct machine *m, uint32_t address, unsigned size)
{
    if (!m->profile->has_devices) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(devices); i++) {
        if (address - devices[i].base < devices[i].size) {
            return devices[i].widths & size;
        }
    }
    return false;
}

/* Is there a register that allows it? Others read 0 and ignore writes. */
static bool is_allowed(uint32_t address, unsigned access)
{
    for (size_t i = 0; i < ARRAY_COUNT(registers); i++) {
        if (registers[i].address == address) {
            return registers[i].access & access;
        }
    }
    return false;
}

static uint32_t seed_word(const struct machine *m, unsigned index)
{
    uint32_t word;
    memcpy(&word, m->config.seed + 4 * index, sizeof word);
    return word;
}

static uint32_t read_register(const struct machine *m, uint32_t address)
{
    uint32_t value = 0;
    switch (address) {
    case UART_LSR:
        value = 0x60;
        break;
    case LAMBDA_MAGIC:
        memcpy(&value, "Mote", 4);
        break;
    case LAMBDA_VERSION:
        value = 1;
        break;
    case LAMBDA_IN_LEN:
        value = m->in_len;
        break;
    case LAMBDA_OUT_LEN:
        value = m->out_len;
        break;
    case LAMBDA_META_IN_LEN:
        value = m->meta_len;
        break;
    case LAMBDA_META_OUT_LEN:
        value = m->meta_reply_len;
        break;
    case LAMBDA_BOOT:
        value = m->boot;
        break;
    case LAMBDA_CAP_LOW:
        value = (uint32_t)m->config.cycles_max;
        break;
    case LAMBDA_CAP_HIGH:
        value = (uint32_t)(m->config.cycles_max >> 32);
        break;
    case LAMBDA_CYCLES_LOW:
        value = (uint32_t)m->hart->cycles;
        break;
    case LAMBDA_CYCLES_HIGH:
        value = (uint32_t)(m->hart->cycles >> 32);
        break;
    case LAMBDA_SEED0:
        value = seed_word(m, 0);
        break;
    case LAMBDA_SEED1:
        value = seed_word(m, 1);
        break;
    case LAMBDA_SEED2:
        value = seed_word(m, 2);
        break;
    case LAMBDA_SEED3:
        value = seed_word(m, 3);
        break;
    }
    return value;
}

static enum bus_result bus_load(void *context, uint32_t address, unsigned size, uint32_t *ret_value)
{
    if (!is_decoded(context, address, size)) {
        return BUS_FAULT;
    }
    *ret_value = is_allowed(address, R) ? read_register(context, address) : 0;
    return BUS_OK;
}

static enum bus_result finish(struct machine *m, uint32_t value)
{
    switch (value & 0xffff) {
    case 0x5555:
        machine_power_down(m, 0);
        return BUS_STOP;
    case 0x3333:
        machine_power_down(m, value >> 16);
        return BUS_STOP;
    case 0x7777:
        m->request = REQUEST_RESET;
        return BUS_STOP;
    }
    return BUS_OK;
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

static enum bus_result write_register(struct machine *m, uint32_t address, uint32_t value)
{
    uint8_t byte = (uint8_t)value;
    switch (address) {
    case POWER_FINISH:
        return finish(m, value);
    case UART_THR:
        machine_console(m, &byte, 1);
        break;
    case LAMBDA_OUT_LEN:
        m->out_len = at_most(value, OUT_SIZE);
        m->has_out_len = true;
        break;
    case LAMBDA_META_OUT_LEN:
        m->meta_reply_len = at_most(value, META_REPLY_MAX);
        break;
    }
    return BUS_OK;
}

static enum bus_result bus_store(void *context, uint32_t address, unsigned size, uint32_t value)
{
    if (!is_decoded(context, address, size)) {
        return BUS_FAULT;
    }
    return is_allowed(address, W) ? write_register(context, address, value) : BUS_OK;
}

enum bus_result machine_ecall(void *context, uint32_t *ret_bytes)
{
    enum { A0 = 10, A1 = 11, PRINT_CHARACTER = 0, PRINT_STRING = 1 };
    struct machine *m = context;
    uint32_t value = m->hart->x[A1];
    uint8_t byte = (uint8_t)value;
    switch (m->hart->x[A0]) {
    case PRINT_CHARACTER:
        machine_console(m, &byte, 1);
        *ret_bytes = 1;
        return BUS_STOP;
    case PRINT_STRING:
        if (!machine_string_len(m, value, ret_bytes)) {
            return BUS_FAULT;
        }
        machine_console(m, m->memory + value, *ret_bytes);
        return BUS_STOP;
    }
    return BUS_FAULT;
}

const struct bus machine_bus = {
    .page = bus_page,
    .load = bus_load,
    .store = bus_store,
    .stored = bus_stored,
    .semihost = machine_semihost,
};

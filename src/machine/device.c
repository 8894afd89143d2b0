/* device.c - memory windows and device registers behind the hart's bus */
/* SPDX-License-Identifier: MIT */
#include "machine/internal.h"

#include <assert.h>

enum { R = PAGE_READ, W = PAGE_WRITE };

enum device {
#define DEVICE(name, base, size, widths, text) DEVICE_##name,
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
    DEVICE_COUNT
};

static const struct device_row {
    uint32_t base;
    uint32_t size;
    unsigned widths;
} devices[DEVICE_COUNT] = {
#define DEVICE(name, base, size, widths, text) {base, size, widths},
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

/* A register's number is its address, the first of an array's, which no two share. */
enum {
#define DEVICE(name, base, size, widths, text) name##_DEVICE_BASE = (base),
#define REGISTER(device, name, offset, count, stride, access, text) \
    device##_##name = (device##_DEVICE_BASE) + (offset),
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

static const struct register_row {
    uint32_t address;
    uint32_t count;
    uint32_t stride;
    unsigned access;
} registers[] = {
#define DEVICE(name, base, size, widths, text)
#define REGISTER(device, name, offset, count, stride, access, text) \
    {device##_##name, count, stride, access},
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

enum {
#define DEVICE(name, base, size, widths, text)
#define REGISTER(device, name, offset, count, stride, access, text)
#define SOURCE(device, first, count, text) SOURCE_##device = (first),
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
#undef SOURCE
};

/* One access to a register: its row's number, and which of an array it is. */
struct access {
    uint32_t number;
    uint32_t index;
};

static_assert(META_REPLY_AT + META_REPLY_MAX <= META_SIZE, "the parts of META lie in it");

void machine_console(struct machine *m, const void *bytes, size_t len)
{
    if (m->config.console && len > 0 && m->hart->cycles >= m->console_from) {
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

static const struct device_row *find_device(const struct machine *m, uint32_t address,
                                            unsigned size)
{
    for (size_t i = 0; i < ARRAY_COUNT(devices) && m->profile->has_devices; i++) {
        if (address - devices[i].base < devices[i].size) {
            return devices[i].widths & size ? &devices[i] : NULL;
        }
    }
    return NULL;
}

/* Is there a register that allows it? Others read 0 and ignore writes. */
static bool find_register(uint32_t address, unsigned access, struct access *ret_access)
{
    for (const struct register_row *r = registers; r < registers + ARRAY_COUNT(registers); r++) {
        uint32_t offset = address - r->address;
        uint32_t index = r->stride ? offset / r->stride : 0;
        if (index < r->count && offset == index * r->stride) {
            *ret_access = (struct access){r->address, index};
            return r->access & access;
        }
    }
    return false;
}

/* The hart is told of changes only: it stops to look. */
static void set_line(struct hart *h, enum interrupt line, bool is_up)
{
    if ((h->lines >> line & 1) != is_up) {
        hart_set_pending(h, line, is_up);
    }
}

bool machine_hears_uart(const struct machine *m)
{
    return uart_is_listening(&m->uart) && plic_is_listening(&m->plic, SOURCE_UART) &&
           m->hart->csr.mie >> INTERRUPT_EXTERNAL & 1;
}

void machine_update_lines(struct machine *m)
{
    plic_raise(&m->plic, SOURCE_UART, uart_is_interrupting(&m->uart));
    set_line(m->hart, INTERRUPT_EXTERNAL, plic_is_interrupting(&m->plic));
    set_line(m->hart, INTERRUPT_SOFTWARE, m->msip);
}

static uint32_t word_of(const void *bytes, uint32_t index)
{
    uint32_t word;
    memcpy(&word, (const uint8_t *)bytes + 4 * index, sizeof word);
    return word;
}

static uint32_t half(uint64_t value, bool is_high)
{
    return (uint32_t)(is_high ? value >> 32 : value);
}

static uint64_t with_half(uint64_t value, uint32_t part, bool is_high)
{
    return is_high ? (uint64_t)part << 32 | half(value, false)
                   : (uint64_t)half(value, true) << 32 | part;
}

static uint32_t read_lambda(const struct machine *m, struct access at)
{
    switch (at.number) {
    case LAMBDA_MAGIC:
        return word_of("Mote", 0);
    case LAMBDA_VERSION:
        return 1;
    case LAMBDA_IN_LEN:
        return m->in_len;
    case LAMBDA_OUT_LEN:
        return m->out_len;
    case LAMBDA_META_IN_LEN:
        return m->meta_len;
    case LAMBDA_META_OUT_LEN:
        return m->meta_reply_len;
    case LAMBDA_BOOT:
        return m->boot;
    case LAMBDA_CAP_LOW:
    case LAMBDA_CAP_HIGH:
        return half(m->config.cycles_max, at.number == LAMBDA_CAP_HIGH);
    case LAMBDA_CYCLES_LOW:
    case LAMBDA_CYCLES_HIGH:
        return half(m->hart->cycles, at.number == LAMBDA_CYCLES_HIGH);
    case LAMBDA_SEED0:
    case LAMBDA_SEED1:
    case LAMBDA_SEED2:
    case LAMBDA_SEED3:
        return word_of(m->config.seed, (at.number - LAMBDA_SEED0) / 4);
    case LAMBDA_LEDS:
        return m->leds;
    case LAMBDA_BUTTONS:
        return m->config.buttons;
    }
    return 0;
}

static uint32_t read_plic(struct machine *m, struct access at)
{
    switch (at.number) {
    case PLIC_PRIORITY:
        return m->plic.priority[at.index + 1];
    case PLIC_PENDING:
        return m->plic.pending[at.index];
    case PLIC_ENABLE:
        return m->plic.enable[at.index];
    case PLIC_THRESHOLD:
        return m->plic.threshold;
    case PLIC_CLAIM:
        return plic_claim(&m->plic);
    }
    return 0;
}

static uint32_t read_clint(const struct machine *m, struct access at)
{
    switch (at.number) {
    case CLINT_MSIP:
        return m->msip;
    case CLINT_MTIMECMP_LOW:
    case CLINT_MTIMECMP_HIGH:
        return half(m->hart->mtimecmp, at.number == CLINT_MTIMECMP_HIGH);
    case CLINT_MTIME_LOW:
    case CLINT_MTIME_HIGH:
        return half(hart_mtime(m->hart), at.number == CLINT_MTIME_HIGH);
    }
    return 0;
}

static uint32_t read_virtio(struct access at)
{
    switch (at.number) {
    case VIRTIO_MAGIC:
        return word_of("virt", 0);
    case VIRTIO_VERSION:
        return 2;
    case VIRTIO_VENDOR_ID:
        return word_of("Mote", 0);
    }
    return 0;
}

static uint32_t read_uart(struct machine *m, struct access at)
{
    machine_feed_uart(m);
    return uart_read(&m->uart, at.number - UART_DEVICE_BASE);
}

static uint32_t read_register(struct machine *m, enum device device, struct access at)
{
    switch (device) {
    case DEVICE_POWER:
        return 0;
    case DEVICE_CLINT:
        return read_clint(m, at);
    case DEVICE_PLIC:
        return read_plic(m, at);
    case DEVICE_UART:
        return read_uart(m, at);
    case DEVICE_VIRTIO:
        return read_virtio(at);
    case DEVICE_LAMBDA:
        return read_lambda(m, at);
    case DEVICE_COUNT:
        break;
    }
    check(false);
}

static enum bus_result bus_load(void *context, uint32_t address, unsigned size, uint32_t *ret_value)
{
    struct machine *m = context;
    const struct device_row *device = find_device(m, address, size);
    if (!device) {
        return BUS_FAULT;
    }
    struct access at;
    *ret_value = 0;
    if (find_register(address, R, &at)) {
        *ret_value = read_register(m, (enum device)(device - devices), at);
        machine_update_lines(m);
    }
    return BUS_OK;
}

static enum bus_result finish(struct machine *m, uint32_t value)
{
    switch (value & 0xffff) {
    case POWER_OFF:
        machine_power_down(m, 0);
        return BUS_STOP;
    case POWER_OFF_WITH_CODE:
        machine_power_down(m, value >> 16);
        return BUS_STOP;
    case POWER_RESET:
        m->request = REQUEST_RESET;
        return BUS_STOP;
    }
    return BUS_OK;
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

static void write_lambda(struct machine *m, struct access at, uint32_t value)
{
    switch (at.number) {
    case LAMBDA_OUT_LEN:
        m->out_len = at_most(value, OUT_SIZE);
        m->has_out_len = true;
        break;
    case LAMBDA_META_OUT_LEN:
        m->meta_reply_len = at_most(value, META_REPLY_MAX);
        break;
    case LAMBDA_LEDS:
        m->leds = value;
        break;
    }
}

static void write_plic(struct machine *m, struct access at, uint32_t value)
{
    switch (at.number) {
    case PLIC_PRIORITY:
        m->plic.priority[at.index + 1] = value & PLIC_PRIORITY_MAX;
        break;
    case PLIC_ENABLE:
        plic_set_enable(&m->plic, at.index, value);
        break;
    case PLIC_THRESHOLD:
        m->plic.threshold = value & PLIC_PRIORITY_MAX;
        break;
    case PLIC_CLAIM:
        plic_complete(&m->plic, value);
        break;
    }
}

/* The half that is not written goes on as the next instruction would have read it. */
static void write_mtime(struct hart *h, uint32_t value, bool is_high)
{
    uint64_t next = (h->cycles + 1) / 10 + h->time_offset;
    hart_set_mtime(h, with_half(next, value, is_high));
}

static void write_clint(struct machine *m, struct access at, uint32_t value)
{
    switch (at.number) {
    case CLINT_MSIP:
        m->msip = value & 1;
        break;
    case CLINT_MTIMECMP_LOW:
    case CLINT_MTIMECMP_HIGH:
        hart_set_timer(m->hart,
                       with_half(m->hart->mtimecmp, value, at.number == CLINT_MTIMECMP_HIGH));
        break;
    case CLINT_MTIME_LOW:
    case CLINT_MTIME_HIGH:
        write_mtime(m->hart, value, at.number == CLINT_MTIME_HIGH);
        break;
    }
}

static void write_uart(struct machine *m, struct access at, uint8_t byte)
{
    machine_feed_uart(m);
    if (uart_write(&m->uart, at.number - UART_DEVICE_BASE, byte)) {
        machine_console(m, &byte, 1);
    }
}

static enum bus_result write_register(struct machine *m, enum device device, struct access at,
                                      uint32_t value)
{
    switch (device) {
    case DEVICE_POWER:
        return finish(m, value);
    case DEVICE_CLINT:
        write_clint(m, at, value);
        break;
    case DEVICE_PLIC:
        write_plic(m, at, value);
        break;
    case DEVICE_UART:
        write_uart(m, at, (uint8_t)value);
        break;
    case DEVICE_LAMBDA:
        write_lambda(m, at, value);
        break;
    case DEVICE_VIRTIO: /* has nothing to write */
    case DEVICE_COUNT:
        break;
    }
    return BUS_OK;
}

static enum bus_result bus_store(void *context, uint32_t address, unsigned size, uint32_t value)
{
    struct machine *m = context;
    const struct device_row *device = find_device(m, address, size);
    if (!device) {
        return BUS_FAULT;
    }
    struct access at;
    if (!find_register(address, W, &at)) {
        return BUS_OK;
    }
    enum bus_result result = write_register(m, (enum device)(device - devices), at, value);
    machine_update_lines(m);
    return result;
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
    .wait = machine_wait,
};

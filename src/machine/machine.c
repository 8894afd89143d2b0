/* machine.c - life of a machine, and the run loop with its caps */
/* SPDX-License-Identifier: MIT */
#include "machine/internal.h"

#include "os/clock.h"
#include "os/error.h"
#include "os/map.h"
#include <stdio.h>
#include <stdlib.h>

/* Behind 4 GiB lies a guard as large, so that no 32-bit index plus an access leaves it. */
static const size_t reservation_bytes = 2 * GiB(4);
/* Between two looks at the clock: about two milliseconds. */
static const uint64_t slice_cycles = 500000;

enum { R = PAGE_READ, W = PAGE_WRITE, X = PAGE_EXECUTE };

static const struct {
    const char *name;
    uint32_t base;
    uint32_t size;
    unsigned access;
} windows[WINDOW_COUNT] = {
#define WINDOW(name, base, size, access, text) {#name, base, size, access},
#include "abi/mem.def"
#undef WINDOW
};

const char *halt_text(enum halt halt)
{
    static const char *const texts[] = {
#define HALT(name, text, word, exit) word,
#include "machine/halt.def"
#undef HALT
    };
    return texts[halt];
}

static int map_windows(struct machine *m)
{
    void *memory;
    int err = os_reserve(reservation_bytes, &memory);
    if (err) {
        return err;
    }
    m->memory = memory;
    for (size_t i = 0; i < WINDOW_COUNT && !err; i++) {
        err = os_map_zero(m->memory + windows[i].base, windows[i].size, OS_READ | OS_WRITE);
    }
    return err;
}

static int create_hart(struct machine *m)
{
    struct bus bus = machine_bus;
    bus.context = m;
    int err = hart_create(&bus, m->memory, &m->hart);
    for (size_t i = 0; i < WINDOW_COUNT && !err; i++) {
        if (windows[i].access & X) {
            err = hart_allow_code(m->hart, windows[i].base, windows[i].size);
        }
    }
    return err;
}

/* bus_stored reads the word whole, whichever of its bytes a store reached. */
int machine_check_tohost(uint32_t address, struct msg *msg)
{
    for (size_t i = 0; i < WINDOW_COUNT; i++) {
        uint32_t offset = address - windows[i].base;
        if (offset >= windows[i].size) {
            continue;
        }
        if ((windows[i].access & W) == 0) {
            return fail(msg, ERR_ARGUMENT, "tohost 0x%08x lies in %s, which a guest cannot write",
                        address, windows[i].name);
        }
        return windows[i].size - offset >= sizeof(uint32_t)
                   ? 0
                   : fail(msg, ERR_ARGUMENT,
                          "tohost 0x%08x: its 4 bytes pass the end of %s, whose last is 0x%08x",
                          address, windows[i].name, windows[i].base + (windows[i].size - 1));
    }
    return fail(msg, ERR_ARGUMENT, "tohost 0x%08x lies outside every window", address);
}

int machine_create(const struct machine_config *config, struct machine **ret_machine)
{
    if (config->tohost) {
        int err = machine_check_tohost(config->tohost, NULL);
        if (err) {
            return err;
        }
    }
    struct machine *m = calloc(1, sizeof *m);
    if (!m) {
        return ERR_NO_MEMORY;
    }
    m->config = *config;
    m->boot = config->boot;
    if (!m->config.command_line.data) {
        m->config.command_line = span_of_string("");
    }
    m->entry = ROM_BASE;
    int err = map_windows(m);
    if (!err) {
        err = create_hart(m);
    }
    if (err) {
        machine_destroy(m);
        return err;
    }
    *ret_machine = m;
    return 0;
}

void machine_destroy(struct machine *m)
{
    if (m) {
        semihost_close_files(m);
        hart_destroy(m->hart);
        os_unmap(m->memory, reservation_bytes);
        free(m);
    }
}

int machine_map_file(struct machine *m, enum window window, const struct window_file *file,
                     struct msg *msg)
{
    unsigned long long size = file->size;
    if (size > windows[window].size) {
        return fail(msg, ERR_TOO_BIG, "a file of %llu bytes is over its window's %u bytes", size,
                    windows[window].size);
    }
    if (size == 0) {
        return 0;
    }
    int access = window == WINDOW_IN ? OS_READ : OS_READ | OS_WRITE;
    void *base = machine_window(m, window);
    int err = window == WINDOW_RAM && file->mode == MAP_PRIVATE_COPY /* RAM is sparse, as a rule */
                  ? os_map_data(base, (size_t)size, file->fd, access)
                  : os_map_file(base, (size_t)size, file->fd, 0,
                                access | (file->mode == MAP_IN_PLACE ? OS_SHARED : 0));
    if (err) {
        char what[64];
        snprintf(what, sizeof what, "mapping its %llu bytes failed", size);
        err = os_fail(msg, err, what);
        /* The attempt may have taken away what was there. */
        UNUSED int same = os_map_zero(base, (size_t)size, OS_READ | OS_WRITE);
    }
    return err;
}

uint8_t *machine_window(struct machine *m, enum window window)
{
    return m->memory + windows[window].base;
}

static bool is_in_ram(const struct segment *s)
{
    return s->address - (uint32_t)RAM_BASE < RAM_SIZE;
}

/* Maps the whole pages of a ROM segment, where they are whole pages of the file too, and copies the
 * rest of it. */
static int lay_out(struct machine *m, const struct segment *s, size_t offset, int fd)
{
    uint32_t skew = (uint32_t)(PAGE_SIZE - s->address % PAGE_SIZE) % PAGE_SIZE;
    bool is_mappable = fd >= 0 && offset % PAGE_SIZE == s->address % PAGE_SIZE;
    size_t pages = is_mappable && s->bytes.len > skew ? (s->bytes.len - skew) / PAGE_SIZE : 0;
    size_t head = pages ? skew : 0;
    size_t tail = pages ? skew + pages * PAGE_SIZE : 0;
    uint8_t *place = m->memory + s->address;
    int err = pages ? os_map_file(place + head, tail - head, fd, offset + head, OS_READ) : 0;
    if (!err) {
        memcpy(place, s->bytes.data, head);
        memcpy(place + tail, s->bytes.data + tail, s->bytes.len - tail);
        hart_wrote(m->hart, s->address, (uint32_t)s->bytes.len);
    }
    return err;
}

int machine_load(struct machine *m, const struct image *image, int fd, struct msg *msg)
{
    m->image = image;
    m->entry = image->entry;
    for (uint32_t i = 0; i < image->segments_count; i++) {
        const struct segment *s = &image->segments[i];
        size_t offset = image->decoded ? 0 : (size_t)(s->bytes.data - image->file.data);
        int err = is_in_ram(s) ? 0 : lay_out(m, s, offset, image->decoded ? -1 : fd);
        if (err) {
            return fail(msg, err, "mapping %zu bytes of the image failed", s->bytes.len);
        }
    }
    return 0;
}

void machine_set_in_len(struct machine *m, uint32_t len)
{
    m->in_len = len;
}

void machine_set_meta_len(struct machine *m, uint32_t len)
{
    m->meta_len = len;
}

void machine_set_boot(struct machine *m, enum boot_reason boot)
{
    m->config.boot = boot;
}

/* Writes a RAM segment a page at a time, where a byte differs: other pages stay clean. */
static void write_segment(struct machine *m, const struct segment *s)
{
    for (size_t at = 0; at < s->bytes.len;) {
        uint32_t address = s->address + (uint32_t)at;
        size_t len = PAGE_SIZE - address % PAGE_SIZE;
        len = len < s->bytes.len - at ? len : s->bytes.len - at;
        if (memcmp(m->memory + address, s->bytes.data + at, len) != 0) {
            memcpy(m->memory + address, s->bytes.data + at, len);
            hart_wrote(m->hart, address, (uint32_t)len);
        }
        at += len;
    }
}

/* Registers as machine.md has them at reset: sp at the end of RAM, a0 the hart's id, a1 0. */
static void reset_hart(struct machine *m)
{
    hart_reset(m->hart, m->entry);
    m->hart->x[2] = (uint32_t)RAM_BASE + RAM_SIZE;
    for (uint32_t i = 0; m->image && i < m->image->segments_count; i++) {
        if (is_in_ram(&m->image->segments[i])) {
            write_segment(m, &m->image->segments[i]);
        }
    }
    m->request = REQUEST_NONE;
    m->in_at = 0;
    m->features_at = 0;
    semihost_close_files(m);
    m->semihost_errno = 0;
}

void machine_reset(struct machine *m)
{
    m->hart->cycles = 0;
    m->hart->not_retired = 0;
    m->boot = m->config.boot;
    m->out_len = 0;
    m->has_out_len = false;
    m->meta_reply_len = 0;
    reset_hart(m);
}

static void describe(const struct machine *m, enum halt halt, struct stop *ret_stop)
{
    const struct hart *h = m->hart;
    *ret_stop = (struct stop){
        .halt = halt,
        .exit_code = halt == HALT_POWER_DOWN ? m->exit_code : 0,
        .cycles = h->cycles,
        .instructions = h->cycles - h->not_retired,
        .pc = h->pc,
    };
    memcpy(ret_stop->x, h->x, sizeof ret_stop->x);
    if (halt == HALT_FAULT) {
        ret_stop->mcause = h->last_exception.cause;
        ret_stop->mepc = h->last_exception.epc;
        ret_stop->mtval = h->last_exception.tval;
    }
}

/* A state that can never change again is a power down, unless an exception led there. */
static enum halt idle_halt(struct machine *m)
{
    m->exit_code = 0;
    return m->hart->has_crashed ? HALT_FAULT : HALT_POWER_DOWN;
}

/* Runs up to `limit`; true where the run has not ended. */
static bool run_slice(struct machine *m, uint64_t limit, enum halt *ret_halt)
{
    switch (hart_run(m->hart, limit)) {
    case HART_LIMIT:
        return true;
    case HART_STOP:
        if (m->request == REQUEST_NONE) {
            return true;
        }
        if (m->request == REQUEST_RESET) {
            m->boot = BOOT_WARM;
            reset_hart(m);
            return true;
        }
        *ret_halt = HALT_POWER_DOWN;
        return false;
    case HART_SELF_JUMP:
    case HART_WAIT:
        *ret_halt = idle_halt(m);
        return false;
    case HART_DOUBLE_TRAP:
        m->hart->last_exception =
            (struct trap){m->hart->csr.mcause, m->hart->csr.mepc, m->hart->csr.mtval};
        *ret_halt = HALT_FAULT;
        return false;
    }
    check(false);
}

void machine_run(struct machine *m, struct stop *ret_stop)
{
    uint64_t cap = m->config.cycles_max;
    uint64_t begin = os_now_ns();
    enum halt halt = HALT_CYCLES;
    while (m->hart->cycles < cap) {
        uint64_t left = cap - m->hart->cycles;
        uint64_t limit = m->hart->cycles + (left < slice_cycles ? left : slice_cycles);
        if (!run_slice(m, limit, &halt)) {
            break;
        }
        if (m->config.time_max_ns && m->hart->cycles < cap &&
            os_now_ns() - begin >= m->config.time_max_ns) {
            halt = HALT_TIME;
            break;
        }
    }
    describe(m, halt, ret_stop);
}

bool machine_step(struct machine *m, struct stop *ret_stop)
{
    enum halt halt = HALT_CYCLES;
    bool is_running =
        m->hart->cycles < m->config.cycles_max && run_slice(m, m->hart->cycles + 1, &halt);
    describe(m, halt, ret_stop);
    return is_running;
}

bool machine_csr(const struct machine *m, uint32_t number, uint32_t *ret_value)
{
    return hart_csr_read(m->hart, number, ret_value);
}

bool machine_read_word(struct machine *m, uint32_t address, uint32_t *ret_word)
{
    bool may = hart_may(m->hart, address, sizeof *ret_word, PAGE_READ);
    if (may) {
        memcpy(ret_word, m->memory + address, sizeof *ret_word);
    }
    return may;
}

uint32_t machine_out_len(const struct machine *m)
{
    if (m->has_out_len) {
        return m->out_len;
    }
    uint32_t pages = OUT_SIZE / PAGE_SIZE;
    while (pages > 0 && !m->hart->dirty[OUT_BASE / PAGE_SIZE + pages - 1]) {
        pages--;
    }
    uint32_t len = pages * PAGE_SIZE;
    while (len > 0 && m->memory[OUT_BASE + len - 1] == 0) {
        len--;
    }
    return len;
}

uint32_t machine_meta_reply_len(const struct machine *m)
{
    return m->meta_reply_len;
}

const uint8_t *machine_ram_dirty(const struct machine *m)
{
    return m->hart->dirty + (uint32_t)RAM_BASE / PAGE_SIZE;
}

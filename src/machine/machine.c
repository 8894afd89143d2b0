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
enum { SP = 2, A1 = 11 };

/* Between two looks at the clock: about two milliseconds. */
static const uint64_t slice_cycles = 500000;

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
    for (const struct window_row *w = m->windows; w < m->windows + WINDOW_COUNT && !err; w++) {
        err = w->size ? os_map_zero(m->memory + w->base, w->size, OS_READ | OS_WRITE) : 0;
    }
    return err;
}

static int create_hart(struct machine *m)
{
    struct bus bus = machine_bus;
    bus.context = m;
    bus.semihost = m->profile->has_devices ? bus.semihost : NULL;
    bus.ecall = m->profile->is_bare ? machine_ecall : NULL;
    int err = hart_create(&bus, m->memory, &m->hart);
    for (const struct window_row *w = m->windows; w < m->windows + WINDOW_COUNT && !err; w++) {
        err = w->access & WINDOW_EXECUTE ? hart_allow_code(m->hart, w->base, w->size) : 0;
    }
    return err;
}

/* bus_stored reads the word whole, whichever of its bytes a store reached. */
int machine_check_tohost(const struct window_row *windows, uint32_t address, struct msg *msg)
{
    const struct window_row *w = window_at(windows, address);
    if (!w) {
        return fail(msg, ERR_ARGUMENT, "tohost 0x%08x lies outside every window", address);
    }
    if ((w->access & WINDOW_WRITE) == 0) {
        return fail(msg, ERR_ARGUMENT, "tohost 0x%08x lies in %s, which a guest cannot write",
                    address, w->name);
    }
    return w->size - (address - w->base) >= sizeof(uint32_t)
               ? 0
               : fail(msg, ERR_ARGUMENT,
                      "tohost 0x%08x: its 4 bytes pass the end of %s, whose last is 0x%08x",
                      address, w->name, w->base + (w->size - 1));
}

int machine_create(const struct machine_config *config, struct machine **ret_machine)
{
    if (config->tohost) {
        int err =
            machine_check_tohost(machine_profile(config->profile)->windows, config->tohost, NULL);
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
    m->profile = machine_profile(config->profile);
    memcpy(m->windows, m->profile->windows, sizeof m->windows);
    m->entry = m->windows[WINDOW_ROM].base;
    int err = map_windows(m);
    err = err ? err : create_hart(m);
    if (err) {
        machine_destroy(m);
        return err;
    }
    if (m->profile->has_devices) {
        memcpy(machine_window(m, WINDOW_DTB), machine_tree.data, machine_tree.len);
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
    if (size > m->windows[window].size) {
        return fail(msg, ERR_TOO_BIG, "a file of %llu bytes is over its window's %u bytes", size,
                    m->windows[window].size);
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

void machine_fit_window(struct machine *m, enum window window, uint64_t bytes)
{
    struct window_row *w = &m->windows[window];
    if (m->profile->is_fitted) {
        uint64_t size = bytes ? (bytes + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE : FITTED_SIZE;
        uint32_t limit = m->profile->windows[window].size;
        w->size = size < limit ? (uint32_t)size : limit;
    }
}

const struct window_row *machine_windows(const struct machine *m)
{
    return m->windows;
}

uint8_t *machine_window(struct machine *m, enum window window)
{
    return m->memory + m->windows[window].base;
}

static bool is_in_ram(const struct machine *m, const struct segment *s)
{
    return s->address - m->windows[WINDOW_RAM].base < m->windows[WINDOW_RAM].size;
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

/* ROM of a fitted profile ends with the image; RAM was fitted to its file before. */
static int fit_image(struct machine *m, const struct image *image, struct msg *msg)
{
    uint64_t rom_bytes = 0;
    for (uint32_t i = 0; i < image->segments_count; i++) {
        const struct segment *s = &image->segments[i];
        const struct window_row *w = window_at(m->profile->windows, s->address);
        uint64_t end = s->address - w->base + s->bytes.len;
        if (w->name == m->windows[WINDOW_ROM].name) {
            rom_bytes = end > rom_bytes ? end : rom_bytes;
        } else if (end > m->windows[WINDOW_RAM].size) {
            return fail(msg, ERR_BAD_IMAGE,
                        "%zu bytes at 0x%08x pass the end of RAM, whose file gives it %u bytes",
                        s->bytes.len, s->address, m->windows[WINDOW_RAM].size);
        }
    }
    machine_fit_window(m, WINDOW_ROM, rom_bytes);
    return 0;
}

int machine_load(struct machine *m, const struct image *image, int fd, struct msg *msg)
{
    int bad = fit_image(m, image, msg);
    if (bad) {
        return bad;
    }
    m->image = image;
    m->entry = image->entry;
    for (uint32_t i = 0; i < image->segments_count; i++) {
        const struct segment *s = &image->segments[i];
        size_t offset = image->decoded ? 0 : (size_t)(s->bytes.data - image->file.data);
        int err = is_in_ram(m, s) ? 0 : lay_out(m, s, offset, image->decoded ? -1 : fd);
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

static uint32_t ram_end(const struct machine *m)
{
    return m->windows[WINDOW_RAM].base + m->windows[WINDOW_RAM].size;
}

static void reset_devices(struct machine *m)
{
    uart_reset(&m->uart);
    m->plic = (struct plic){{0}};
    m->msip = 0;
    m->leds = 0;
    machine_update_lines(m);
}

void machine_set_console_in(struct machine *m, struct span bytes)
{
    m->console_in = bytes;
    machine_feed_uart(m);
    machine_update_lines(m);
}

void machine_feed_uart(struct machine *m)
{
    struct span *in = &m->console_in;
    if (in->len > 0) {
        size_t taken = uart_send(&m->uart, *in);
        *in = span_of(in->data + taken, in->len - taken);
    }
}

/* Registers as machine.md has them at reset: sp at the end of RAM, a0 the hart's id, a1 the device
 * tree, 0 where there is none. */
static void reset_hart(struct machine *m)
{
    hart_reset(m->hart, m->entry);
    m->hart->x[A1] = m->windows[WINDOW_DTB].base;
    m->hart->x[SP] = ram_end(m);
    m->has_begun = false;
    if (m->profile->is_bare) {
        hart_end_at_zero(m->hart, false);
    }
    for (uint32_t i = 0; m->image && i < m->image->segments_count; i++) {
        if (is_in_ram(m, &m->image->segments[i])) {
            write_segment(m, &m->image->segments[i]);
        }
    }
    reset_devices(m);
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
    m->clock.ran_ns = 0;
    machine_start_clock(m);
    reset_hart(m);
}

void machine_describe(const struct machine *m, enum halt halt, struct stop *ret_stop)
{
    const struct hart *h = m->hart;
    *ret_stop = (struct stop){
        .profile = m->config.profile,
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

/* A bare machine ends where control comes to 0, but for its first instruction, which may stand
 * there. */
static enum hart_exit run_hart(struct machine *m, uint64_t limit)
{
    if (m->profile->is_bare && !m->has_begun) {
        enum hart_exit exit = hart_run(m->hart, m->hart->cycles + 1);
        m->has_begun = true;
        hart_end_at_zero(m->hart, true);
        if (exit != HART_LIMIT) {
            return exit;
        }
    }
    return hart_run(m->hart, limit);
}

/* Runs up to `limit`; true where the run has not ended. */
static bool run_slice(struct machine *m, uint64_t limit, enum halt *ret_halt)
{
    if (!machine_take_input(m)) {
        *ret_halt = HALT_QUIT;
        return false;
    }
    enum hart_exit exit = run_hart(m, limit);
    switch (exit) {
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
        *ret_halt = m->request == REQUEST_QUIT ? HALT_QUIT : HALT_POWER_DOWN;
        return false;
    case HART_SELF_JUMP:
    case HART_WAIT:
        if (machine_await_input(m, exit)) {
            return true;
        }
        *ret_halt = m->request == REQUEST_QUIT ? HALT_QUIT : idle_halt(m);
        return false;
    case HART_DOUBLE_TRAP:
        m->hart->last_exception =
            (struct trap){m->hart->csr.mcause, m->hart->csr.mepc, m->hart->csr.mtval};
        *ret_halt = HALT_FAULT;
        return false;
    }
    check(false);
}

bool machine_advance(struct machine *m, uint64_t limit, enum halt *ret_halt)
{
    uint64_t cap = m->config.cycles_max;
    *ret_halt = HALT_CYCLES;
    return m->hart->cycles < cap && run_slice(m, limit < cap ? limit : cap, ret_halt);
}

void machine_start_clock(struct machine *m)
{
    m->clock.since_ns = os_now_ns();
}

bool machine_is_out_of_time(struct machine *m)
{
    if (m->config.time_max_ns == 0) {
        return false;
    }
    uint64_t now = os_now_ns();
    m->clock.ran_ns += now - m->clock.since_ns;
    m->clock.since_ns = now;
    return m->clock.ran_ns >= m->config.time_max_ns && m->hart->cycles < m->config.cycles_max;
}

void machine_run(struct machine *m, struct stop *ret_stop)
{
    uint64_t cap = m->config.cycles_max;
    machine_start_clock(m);
    enum halt halt = HALT_CYCLES;
    while (m->hart->cycles < cap) {
        uint64_t left = cap - m->hart->cycles;
        uint64_t limit = m->hart->cycles + (left < slice_cycles ? left : slice_cycles);
        uint64_t next = machine_input_next(m);
        limit = next > m->hart->cycles && next < limit ? next : limit;
        if (!run_slice(m, limit, &halt)) {
            break;
        }
        if (machine_is_out_of_time(m)) {
            halt = HALT_TIME;
            break;
        }
    }
    machine_describe(m, halt, ret_stop);
}

bool machine_step(struct machine *m, struct stop *ret_stop)
{
    enum halt halt;
    bool is_running = machine_advance(m, m->hart->cycles + 1, &halt);
    if (is_running && machine_is_out_of_time(m)) {
        halt = HALT_TIME;
        is_running = false;
    }
    machine_describe(m, halt, ret_stop);
    return is_running;
}

uint64_t machine_cycles_max(const struct machine *m)
{
    return m->config.cycles_max;
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
    const struct window_row *out = &m->windows[WINDOW_OUT];
    uint32_t pages = out->size / PAGE_SIZE;
    while (pages > 0 && !m->hart->dirty[out->base / PAGE_SIZE + pages - 1]) {
        pages--;
    }
    uint32_t len = pages * PAGE_SIZE;
    while (len > 0 && m->memory[out->base + len - 1] == 0) {
        len--;
    }
    return len;
}

uint32_t machine_leds(const struct machine *m)
{
    return m->leds;
}

uint32_t machine_meta_reply_len(const struct machine *m)
{
    return m->meta_reply_len;
}

const uint8_t *machine_ram_dirty(const struct machine *m)
{
    return m->hart->dirty + m->windows[WINDOW_RAM].base / PAGE_SIZE;
}

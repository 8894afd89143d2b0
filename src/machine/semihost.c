/* semihost.c - semihosting on the windows: standard input is IN, standard output is OUT */
/* SPDX-License-Identifier: MIT */
#include "machine/semihost.h"

/* Handles 0 to 2 are POSIX's and open from the start, as libraries pass descriptors straight
 * through. Handle 3 reads `:semihosting-features`; those above are files (semihost_file.c). */
enum { A0 = 10, A1 = 11, STDIN = 0, STDOUT = 1, STDERR = 2, FEATURES = GUEST_FILE_FIRST - 1 };
enum { HEAP_ALIGN = 16 };
enum { STOPPED_APPLICATION_EXIT = 0x20026 };

/* Magic, then bit 0: SYS_EXIT_EXTENDED is there, bit 1: stdout and stderr are apart. */
static const uint8_t features[] = {'S', 'H', 'F', 'B', 3};

uint32_t semihost_refuse(struct machine *m, enum guest_errno why)
{
    m->semihost_errno = why;
    return ~0u;
}

bool semihost_parameters(struct machine *m, uint32_t *words, uint32_t count)
{
    uint32_t address = m->hart->x[A1];
    if (!hart_may(m->hart, address, 4 * count, PAGE_READ)) {
        return false;
    }
    memcpy(words, m->memory + address, 4 * count);
    return true;
}

bool semihost_put(struct machine *m, uint32_t address, const void *bytes, uint32_t len)
{
    if (!hart_may(m->hart, address, len, PAGE_WRITE)) {
        return false;
    }
    memmove(m->memory + address, bytes, len);
    hart_wrote(m->hart, address, len);
    return true;
}

/* Appends to OUT as far as it has room; the number of bytes taken. */
static uint32_t append_out(struct machine *m, uint32_t address, uint32_t len)
{
    uint32_t room = OUT_SIZE - m->out_len;
    len = len < room ? len : room;
    memmove(m->memory + OUT_BASE + m->out_len, m->memory + address, len);
    hart_wrote(m->hart, OUT_BASE + m->out_len, len);
    m->out_len += len;
    m->has_out_len = true;
    return len;
}

static uint32_t write_handle(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t words[3]; /* handle, address, length */
    if (!semihost_parameters(m, words, 3) || !hart_may(m->hart, words[1], words[2], PAGE_READ)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    struct guest_file *f = semihost_file(m, words[0]);
    if (f) {
        return semihost_write_file(m, f, span_of(m->memory + words[1], words[2]), ret_bytes);
    }
    uint32_t done = words[2];
    if (words[0] == STDOUT) {
        done = append_out(m, words[1], words[2]);
    } else if (words[0] == STDERR) {
        machine_console(m, m->memory + words[1], words[2]);
    } else {
        return semihost_refuse(m, GUEST_EBADF);
    }
    *ret_bytes = done;
    return words[2] - done;
}

static uint32_t write_char(struct machine *m, uint32_t *ret_bytes)
{
    if (!hart_may(m->hart, m->hart->x[A1], 1, PAGE_READ)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    *ret_bytes = append_out(m, m->hart->x[A1], 1);
    return 0;
}

/* Finds the NUL a page at a time: a string may be as long as a window. */
bool machine_string_len(struct machine *m, uint32_t address, uint32_t *ret_len)
{
    for (uint64_t at = address; at < GiB(4) && hart_may(m->hart, (uint32_t)at, 1, PAGE_READ);) {
        uint32_t left = PAGE_SIZE - (uint32_t)at % PAGE_SIZE;
        const uint8_t *nul = memchr(m->memory + at, 0, left);
        if (nul) {
            *ret_len = (uint32_t)(nul - (m->memory + address));
            return true;
        }
        at += left;
    }
    return false;
}

static uint32_t write_string(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t len;
    if (!machine_string_len(m, m->hart->x[A1], &len)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    *ret_bytes = append_out(m, m->hart->x[A1], len);
    return 0;
}

/* What a handle reads from, and its position; false for one that cannot be read. */
static bool source_of(struct machine *m, uint32_t handle, struct span *ret_bytes, uint32_t **ret_at)
{
    if (handle == STDIN) {
        *ret_bytes = span_of(m->memory + IN_BASE, m->in_len);
        *ret_at = &m->in_at;
        return true;
    }
    if (handle == FEATURES) {
        *ret_bytes = span_of(features, sizeof features);
        *ret_at = &m->features_at;
        return true;
    }
    return false;
}

/* Answers how many bytes were not read: 0 all, as many as wanted at the end. */
static uint32_t read_handle(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t words[3]; /* handle, address, length */
    struct span source;
    uint32_t *at;
    if (!semihost_parameters(m, words, 3) || !hart_may(m->hart, words[1], words[2], PAGE_WRITE)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    struct guest_file *f = semihost_file(m, words[0]);
    if (f) {
        return semihost_read_file(m, f, span_of(m->memory + words[1], words[2]), ret_bytes);
    }
    if (!source_of(m, words[0], &source, &at)) {
        return semihost_refuse(m, GUEST_EBADF);
    }
    uint32_t left = (uint32_t)source.len - *at;
    uint32_t done = words[2] < left ? words[2] : left;
    check(semihost_put(m, words[1], source.data + *at, done));
    *at += done;
    *ret_bytes = done;
    return words[2] - done;
}

static uint32_t read_char(struct machine *m, uint32_t *ret_bytes)
{
    if (m->in_at >= m->in_len) {
        return ~0u;
    }
    *ret_bytes = 1;
    return m->memory[IN_BASE + m->in_at++];
}

static uint32_t seek_handle(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t words[2]; /* handle, position */
    struct span source;
    uint32_t *at;
    if (!semihost_parameters(m, words, 2)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    struct guest_file *f = semihost_file(m, words[0]);
    if (f) {
        f->at = words[1]; /* behind the end too, as lseek(2) has it */
        return 0;
    }
    if (!source_of(m, words[0], &source, &at)) {
        return semihost_refuse(m, GUEST_EBADF);
    }
    if (words[1] > source.len) {
        return semihost_refuse(m, GUEST_EINVAL);
    }
    *at = words[1];
    return 0;
}

/* `:tt` for reading, writing or appending is handle 0, 1 or 2; other names are the folder's. */
static uint32_t open_name(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t words[3]; /* name, mode, length */
    if (!semihost_parameters(m, words, 3) || !hart_may(m->hart, words[0], words[2], PAGE_READ)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    struct span name = span_of(m->memory + words[0], words[2]);
    if (words[1] > 11) {
        return semihost_refuse(m, GUEST_EINVAL);
    }
    if (span_equals_string(name, ":tt")) {
        return words[1] / 4;
    }
    if (span_equals_string(name, ":semihosting-features") && words[1] < 4) {
        m->features_at = 0;
        return FEATURES;
    }
    return semihost_open_file(m, name, words[1]);
}

/* SYS_SYSTEM: a guest has no command of the host's to give. */
static uint32_t refuse_command(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    return semihost_refuse(m, GUEST_EACCES);
}

/* Reads the handle that is the only parameter. */
static uint32_t handle_of(struct machine *m, uint32_t *ret_handle)
{
    if (!semihost_parameters(m, ret_handle, 1)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    bool is_open = *ret_handle <= FEATURES || semihost_file(m, *ret_handle);
    return is_open ? 0 : semihost_refuse(m, GUEST_EBADF);
}

static uint32_t close_handle(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t handle;
    uint32_t answer = handle_of(m, &handle);
    struct guest_file *f = answer ? NULL : semihost_file(m, handle);
    if (f) {
        semihost_close_file(m, f);
    }
    return answer;
}

static uint32_t is_terminal(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t handle;
    uint32_t answer = handle_of(m, &handle);
    return answer ? answer : handle == STDERR;
}

static uint32_t file_len(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t handle;
    struct span source;
    uint32_t *at;
    uint32_t answer = handle_of(m, &handle);
    if (answer) {
        return answer;
    }
    if (source_of(m, handle, &source, &at)) {
        return (uint32_t)source.len;
    }
    const struct guest_file *f = semihost_file(m, handle);
    if (f) {
        return semihost_file_len(m, f);
    }
    return handle == STDOUT ? m->out_len : 0;
}

static uint32_t is_error(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t status;
    return semihost_parameters(m, &status, 1) ? status >> 31 : semihost_refuse(m, GUEST_EFAULT);
}

static uint32_t last_errno(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    return m->semihost_errno;
}

static uint32_t clock_centiseconds(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    return (uint32_t)(hart_mtime(m->hart) / 100000);
}

static uint32_t time_seconds(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    return (uint32_t)(m->config.epoch + hart_mtime(m->hart) / 10000000);
}

static uint32_t elapsed_ticks(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint64_t ticks = hart_mtime(m->hart);
    return semihost_put(m, m->hart->x[A1], &ticks, sizeof ticks) ? 0
                                                                 : semihost_refuse(m, GUEST_EFAULT);
}

static uint32_t tick_frequency(struct machine *m, uint32_t *ret_bytes)
{
    (void)m;
    (void)ret_bytes;
    return 10000000;
}

/* The arguments, divided by blanks, into the caller's buffer {address, size}. */
static uint32_t command_line(struct machine *m, uint32_t *ret_bytes)
{
    uint32_t block = m->hart->x[A1];
    uint32_t words[2];
    struct span line = m->config.command_line;
    uint32_t len = (uint32_t)line.len;
    if (!semihost_parameters(m, words, 2) || !hart_may(m->hart, block + 4, 4, PAGE_WRITE)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    if (words[1] <= len) {
        return semihost_refuse(m, GUEST_E2BIG);
    }
    if (!hart_may(m->hart, words[0], len + 1, PAGE_WRITE)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    check(semihost_put(m, words[0], line.data, len) && semihost_put(m, words[0] + len, "", 1) &&
          semihost_put(m, block + 4, &len, sizeof len));
    *ret_bytes = len;
    return 0;
}

/* Heap and stack share RAM from the program's end to its own, where that is known; 0 leaves a field
 * to the guest's library. */
static uint32_t heap_info(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t block;
    const uint32_t end = (uint32_t)RAM_BASE + RAM_SIZE;
    uint32_t heap = m->image ? m->image->heap : 0;
    uint32_t base = (heap + HEAP_ALIGN - 1) / HEAP_ALIGN * HEAP_ALIGN;
    const uint32_t info[4] = {base, heap ? end : 0, end, base}; /* of the heap, of the stack */
    return semihost_parameters(m, &block, 1) && semihost_put(m, block, info, sizeof info)
               ? 0
               : semihost_refuse(m, GUEST_EFAULT);
}

static uint32_t exit_with(struct machine *m, uint32_t reason, uint32_t code)
{
    machine_power_down(m, reason == STOPPED_APPLICATION_EXIT ? code : 1);
    return 0;
}

static uint32_t exit_reason(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    return exit_with(m, m->hart->x[A1], 0);
}

static uint32_t exit_extended(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t words[2]; /* reason, code */
    return semihost_parameters(m, words, 2) ? exit_with(m, words[0], words[1])
                                            : semihost_refuse(m, GUEST_EFAULT);
}

enum bus_result machine_semihost(void *context, uint32_t *ret_bytes)
{
    struct machine *m = context;
    uint32_t *a0 = &m->hart->x[A0];
    switch (*a0) {
#define CALL(number, name, function, text) \
    case number:                           \
        *a0 = function(m, ret_bytes);      \
        break;
#include "machine/semihost.def"
#undef CALL
    default:
        *a0 = semihost_refuse(m, GUEST_EINVAL);
    }
    /* A call may do much work for few cycles: let the run loop look at the clock. */
    return BUS_STOP;
}

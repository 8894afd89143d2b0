/* run_files.c - the files of a run, in place of the machine's windows */
/* SPDX-License-Identifier: MIT */
#include "cmd/run_files.h"
#include "os/map.h"

#include <inttypes.h>
#include <stdlib.h>

static const uint32_t window_sizes[] = {
#define WINDOW(name, base, size, access, text) [WINDOW_##name] = (size),
#include "abi/mem.def"
#undef WINDOW
};

static int describe(const struct run_file *f, int err, const struct msg *why, struct msg *msg)
{
    return fail(msg, err, "%s %s: %s", f->label, f->path, why->text);
}

static int open_one(struct run_file *f, struct msg *msg)
{
    struct msg why;
    int err = f->is_open ? 0 : os_given_open(f->path, f->mode, &f->given, &why);
    if (err) {
        return describe(f, err, &why, msg);
    }
    uint32_t limit = window_sizes[f->window];
    /* An ELF may be larger than the window that its segments go to. */
    if (f->window != WINDOW_ROM && f->given.size > limit) {
        return fail(msg, ERR_TOO_BIG,
                    "%s %s: %" PRIu64 " bytes, at most %" PRIu32 " fit into its window", f->label,
                    f->path, f->given.size, limit);
    }
    return 0;
}

static int refuse_twice(const struct run *r, const struct run_file *last, struct msg *msg)
{
    for (const struct run_file *f = r->files; f < last; f++) {
        if (f->path && os_given_is_same(&f->given, &last->given)) {
            return fail(msg, ERR_BAD_FILE, "%s %s is the same file as %s %s: give each its own",
                        last->label, last->path, f->label, f->path);
        }
    }
    return 0;
}

static int open_all(struct run *r, struct msg *msg)
{
    for (struct run_file *f = r->files; f < r->files + RUN_ROLES; f++) {
        if (!f->path) {
            continue;
        }
        int err = open_one(f, msg);
        if (!err) {
            err = refuse_twice(r, f, msg);
        }
        if (err) {
            return err;
        }
    }
    return 0;
}

/* OUT is cleared by cutting it; both grow to their window as holes. */
static int extend(struct run_file *f, bool is_cleared, struct msg *msg)
{
    struct msg why;
    if (!f->path || !f->given.is_regular) {
        return 0;
    }
    int err = is_cleared ? os_given_resize(&f->given, 0, &why) : 0;
    if (!err) {
        err = os_given_resize(&f->given, window_sizes[f->window], &why);
    }
    return err ? describe(f, err, &why, msg) : 0;
}

/* A refused run leaves no empty files behind. */
static void remove_new(struct run *r)
{
    for (struct run_file *f = r->files; f < r->files + RUN_ROLES; f++) {
        if (f->path && f->given.is_new) {
            os_given_remove(f->path);
        }
    }
}

int run_files_open(struct run *r, struct msg *msg)
{
    int err = open_all(r, msg);
    if (err) {
        remove_new(r);
        return err;
    }
    struct run_file *ram = &r->files[RUN_RAM];
    r->is_warm = ram->path && (!ram->given.is_regular || ram->given.size > 0);
    err = extend(ram, false, msg);
    return err ? err : extend(&r->files[RUN_OUT], true, msg);
}

static int view_by_map(struct run *r, struct run_file *f, struct msg *msg)
{
    size_t size = (size_t)f->given.size;
    void *base;
    int err = os_reserve(size, &base);
    if (!err) {
        err = os_map_file(base, size, f->given.fd, 0, OS_READ | OS_SHARED);
    }
    if (err) {
        return fail(msg, err, "%s %s cannot be mapped", f->label, f->path);
    }
    f->base = base;
    f->size = size;
    r->rom_view = base;
    r->rom_len = size;
    return 0;
}

static int view_by_read(struct run *r, struct run_file *f, struct msg *msg)
{
    /* ELF headers and symbols come on top of what the windows hold. */
    size_t limit = 4 * (size_t)window_sizes[WINDOW_ROM];
    struct msg why;
    uint8_t *bytes = malloc(limit);
    if (!bytes) {
        return fail(msg, ERR_NO_MEMORY, "%s %s: no memory for %zu bytes", f->label, f->path, limit);
    }
    r->rom_copy = bytes;
    r->rom_view = bytes;
    int err = os_given_read(&f->given, bytes, limit, &r->rom_len, &why);
    return err ? describe(f, err, &why, msg) : 0;
}

int run_files_view_rom(struct run *r, struct msg *msg)
{
    struct run_file *f = &r->files[RUN_ROM];
    if (f->given.is_regular && f->given.size > 0) {
        return view_by_map(r, f, msg);
    }
    return view_by_read(r, f, msg);
}

int run_files_rom_fd(const struct run *r)
{
    return r->rom_copy ? -1 : r->files[RUN_ROM].given.fd;
}

static int map_one(struct run *r, struct run_file *f, uint32_t *ret_len, struct msg *msg)
{
    uint8_t *window = machine_window(r->machine, f->window);
    size_t size = window_sizes[f->window];
    struct msg why = {{0}};
    if (!f->given.is_regular) {
        size_t len;
        int err = os_given_read(&f->given, window, size, &len, &why);
        *ret_len = err ? 0 : (uint32_t)len;
        return err ? describe(f, err, &why, msg) : 0;
    }
    *ret_len = (uint32_t)f->given.size;
    bool is_in_place = f->mode != OS_GIVEN_READ;
    uint64_t mapped = is_in_place ? size : f->given.size;
    if (mapped == 0) {
        return 0;
    }
    const struct window_file file = {f->given.fd, mapped,
                                     is_in_place ? MAP_IN_PLACE : MAP_PRIVATE_COPY};
    int err = machine_map_file(r->machine, f->window, &file, &why);
    f->base = window;
    f->size = size;
    return err ? describe(f, err, &why, msg) : 0;
}

/* A file that fills IN whole may be a padded one: its length is where its zeros begin. */
static uint32_t trimmed(const struct run *r, uint32_t len)
{
    if (len < window_sizes[WINDOW_IN]) {
        return len;
    }
    const uint8_t *in = machine_window(r->machine, WINDOW_IN);
    while (len && in[len - 1] == 0) {
        len--;
    }
    return len;
}

int run_files_map(struct run *r, uint32_t *ret_in_len, struct msg *msg)
{
    uint32_t len = 0;
    *ret_in_len = 0;
    for (struct run_file *f = &r->files[RUN_RAM]; f < r->files + RUN_ROLES; f++) {
        bool is_sent_later = f->window == WINDOW_OUT && !f->given.is_regular;
        if (!f->path || is_sent_later) {
            continue;
        }
        int err = map_one(r, f, &len, msg);
        if (err) {
            return err;
        }
        if (f->window == WINDOW_IN) {
            *ret_in_len = trimmed(r, len);
        }
    }
    return 0;
}

int run_files_send_out(struct run *r, struct msg *msg)
{
    const struct run_file *f = &r->files[RUN_OUT];
    struct os_given given = f->given;
    struct msg why;
    if (r->is_out_to_stdout) {
        given.fd = 1;
    } else if (!f->path || f->given.is_regular) {
        return 0;
    }
    struct span out = span_of(machine_window(r->machine, WINDOW_OUT), machine_out_len(r->machine));
    int err = os_given_write(&given, out, &why);
    return err ? fail(msg, err, "OUT %s: %s", f->path ? f->path : "(standard output)", why.text)
               : 0;
}

/* Is this byte of the host's memory one of the file's, and which? Parts of the ROM lie in its
 * window too. */
static bool is_of_file(const struct run *r, const struct run_file *f, const uint8_t *at,
                       uint64_t *ret_offset)
{
    if (f->base && at >= f->base && at < f->base + f->size) {
        *ret_offset = (uint64_t)(at - f->base);
        return true;
    }
    for (uint32_t i = 0; f->window == WINDOW_ROM && i < r->image.segments_count; i++) {
        const struct segment *s = &r->image.segments[i];
        const uint8_t *place = machine_window(r->machine, WINDOW_ROM) + (s->address - ROM_BASE);
        if (at >= place && at < place + s->bytes.len) {
            *ret_offset = (uint64_t)(s->bytes.data - r->rom_view) + (uint64_t)(at - place);
            return true;
        }
    }
    return false;
}

int run_files_lost(const struct run *r, const void *address, struct msg *msg)
{
    for (const struct run_file *f = r->files; f < r->files + RUN_ROLES; f++) {
        uint64_t size = 0;
        uint64_t offset = 0;
        if (!is_of_file(r, f, address, &offset)) {
            continue;
        }
        if (os_given_size_now(&f->given, &size) == 0 && offset >= size) {
            return fail(msg, ERR_IO,
                        "%s %s was cut to %" PRIu64 " bytes during the run, which needs its byte "
                        "%" PRIu64 ": start again with whole files",
                        f->label, f->path, size, offset);
        }
        return fail(msg, ERR_FULL,
                    "%s %s: the disk has no room (or cannot be read) at its byte %" PRIu64
                    ": make room and start again",
                    f->label, f->path, offset);
    }
    return fail(msg, ERR_IO, "memory at %p went away during the run", address);
}

void run_files_close(struct run *r)
{
    for (struct run_file *f = r->files; f < r->files + RUN_ROLES; f++) {
        if (f->path) {
            os_given_close(&f->given);
        }
    }
    free(r->rom_copy);
}

/* run_files.c - the files of a run, in place of the machine's windows */
/* SPDX-License-Identifier: MIT */
#include "cmd/run_files.h"

#include "base/limits.h"
#include "os/map.h"

#include <inttypes.h>
#include <stdlib.h>

/* The most that a window takes, and how large it is once its file is known. */
static uint32_t size_max(const struct run *r, enum window window)
{
    return machine_profile(r->profile)->windows[window].size;
}

static uint32_t size_of(const struct run *r, enum window window)
{
    return machine_windows(r->machine)[window].size;
}

static bool is_window(const struct run *r, const struct run_file *f)
{
    return f < r->files + RUN_WINDOWS;
}

/* A text's name is a word of the command line like any other, so its failure is wrong usage. */
static int describe(const struct run_file *f, int err, const struct msg *why, struct msg *msg)
{
    return fail(msg, f->mode == OS_GIVEN_TEXT ? ERR_USAGE : err, "%s %s: %s", f->label, f->path,
                why->text);
}

static int open_one(const struct run *r, struct run_file *f, struct msg *msg)
{
    struct msg why;
    int err = f->is_open ? 0 : os_given_open(f->path, f->mode, &f->given, &why);
    if (err) {
        return describe(f, err, &why, msg);
    }
    if (is_window(r, f) && f->window == WINDOW_ROM && f->given.size > IMAGE_BYTES_MAX) {
        return fail(msg, ERR_TOO_BIG,
                    "%s %s: %" PRIu64 " bytes; an image of any format has at most %" PRIu64,
                    f->label, f->path, f->given.size, IMAGE_BYTES_MAX);
    }
    uint32_t limit = is_window(r, f) ? size_max(r, f->window) : 0;
    if (is_window(r, f) && f->window != WINDOW_ROM && f->given.size > limit) {
        return fail(msg, ERR_TOO_BIG,
                    "%s %s: %" PRIu64 " bytes, at most %" PRIu32 " fit into its window", f->label,
                    f->path, f->given.size, limit);
    }
    return 0;
}

/* Two readers do not disturb each other, so a program may read its own source. */
static bool is_clash(const struct run *r, const struct run_file *a, const struct run_file *b)
{
    bool is_written = a->mode != OS_GIVEN_READ || b->mode != OS_GIVEN_READ;
    return a->path && b->path && (is_written || (is_window(r, a) && is_window(r, b))) &&
           os_given_is_same(&a->given, &b->given);
}

static int refuse_twice(const struct run *r, struct msg *msg)
{
    for (const struct run_file *last = r->files; last < r->files + RUN_ROLES; last++) {
        for (const struct run_file *f = r->files; f < last; f++) {
            if (is_clash(r, f, last)) {
                return fail(msg, ERR_BAD_FILE,
                            "%s %.120s is the same file as %s %.120s: give each its own",
                            last->label, last->path, f->label, f->path);
            }
        }
    }
    return 0;
}

/* `--trace=/dev/stderr 2>FILE` is standard error, not FILE opened once more over it. */
static void share_stderr(struct run *r)
{
    struct os_given standard;
    if (os_given_adopt(2, &standard, NULL)) {
        return;
    }
    for (struct run_file *f = r->files + RUN_WINDOWS; f < r->files + RUN_TEXTS; f++) {
        if (f->path && os_given_is_same(&f->given, &standard)) {
            os_given_close(&f->given);
            f->path = NULL;
            f->stream = stderr;
        }
    }
}

int run_files_open(struct run *r, struct msg *msg)
{
    for (struct run_file *f = r->files; f < r->files + RUN_ROLES; f++) {
        int err = f->path ? open_one(r, f, msg) : 0;
        if (err) {
            return err;
        }
    }
    share_stderr(r);
    return refuse_twice(r, msg);
}

/* The bytes of a file as a whole, mapped; false where that cannot be. */
static bool is_viewed_by_map(struct run_file *f, struct span *ret_view)
{
    size_t size = (size_t)f->given.size;
    void *base;
    if (size == 0 || os_reserve(size, &base)) {
        return false;
    }
    if (os_map_file(base, size, f->given.fd, 0, OS_READ | OS_SHARED)) {
        os_unmap(base, size);
        return false;
    }
    f->base = base;
    f->size = size;
    *ret_view = span_of(base, size);
    return true;
}

/* The same by reading, at most `limit`, to memory of our own. */
static int view_by_read(struct run_file *f, size_t limit, struct span *ret_view, uint8_t **ret_copy,
                        struct msg *msg)
{
    struct msg why;
    size_t len = 0;
    uint8_t *bytes = malloc(limit);
    if (!bytes) {
        return fail(msg, ERR_NO_MEMORY, "%s %s: no memory for %zu bytes", f->label, f->path, limit);
    }
    *ret_copy = bytes;
    int err = os_given_read(&f->given, bytes, limit, &len, &why);
    *ret_view = span_of(bytes, len);
    return err ? describe(f, err, &why, msg) : 0;
}

int run_files_view_rom(struct run *r, struct msg *msg)
{
    struct run_file *f = &r->files[RUN_ROM];
    struct span view = span_of(NULL, 0);
    int err =
        is_viewed_by_map(f, &view) ? 0 : view_by_read(f, IMAGE_BYTES_MAX, &view, &r->rom_copy, msg);
    r->rom_view = view.data;
    r->rom_len = view.len;
    return err;
}

int run_files_view(struct run *r, enum run_role role, struct msg *msg)
{
    struct run_file *f = &r->files[role];
    return !f->path || is_viewed_by_map(f, &f->view)
               ? 0
               : view_by_read(f, RUN_VIEW_MAX, &f->view, &f->copy, msg);
}

int run_files_rom_fd(const struct run *r)
{
    return r->rom_copy ? -1 : r->files[RUN_ROM].given.fd;
}

static int read_one(struct run *r, struct run_file *f, uint32_t *ret_len, struct msg *msg)
{
    struct msg why = {{0}};
    size_t len = 0;
    int err = os_given_read(&f->given, machine_window(r->machine, f->window),
                            size_max(r, f->window), &len, &why);
    machine_fit_window(r->machine, f->window, len);
    *ret_len = (uint32_t)len;
    return err ? describe(f, err, &why, msg) : 0;
}

static int map_one(struct run *r, struct run_file *f, const struct window_file *file,
                   struct msg *msg)
{
    int err = machine_map_file(r->machine, f->window, file, msg);
    if (!err) {
        f->base = machine_window(r->machine, f->window);
        f->size = size_of(r, f->window);
    }
    return err;
}

/* What cannot be mapped is read: pipes, devices, and files of the kernel, which call themselves
 * regular and empty (/proc) or do not map (/sys). */
static int take_in(struct run *r, struct run_file *f, uint32_t *ret_len, struct msg *msg)
{
    const struct window_file file = {f->given.fd, f->given.size, MAP_PRIVATE_COPY};
    if (f->given.size > 0 && map_one(r, f, &file, NULL) == 0) {
        *ret_len = (uint32_t)f->given.size;
        return 0;
    }
    return read_one(r, f, ret_len, msg);
}

/* A file that fills IN whole may be a padded one: its length is where its zeros begin. */
static uint32_t trimmed(const struct run *r, uint32_t len)
{
    if (len < size_of(r, WINDOW_IN)) {
        return len;
    }
    const uint8_t *in = machine_window(r->machine, WINDOW_IN);
    while (len && in[len - 1] == 0) {
        len--;
    }
    return len;
}

int run_files_take_inputs(struct run *r, uint32_t *ret_in_len, struct msg *msg)
{
    struct run_file *ram = &r->files[RUN_RAM];
    uint32_t ram_len = (uint32_t)ram->given.size;
    uint32_t in_len = 0;
    int err = 0;
    for (struct run_file *f = ram; f < r->files + RUN_WINDOWS; f++) {
        machine_fit_window(r->machine, f->window, f->path ? f->given.size : 0);
    }
    if (ram->path && !ram->given.is_regular && !ram->given.is_missing) {
        err = read_one(r, ram, &ram_len, msg);
    }
    err = err ? err : take_in(r, &r->files[RUN_IN], &in_len, msg);
    if (err) {
        return err;
    }
    r->is_warm = ram->path && ram_len > 0;
    *ret_in_len = trimmed(r, in_len);
    return 0;
}

/* ---- making and changing */

static int create_missing(struct run *r, struct msg *msg)
{
    for (struct run_file *f = r->files; f < r->files + RUN_ROLES; f++) {
        struct msg why;
        int err =
            f->path && f->given.is_missing ? os_given_create(f->path, f->mode, &f->given, &why) : 0;
        if (err) {
            return describe(f, err, &why, msg);
        }
    }
    return refuse_twice(r, msg); /* two links to one missing file were not seen to be one */
}

/* Grows to the window's size as a hole, and stands in its place from then on. */
static int place(struct run *r, struct run_file *f, struct msg *msg)
{
    uint32_t size = size_of(r, f->window);
    struct msg why;
    if (!f->path || !f->given.is_regular) {
        return 0;
    }
    const struct window_file file = {f->given.fd, size, MAP_IN_PLACE};
    int err = os_given_resize(&f->given, size, &why);
    err = err ? err : map_one(r, f, &file, &why);
    return err ? describe(f, err, &why, msg) : 0;
}

static int open_stream(struct run_file *f, struct msg *msg)
{
    f->stream = fdopen(f->given.fd, "w");
    return f->stream ? 0 : fail(msg, ERR_NO_MEMORY, "%s %s: out of memory", f->label, f->path);
}

static int open_streams(struct run *r, struct msg *msg)
{
    int err = 0;
    for (struct run_file *f = r->files + RUN_WINDOWS; f < r->files + RUN_TEXTS && !err; f++) {
        err = f->path ? open_stream(f, msg) : 0;
    }
    return err;
}

/* OUT and the texts, by cutting them; OUT then is a hole of its window's size. */
static int clear(const struct run *r, struct run_file *f, struct msg *msg)
{
    struct msg why;
    if (!f->path || !f->given.is_regular) {
        return 0;
    }
    int err = os_given_resize(&f->given, 0, &why);
    if (!err && f->mode == OS_GIVEN_OUTPUT) {
        err = os_given_resize(&f->given, size_of(r, f->window), &why);
    }
    return err ? describe(f, err, &why, msg) : 0;
}

/* Sizes and names as they were; nothing was written yet. */
static void undo(struct run *r)
{
    for (struct run_file *f = r->files; f < r->files + RUN_ROLES; f++) {
        if (f->path && f->given.is_new) {
            os_given_remove(f->path);
        } else if (f->path && f->given.is_regular && is_window(r, f) && f->mode != OS_GIVEN_READ) {
            UNUSED int as_far_as_it_goes = os_given_resize(&f->given, f->given.size, NULL);
        }
    }
}

int run_files_make(struct run *r, struct msg *msg)
{
    int err = create_missing(r, msg);
    err = err ? err : place(r, &r->files[RUN_RAM], msg);
    err = err ? err : place(r, &r->files[RUN_OUT], msg);
    err = err ? err : open_streams(r, msg);
    if (err) {
        undo(r);
        return err;
    }
    for (struct run_file *f = r->files + RUN_OUT; f < r->files + RUN_TEXTS && !err; f++) {
        err = clear(r, f, msg);
    }
    return err;
}

int run_files_send_out(struct run *r, struct msg *msg)
{
    const struct run_file *f = &r->files[r->is_out_to_stdout ? RUN_STDOUT : RUN_OUT];
    struct msg why;
    if (!r->is_out_to_stdout && (!f->path || f->given.is_regular)) {
        return 0;
    }
    struct span out = span_of(machine_window(r->machine, WINDOW_OUT), machine_out_len(r->machine));
    int err = os_given_write(&f->given, out, &why);
    return err ? fail(msg, err, "OUT %s: %s", f->path, why.text) : 0;
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
    bool has_parts = f == &r->files[RUN_ROM] && !r->image.decoded;
    for (uint32_t i = 0; has_parts && i < r->image.segments_count; i++) {
        const struct segment *s = &r->image.segments[i];
        const uint8_t *place = machine_window(r->machine, WINDOW_ROM) +
                               (s->address - machine_windows(r->machine)[WINDOW_ROM].base);
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
        if (f->path && !f->stream) { /* a stream has closed it, or is about to at exit */
            os_given_close(&f->given);
        }
        free(f->copy);
    }
    free(r->rom_copy);
}

/* delta.c - write the next version of a RAM image: the base's pages and the dirty ones over them */
/* SPDX-License-Identifier: MIT */
#include "store/internal.h"

static bool is_dirty(const struct delta *delta, uint64_t page)
{
    if (page >= (delta->pages_size + PAGE_SIZE - 1) / PAGE_SIZE) {
        return false;
    }
    return !delta->dirty || delta->dirty[page];
}

/* How many bytes are left when the zeros at the end are cut. */
static size_t trimmed_len(const uint8_t *bytes, size_t len)
{
    while (len > 0 && bytes[len - 1] == 0) {
        len--;
    }
    return len;
}

/* Copies what of [start, end) no dirty page replaces. */
static int copy_clean(const struct delta *delta, int out, uint64_t start, uint64_t end)
{
    while (start < end) {
        bool is_kept = !is_dirty(delta, start / PAGE_SIZE);
        uint64_t stop = start;
        while (stop < end && is_dirty(delta, stop / PAGE_SIZE) != is_kept) {
            stop = (stop / PAGE_SIZE + 1) * PAGE_SIZE;
        }
        stop = stop < end ? stop : end;
        int err = is_kept ? os_file_copy(delta->base_fd, out, start, stop - start) : 0;
        if (err) {
            return err;
        }
        start = stop;
    }
    return 0;
}

/* Holes of the base stay holes. */
static int copy_base(const struct delta *delta, int out)
{
    for (uint64_t at = 0; at < delta->base_size;) {
        bool found;
        uint64_t start, end;
        int err = os_file_data(delta->base_fd, at, &found, &start, &end);
        if (err) {
            return err;
        }
        if (!found || start >= delta->base_size) {
            break;
        }
        end = end < delta->base_size ? end : delta->base_size;
        err = copy_clean(delta, out, start, end);
        if (err) {
            return err;
        }
        at = end;
    }
    return 0;
}

/* The pages may be a guest's to change while we read, so all that is known of them comes from the
 * one copy made here. */
static int copy_dirty(const struct delta *delta, int out, uint64_t *ret_end)
{
    uint8_t bytes[PAGE_SIZE];
    uint64_t image_end = 0;
    for (uint64_t at = 0; at < delta->pages_size; at += PAGE_SIZE) {
        if (!is_dirty(delta, at / PAGE_SIZE)) {
            continue;
        }
        uint64_t left = delta->pages_size - at;
        size_t size = left < PAGE_SIZE ? (size_t)left : PAGE_SIZE;
        size_t got;
        int err = os_file_read(delta->pages_fd, bytes, size, at, &got);
        if (err == 0 && got < size) {
            err = ERR_ARGUMENT;
        }
        size_t len = err == 0 ? trimmed_len(bytes, size) : 0;
        if (len > 0) {
            err = os_file_write(out, bytes, len, at);
            image_end = at + len;
        }
        if (err) {
            return err;
        }
    }
    *ret_end = image_end;
    return 0;
}

/* The end of what the base keeps, looked for from its end down to `floor`. */
static int find_base_end(const struct delta *delta, uint64_t floor, uint64_t *ret_end)
{
    uint8_t bytes[PAGE_SIZE];
    uint64_t end = delta->base_size;
    while (end > floor) {
        uint64_t at = (end - 1) / PAGE_SIZE * PAGE_SIZE;
        size_t size = (size_t)(end - at);
        size_t len = 0;
        if (!is_dirty(delta, at / PAGE_SIZE)) {
            int err = os_file_read(delta->base_fd, bytes, size, at, &len);
            if (err) {
                return err;
            }
            len = trimmed_len(bytes, len);
        }
        if (len > 0) {
            *ret_end = at + len;
            return 0;
        }
        end = at;
    }
    *ret_end = floor;
    return 0;
}

int delta_write(const struct delta *delta, int out, uint64_t *ret_size)
{
    uint64_t dirty_end = 0;
    uint64_t size = 0;
    int err = delta->base_fd >= 0 ? copy_base(delta, out) : 0;
    if (err == 0) {
        err = copy_dirty(delta, out, &dirty_end);
    }
    if (err == 0) {
        err = find_base_end(delta, dirty_end, &size);
    }
    if (err == 0) {
        err = os_file_truncate(out, size);
    }
    if (err == 0) {
        err = os_file_sync(out);
    }
    if (err == 0) {
        *ret_size = size;
    }
    return err;
}

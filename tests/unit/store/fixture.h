/* fixture.h - a store in a directory of its own, and memfds to feed it */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

struct fixture {
    char path[64];
    struct store *store;
    struct store_report report;
    struct msg msg;
};

static inline void fixture_open(struct fixture *f)
{
    const struct store_options options = {.path = f->path};
    assert_int_equal(store_open(&options, &f->store, &f->report, &f->msg), 0);
}

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.path = "/tmp/mote-store-XXXXXX"};
    assert_non_null(mkdtemp(f->path));
    fixture_open(f);
}

static inline void fixture_reopen(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
    fixture_open(f);
}

static inline int fixture_drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void fixture_deinit(struct fixture *f)
{
    store_close(f->store);
    assert_int_equal(nftw(f->path, fixture_drop, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
}

static inline int memfd_of(const void *bytes, size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
    return fd;
}

static inline struct id fresh_id(void)
{
    struct id id;
    assert_int_equal(store_make_id(&id), 0);
    return id;
}

/* Opens a file of the store for a test to look at or to damage. */
static inline int fixture_file(const struct fixture *f, const char *dir, const struct id *id,
                               const char *suffix, int flags)
{
    char text[ID_TEXT_LEN + 1], path[192];
    id_format(id, text);
    snprintf(path, sizeof path, "%s/%s/%s%s", f->path, dir, text, suffix);
    return open(path, flags | O_CLOEXEC, 0600);
}

static inline bool fixture_has(const struct fixture *f, const char *dir, const struct id *id,
                               const char *suffix)
{
    int fd = fixture_file(f, dir, id, suffix, O_RDONLY);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static inline int put_ram(struct fixture *f, const struct id *id, const char *text,
                          struct ram_info *ret_info)
{
    int fd = memfd_of(text, strlen(text));
    struct ram_put put = {.id = *id, .fd = fd, .size = strlen(text), .now_ms = 1000};
    int err = ram_put(f->store, &put, ret_info, &f->msg);
    close(fd);
    return err;
}

static inline int put_rom(struct fixture *f, const struct id *id, const char *text,
                          struct rom_info *ret_rom)
{
    int fd = memfd_of(text, strlen(text));
    struct blob_put put = {
        .id = *id, .fd = fd, .size = strlen(text), .format = "raw", .now_ms = 1000};
    int err = blob_put(f->store, &put, ret_rom, &f->msg);
    close(fd);
    return err;
}

/* What the session holds, as text. */
static inline void assert_ram(struct fixture *f, const struct id *id, const char *text)
{
    struct ram_lease lease;
    char bytes[256] = {0};
    assert_int_equal(ram_load(f->store, id, &lease, &f->msg), 0);
    assert_int_equal(lease.info.size, strlen(text));
    assert_int_equal(pread(lease.fd, bytes, sizeof bytes - 1, 0), (ssize_t)strlen(text));
    assert_string_equal(bytes, text);
    ram_release(f->store, &lease);
}

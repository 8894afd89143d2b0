/* thread_test.c - many threads at one store: no update is lost, no bytes vanish */
/* SPDX-License-Identifier: MIT */
#include "fixture.h"
#include "os/thread.h"

enum { THREADS_COUNT = 4, ROUNDS_COUNT = 25 };

struct worker {
    struct store *store;
    struct id shared;  /* a session that all count up */
    struct id own_rom; /* all put, get and remove the same bytes under their own id */
    int failures;
};

/* Adds one to the shared session's first bytes, as a node does: load, commit, again on CONFLICT. */
static int add_one(struct worker *w)
{
    for (int err = ERR_CONFLICT; err == ERR_CONFLICT;) {
        struct ram_lease base;
        uint32_t page[PAGE_SIZE / sizeof(uint32_t)] = {0};
        static const uint8_t dirty[1] = {1};
        struct ram_info info;
        if (ram_load(w->store, &w->shared, &base, NULL)) {
            return 1;
        }
        bool is_bad = pread(base.fd, page, sizeof page, 0) < 0;
        page[0]++;
        int fd = memfd_create("page", MFD_CLOEXEC);
        is_bad = is_bad || pwrite(fd, page, sizeof page, 0) != sizeof page;
        const struct ram_commit commit = {.id = w->shared,
                                          .base = &base,
                                          .rom = w->own_rom,
                                          .pages_fd = fd,
                                          .dirty = dirty,
                                          .pages_count = 1};
        err = ram_commit(w->store, &commit, &info, NULL);
        ram_release(w->store, &base);
        close(fd);
        if (is_bad || (err && err != ERR_CONFLICT)) {
            return 1;
        }
    }
    return 0;
}

static int put_and_remove(struct worker *w)
{
    struct rom_info rom;
    struct blob_lease lease;
    int fd = memfd_create("rom", MFD_CLOEXEC);
    int bad = pwrite(fd, "same", 4, 0) != 4;
    const struct blob_put put = {.id = w->own_rom, .fd = fd, .size = 4, .format = "raw"};
    bad += blob_put(w->store, &put, &rom, NULL) != 1;
    close(fd);
    if (blob_get(w->store, &w->own_rom, &lease, NULL) == 0) {
        char bytes[4] = "";
        bad += pread(lease.fd, bytes, 4, 0) != 4 || memcmp(bytes, "same", 4) != 0;
        bad += blob_remove(w->store, &w->own_rom, NULL, NULL) != 0;
        blob_release(w->store, &lease);
    } else {
        bad++;
    }
    return bad;
}

static void work(void *context)
{
    struct worker *w = context;
    for (int i = 0; i < ROUNDS_COUNT; i++) {
        w->failures += add_one(w);
        w->failures += put_and_remove(w);
    }
}

TEST(threads, lose_no_update_and_no_bytes)
{
    struct fixture f;
    fixture_init(&f);
    struct id shared = fresh_id();
    struct ram_info info;
    struct worker workers[THREADS_COUNT];
    struct os_thread *threads[THREADS_COUNT];
    assert_int_equal(put_ram(&f, &shared, "", &info), 1);
    for (int i = 0; i < THREADS_COUNT; i++) {
        workers[i] = (struct worker){.store = f.store, .shared = shared, .own_rom = fresh_id()};
        assert_int_equal(os_thread_start(work, &workers[i], &threads[i]), 0);
    }
    for (int i = 0; i < THREADS_COUNT; i++) {
        os_thread_join(threads[i]);
        assert_int_equal(workers[i].failures, 0);
    }
    struct ram_lease lease;
    uint32_t sum = 0;
    assert_int_equal(ram_load(f.store, &shared, &lease, &f.msg), 0);
    assert_true(pread(lease.fd, &sum, sizeof sum, 0) > 0);
    assert_int_equal(sum, THREADS_COUNT * ROUNDS_COUNT);
    assert_int_equal(lease.info.version.count, THREADS_COUNT * ROUNDS_COUNT + 1);
    ram_release(f.store, &lease);
    fixture_reopen(&f);
    assert_int_equal(f.report.dropped_count, 0);
    fixture_deinit(&f);
}

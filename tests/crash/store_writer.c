/* store_writer.c - commits self-checking content for ever, telling each; checks it after a kill */
/* SPDX-License-Identifier: MIT */
/* usage: store_writer write DIR     prints `SESSION COUNT` for each commit that was acknowledged
 *        store_writer check DIR     prints `SESSION COUNT` for each session; 1 where one is half
 * Used by test_store_kill.py. Every page of a session's RAM holds its count. */
#include "store/store.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SESSIONS_COUNT = 4, PAGES_COUNT = 8 };

static struct id session_id(int index)
{
    uint8_t bytes[16] = {(uint8_t)(index + 1)};
    return id_from_random(bytes);
}

static int complain(const char *what, int err, const struct msg *msg)
{
    fprintf(stderr, "store_writer: %s: error %d: %s\n", what, err, msg->text);
    return 1;
}

/* The count that all pages hold; 0 for a session that is not there; negative: half of one. */
static int64_t read_count(struct store *store, int index, struct ram_lease *lease, struct msg *msg)
{
    struct id id = session_id(index);
    uint64_t page[PAGE_SIZE / sizeof(uint64_t)], first = 0;
    int err = ram_load(store, &id, lease, msg);
    if (err) {
        *lease = (struct ram_lease){.fd = -1};
        return err == ERR_NOT_FOUND ? 0 : err;
    }
    for (int i = 0; i < PAGES_COUNT; i++) {
        page[0] = 0; /* the image ends at its last non-zero byte */
        ssize_t n = pread(lease->fd, page, sizeof page, (off_t)i * PAGE_SIZE);
        first = i == 0 ? page[0] : first;
        if (n <= 0 || page[0] != first) {
            return fail(msg, ERR_CORRUPT, "page %d differs", i);
        }
    }
    return lease->info.version.count == first ? (int64_t)first
                                              : fail(msg, ERR_CORRUPT, "version is not content");
}

static int commit_one(struct store *store, int index, struct msg *msg)
{
    static const uint8_t dirty[PAGES_COUNT] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct ram_lease base;
    int64_t count = read_count(store, index, &base, msg);
    if (count < 0) {
        return complain("read", (int)count, msg);
    }
    uint64_t page[PAGE_SIZE / sizeof(uint64_t)] = {(uint64_t)count + 1};
    int fd = memfd_create("pages", MFD_CLOEXEC);
    for (int i = 0; i < PAGES_COUNT; i++) {
        if (pwrite(fd, page, sizeof page, (off_t)i * PAGE_SIZE) != sizeof page) {
            return complain("memfd", ERR_IO, msg);
        }
    }
    struct ram_info info;
    struct ram_commit commit = {.id = session_id(index),
                                .base = count ? &base : NULL,
                                .rom = session_id(index),
                                .pages_fd = fd,
                                .dirty = dirty,
                                .pages_count = PAGES_COUNT};
    int err = ram_commit(store, &commit, &info, msg);
    ram_release(store, &base);
    close(fd);
    if (err) {
        return complain("commit", err, msg);
    }
    printf("%d %lld\n", index, (long long)info.version.count);
    fflush(stdout);
    return 0;
}

static int check_all(struct store *store, struct msg *msg)
{
    for (int i = 0; i < SESSIONS_COUNT; i++) {
        struct ram_lease lease;
        int64_t count = read_count(store, i, &lease, msg);
        ram_release(store, &lease);
        if (count < 0) {
            return complain("check", (int)count, msg);
        }
        printf("%d %lld\n", i, (long long)count);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct msg msg = {""};
    struct store *store;
    if (argc != 3) {
        fprintf(stderr, "usage: store_writer write|check DIR\n");
        return 2;
    }
    const struct store_options options = {.path = argv[2]};
    int err = store_open(&options, &store, NULL, &msg);
    if (err) {
        return complain("open", err, &msg);
    }
    if (strcmp(argv[1], "check") == 0) {
        err = check_all(store, &msg);
    } else {
        for (int i = 0; err == 0; i = (i + 1) % SESSIONS_COUNT) {
            err = commit_one(store, i, &msg);
        }
    }
    store_close(store);
    return err;
}

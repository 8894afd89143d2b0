/* table.h - the things that a store knows, by key, each claimed by at most one writer */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: table_init -> table_insert, table_claim, table_unclaim -> table_deinit. All tables of
 * a store share its lock, which the caller holds for every call here. Entries stay where they are
 * until table_unclaim finds them gone, so a claimed entry's address is stable. */
#include "base/err.h"
#include "os/thread.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_SIZE = 32 }; /* a SHA-256, or an id and zeros */

struct slot {
    struct slot *next;
    uint8_t key[KEY_SIZE];
    bool is_busy; /* a writer is at work on it; only that one may change the entry's content */
    bool exists;  /* false from its making until its first write is durable, and once removed */
    bool is_corrupt;
};

struct table {
    struct slot **buckets; /* owned, with all entries */
    size_t buckets_count;  /* a power of two */
    size_t entry_size;     /* of the struct that starts with a slot */
    uint32_t count;
    uint32_t max;
    uint64_t seed; /* so that nobody who picks ids can pick a bucket */
};

MUST_CHECK int table_init(struct table *table, size_t entry_size, uint32_t max, uint64_t seed);
/* Accepts a zeroed table. */
void table_deinit(struct table *table);
/* NULL where there is none. */
struct slot *table_find(const struct table *table, const uint8_t key[KEY_SIZE]);
/* A zeroed entry for a key that has none, whatever `max` says; NULL without memory. */
struct slot *table_insert(struct table *table, const uint8_t key[KEY_SIZE]);
/* Waits until nobody else works on the key's entry, then marks it as the caller's. Where there is
 * none: ERR_NOT_FOUND, or with `make` a new one that does not exist yet (ERR_QUOTA over `max`). */
MUST_CHECK int table_claim(struct table *table, struct os_monitor *lock,
                           const uint8_t key[KEY_SIZE], bool make, struct slot **ret_slot);
/* Ends a claim, frees the entry unless it exists, and wakes who waits. */
void table_unclaim(struct table *table, struct os_monitor *lock, struct slot *slot);

/* table.c - a chained hash table of fixed width whose entries can be claimed */
/* SPDX-License-Identifier: MIT */
#include "store/table.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MAX = 1 << 17 };

static struct slot **bucket_of(const struct table *table, const uint8_t key[KEY_SIZE])
{
    uint64_t hash = table->seed;
    for (size_t at = 0; at < KEY_SIZE; at += sizeof hash) {
        uint64_t word;
        memcpy(&word, key + at, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return &table->buckets[hash & (table->buckets_count - 1)];
}

int table_init(struct table *table, size_t entry_size, uint32_t max, uint64_t seed)
{
    size_t buckets_count = 64;
    while (buckets_count < max && buckets_count < BUCKETS_MAX) {
        buckets_count *= 2;
    }
    *table = (struct table){
        .buckets = calloc(buckets_count, sizeof(struct slot *)),
        .buckets_count = buckets_count,
        .entry_size = entry_size,
        .max = max,
        .seed = seed,
    };
    return table->buckets ? 0 : ERR_NO_MEMORY;
}

void table_deinit(struct table *table)
{
    for (size_t i = 0; table->buckets && i < table->buckets_count; i++) {
        struct slot *slot = table->buckets[i];
        while (slot) {
            struct slot *next = slot->next;
            free(slot);
            slot = next;
        }
    }
    free(table->buckets);
    *table = (struct table){0};
}

struct slot *table_find(const struct table *table, const uint8_t key[KEY_SIZE])
{
    struct slot *slot = *bucket_of(table, key);
    while (slot && memcmp(slot->key, key, KEY_SIZE) != 0) {
        slot = slot->next;
    }
    return slot;
}

struct slot *table_insert(struct table *table, const uint8_t key[KEY_SIZE])
{
    struct slot *slot = calloc(1, table->entry_size);
    if (!slot) {
        return NULL;
    }
    struct slot **bucket = bucket_of(table, key);
    memcpy(slot->key, key, KEY_SIZE);
    slot->next = *bucket;
    *bucket = slot;
    table->count++;
    return slot;
}

int table_claim(struct table *table, struct os_monitor *lock, const uint8_t key[KEY_SIZE],
                bool make, struct slot **ret_slot)
{
    struct slot *slot = table_find(table, key);
    while (slot && slot->is_busy) {
        os_monitor_wait(lock);
        slot = table_find(table, key); /* the one that we waited for may be gone */
    }
    if (!slot && !make) {
        return ERR_NOT_FOUND;
    }
    if (!slot && table->count >= table->max) {
        return ERR_QUOTA;
    }
    if (!slot) {
        slot = table_insert(table, key);
    }
    if (!slot) {
        return ERR_NO_MEMORY;
    }
    slot->is_busy = true;
    *ret_slot = slot;
    return 0;
}

void table_unclaim(struct table *table, struct os_monitor *lock, struct slot *slot)
{
    check(slot->is_busy);
    slot->is_busy = false;
    if (!slot->exists) {
        struct slot **link = bucket_of(table, slot->key);
        while (*link != slot) {
            link = &(*link)->next;
        }
        *link = slot->next;
        table->count--;
        free(slot);
    }
    os_monitor_ring(lock);
}

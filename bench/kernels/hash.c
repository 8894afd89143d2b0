/* hash.c - kernel: an open-addressed hash table of words, keyed by FNV-1a */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { SLOTS = 4096, KEYS = 2600, KEY_MAX = 12 };

struct slot {
    uint32_t hash;
    uint32_t count;
    char key[KEY_MAX];
};

static struct slot slots[SLOTS];

static uint32_t fnv1a(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++) {
        hash = (hash ^ (uint8_t)*key) * 16777619u;
    }
    return hash;
}

static int is_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static struct slot *find(const char *key)
{
    uint32_t hash = fnv1a(key);
    uint32_t at = hash % SLOTS;
    while (slots[at].count && !(slots[at].hash == hash && is_same(slots[at].key, key))) {
        at = (at + 1) % SLOTS;
    }
    slots[at].hash = hash;
    return &slots[at];
}

static void make_key(uint32_t number, char *key)
{
    number = number * 2654435761u >> 8;
    int len = 0;
    do {
        key[len++] = (char)('a' + (number & 15));
        number >>= 4;
    } while (number);
    key[len] = 0;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0, seed = 12345;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < SLOTS; i++) {
            slots[i].count = 0;
        }
        for (int i = 0; i < 2 * KEYS; i++) {
            char key[KEY_MAX];
            make_key(next_random(&seed) % KEYS, key);
            struct slot *slot = find(key);
            if (slot->count++ == 0) {
                for (int j = 0; j < KEY_MAX; j++) {
                    slot->key[j] = key[j];
                }
            }
        }
        for (int i = 0; i < SLOTS; i++) {
            sum = slots[i].count ? mix(sum, slots[i].hash + slots[i].count) : sum;
        }
    }
    return sum;
}

/* hash.c - a hash table with open addressing: insert, find, delete */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { SLOTS = 4096 };

static uint32_t keys[SLOTS];
static uint32_t values[SLOTS];

static uint32_t slot_of(uint32_t key)
{
    key ^= key >> 16;
    key *= 0x7feb352du;
    key ^= key >> 15;
    uint32_t slot = key % SLOTS;
    while (keys[slot] != 0 && keys[slot] != key) {
        slot = (slot + 1) % SLOTS;
    }
    keys[slot] = key;
    return slot;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 5;
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < SLOTS; i++) {
            keys[i] = 0;
            values[i] = 0;
        }
        for (int i = 0; i < 3000; i++) {
            uint32_t slot = slot_of(next_random(&seed) >> 20);
            values[slot] += (uint32_t)i;
            sum += values[slot];
        }
    }
    return sum;
}

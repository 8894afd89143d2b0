/* memory.h - the memory that programs of the lockstep test run in, and its comparison */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MEMORY_BYTES = 0x200000 }; /* from 0x80000000 on; programs store nowhere else */

/* Reads the start of a file; how many bytes there were. */
static inline size_t file_read(const char *name, uint8_t ret_bytes[MEMORY_BYTES])
{
    FILE *file = fopen(name, "rb");
    if (!file) {
        return 0;
    }
    size_t len = fread(ret_bytes, 1, MEMORY_BYTES, file);
    fclose(file);
    return len;
}

/* Names the first byte that differs from what the other machine has. */
static inline bool is_same_memory(const uint8_t *mine, const uint8_t other[MEMORY_BYTES])
{
    if (memcmp(mine, other, MEMORY_BYTES) == 0) {
        return true;
    }
    size_t at = 0;
    while (mine[at] == other[at]) {
        at++;
    }
    fprintf(stderr, "memory at %08" PRIx32 ": %02x, traced %02x\n", 0x80000000u + (uint32_t)at,
            mine[at], other[at]);
    return false;
}

/* crc.c - kernel: CRC-32 of a buffer, by a table and bit by bit */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { BYTES = 16384 };

static uint32_t table[256];
static uint8_t bytes[BYTES];

static void make_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
        table[i] = crc;
    }
}

__attribute__((noinline)) static uint32_t crc_by_table(const uint8_t *at, size_t len)
{
    uint32_t crc = ~0u;
    while (len--) {
        crc = table[(crc ^ *at++) & 255] ^ crc >> 8;
    }
    return ~crc;
}

__attribute__((noinline)) static uint32_t crc_by_bit(const uint8_t *at, size_t len)
{
    uint32_t crc = ~0u;
    while (len--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xedb88320u & (0 - (crc & 1)));
        }
    }
    return ~crc;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 521288629, sum = 0;
    make_table();
    for (int i = 0; i < BYTES; i++) {
        bytes[i] = (uint8_t)next_random(&seed);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        bytes[round % BYTES] ^= (uint8_t)round;
        sum = mix(sum, crc_by_table(bytes, BYTES));
        sum = mix(sum, crc_by_bit(bytes, BYTES / 8));
    }
    return sum;
}

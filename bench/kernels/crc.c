/* crc.c - CRC-32 by table over 4 KiB */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { DATA_BYTES = 4096 };

static uint32_t table[256];
static uint8_t data[DATA_BYTES];

static void fill(void)
{
    uint32_t seed = 1;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) {
            c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        }
        table[i] = c;
    }
    for (int i = 0; i < DATA_BYTES; i++) {
        data[i] = (uint8_t)(next_random(&seed) >> 24);
    }
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t crc = 0;
    fill();
    for (uint32_t round = 0; round < rounds; round++) {
        crc = ~crc;
        for (int i = 0; i < DATA_BYTES; i++) {
            crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
        }
        crc = ~crc;
    }
    return crc;
}

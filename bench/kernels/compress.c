/* compress.c - a greedy LZ77 coder with a hash of three bytes, and its decoder */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { INPUT_BYTES = 4096, HASHES = 1024, MATCH_MIN = 3, MATCH_MAX = 66 };

static uint8_t input[INPUT_BYTES];
static uint8_t coded[2 * INPUT_BYTES];
static uint8_t output[INPUT_BYTES];
static uint16_t last[HASHES];

static uint32_t hash_at(const uint8_t *at)
{
    return (at[0] * 506832829u + at[1] * 40503u + at[2] * 2654435u) >> 7 & (HASHES - 1);
}

static uint32_t match_len(uint32_t from, uint32_t at)
{
    uint32_t len = 0;
    while (len < MATCH_MAX && at + len < INPUT_BYTES && input[from + len] == input[at + len]) {
        len++;
    }
    return len;
}

static uint32_t encode(void)
{
    uint32_t size = 0;
    for (int i = 0; i < HASHES; i++) {
        last[i] = 0xffff;
    }
    for (uint32_t at = 0; at < INPUT_BYTES;) {
        uint32_t len = 0;
        uint32_t from = 0xffff;
        if (at + MATCH_MIN <= INPUT_BYTES) {
            uint32_t hash = hash_at(input + at);
            from = last[hash];
            last[hash] = (uint16_t)at;
            len = from == 0xffff ? 0 : match_len(from, at);
        }
        if (len >= MATCH_MIN) {
            uint32_t distance = at - from;
            coded[size++] = (uint8_t)(0x80 | (len - MATCH_MIN));
            coded[size++] = (uint8_t)distance;
            coded[size++] = (uint8_t)(distance >> 8);
            at += len;
        } else {
            coded[size++] = input[at++];
        }
    }
    return size;
}

static uint32_t decode(uint32_t size)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < size;) {
        if (coded[i] < 0x80) {
            output[at++] = coded[i++];
            continue;
        }
        uint32_t len = (coded[i] & 0x7fu) + MATCH_MIN;
        uint32_t from = at - (coded[i + 1] | (uint32_t)coded[i + 2] << 8);
        i += 3;
        while (len-- > 0) {
            output[at++] = output[from++];
        }
    }
    return at;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 17;
    uint32_t sum = 0;
    for (int i = 0; i < INPUT_BYTES; i++) {
        uint32_t word = next_random(&seed);
        input[i] =
            word >> 30 ? (uint8_t)("the cat sat on a mat. "[i % 22]) : (uint8_t)(word >> 8 & 127);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        input[round % INPUT_BYTES] = (uint8_t)(round & 127);
        uint32_t size = encode();
        sum = sum * 31 + size + decode(size) + output[round % INPUT_BYTES];
    }
    return sum;
}

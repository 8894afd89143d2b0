/* compress.c - kernel: LZ77 with a hash of three bytes, and back again */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { BYTES = 16384, PACKED_MAX = BYTES + BYTES / 8 + 16, HASHES = 2048, CHAIN_MAX = 8 };
enum { MATCH_MIN = 3, MATCH_MAX = 66, NONE = 0xffff };

static uint8_t plain[BYTES], packed[PACKED_MAX], unpacked[BYTES];
static uint16_t newest[HASHES], older[BYTES];

static void make_text(uint32_t seed)
{
    uint32_t at = 0;
    while (at < BYTES) {
        uint32_t random = next_random(&seed);
        uint32_t len = random % 14 + 2;
        uint32_t back = random / 16 % 2000 + 1;
        for (uint32_t i = 0; i < len && at < BYTES; i++, at++) {
            int is_new = back > at || random >> 30 == 0;
            plain[at] = is_new ? (uint8_t)('a' + next_random(&seed) % 26) : plain[at - back];
        }
    }
}

static uint32_t hash_at(uint32_t at)
{
    uint32_t three = plain[at] | (uint32_t)plain[at + 1] << 8 | (uint32_t)plain[at + 2] << 16;
    return three * 2654435761u >> 21;
}

static uint32_t match_len(uint32_t at, uint32_t from)
{
    uint32_t max = BYTES - at < MATCH_MAX ? BYTES - at : MATCH_MAX;
    uint32_t len = 0;
    while (len < max && plain[at + len] == plain[from + len]) {
        len++;
    }
    return len;
}

static uint32_t find_match(uint32_t at, uint32_t *ret_from)
{
    uint32_t best = 0;
    uint32_t from = newest[hash_at(at)];
    for (int i = 0; i < CHAIN_MAX && from != NONE; i++) {
        uint32_t len = match_len(at, from);
        if (len > best) {
            best = len;
            *ret_from = from;
        }
        from = older[from];
    }
    return best;
}

static void remember(uint32_t at)
{
    uint32_t hash = hash_at(at);
    older[at] = newest[hash];
    newest[hash] = (uint16_t)at;
}

/* A flag byte for each eight items: a literal, or two bytes of distance and one of length. */
__attribute__((noinline)) static uint32_t pack(void)
{
    for (int i = 0; i < HASHES; i++) {
        newest[i] = NONE;
    }
    uint32_t len = 0, flags_at = 0, items = 0;
    for (uint32_t at = 0; at < BYTES; items++) {
        if (items % 8 == 0) {
            flags_at = len++;
            packed[flags_at] = 0;
        }
        uint32_t from = 0;
        uint32_t match = at + MATCH_MIN <= BYTES ? find_match(at, &from) : 0;
        uint32_t step = match >= MATCH_MIN ? match : 1;
        if (step > 1) {
            packed[flags_at] |= (uint8_t)(1 << items % 8);
            packed[len++] = (uint8_t)(at - from);
            packed[len++] = (uint8_t)((at - from) >> 8);
            packed[len++] = (uint8_t)match;
        } else {
            packed[len++] = plain[at];
        }
        for (; step > 0; step--, at++) {
            if (at + MATCH_MIN <= BYTES) {
                remember(at);
            }
        }
    }
    return len;
}

__attribute__((noinline)) static uint32_t unpack(uint32_t len)
{
    uint32_t to = 0, at = 0, flags = 0;
    for (uint32_t items = 0; at < len; items++) {
        flags = items % 8 ? flags >> 1 : packed[at++];
        if (!(flags & 1)) {
            unpacked[to++] = packed[at++];
            continue;
        }
        uint32_t back = packed[at] | (uint32_t)packed[at + 1] << 8;
        for (uint32_t i = packed[at + 2]; i > 0; i--, to++) {
            unpacked[to] = unpacked[to - back];
        }
        at += 3;
    }
    return to;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        make_text(round + 1);
        uint32_t len = pack();
        uint32_t whole = unpack(len);
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < whole; i++) {
            wrong += plain[i] != unpacked[i];
        }
        sum = mix(sum, len + whole + (wrong << 24));
    }
    return sum;
}

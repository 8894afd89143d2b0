/* strings.c - copy, compare, search and split text, a byte at a time */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { TEXT_BYTES = 2048 };

static char text[TEXT_BYTES + 1];
static char copy[TEXT_BYTES + 1];

static uint32_t copied(char *to, const char *from)
{
    uint32_t len = 0;
    while ((to[len] = from[len]) != 0) {
        len++;
    }
    return len;
}

static uint32_t found(const char *in, const char *what)
{
    uint32_t count = 0;
    for (; *in; in++) {
        const char *a = in;
        const char *b = what;
        while (*b && *a == *b) {
            a++;
            b++;
        }
        count += *b == 0;
    }
    return count;
}

static uint32_t words_in(const char *in)
{
    uint32_t count = 0;
    int is_inside = 0;
    for (; *in; in++) {
        int is_letter = *in != ' ';
        count += (uint32_t)(is_letter && !is_inside);
        is_inside = is_letter;
    }
    return count;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 11;
    uint32_t sum = 0;
    for (int i = 0; i < TEXT_BYTES; i++) {
        text[i] = " abcdefg"[next_random(&seed) >> 29];
    }
    for (uint32_t round = 0; round < rounds; round++) {
        text[round % TEXT_BYTES] = "abc "[round % 4];
        sum += copied(copy, text) + found(copy, "abc") + words_in(copy) * 3;
    }
    return sum;
}

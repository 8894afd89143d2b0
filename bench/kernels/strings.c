/* strings.c - kernel: strings byte by byte: length, copy, compare, search, numbers to text */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { TEXT = 2048, WORD = 16 };

static char text[TEXT], copy[TEXT];

static size_t length(const char *s)
{
    const char *at = s;
    while (*at) {
        at++;
    }
    return (size_t)(at - s);
}

static char *append(char *to, const char *from)
{
    while ((*to = *from++)) {
        to++;
    }
    return to;
}

static int compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

static const char *find(const char *in, const char *word)
{
    for (; *in; in++) {
        size_t i = 0;
        while (word[i] && in[i] == word[i]) {
            i++;
        }
        if (!word[i]) {
            return in;
        }
    }
    return NULL;
}

static void number_text(uint32_t number, char *ret_text)
{
    char digits[WORD];
    int len = 0;
    do {
        digits[len++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (len > 0) {
        *ret_text++ = digits[--len];
    }
    *ret_text = 0;
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 5783321, sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        char word[WORD];
        char *end = append(text, "");
        while (end - text < TEXT - 2 * WORD) {
            number_text(next_random(&seed), word);
            end = append(append(end, word), " ");
        }
        append(copy, text);
        sum = mix(sum, (uint32_t)(length(copy) + (unsigned)compare(text, copy)));
        for (uint32_t i = 0; i < 4; i++) {
            number_text(next_random(&seed) % 1000, word);
            const char *found = find(text, word);
            sum = mix(sum, found ? (uint32_t)(found - text) : i);
        }
    }
    return sum;
}

/* states.c - like CoreMark: a list, a small matrix and a state machine, each feeding a CRC */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <stddef.h>

enum { NODES = 64, SIDE = 10 };

struct node {
    struct node *next;
    int16_t value;
    int16_t index;
};

static struct node nodes[NODES];
static int16_t matrix[SIDE][SIDE];

static uint16_t crc16(uint16_t crc, uint16_t value)
{
    for (int i = 0; i < 16; i++) {
        uint16_t bit = (uint16_t)((crc ^ value) & 1);
        crc = (uint16_t)(crc >> 1 ^ (bit ? 0xa001 : 0));
        value = (uint16_t)(value >> 1);
    }
    return crc;
}

static struct node *reversed(struct node *list)
{
    struct node *done = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static uint16_t walk(struct node *list, int16_t wanted)
{
    uint16_t sum = 0;
    for (; list; list = list->next) {
        sum = (uint16_t)(list->value == wanted ? sum + list->index : sum ^ list->value);
    }
    return sum;
}

static uint16_t matrix_sum(int16_t factor)
{
    int32_t sum = 0;
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int32_t cell = 0;
            for (int k = 0; k < SIDE; k++) {
                cell += matrix[i][k] * matrix[k][j];
            }
            sum += cell > 100 ? cell >> 2 : cell * factor;
        }
    }
    return (uint16_t)sum;
}

/* Counts the numbers in a text: digits, sign, point, exponent. */
static uint16_t scan(const char *text)
{
    enum { START, WHOLE, FRACTION, EXPONENT, BAD } state = START;
    uint16_t counts[5] = {0};
    for (; *text; text++) {
        int is_digit = *text >= '0' && *text <= '9';
        if (*text == ',') {
            counts[state]++;
            state = START;
        } else if (state == START) {
            state = is_digit || *text == '-' ? WHOLE : BAD;
        } else if (state == WHOLE) {
            state = is_digit ? WHOLE : *text == '.' ? FRACTION : BAD;
        } else if (state == FRACTION) {
            state = is_digit ? FRACTION : *text == 'e' ? EXPONENT : BAD;
        } else if (state == EXPONENT && !is_digit) {
            state = BAD;
        }
    }
    return (uint16_t)(counts[WHOLE] + counts[FRACTION] * 3 + counts[EXPONENT] * 5 +
                      counts[BAD] * 7);
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 13;
    uint16_t crc = 0;
    for (int i = 0; i < NODES; i++) {
        nodes[i] = (struct node){i + 1 < NODES ? &nodes[i + 1] : NULL,
                                 (int16_t)(next_random(&seed) >> 24), (int16_t)i};
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        matrix[i / SIDE][i % SIDE] = (int16_t)(next_random(&seed) >> 26);
    }
    struct node *list = nodes;
    for (uint32_t round = 0; round < rounds; round++) {
        list = reversed(list);
        crc = crc16(crc, walk(list, (int16_t)(round & 255)));
        crc = crc16(crc, matrix_sum((int16_t)(round & 15)));
        crc = crc16(crc, scan("5012,-874,35.54400,.1234500,-110.700,1.5e22,T0.3e-1F,28.5e9,"));
    }
    return crc;
}

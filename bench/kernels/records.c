/* records.c - like Dhrystone: records, procedures, string and enumeration work in a fixed mix */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <string.h>

enum kind { FIRST, SECOND, THIRD };

struct record {
    struct record *next;
    enum kind kind;
    int32_t number;
    char name[32];
};

static struct record records[2];
static int32_t numbers[64];

__attribute__((noinline)) static enum kind after(enum kind kind)
{
    return kind == FIRST ? SECOND : kind == SECOND ? THIRD : FIRST;
}

__attribute__((noinline)) static void update(struct record *record, int32_t value)
{
    struct record *next = record->next;
    *next = *record;
    next->number = value;
    next->next = record;
    record->kind = after(next->kind);
    record->number += next->kind == SECOND ? 6 : value % 10;
}

__attribute__((noinline)) static int32_t fill(int32_t at, int32_t value)
{
    numbers[at] = value;
    numbers[at + 1] = numbers[at];
    numbers[at + 30] = at;
    return numbers[at + 30] + numbers[at + 1];
}

uint32_t kernel(uint32_t rounds)
{
    static const char *const names[] = {"SOME STRING, THE FIRST", "SOME STRING, THE OTHER"};
    uint32_t sum = 0;
    records[0] = (struct record){&records[1], FIRST, 40, ""};
    records[1] = (struct record){&records[0], SECOND, 17, ""};
    for (uint32_t round = 0; round < rounds; round++) {
        strcpy(records[0].name, names[round & 1]);
        update(&records[round & 1], (int32_t)round);
        sum += (uint32_t)fill((int32_t)(round % 30), (int32_t)sum);
        sum += strcmp(records[0].name, names[0]) > 0 ? 3u : 5u;
        sum ^= (uint32_t)records[0].number + (uint32_t)records[1].kind;
    }
    return sum;
}

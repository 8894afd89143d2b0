/* dhrystone.c - kernel: what Dhrystone measures, written anew: records, strings, procedures */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { NAME = 31, SLOTS = 50 };

struct record {
    struct record *partner;
    int kind;
    int state;
    int amount;
    char name[NAME];
};

static struct record first, second;
static int table[SLOTS], grid[SLOTS][SLOTS];
static int counter;
static char flag;

__attribute__((noinline)) static int classify(char a, char b)
{
    char copy = a;
    if (copy != b) {
        return 0;
    }
    flag = copy;
    return 1;
}

__attribute__((noinline)) static int compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

__attribute__((noinline)) static int is_after(const char *a, const char *b)
{
    int at = 2;
    char seen = 0;
    while (at <= 2) {
        if (classify(a[at], b[at + 1])) {
            seen = 'A';
            break;
        }
        at++;
    }
    if (seen >= 'W' && seen <= 'Z') {
        at = 7;
    }
    if (compare(a, b) > 0) {
        counter += at + 7;
        return 1;
    }
    return 0;
}

__attribute__((noinline)) static void add(int a, int b, int *ret_sum)
{
    *ret_sum = a + 2 + b;
}

__attribute__((noinline)) static int next_state(int state)
{
    switch (state) {
    case 0:
        return 1;
    case 1:
        return counter > 100 ? 0 : 3;
    case 2:
        return 1;
    case 3:
        return 2;
    default:
        return 0;
    }
}

__attribute__((noinline)) static void fill(int at, int value)
{
    int place = at + 5;
    table[place] = value;
    table[place + 1] = table[place];
    table[place + 30] = place;
    for (int i = place; i <= place + 1; i++) {
        grid[place][i] = place;
    }
    grid[place][place - 1]++;
    grid[place + 20][place] = table[place];
    counter = 5;
}

__attribute__((noinline)) static void exchange(struct record *r)
{
    struct record *other = r->partner;
    other->kind = r->kind;
    other->amount = 5;
    r->amount = other->amount;
    other->partner = r->partner;
    if (other->kind == 0) {
        other->amount = 6;
        other->state = next_state(r->state);
        add(other->amount, 10, &other->amount);
    } else {
        for (int i = 0; i < NAME; i++) {
            r->name[i] = other->name[i];
        }
    }
}

uint32_t kernel(uint32_t rounds)
{
    static const char a[NAME] = "DHRYSTONE PROGRAM, 1'ST STRING";
    static const char b[NAME] = "DHRYSTONE PROGRAM, 2'ND STRING";
    uint32_t sum = 0;
    for (int i = 0; i < NAME; i++) {
        first.name[i] = a[i];
        second.name[i] = b[i];
    }
    first.partner = &second;
    for (uint32_t round = 1; round <= rounds; round++) {
        int one = 2, two = 3, three = 0;
        counter += !is_after(first.name, second.name);
        while (one < two) {
            three = 5 * one - two;
            add(one, two, &three);
            one++;
        }
        fill(one, three);
        first.kind = (int)(round & 1);
        exchange(&first);
        for (char c = 'A'; c <= 'C'; c++) {
            one += classify(c, 'C');
        }
        two = two * one;
        one = two / three;
        two = 7 * (two - three) - one;
        first.state = next_state(second.state);
        sum = mix(sum, (uint32_t)(one + two + three + counter + second.amount + flag));
    }
    return sum;
}

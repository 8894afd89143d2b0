/* sort.c - quicksort of 2,000 words with insertion at the ends */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { COUNT = 2000, SMALL = 12 };

static uint32_t words[COUNT];

static void insertion(uint32_t *v, int count)
{
    for (int i = 1; i < count; i++) {
        uint32_t word = v[i];
        int at = i;
        for (; at > 0 && v[at - 1] > word; at--) {
            v[at] = v[at - 1];
        }
        v[at] = word;
    }
}

static void quick(uint32_t *v, int count)
{
    while (count > SMALL) {
        uint32_t pivot = v[count / 2];
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            while (v[low] < pivot) {
                low++;
            }
            while (v[high] > pivot) {
                high--;
            }
            if (low <= high) {
                uint32_t word = v[low];
                v[low++] = v[high];
                v[high--] = word;
            }
        }
        quick(v, high + 1);
        v += low;
        count -= low;
    }
    insertion(v, count);
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 7;
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++) {
            words[i] = next_random(&seed);
        }
        quick(words, COUNT);
        sum = sum * 31 + words[round % COUNT];
    }
    return sum;
}

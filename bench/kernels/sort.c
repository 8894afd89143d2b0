/* sort.c - kernel: quicksort and heapsort of random words */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { COUNT = 4096, SMALL = 12 };

static uint32_t words[COUNT];

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t value = *a;
    *a = *b;
    *b = value;
}

static void insertion_sort(uint32_t *at, int count)
{
    for (int i = 1; i < count; i++) {
        uint32_t value = at[i];
        int j = i;
        while (j > 0 && at[j - 1] > value) {
            at[j] = at[j - 1];
            j--;
        }
        at[j] = value;
    }
}

static void quick_sort(uint32_t *at, int count)
{
    while (count > SMALL) {
        uint32_t pivot = at[count / 2];
        int i = 0, j = count - 1;
        while (i <= j) {
            while (at[i] < pivot) {
                i++;
            }
            while (at[j] > pivot) {
                j--;
            }
            if (i <= j) {
                swap(&at[i++], &at[j--]);
            }
        }
        quick_sort(at, j + 1);
        at += i;
        count -= i;
    }
    insertion_sort(at, count);
}

static void sift(uint32_t *at, int root, int count)
{
    for (int child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && at[child] < at[child + 1]) {
            child++;
        }
        if (at[root] >= at[child]) {
            return;
        }
        swap(&at[root], &at[child]);
        root = child;
    }
}

static void heap_sort(uint32_t *at, int count)
{
    for (int root = count / 2 - 1; root >= 0; root--) {
        sift(at, root, count);
    }
    for (int end = count - 1; end > 0; end--) {
        swap(&at[0], &at[end]);
        sift(at, 0, end);
    }
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t seed = 88172645, sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++) {
            words[i] = next_random(&seed);
        }
        if (round % 2) {
            heap_sort(words, COUNT);
        } else {
            quick_sort(words, COUNT);
        }
        for (int i = 0; i < COUNT; i += 61) {
            sum = mix(sum, words[i]);
        }
    }
    return sum;
}

/* bare.c - print.h, start-up code and what compilers call, on RV32 without any library */
/* SPDX-License-Identifier: MIT */
#include "print.h"

#include <stddef.h>

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

int main(void);
uintptr_t semihost(uint32_t operation, uintptr_t argument);

/* The sequence of a semihosting call must be uncompressed and lie in one page. */
__asm__(".globl _start, semihost\n"
        "_start:\n"
        "\t.option push\n\t.option norelax\n\tla gp, __global_pointer$\n\t.option pop\n"
        "\tla sp, stack_end\n"
        "\ttail begin\n"
        "\t.balign 16\n"
        "semihost:\n"
        "\t.option push\n\t.option norvc\n"
        "\tslli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n"
        "\t.option pop\n"
        "\tret\n"
        ".bss\n"
        "\t.balign 16\n"
        "\t.space 65536\n"
        "stack_end:\n"
        ".text\n");

__attribute__((used)) static void begin(void)
{
    uintptr_t block[2] = {APPLICATION_EXIT, (uintptr_t)main()};
    semihost(SYS_EXIT_EXTENDED, (uintptr_t)block);
}

void print_sum(const char *name, uint32_t sum)
{
    char line[64];
    unsigned at = 0;
    for (; name[at] && at < 48; at++) {
        line[at] = name[at];
    }
    line[at++] = ' ';
    for (int shift = 28; shift >= 0; shift -= 4) {
        line[at++] = "0123456789abcdef"[sum >> shift & 15];
    }
    line[at++] = '\n';
    line[at] = 0;
    semihost(SYS_WRITE0, (uintptr_t)line);
}

/* Volatile, so that no compiler sees in the body what it would call the function for. */
void *memcpy(void *to, const void *from, size_t size)
{
    volatile unsigned char *at = to;
    const unsigned char *source = from;
    while (size--) {
        *at++ = *source++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    volatile unsigned char *at = to;
    const unsigned char *source = from;
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        return memcpy(to, from, size);
    }
    while (size--) {
        at[size] = source[size];
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    volatile unsigned char *at = to;
    while (size--) {
        *at++ = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const volatile unsigned char *a = left, *b = right;
    for (; size; size--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}

/* What stands for the atomic instructions where there are none; nothing interrupts this program. */
uint32_t fetch_add(uint32_t *word, uint32_t by, int order) __asm__("__atomic_fetch_add_4");
uint32_t exchange(uint32_t *word, uint32_t value, int order) __asm__("__atomic_exchange_4");
_Bool compare_exchange(uint32_t *word, uint32_t *expected, uint32_t value, int success,
                       int failure) __asm__("__atomic_compare_exchange_4");

uint32_t fetch_add(uint32_t *word, uint32_t by, int order)
{
    (void)order;
    uint32_t before = *word;
    *word = before + by;
    return before;
}

uint32_t exchange(uint32_t *word, uint32_t value, int order)
{
    (void)order;
    uint32_t before = *word;
    *word = value;
    return before;
}

_Bool compare_exchange(uint32_t *word, uint32_t *expected, uint32_t value, int success, int failure)
{
    (void)success;
    (void)failure;
    _Bool is_same = *word == *expected;
    *expected = *word;
    *word = is_same ? value : *word;
    return is_same;
}

/* guest.c - runs a kernel on RV32 without a library and prints its checksum by semihosting */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

/* Semihosting 0.2, which Mote and QEMU answer alike: so both run the same file. */
enum { SYS_WRITE0 = 0x04, SYS_EXIT = 0x18, APPLICATION_EXIT = 0x20026 };

uintptr_t call(uint32_t operation, uintptr_t argument);

/* The machine has set the stack pointer. The sequence must not be compressed nor cross a page. */
__asm__(".globl _start, call\n"
        "_start:\n"
        "\t.option push\n\t.option norelax\n\tla gp, __global_pointer$\n\t.option pop\n"
        "\ttail begin\n"
        "\t.balign 16\n"
        "call:\n"
        "\t.option push\n\t.option norvc\n"
        "\tslli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n"
        "\t.option pop\n"
        "\tret\n");

/* The end of start. RAM may still be that of the kernel before. */
__attribute__((used)) static void begin(void)
{
    extern uint8_t __bss_start[], _end[];
    for (volatile uint8_t *at = __bss_start; at < _end; at++) {
        *at = 0;
    }
    volatile uint32_t rounds = ROUNDS;
    uint32_t sum = kernel(rounds);
    char text[10];
    for (int i = 0; i < 8; i++) {
        text[i] = "0123456789abcdef"[sum >> (28 - 4 * i) & 15];
    }
    text[8] = '\n';
    text[9] = 0;
    call(SYS_WRITE0, (uintptr_t)text);
    call(SYS_EXIT, APPLICATION_EXIT);
}

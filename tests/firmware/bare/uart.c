/* uart.c - the firmware of a first lesson: the UART, a stack pointer, and no linker script */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#define UART     ((volatile uint8_t *)0x10000000)
#define FINISHER (*(volatile uint32_t *)0x100000)
enum { LINE_STATUS = 5, CAN_SEND = 0x20 };

void start(void);

static const char *const names[] = {"zero", "one", "two"};
static uint32_t initialized = 40;
static uint32_t cleared[1000];

static void put(const char *text)
{
    for (; *text; text++) {
        while (!(UART[LINE_STATUS] & CAN_SEND)) {
        }
        *UART = (uint8_t)*text;
    }
}

static void put_number(uint32_t n)
{
    char digits[11];
    char *at = digits + 10;
    *at = 0;
    do {
        *--at = (char)('0' + n % 10);
    } while (n /= 10);
    put(at);
    put("\n");
}

void start(void)
{
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        put(names[i]);
        put(" ");
    }
    for (unsigned i = 0; i < 1000; i++) {
        cleared[i] += i;
        initialized += cleared[i] & 1;
    }
    put_number(initialized);
    FINISHER = 5 << 16 | 0x3333;
    for (;;) {
    }
}

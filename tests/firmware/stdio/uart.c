/* uart.c - picolibc with no system below it: a stream on the UART, and the finisher as exit */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UART     ((volatile uint8_t *)0x10000000)
#define FINISHER (*(volatile uint32_t *)0x100000)

static int send(char c, FILE *file)
{
    (void)file;
    while (!(UART[5] & 0x20)) {
    }
    *UART = (uint8_t)c;
    return (unsigned char)c;
}

static FILE uart = FDEV_SETUP_STREAM(send, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &uart;

void _exit(int code)
{
    FINISHER = code ? (uint32_t)code << 16 | 0x3333 : 0x5555;
    for (;;) {
    }
}

__attribute__((constructor)) static void before_main(void)
{
    printf("before main\n");
}

int main(void)
{
    char *block = malloc(100000);
    printf("%s %d %x\n", block ? "memory" : "none", 42, 0xbeef);
    free(block);
    exit(7);
}

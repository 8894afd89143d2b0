/* main.c - a program for the MCU: standard input in, standard output out */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    char line[4096];
    ssize_t count;
    /* getchar() knows the end of the input too, but on QEMU, where picolibc does not. */
    while ((count = read(0, line, sizeof line)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            putchar(toupper((unsigned char)line[i]));
        }
    }
    printf("Hello from an MCU.\n");
    return 0;
}

/* main.c - a program for the MCU: standard input in, standard output out */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    char line[4096];
    ssize_t count;
    /* read() knows the end of the input on every C library; getchar() needs Mote's SDK for that. */
    while ((count = read(0, line, sizeof line)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            putchar(toupper((unsigned char)line[i]));
        }
    }
    printf("Hello from an MCU.\n");
    return 0;
}

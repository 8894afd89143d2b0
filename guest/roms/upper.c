/* upper.c - standard input in capitals, in standard C and nothing else */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>

int main(void)
{
    int c;
    while ((c = getchar()) != EOF) {
        putchar(toupper(c));
    }
    return 0;
}

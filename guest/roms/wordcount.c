/* wordcount.c - counts lines, words and bytes of standard input and prints a table */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

int main(void)
{
    unsigned long lines = 0, words = 0, bytes = 0, longest = 0, width = 0;
    bool in_word = false;
    int c;
    while ((c = getchar()) != EOF) {
        bytes++;
        if (c == '\n') {
            lines++;
            longest = width > longest ? width : longest;
            width = 0;
        } else {
            width++;
        }
        bool is_letter = !isspace(c);
        words += is_letter && !in_word; /* a word begins where none was before */
        in_word = is_letter;
    }
    longest = width > longest ? width : longest;

    printf("%-14s %10lu\n", "lines", lines);
    printf("%-14s %10lu\n", "words", words);
    printf("%-14s %10lu\n", "bytes", bytes);
    printf("%-14s %10lu\n", "longest line", longest);
    return 0;
}

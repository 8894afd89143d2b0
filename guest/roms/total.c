/* total.c - adds the numbers of standard input to a total that it keeps in its RAM */
/* SPDX-License-Identifier: MIT */
#include <mote.h>
#include <stdio.h>

/* Zero in a session's first run, then whatever the run before left. */
MOTE_PRESERVE static long total;
MOTE_PRESERVE static unsigned runs;

int main(void)
{
    long number, sum = 0;
    unsigned count = 0;
    while (scanf("%ld", &number) == 1) {
        sum += number;
        count++;
    }
    if (!feof(stdin)) {
        printf("this is not a number: '%c'; the total stays %ld\n", getchar(), total);
        return 1;
    }
    total += sum;
    runs++;
    printf("%u numbers, sum %ld\nrun %u, total %ld\n", count, sum, runs, total);
    return 0;
}

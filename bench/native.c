/* native.c - runs a kernel on the host and prints its checksum */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <stdio.h>

int main(void)
{
    volatile uint32_t rounds = ROUNDS;
    printf("%08x\n", (unsigned)kernel(rounds));
    return 0;
}

/* host.c - print.h by the host's stdio */
/* SPDX-License-Identifier: MIT */
#include "print.h"

#include <stdio.h>

void print_sum(const char *name, uint32_t sum)
{
    printf("%s %08x\n", name, (unsigned)sum);
}

/* print.h - where a program's lines go: host.c or bare.c gives it */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Prints "NAME XXXXXXXX", the sum in hexadecimal, as a line. */
void print_sum(const char *name, uint32_t sum);

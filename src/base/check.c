/* check.c - the end of a process whose own invariant is broken */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: this must hold but does not: %s (a bug in Mote)\n", file, line,
            condition);
    abort();
}

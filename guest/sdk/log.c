/* log.c - printf to the console */
/* SPDX-License-Identifier: MIT */
#include "mote.h"

#include <stdarg.h>
#include <stdio.h>

void mote_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

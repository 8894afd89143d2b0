/* clock.c - the two clocks over clock_gettime(2) */
/* SPDX-License-Identifier: MIT */
#include "os/clock.h"

#include <time.h>

uint64_t os_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t os_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void os_format_date(uint64_t seconds, char ret_text[OS_DATE_TEXT_MAX])
{
    time_t time = (time_t)seconds;
    struct tm utc;
    gmtime_r(&time, &utc);
    strftime(ret_text, OS_DATE_TEXT_MAX, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

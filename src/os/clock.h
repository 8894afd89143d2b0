/* clock.h - time that only moves forward, and the calendar's */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Nanoseconds since some fixed moment; never goes back. */
uint64_t os_now_ns(void);
/* Milliseconds since 1970-01-01 UTC, for logs and expiry only. */
uint64_t os_wall_ms(void);

enum { OS_DATE_TEXT_MAX = 32 };
/* Writes "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7) for seconds since 1970. */
void os_format_date(uint64_t seconds, char ret_text[OS_DATE_TEXT_MAX]);

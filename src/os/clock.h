/* clock.h - time that only moves forward, and the calendar's */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Nanoseconds since some fixed moment; never goes back. */
uint64_t os_now_ns(void);
/* Milliseconds since 1970-01-01 UTC, for logs and expiry only. */
uint64_t os_wall_ms(void);

/* log.h - lines for a descriptor whose reader may stall: written or dropped, never waited for */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_log_open -> os_log_line ... -> os_log_close. For one thread. The descriptor is
 * often shared with other processes (a terminal, a pipe), so it is never made non-blocking; where
 * it can be, it is opened anew for ourselves. */
#include "base/span.h"

enum { OS_LOG_LINE_MAX = 4096 }; /* with the line feed: what a pipe takes as a whole */

struct os_log {
    int fd;
    bool is_own;
    bool is_socket;
    uint64_t dropped_count; /* since the last line that was written */
};

/* `fd` is borrowed and must outlive the log. */
void os_log_open(struct os_log *log, int fd);
/* Writes a line and a line feed, of at most OS_LOG_LINE_MAX bytes (the rest is cut), or counts
 * it as dropped where that would have to wait; the next line that can be written says how many. */
void os_log_line(struct os_log *log, struct span line);
/* Accepts a zeroed log. */
void os_log_close(struct os_log *log);

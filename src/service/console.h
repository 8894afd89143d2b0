/* console.h - past runs, kept for a while: what they wrote to their consoles, how they ended */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: consoles_init -> consoles_put, consoles_find ... -> consoles_deinit. */
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

struct console {
    struct id run;
    uint64_t expires_ns;
    uint8_t *bytes;
    size_t len;
    struct buf report; /* how the run ended, as JSON */
};

/* A ring: the oldest log is overwritten. */
struct consoles {
    struct console *items;
    size_t count_max;
    size_t next;
    uint64_t keep_ns;
};

MUST_CHECK int consoles_init(struct consoles *consoles, size_t count_max, uint64_t keep_ns);
/* Accepts a zeroed one. */
void consoles_deinit(struct consoles *consoles);
/* Takes `bytes` (from malloc, or NULL) and the report. */
void consoles_put(struct consoles *consoles, const struct console *console, uint64_t now_ns);
/* The log of `run`, borrowed until the next put; NULL where there is none, or no more. */
const struct console *consoles_find(const struct consoles *consoles, const struct id *run,
                                    uint64_t now_ns);

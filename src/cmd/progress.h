/* progress.h - a bar on a terminal while bytes go up */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct progress {
    const char *name;
    uint64_t shown_ns; /* when it was drawn last, 0: never */
};

/* Draws where the last drawing is long ago. `total` 0: not known. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);
/* Takes the bar away again. */
void progress_end(const struct progress *progress);

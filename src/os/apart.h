/* apart.h - work on a stranger's bytes in a process of its own, which may fail without harm */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include <stdio.h>

struct os_apart {
    /* What the child does, with the parent's memory as it is now; what it writes is the result, or
     * where it returns an error, the words. It must not return by any other way. */
    int (*work)(void *context, FILE *to);
    void *context;
    unsigned seconds_max;     /* of a processor's time */
    uint64_t more_memory_max; /* in bytes, beyond what the parent has mapped */
};

/* Runs `work` in a child without new files or processes and with those limits, and puts what it
 * writes into `text` (initialised; its max is the third limit), an error's words for `msg` among
 * it. ERR_BAD_IMAGE where the child dies, by its limits or otherwise. For a process of one thread.
 */
MUST_CHECK int os_apart(const struct os_apart *apart, struct buf *text, struct msg *msg);

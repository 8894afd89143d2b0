/* sandbox.h - the walls around a process that runs a guest */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include <stdint.h>

struct os_walls {
    uint64_t file_bytes_max;
    uint64_t memory_bytes_max; /* that only this process has and may write, touched or not */
    uint64_t mapped_bytes_max; /* of any kind: what is only read takes page tables */
};

/* Takes from the calling process, for good: new privileges, core dumps, new descriptors and
 * processes, more than `walls` has, and every system call but those that computing in memory,
 * writing to descriptors it holds, and ending need. A forbidden call kills the process. Under a
 * sanitizer, whose runtime needs more, memory has no limit and the list of calls is left out. */
MUST_CHECK int os_confine(const struct os_walls *walls);
/* Takes less: core dumps, new descriptors and (but for root) processes, more than `seconds_max` of
 * a processor's time, and mappings of more than `more_memory_max` bytes beside those that are
 * there. Under a sanitizer, which maps terabytes, memory stays without a limit. */
MUST_CHECK int os_limit(unsigned seconds_max, uint64_t more_memory_max);

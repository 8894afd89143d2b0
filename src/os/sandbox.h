/* sandbox.h - the walls around a process that runs a guest */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include <stdint.h>

/* Takes from the calling process, for good: new privileges, core dumps, new descriptors and
 * processes, files over `file_bytes_max`, and every system call but those that computing in memory,
 * writing to descriptors it holds, and ending need. A forbidden call kills the process. Under a
 * sanitizer, whose runtime needs more, the list of calls is left out. */
MUST_CHECK int os_confine(uint64_t file_bytes_max);
/* Takes less: core dumps, new descriptors and (but for root) processes, more than `seconds_max` of
 * a processor's time, and mappings of more than `more_memory_max` bytes beside those that are
 * there. Under a sanitizer, which maps terabytes, memory stays without a limit. */
MUST_CHECK int os_limit(unsigned seconds_max, uint64_t more_memory_max);

/* random.c - bytes from the kernel's generator over getrandom(2) */
/* SPDX-License-Identifier: MIT */
#include "os/random.h"

#include <sys/random.h>

enum { RANDOM_BYTES_MAX = 256 }; /* up to here getrandom is never interrupted half way */

int os_random(void *bytes, size_t size)
{
    check(size <= RANDOM_BYTES_MAX);
    return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : ERR_IO;
}

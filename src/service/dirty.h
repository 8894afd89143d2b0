/* dirty.h - the RAM pages that a run changed, on their way from its child to the store */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include <stdint.h>

/* Writes each page that `dirty` marks (one byte a page) at its offset in RAM, then the marks. */
MUST_CHECK int dirty_write(int fd, const uint8_t *dirty, const uint8_t *ram);
/* Reads the marks into `ret_marks`, RAM_PAGES bytes of the caller's that no guest can reach. */
MUST_CHECK int dirty_read_marks(int fd, uint8_t *ret_marks);

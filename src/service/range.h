/* range.h - which bytes a Range asks for (RFC 9110, 14) */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/span.h"

enum { RANGES_MAX = 16 };

struct range {
    uint64_t first;
    uint64_t end; /* behind the last byte */
};

struct ranges {
    struct range items[RANGES_MAX]; /* in the field's order; none overlaps or touches another */
    size_t count;
};

enum ranges_found {
    RANGES_OTHER,     /* of a unit that is not bytes: as if there were no field */
    RANGES_SOME,      /* at least one */
    RANGES_NONE,      /* none of them is within the bytes */
    RANGES_TOO_MANY,  /* over RANGES_MAX, as they were written */
    RANGES_MALFORMED, /* no list of ranges */
};

/* Reads a Range field for `size` bytes. */
enum ranges_found ranges_read(struct span value, uint64_t size, struct ranges *ret_ranges);

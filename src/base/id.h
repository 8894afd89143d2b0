/* id.h - version 4 UUIDs, the names of ROMs, sessions and runs */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/check.h"
#include "base/span.h"

enum { ID_TEXT_LEN = 36 };

struct id {
    uint8_t bytes[16];
};

/* Makes an id of 16 random bytes by setting version and variant (RFC 9562, 5.4). */
struct id id_from_random(const uint8_t random[16]);
/* Reads the 8-4-4-4-12 form, hexadecimal digits of either case; false for anything else,
 * other versions and variants too. */
MUST_CHECK bool id_parse(struct span text, struct id *ret_id);
/* Writes 36 lower-case characters and a NUL. */
void id_format(const struct id *id, char ret_text[ID_TEXT_LEN + 1]);

struct id_text {
    char text[ID_TEXT_LEN + 1];
};

/* The same for one argument of a printf: id_text(&id).text lives as long as the call. */
static inline struct id_text id_text(const struct id *id)
{
    struct id_text text;
    id_format(id, text.text);
    return text;
}

static inline bool id_equals(const struct id *a, const struct id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

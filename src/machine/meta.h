/* meta.h - the META window: CGI/1.1 variables in, reply headers out */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "base/span.h"

/* The parts of META: META_REPLY_AT is where in it the reply's headers begin, META_REPLY_MAX how
 * many bytes of them there may be; so for the request. */
enum {
#define WINDOW(name, base, size, access, text)
#define PART(window, name, offset, size, text) \
    window##_##name##_AT = (offset), window##_##name##_MAX = (size),
#include "abi/mem.def"
#undef WINDOW
};

/* Appends `name`=`value` and a NUL to the request half; `*len` counts the bytes so far and starts
 * at 0. ERR_TOO_BIG past META.REQUEST (with room kept for the empty string that ends the list),
 * ERR_ARGUMENT for a NUL inside, and for an empty name or one with `=`. On failure nothing
 * changes. */
MUST_CHECK int meta_put(uint8_t *meta, uint32_t *len, struct span name, struct span value,
                        struct msg *msg);
/* Is this field, or the variable `HTTP_` and this, none of a guest's (secret.def)? `-` and `_`
 * count as the same, since they become the same variable. */
bool meta_is_secret(struct span name);
/* Ends the list with an empty string; the result is the request's length. */
uint32_t meta_end(uint8_t *meta, uint32_t len);

struct meta_header {
    struct span name;
    struct span value; /* without white space around it; may be empty */
};

/* Takes the next `Name: value` line off `*rest`, a copy of the reply half cut to its length. Lines
 * end by LF or CR LF; the last may lack it, and one blank line may close the list as CGI has it.
 * 1: a header; 0: no more; ERR_ARGUMENT: not a header line: no colon, a name that is no token, or
 * a CR, NUL or other control character inside (RFC 9110, 5.1 and 5.5), or a line after the blank
 * one. */
MUST_CHECK int meta_next(struct span *rest, struct meta_header *ret_header, struct msg *msg);

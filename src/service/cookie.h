/* cookie.h - the two cookies, and which ROM and session a request means */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/buf.h"
#include "base/id.h"

struct cookies {
    struct id rom;
    struct id ram;
    bool has_rom;
    bool has_ram;
};

/* Reads one Cookie field (RFC 6265, 4.2.1) into what earlier ones gave: the first well-formed
 * value of each name counts, a malformed one is as good as none. */
void cookies_read(struct span value, struct cookies *cookies);
/* Appends a Set-Cookie line; an id of NULL makes the browser forget the cookie. */
void cookie_put(struct buf *lines, const char *name, const struct id *id);

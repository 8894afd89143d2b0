/* guest.h - the META window between HTTP and the guest: CGI variables in, reply headers out */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "http/http.h"

/* Writes the request as CGI/1.1 variables into the first half of META (32 KiB); the length, its
 * last empty string included, is in `ret_len`. Cookie, Authorization and their like stay out, and
 * so do the ids in the path: a guest need not know what names it. ERR_TOO_BIG. */
MUST_CHECK int guest_request(const struct http_request *request, uint64_t body_len, uint8_t *meta,
                             uint32_t *ret_len, struct msg *msg);

struct guest_reply {
    int status; /* 200 to 599, 0 where the guest set none */
    bool has_type;
    struct buf lines; /* what of its headers goes into the reply */
};

/* Reads the guest's half of META; buf_deinit the lines afterwards in any case. Headers that are
 * the server's to set are dropped (forbidden.def); of several Status or Content-Type the last
 * counts. ERR_ARGUMENT for what is no header line (a CR, LF or NUL in a
 * value, a name that is no token) or a status out of range: the run counts as a fault. */
MUST_CHECK int guest_reply_read(struct span meta, struct guest_reply *reply, struct msg *msg);

/* err.h - errors as values: negative codes with a text, an HTTP status and an exit status */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/check.h"

/* A function that can fail returns 0 (or more) on success and one of these on failure. */
enum err {
    ERR_LAST = -1000,
#define ERR(name, text, http, exit) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_END
};

/* The sentence part that belongs to `err`, in static storage; "unknown error" for any other. */
const char *err_text(int err);
/* The HTTP status that a server answers for `err`; 500 for an unknown one. */
int err_http_status(int err);
/* The exit status of `rv32im` for `err`; 125 for an unknown one. */
int err_exit_status(int err);

/* What went wrong in words: the thing, the limit and the value. Filled by whoever fails. */
struct msg {
    char text[400];
};

/* Writes the words into `msg` (NULL: nobody wants them) and returns `err`, so that
 * `return fail(msg, ERR_TOO_BIG, "...")` is the one form in which errors leave. */
int fail(struct msg *msg, int err, const char *format, ...) PRINTF(3, 4);

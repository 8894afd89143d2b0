/* cgi.h - a CGI environment as the request half of META */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True for the names of cgi.def and HTTP_*, but never for what carries a client's credentials. */
bool cgi_is_handed_on(const char *name, size_t len);
/* Fills META's request half from `environment` (NAME=value strings, NULL last), in that order;
 * *ret_len is its length, the empty string at the end included. ERR_TOO_BIG. */
MUST_CHECK int cgi_fill(char *const environment[], uint8_t *meta, uint32_t *ret_len,
                        struct msg *msg);

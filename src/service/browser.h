/* browser.h - what a browser must not be tricked into: foreign hosts, origins and sites */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/span.h"

/* Whether `host` (a Host field, with or without port) is localhost, a loopback literal or one of
 * `allowed`, a list of names with commas between (NULL: none). Anything else may be a name that
 * somebody points at us (DNS rebinding): 421. */
bool browser_is_our_host(struct span host, const char *allowed);
/* Whether an Origin field is that of the page's own server: http with just that host. Of a host in
 * `allowed` also https, since a proxy with a certificate may stand in front of it. */
bool browser_is_our_origin(struct span origin, struct span host, const char *allowed);
/* Whether a Sec-Fetch-Site field lets a request that changes something pass. */
bool browser_is_our_site(struct span site);

/* condition.h - If-Match and If-None-Match against what is there (RFC 9110, 13.1) */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "http/http.h"

enum { ETAG_SIZE = 80 }; /* an entity tag without its quotes, and a NUL */

/* What the fields of one name so far say of one entity tag; begins zeroed. */
struct tags {
    bool is_given;
    bool is_bad;    /* no list of entity tags, nor a lone `*` */
    bool is_any;    /* `*` */
    bool is_listed; /* a tag at least */
    bool is_same;   /* the tag itself was among them: the strong comparison */
    bool is_alike;  /* or its weak form: the weak one */
};

/* Reads one field, which may be one of several. `etag` is without quotes; NULL: nothing is there.
 */
void tags_read(struct tags *tags, struct span value, const char *etag);
/* Whether an If-Range has this very tag: a date, a weak tag and what is malformed have not. */
bool tag_is(struct span value, const char *etag);

enum condition {
    CONDITION_HOLDS,
    CONDITION_MALFORMED,
    CONDITION_MATCH,      /* If-Match does not hold */
    CONDITION_NONE_MATCH, /* If-None-Match does not hold */
};

/* In the order of RFC 9110, 13.2.2. */
enum condition condition_of(const struct http_request *http, const char *etag);

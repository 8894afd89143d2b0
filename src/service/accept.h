/* accept.h - which of two kinds of reply a client would rather have (RFC 9110, 12.5.1) */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/span.h"

/* What the Accept fields so far say of one media type; begins zeroed. */
struct accept {
    bool is_given;   /* there was a field at all */
    int specificity; /* of the best range that covers the type: 1 any, 2 type/any, 3 the type */
    int quality;     /* that range's, in thousandths */
};

/* Reads one Accept field, which may be one of several. A range that is malformed is passed over. */
void accept_read(struct accept *accept, struct span value, const char *type);
/* Thousandths, 0 for what is not acceptable; without any field everything is welcome. */
int accept_quality(const struct accept *accept);

/* image_text.h - files that hold an image as records rather than as bytes */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/span.h"

/* The name of the format that `file` is in from its first byte to its last, each line or block
 * with its checksum or magic right: `Intel HEX`, `S-record` or `UF2`; NULL for any other. */
const char *image_records_format(struct span file);

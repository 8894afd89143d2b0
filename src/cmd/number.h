/* number.h - numbers as people type them: 1e9, 10M, 64KiB, 1.5s, 0x80000000 */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include <stdint.h>

/* A whole number: decimal digits, a fraction and an exponent as long as the result is whole, then
 * a suffix of number.def (k M G T by thousands, KiB MiB GiB by 1024). ERR_ARGUMENT with words. */
MUST_CHECK int number_parse_count(const char *text, uint64_t *ret_count, struct msg *msg);
/* A time in milliseconds: as above with a unit (ms s m min h d); no unit is milliseconds. */
MUST_CHECK int number_parse_ms(const char *text, uint64_t *ret_ms, struct msg *msg);
/* A 32-bit guest address: 0x and hexadecimal digits, or decimal. */
MUST_CHECK int number_parse_address(const char *text, uint32_t *ret_address, struct msg *msg);

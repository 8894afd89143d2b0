/* random.h - bytes from the kernel's generator */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* Fills `bytes`, at most 256 of them, waiting only while the machine boots. */
MUST_CHECK int os_random(void *bytes, size_t size);

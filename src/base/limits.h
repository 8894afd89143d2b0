/* limits.h - the bound of every loop, queue and buffer that is not a user's option */
/* SPDX-License-Identifier: MIT */
#pragma once

#define KiB(n) ((uint64_t)(n) << 10)
#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)

#define OBJECT_BYTES_MAX MiB(32) /* of a ROM or a session's RAM in the store */
/* Of an image's file, whatever its format: what the windows hold may take as much again for headers
 * and symbols, and more in formats of text. */
#define IMAGE_BYTES_MAX MiB(128)

enum {
    PAGE_SIZE = 4096,          /* a guest page and a host page: Mote runs on no other size */
    CONSOLE_BYTES_MAX = 65536, /* of a run's console log that are kept (http-api.md) */
    GATHER_BYTES_MAX = 65536,  /* of a body's small pieces that wait to be written together */
    SYMBOL_NAME_MAX = 255,     /* bytes of a symbol's name that are looked at and shown */
    STOP_GRACE_MS = 2000,      /* what killed runs and the store's threads get at the very end */
};

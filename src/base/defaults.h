/* defaults.h - values of options that more than one table, layer or program starts from */
/* SPDX-License-Identifier: MIT */
#pragma once

#define DEFAULT_ADDRESS "127.0.0.1:8080" /* where the server listens and clients look for it */
#define DEFAULT_STORE   "mote-store"

enum {
    DEFAULT_CYCLES = 1000000000, /* caps of a run */
    DEFAULT_RUN_MS = 10000,
    DEFAULT_CONSOLE_BYTES = 64 << 20, /* of a run without a server */
    DEFAULT_HEAD_BYTES = 16384,
    DEFAULT_TARGET_BYTES = 8192,
    DEFAULT_FIELDS = 100,
    DEFAULT_CONNECTIONS = 1000,
    DEFAULT_HEAD_MS = 10000,
    DEFAULT_IDLE_MS = 60000,
    DEFAULT_UPLOAD_RATE = 1024, /* bytes a second, as the next */
    DEFAULT_DOWNLOAD_RATE = 1024,
    DEFAULT_ROMS = 100000,
    DEFAULT_SESSIONS = 100000,
    DEFAULT_HELD_BYTES = 1 << 30,
};

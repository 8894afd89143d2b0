/* profile.h - the profiles of a machine, from abi/machine.def: its windows and what else it has */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum window {
#define WINDOW(name, base, size, access, text) WINDOW_##name,
#include "abi/mem.def"
#undef WINDOW
    WINDOW_COUNT
};

/* The places of profile `virt`, the only one of the service. */
enum {
#define WINDOW(name, base, size, access, text) name##_BASE = (int)(base), name##_SIZE = (size),
#include "abi/mem.def"
#undef WINDOW
};

enum profile {
#define PROFILE(name, word, is_fitted, has_devices, is_bare, text) PROFILE_##name,
#include "abi/machine.def"
#undef PROFILE
    PROFILE_COUNT
};

/* What a guest may do with a window; the values of enum page_access. */
enum { WINDOW_READ = 1, WINDOW_WRITE = 2, WINDOW_EXECUTE = 4 };

struct window_row {
    const char *name;
    uint32_t base;
    uint32_t size; /* the largest; 0 where the profile has no such window */
    unsigned access;
};

struct profile_row {
    const char *name;
    bool is_fitted; /* a file's size gives its window's; else it is the row's */
    bool has_devices;
    bool is_bare; /* a jump to 0 ends the run, ecall writes to the console */
    struct window_row windows[WINDOW_COUNT];
};

/* Of a fitted window without a file, or with an empty one. */
enum { FITTED_SIZE = 1 << 20 };

const struct profile_row *machine_profile(enum profile profile);
/* False where no profile is called that. */
bool machine_profile_named(const char *name, enum profile *ret_profile);
/* The window with `address` in it, NULL outside all. `windows` are WINDOW_COUNT rows. */
const struct window_row *window_at(const struct window_row *windows, uint32_t address);

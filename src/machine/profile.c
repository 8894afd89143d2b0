/* profile.c - the table of profiles */
/* SPDX-License-Identifier: MIT */
#include "machine/profile.h"

#include "engine/engine.h"
#include <assert.h>
#include <string.h>

static_assert((int)WINDOW_READ == PAGE_READ && (int)WINDOW_WRITE == PAGE_WRITE &&
                  (int)WINDOW_EXECUTE == PAGE_EXECUTE,
              "a window's access is its pages'");

enum { R = WINDOW_READ, W = WINDOW_WRITE, X = WINDOW_EXECUTE };

enum {
#define WINDOW(name, base, size, access, text) ACCESS_##name = (access),
#include "abi/mem.def"
#undef WINDOW
};

static const struct profile_row profiles[PROFILE_COUNT] = {
#define PROFILE(profile, word, fitted, devices, bare, text)                      \
    [PROFILE_##profile].name = (word), [PROFILE_##profile].is_fitted = (fitted), \
    [PROFILE_##profile].has_devices = (devices), [PROFILE_##profile].is_bare = (bare),
#define PLACE(profile, window, base, size) \
    [PROFILE_##profile].windows[WINDOW_##window] = {#window, base, size, ACCESS_##window},
#include "abi/machine.def"
#undef PROFILE
#undef PLACE
};

const struct profile_row *machine_profile(enum profile profile)
{
    check(profile < PROFILE_COUNT);
    return &profiles[profile];
}

bool machine_profile_named(const char *name, enum profile *ret_profile)
{
    for (enum profile p = 0; p < PROFILE_COUNT; p++) {
        if (strcmp(profiles[p].name, name) == 0) {
            *ret_profile = p;
            return true;
        }
    }
    return false;
}

const struct window_row *window_at(const struct window_row *windows, uint32_t address)
{
    for (const struct window_row *w = windows; w < windows + WINDOW_COUNT; w++) {
        if (address - w->base < w->size) {
            return w;
        }
    }
    return NULL;
}

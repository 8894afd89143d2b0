/* sdk.h - where the guest's SDK is, and its compiler as a command line */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: compiler_init -> os_exec or os_run with argv -> compiler_deinit. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

enum { SDK_PATH_SIZE = 4096 };

/* The SDK's folder: $MOTE_SDK, else share/mote beside the folder of this program. ERR_NOT_FOUND
 * where `file` is not in it. */
MUST_CHECK int sdk_find(const char *file, char ret_folder[SDK_PATH_SIZE], struct msg *msg);

/* True for a file name that the compiler takes as source: C, C++ or assembly. */
bool sdk_is_source(const char *name);

struct compiler {
    char specs[SDK_PATH_SIZE + 32];
    char **argv; /* owned; ends with NULL; its strings are borrowed */
};

/* The cross compiler with the SDK's specs and `args`: g++ where they name C++, else gcc. */
MUST_CHECK int compiler_init(struct compiler *c, const char *const *args, size_t args_count,
                             struct msg *msg);
void compiler_deinit(struct compiler *c);
/* Compiles `source` to the file `elf` as `mote cc LEVEL -g -Wall` does, LEVEL being "-O2" or the
 * like. ERR_BAD_IMAGE where there are errors, which the compiler has printed. */
MUST_CHECK int sdk_compile(const char *source, const char *elf, const char *level, struct msg *msg);
/* Adds what to install to the words of a compiler that could not be started. */
int compiler_missing(const struct compiler *c, int err, struct msg *msg);

/* sdk.c - finds the SDK and makes the compiler's command line */
/* SPDX-License-Identifier: MIT */
#include "cmd/sdk.h"
#include "os/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct suffix {
    const char *text;
    bool is_cxx;
} suffixes[] = {
    {".c", false},  {".S", false},  {".s", false}, {".cc", true},
    {".cpp", true}, {".cxx", true}, {".C", true},  {".c++", true},
};

static const struct suffix *find_suffix(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < ARRAY_COUNT(suffixes); i++) {
        if (strcmp(dot, suffixes[i].text) == 0) {
            return &suffixes[i];
        }
    }
    return NULL;
}

static int default_folder(char ret_folder[SDK_PATH_SIZE], struct msg *msg)
{
    char own[SDK_PATH_SIZE];
    int err = os_own_folder(own, sizeof own);
    if (err) {
        return fail(msg, err, "/proc/self/exe: %s", err_text(err));
    }
    int len = snprintf(ret_folder, SDK_PATH_SIZE, "%s/../share/mote", own);
    return len < SDK_PATH_SIZE ? 0 : fail(msg, ERR_TOO_BIG, "%s: too long a path", own);
}

int sdk_find(const char *file, char ret_folder[SDK_PATH_SIZE], struct msg *msg)
{
    char whole[SDK_PATH_SIZE + 64];
    const char *given = getenv("MOTE_SDK");
    if (given && *given) {
        if (strlen(given) >= SDK_PATH_SIZE) {
            return fail(msg, ERR_TOO_BIG, "$MOTE_SDK is longer than %d bytes", SDK_PATH_SIZE);
        }
        memcpy(ret_folder, given, strlen(given) + 1);
    } else {
        int err = default_folder(ret_folder, msg);
        if (err) {
            return err;
        }
    }
    snprintf(whole, sizeof whole, "%s/%s", ret_folder, file);
    if (os_is_file(whole)) {
        return 0;
    }
    return fail(msg, ERR_NOT_FOUND,
                "the SDK is not in %.200s (there is no %s): `make` builds it in Mote's source "
                "tree, $MOTE_SDK says where it is",
                ret_folder, file);
}

bool sdk_is_source(const char *name)
{
    return find_suffix(name) != NULL;
}

static bool names_cxx(const char *const *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct suffix *suffix = args[i][0] == '-' ? NULL : find_suffix(args[i]);
        if ((suffix && suffix->is_cxx) || strcmp(args[i], "-xc++") == 0 ||
            (strcmp(args[i], "-x") == 0 && i + 1 < count && strcmp(args[i + 1], "c++") == 0)) {
            return true;
        }
    }
    return false;
}

int compiler_init(struct compiler *c, const char *const *args, size_t args_count, struct msg *msg)
{
    const char *name =
        names_cxx(args, args_count) ? "riscv64-unknown-elf-g++" : "riscv64-unknown-elf-gcc";
    char folder[SDK_PATH_SIZE];
    int err = sdk_find("mote.specs", folder, msg);
    if (err) {
        return err;
    }
    c->argv = calloc(args_count + 3, sizeof *c->argv);
    if (!c->argv) {
        return fail(msg, ERR_NO_MEMORY, "no memory for %zu arguments", args_count);
    }
    snprintf(c->specs, sizeof c->specs, "--specs=%s/mote.specs", folder);
    /* exec's type has no const, though it writes nothing. */
    memcpy(&c->argv[0], &name, sizeof name);
    c->argv[1] = c->specs;
    if (args_count) {
        memcpy(c->argv + 2, args, args_count * sizeof *args);
    }
    return 0;
}

void compiler_deinit(struct compiler *c)
{
    free(c->argv);
    c->argv = NULL;
}

int compiler_missing(const struct compiler *c, int err, struct msg *msg)
{
    if (err != ERR_NOT_FOUND) {
        return err;
    }
    return fail(msg, err,
                "%s is not installed: apt-get install gcc-riscv64-unknown-elf "
                "picolibc-riscv64-unknown-elf",
                c->argv[0]);
}

int sdk_compile(const char *source, const char *elf, const char *level, struct msg *msg)
{
    char path[SDK_PATH_SIZE];
    if (!os_is_file(source)) {
        return fail(msg, ERR_NOT_FOUND, "there is no file %.200s", source);
    }
    /* What begins with `-` or `@` is a name all the same, no option of the compiler. */
    int len = snprintf(path, sizeof path, "%s%s", source[0] == '/' ? "" : "./", source);
    if (len < 0 || (size_t)len >= sizeof path) {
        return fail(msg, ERR_TOO_BIG, "a name longer than %zu bytes", sizeof path);
    }
    const char *args[] = {level, "-g", "-Wall", "-o", elf, path};
    struct compiler compiler = {.argv = NULL};
    int status = 0;
    int err = compiler_init(&compiler, args, ARRAY_COUNT(args), msg);
    if (!err) {
        err = compiler_missing(&compiler, os_run(compiler.argv, &status, msg), msg);
    }
    compiler_deinit(&compiler);
    if (!err && status) {
        return fail(msg, ERR_BAD_IMAGE, "%s does not compile: its errors are above", source);
    }
    return err;
}

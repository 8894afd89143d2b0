/* mote_new.c - `mote new`: a firmware project, copied from the SDK's template */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/printable.h"
#include "cmd/sdk.h"
#include "os/command.h"
#include "os/given.h"

#include <errno.h>
#include <stdio.h>

enum { TEMPLATE_FILE_BYTES_MAX = 65536, PATH_ROOM = SDK_PATH_SIZE + 256 };

static const struct program program = {
    .name = "mote new",
    .operands = "NAME",
    .purpose = "start a firmware project in the new folder NAME",
    .notes =
        "The project needs Debian's riscv64-unknown-elf-gcc and picolibc only. In it,\n"
        "  make         builds firmware.elf\n"
        "  make run     runs it here, standard input to standard output\n"
        "  make put     stores it on the server that `mote put` remembers\n"
        "  make qemu    builds the same sources for qemu-system-riscv32 and runs them there\n\n"
        "Exit status: 0, 124 where NAME exists or the SDK is missing, 125 for wrong usage or\n"
        "trouble of the host.\n",
    .operands_min = 1,
    .operands_max = 1,
};

struct copy {
    const char *from;
    const char *to;
    struct msg *msg;
};

static int write_file(const char *path, struct span text, struct msg *msg)
{
    FILE *file = fopen(path, "wxe");
    bool is_written = file && fwrite(text.data, 1, text.len, file) == text.len;
    if (file && fclose(file)) {
        is_written = false;
    }
    return is_written ? 0 : fail(msg, ERR_FULL, "%.200s: %s", path, strerror(errno));
}

static int copy_file(const struct copy *copy, const char *name)
{
    char path[PATH_ROOM];
    uint8_t text[TEMPLATE_FILE_BYTES_MAX];
    size_t len = 0;
    struct os_given given;
    struct msg why = {{0}};
    snprintf(path, sizeof path, "%s/%s", copy->from, name);
    int err = os_given_open(path, OS_GIVEN_READ, &given, &why);
    if (err) {
        return fail(copy->msg, err, "%.150s: %s", path, why.text);
    }
    err = os_given_read(&given, text, sizeof text, &len, &why);
    os_given_close(&given);
    if (err) {
        return fail(copy->msg, err, "%.150s: %s", path, why.text);
    }
    snprintf(path, sizeof path, "%s/%s", copy->to, name);
    return write_file(path, span_of(text, len), copy->msg);
}

static int visit(void *context, const char *name, bool is_folder)
{
    return is_folder ? 0 : copy_file(context, name);
}

static int remove_copy(void *context, const char *name, bool is_folder)
{
    const struct copy *copy = context;
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", copy->to, name);
    if (!is_folder) {
        os_remove(path);
    }
    return 0;
}

/* A project is there whole or not at all. */
static int copy_template(struct copy *copy)
{
    int err = os_each_entry(copy->from, visit, copy, copy->msg);
    if (err) {
        UNUSED int as_far_as_it_goes = os_each_entry(copy->from, remove_copy, copy, NULL);
        os_remove(copy->to);
    }
    return err;
}

static int check_name(const char *name, struct msg *msg)
{
    char shown[SDK_PATH_SIZE];
    if (strlen(name) >= sizeof shown) {
        return fail(msg, ERR_TOO_BIG, "a name longer than %d bytes", SDK_PATH_SIZE);
    }
    memcpy(shown, name, strlen(name) + 1);
    make_printable(shown);
    return strcmp(shown, name) == 0
               ? 0
               : fail(msg, ERR_USAGE, "NAME: `%.60s` has characters that steer a terminal", name);
}

static int make_project(const char *name, struct msg *msg)
{
    char folder[SDK_PATH_SIZE];
    char from[PATH_ROOM];
    int err = check_name(name, msg);
    err = err ? err : sdk_find("template/Makefile", folder, msg);
    err = err ? err : os_make_new_folder(name, msg);
    if (err == ERR_EXISTS) {
        return fail(msg, err, "%.200s exists already: choose another name", name);
    }
    if (err) {
        return err;
    }
    snprintf(from, sizeof from, "%s/template", folder);
    return copy_template(&(struct copy){from, name, msg});
}

/* As a shell takes it for one word. */
static void print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+,:=@";
    printf("%s", word[0] == '-' ? "./" : "");
    if (word[strspn(word, plain)] == 0) {
        printf("%s", word);
        return;
    }
    putchar('\'');
    for (const char *p = word; *p; p++) {
        printf(*p == '\'' ? "'\\''" : "%c", *p);
    }
    putchar('\'');
}

/* What is printed works when it is typed, also where PATH has not this program. */
static void print_next(const char *name)
{
    char own[SDK_PATH_SIZE];
    printf("%s is ready: cd ", name);
    print_word(name);
    printf(" && make run");
    if (!os_is_on_path("mote") && os_own_folder(own, sizeof own) == 0) {
        char whole[SDK_PATH_SIZE + sizeof "/mote"];
        snprintf(whole, sizeof whole, "%s/mote", own);
        printf(" MOTE=");
        print_word(whole);
    }
    putchar('\n');
}

int mote_new(int argc, char **argv)
{
    check(argc > 0);
    struct operands operands;
    struct msg msg = {{0}};
    int err = option_parse(&program, argv, NULL, &operands, &msg);
    if (err == OPTION_DONE) {
        return 0;
    }
    err = err ? err : make_project(operands.items[0], &msg);
    if (!err) {
        print_next(operands.items[0]);
    }
    return command_end(&program, err, &msg);
}

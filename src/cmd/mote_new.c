/* mote_new.c - `mote new`: a firmware project, copied from the SDK's template */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
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

static int make_project(const char *name, struct msg *msg)
{
    char folder[SDK_PATH_SIZE];
    char from[PATH_ROOM];
    if (strlen(name) >= SDK_PATH_SIZE) {
        return fail(msg, ERR_TOO_BIG, "a name longer than %d bytes", SDK_PATH_SIZE);
    }
    int err = sdk_find("template/Makefile", folder, msg);
    err = err ? err : os_make_new_folder(name, msg);
    if (err == ERR_EXISTS) {
        return fail(msg, err, "%.200s exists already: choose another name", name);
    }
    if (err) {
        return err;
    }
    snprintf(from, sizeof from, "%s/template", folder);
    return os_each_entry(from, visit, &(struct copy){from, name, msg}, msg);
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
        printf("%s is ready: cd %s && make run\n", operands.items[0], operands.items[0]);
    }
    return command_end(&program, err, &msg);
}

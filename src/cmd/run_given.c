/* run_given.c - the folder and the arguments of the command line, for a guest */
/* SPDX-License-Identifier: MIT */
#include "cmd/run_given.h"

/* Libraries take it into a buffer of their own: picolibc has 1 KiB. */
enum { COMMAND_LINE_MAX = 4095 };

static int join_arguments(struct buf *line, const struct option_list *list, struct msg *msg)
{
    buf_init(line, COMMAND_LINE_MAX);
    for (size_t i = 0; i < list->count; i++) {
        buf_puts(line, i > 0 ? " " : "");
        buf_puts(line, list->items[i]);
    }
    if (line->failed) {
        return fail(msg, ERR_USAGE, "--arg: all %zu arguments together are over %d bytes",
                    list->count, COMMAND_LINE_MAX);
    }
    return 0;
}

static int open_folder(struct run_given *given, const struct run_options *options, struct msg *msg)
{
    const char *path = options->dir_rw ? options->dir_rw : options->dir;
    struct msg why;
    if (options->dir && options->dir_rw) {
        return fail(msg, ERR_USAGE, "--dir and --dir-rw: a guest has one folder, give one of them");
    }
    if (!path) {
        return 0;
    }
    if (os_folder_open(path, options->dir_rw != NULL, &given->folder, &why)) {
        return fail(msg, ERR_USAGE, "--%s %.200s: %s", options->dir_rw ? "dir-rw" : "dir", path,
                    why.text);
    }
    given->has_folder = true;
    return 0;
}

int run_given_init(struct run_given *given, const struct run_options *options, struct msg *msg)
{
    int err = join_arguments(&given->command_line, &options->arg, msg);
    return err ? err : open_folder(given, options, msg);
}

void run_given_deinit(struct run_given *given)
{
    if (given->has_folder) {
        os_folder_close(&given->folder);
    }
    buf_deinit(&given->command_line);
}

const struct os_folder *run_given_folder(const struct run_given *given)
{
    return given->has_folder ? &given->folder : NULL;
}

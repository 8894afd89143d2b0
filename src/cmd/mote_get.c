/* mote_get.c - `mote get`: a ROM, or a session's RAM, as bytes */
/* SPDX-License-Identifier: MIT */
#include "cmd/client.h"
#include "cmd/command.h"
#include "os/command.h"

struct get_options {
    struct client_options client;
    const char *output;
};

static const struct option_row rows[] = {
    OPTION_ROW(struct get_options, TEXT, output, "output", 'o', "FILE", 0, 0, 0,
               "write to FILE instead of standard output") CLIENT_ROWS(struct get_options)};

static const struct program program = {
    .name = "mote get",
    .operands = "rom|ram",
    .purpose = "fetch a ROM as it was uploaded, or a session's RAM without its last zeros",
    .notes = "Exit status:\n"
             "    0  it is fetched\n" CLIENT_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_min = 1,
    .operands_max = 1,
};

static int get(struct client *c, const struct get_options *options, const char *what,
               struct msg *msg)
{
    char path[CLIENT_PATH_SIZE];
    bool is_ram = false;
    int err = client_parse_what(what, &is_ram, msg);
    if (!err && !options->output && os_is_terminal(1)) {
        err = fail(msg, ERR_USAGE, "these bytes are not for a terminal: -o FILE, or > FILE");
    }
    err = err ? err : client_open(c, &options->client, msg);
    err = err ? err : client_path(c, is_ram, path, msg);
    if (err) {
        return err;
    }
    struct client_reply reply;
    struct client_sink sink = {.path = options->output, .file = options->output ? NULL : stdout};
    const struct client_request request = {.method = "GET", .path = path, .sink = &sink};
    err = client_call(c, &request, &reply, msg);
    client_reply_deinit(&reply);
    return err;
}

int mote_get(int argc, char **argv)
{
    check(argc > 0);
    struct get_options options = {.output = NULL};
    struct operands operands;
    struct msg msg = {{0}};
    struct client client = {.program = &program};
    int err = option_parse(&program, argv, &options, &operands, &msg);
    if (err == OPTION_DONE) {
        return 0;
    }
    err = err ? err : get(&client, &options, operands.items[0], &msg);
    return client_close(&client, err, &msg);
}

/* mote_rm.c - `mote rm`: removes a ROM or a session from the server */
/* SPDX-License-Identifier: MIT */
#include "cmd/client.h"
#include "cmd/command.h"

struct rm_options {
    struct client_options client;
};

static const struct option_row rows[] = {CLIENT_ROWS(struct rm_options)};

static const struct program program = {
    .name = "mote rm",
    .operands = "rom|ram",
    .purpose = "remove a ROM (its sessions stay), or a session",
    .notes = "Without an id this is the last one used. A session's running and waiting posts end,\n"
             "and commit nothing.\n\n"
             "Exit status:\n"
             "    0  it is removed\n" CLIENT_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_min = 1,
    .operands_max = 1,
};

static int rm(struct client *c, const struct rm_options *options, const char *what, struct msg *msg)
{
    char path[CLIENT_PATH_SIZE];
    bool is_ram = false;
    int err = client_parse_what(what, &is_ram, msg);
    err = err ? err : client_open(c, &options->client, msg);
    err = err ? err : client_path(c, is_ram, path, msg);
    if (err) {
        return err;
    }
    struct client_reply reply;
    const struct client_request request = {.method = "DELETE", .path = path};
    err = client_call(c, &request, &reply, msg);
    if (!err && reply.status != 204) {
        err = client_doubt(c, "with another status than 204", msg);
    }
    client_reply_deinit(&reply);
    if (!err) {
        c->now.ram[0] = 0;
        c->now.rom[0] = is_ram ? c->now.rom[0] : 0;
    }
    return err;
}

int mote_rm(int argc, char **argv)
{
    check(argc > 0);
    struct rm_options options = {.client = {NULL}};
    struct operands operands;
    struct msg msg = {{0}};
    struct client client = {.program = &program};
    int err = option_parse(&program, argv, &options, &operands, &msg);
    if (err == OPTION_DONE) {
        return 0;
    }
    err = err ? err : rm(&client, &options, operands.items[0], &msg);
    return client_close(&client, err, &msg);
}

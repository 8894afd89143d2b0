/* mote_put.c - `mote put`: uploads a ROM, or a session's RAM image */
/* SPDX-License-Identifier: MIT */
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/printable.h"
#include "cmd/sdk.h"
#include "os/command.h"

#include <inttypes.h>
#include <jansson.h>

enum { FORMAT_SIZE = 11 };

struct put_options {
    struct client_options client;
    bool replace;
    bool session;
    bool raw;
};

static const struct option_row rows[] = {
    OPTION_ROW(struct put_options, FLAG, replace, "replace", 0, NULL, 0, 0, 0,
               "replace the ROM of --rom, or the last one used; its sessions stay")
        OPTION_ROW(struct put_options, FLAG, session, "session", 0, NULL, 0, 0, 0,
                   "FILE is the RAM image of the session of --ram, or the last one used")
            OPTION_ROW(struct put_options, FLAG, raw, "raw", 0, NULL, 0, 0, 0,
                       "take FILE as raw binary, whatever it looks like")
                CLIENT_ROWS(struct put_options)};

static const struct program program = {
    .name = "mote put",
    .operands = "FILE",
    .purpose = "upload a ROM; its id goes to standard output",
    .notes =
        "FILE is an ELF, Intel HEX, S-records, UF2 or a raw binary, `-` standard input. A new ROM\n"
        "is the one that the next `mote post` runs, in a new session.\n\n"
        "Exit status:\n"
        "    0  it is stored\n" CLIENT_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_min = 1,
    .operands_max = 1,
};

static int check_file(const struct put_options *options, const char *file, struct msg *msg)
{
    if (options->session && (options->replace || options->raw)) {
        return fail(msg, ERR_USAGE, "--session goes with neither --replace nor --raw");
    }
    if (options->client.ram && !options->session) {
        return fail(msg, ERR_USAGE, "--ram goes with --session");
    }
    if (!options->session && sdk_is_source(file) && !options->raw) {
        return fail(msg, ERR_BAD_FILE,
                    "%.100s is source: `mote cc -O2 %.100s -o FILE.elf` compiles it first (--raw "
                    "uploads it as it is)",
                    file, file);
    }
    return 0;
}

static int choose_path(const struct client *c, const struct put_options *options,
                       char ret_path[CLIENT_PATH_SIZE], struct msg *msg)
{
    bool is_new = !options->session && !options->replace && !options->client.rom;
    if (is_new) {
        memcpy(ret_path, "/mcu", sizeof "/mcu");
    } else {
        int err = client_path(c, options->session, ret_path, msg);
        if (err) {
            return err;
        }
    }
    if (options->raw) {
        size_t len = strlen(ret_path);
        snprintf(ret_path + len, CLIENT_PATH_SIZE - len, "?format=raw");
    }
    return 0;
}

/* The reply tells the id of the ROM, which is another one now: its sessions are not the last's. */
static int take_rom(struct client *c, const struct client_reply *reply, struct msg *msg)
{
    struct id id;
    char text[ID_TEXT_LEN + 1];
    json_t *json = json_loadb((const char *)reply->text.data, reply->text.len, 0, NULL);
    const char *words = json_string_value(json_object_get(json, "id"));
    const char *format = json_string_value(json_object_get(json, "format"));
    if (!words || !id_parse(span_of_string(words), &id)) {
        json_decref(json);
        return client_doubt(c, "without an id", msg);
    }
    id_format(&id, text);
    if (strcmp(text, c->now.rom) != 0) {
        memcpy(c->now.rom, text, sizeof text);
        c->now.ram[0] = 0;
    }
    puts(text);
    if (os_is_terminal(2)) {
        char shown[FORMAT_SIZE];
        snprintf(shown, sizeof shown, "%s", format ? format : "?");
        make_printable(shown);
        fprintf(stderr, "%" JSON_INTEGER_FORMAT " bytes, %s; `mote post FILE` runs it\n",
                json_integer_value(json_object_get(json, "size")), shown);
    }
    json_decref(json);
    return 0;
}

static int put(struct client *c, const struct put_options *options, const char *file,
               struct msg *msg)
{
    char path[CLIENT_PATH_SIZE];
    struct client_body body = {.file = NULL};
    int err = check_file(options, file, msg);
    err = err ? err : client_open(c, &options->client, msg);
    err = err ? err : choose_path(c, options, path, msg);
    err = err ? err : client_body_open(file, &body, msg);
    if (err) {
        return err;
    }
    struct client_reply reply;
    const struct client_request request = {
        .method = "PUT", .path = path, .body = &body, .progress = file};
    err = client_call(c, &request, &reply, msg);
    bool would_raw_do = reply.status == 422 && !options->raw && body.sent > 0;
    if (err && would_raw_do) {
        struct msg why = *msg;
        err = fail(msg, err, "%s, --raw takes the bytes as they are", why.text);
    }
    if (!err && options->session) {
        struct span place;
        err =
            client_field(&reply, "Location", &place) ? 0 : client_doubt(c, "without Location", msg);
    } else if (!err) {
        err = take_rom(c, &reply, msg);
    }
    client_reply_deinit(&reply);
    client_body_close(&body);
    return err;
}

int mote_put(int argc, char **argv)
{
    check(argc > 0);
    struct put_options options = {.raw = false};
    struct operands operands;
    struct msg msg = {{0}};
    struct client client = {.program = &program};
    int err = option_parse(&program, argv, &options, &operands, &msg);
    if (err == OPTION_DONE) {
        return 0;
    }
    err = err ? err : put(&client, &options, operands.items[0], &msg);
    return client_close(&client, err, &msg);
}

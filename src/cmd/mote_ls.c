/* mote_ls.c - `mote ls`: the ROMs and sessions of a server */
/* SPDX-License-Identifier: MIT */
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/printable.h"

#include <jansson.h>
#include <time.h>

enum { TIME_TEXT_SIZE = 32, FORMAT_SIZE = 7 };

struct ls_options {
    struct client_options client;
    bool json;
};

static const struct option_row rows[] = {
    OPTION_ROW(struct ls_options, FLAG, json, "json", 0, NULL, 0, 0, 0,
               "print {\"roms\":[...],\"sessions\":[...]} as the server has them")
        CLIENT_ROWS_ALL(struct ls_options)};

static const struct program program = {
    .name = "mote ls",
    .operands = "",
    .purpose = "list the ROMs and sessions of a server on this machine",
    .notes = "A star marks what the next command uses.\n\n"
             "Exit status:\n"
             "    0  they are listed\n" CLIENT_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
};

static const char *id_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    struct id id;
    return text && id_parse(span_of_string(text), &id) ? text : "-";
}

/* Local time, as it is for people. */
static void print_time(const json_t *object, const char *name, char ret_text[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(json_integer_value(json_object_get(object, name)) / 1000);
    struct tm parts;
    ret_text[0] = 0;
    if (localtime_r(&seconds, &parts)) {
        strftime(ret_text, TIME_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
    }
}

static void print_rom(const struct client *c, const json_t *rom)
{
    char created[TIME_TEXT_SIZE];
    char format[FORMAT_SIZE];
    const char *id = id_member(rom, "id");
    const char *words = json_string_value(json_object_get(rom, "format"));
    snprintf(format, sizeof format, "%s", words ? words : "-");
    make_printable(format);
    print_time(rom, "created_ms", created);
    printf("%c %-36s  %9" JSON_INTEGER_FORMAT "  %-6s  %s\n",
           strcmp(id, c->now.rom) == 0 ? '*' : ' ', id,
           json_integer_value(json_object_get(rom, "size")), format, created);
}

static void print_session(const struct client *c, const json_t *session)
{
    char used[TIME_TEXT_SIZE];
    const char *id = id_member(session, "id");
    print_time(session, "used_ms", used);
    printf("%c %-36s  %9" JSON_INTEGER_FORMAT "  %-36s  %s\n",
           strcmp(id, c->now.ram) == 0 ? '*' : ' ', id,
           json_integer_value(json_object_get(session, "size")), id_member(session, "rom"), used);
}

static void print_tables(const struct client *c, const json_t *roms, const json_t *sessions)
{
    size_t i;
    const json_t *each;
    printf("  %-36s  %9s  %-6s  %s\n", "ROM", "bytes", "format", "uploaded");
    json_array_foreach(roms, i, each)
    {
        print_rom(c, each);
    }
    if (json_array_size(roms) == 0) {
        puts("  (none: `mote put FILE` uploads one)");
    }
    printf("\n  %-36s  %9s  %-36s  %s\n", "session", "bytes", "of ROM", "used");
    json_array_foreach(sessions, i, each)
    {
        print_session(c, each);
    }
    if (json_array_size(sessions) == 0) {
        puts("  (none: `mote post` starts one)");
    }
}

static int fetch(struct client *c, const char *path, json_t **ret_list, struct msg *msg)
{
    struct client_reply reply;
    const struct client_request request = {.method = "GET", .path = path};
    int err = client_call(c, &request, &reply, msg);
    if (!err) {
        *ret_list = json_loadb((const char *)reply.text.data, reply.text.len, 0, NULL);
    }
    if (!err && !json_is_array(*ret_list)) {
        err = fail(msg, ERR_CORRUPT, "%s%s is no list: is it a Mote server?", c->now.server, path);
    }
    client_reply_deinit(&reply);
    return err;
}

static int print_json(json_t *roms, json_t *sessions, struct msg *msg)
{
    json_t *both = json_pack("{s:O,s:O}", "roms", roms, "sessions", sessions);
    int failed = both ? json_dumpf(both, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) : -1;
    json_decref(both);
    putchar('\n');
    return failed && !ferror(stdout) ? fail(msg, ERR_NO_MEMORY, "out of memory") : 0;
}

static int ls(struct client *c, const struct ls_options *options, struct msg *msg)
{
    json_t *roms = NULL;
    json_t *sessions = NULL;
    int err = client_open(c, &options->client, msg);
    err = err ? err : fetch(c, "/roms", &roms, msg);
    err = err ? err : fetch(c, "/sessions", &sessions, msg);
    if (!err && options->json) {
        err = print_json(roms, sessions, msg);
    } else if (!err) {
        print_tables(c, roms, sessions);
    }
    json_decref(roms);
    json_decref(sessions);
    return err;
}

int mote_ls(int argc, char **argv)
{
    check(argc > 0);
    struct ls_options options = {.json = false};
    struct operands operands;
    struct msg msg = {{0}};
    struct client client = {.program = &program};
    int err = option_parse(&program, argv, &options, &operands, &msg);
    if (err == OPTION_DONE) {
        return 0;
    }
    err = err ? err : ls(&client, &options, &msg);
    return client_close(&client, err, &msg);
}

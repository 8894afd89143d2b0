/* mote_post.c - `mote post`: runs a ROM on the server; bytes in, bytes out */
/* SPDX-License-Identifier: MIT */
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/printable.h"
#include "cmd/run.h"
#include "os/command.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

enum { FIELD_SIZE = 64, QUERY_MAX = 8000, NUMBER_SIZE = 24, LINE_SIZE = 512, FRAME_SIZE = 256 };

struct post_options {
    struct client_options client;
    bool new_session;
    bool stats;
    const char *query;
    struct option_list fields;
    uint64_t max_cycles;
    uint64_t max_ms;
};

static const struct option_row rows[] = {
    OPTION_ROW(struct post_options, FLAG, new_session, "new", 0, NULL, 0, 0, 0,
               "start a new session, with fresh RAM")
        OPTION_ROW(struct post_options, FLAG, stats, "stats", 0, NULL, 0, 0, 0,
                   "print the reply's status and Mcu- fields to stderr")
            OPTION_ROW(struct post_options, TEXT, query, "query", 'q', "TEXT", 0, 0, 0,
                       "the guest's QUERY_STRING, percent-encoded: width=640&zoom=2")
                OPTION_ROW(struct post_options, LIST, fields, "header", 'H', "FIELD", 0, 0, 0,
                           "send this field, as `Content-Type: text/plain`")
                    OPTION_ROW(struct post_options, COUNT, max_cycles, "max-cycles", 0, "N", 0, 1,
                               1000000000000000,
                               "end the run after N cycles, fewer than the server's cap")
                        OPTION_ROW(struct post_options, MS, max_ms, "max-ms", 0, "TIME", 0, 1,
                                   3600000,
                                   "end the run after this time, less than the server's cap")
                            CLIENT_ROWS(struct post_options)};

static const struct program program = {
    .name = "mote post",
    .operands = "[FILE]",
    .purpose = "run a ROM on the server: FILE or standard input is IN",
    .notes =
        "OUT goes to standard output, the console to standard error: its bytes as they are, but\n"
        "where that is a terminal, control characters other than line ends and tabs as \\x1b. The\n"
        "session that it used or made is the one that the next `mote post` goes on with.\n\n"
        "Exit status:\n"
        "  0-119  the guest's own exit code (119 also for any larger one)\n"
        "  120  the guest sleeps    121  the cycle cap    122  the wall-clock cap\n"
        "  123  a fault of the guest; the session is as before\n" CLIENT_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_max = 1,
};

static const struct {
    const char *word;
    const char *text;
    int exit_status;
} halts[] = {
#define HALT(name, text, word, exit) {word, text, exit},
#include "machine/halt.def"
#undef HALT
};

/* ---- the request */

static int add_field(struct option_list *list, const char *field, struct msg *msg)
{
    if (list->count == OPTION_LIST_MAX) {
        return fail(msg, ERR_USAGE, "more than %d fields", OPTION_LIST_MAX);
    }
    list->items[list->count++] = field;
    return 0;
}

static int add_caps(struct post_options *options, char (*fields)[FIELD_SIZE], struct msg *msg)
{
    int err = 0;
    if (options->max_cycles) {
        snprintf(fields[0], FIELD_SIZE, "Mcu-Max-Cycles: %" PRIu64, options->max_cycles);
        err = add_field(&options->fields, fields[0], msg);
    }
    if (!err && options->max_ms) {
        snprintf(fields[1], FIELD_SIZE, "Mcu-Max-Ms: %" PRIu64, options->max_ms);
        err = add_field(&options->fields, fields[1], msg);
    }
    return err;
}

static int check_fields(const struct option_list *fields, struct msg *msg)
{
    for (size_t i = 0; i < fields->count; i++) {
        const char *field = fields->items[i];
        if (!strchr(field, ':') || field[0] == ':' || strpbrk(field, "\r\n")) {
            return fail(msg, ERR_USAGE, "--header: `%.60s` is not like `Name: value`", field);
        }
    }
    return 0;
}

static int make_target(struct client *c, const struct post_options *options, struct buf *target,
                       struct msg *msg)
{
    char path[CLIENT_PATH_SIZE];
    const char *query = options->query ? options->query : "";
    for (const char *p = query; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f || *p == '#') {
            return fail(msg, ERR_USAGE, "--query: write byte 0x%02x as %%%02X", *p & 0xff,
                        *p & 0xff);
        }
    }
    if (options->new_session) {
        c->now.ram[0] = 0;
    }
    int err = client_path(c, c->now.ram[0] != 0, path, msg);
    buf_print(target, "%s%s%s", path, *query ? "?" : "", *query == '?' ? query + 1 : query);
    buf_put(target, "", 1);
    return !err && target->failed ? fail(msg, ERR_USAGE, "--query: over %d bytes", QUERY_MAX) : err;
}

/* ---- the reply */

static bool is_shown(struct span line)
{
    static const char *const beginnings[] = {"Mcu-", "Server-Timing:"};
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++) {
        size_t len = strlen(beginnings[i]);
        if (line.len > len && span_equals_nocase(span_of(line.data, len), beginnings[i])) {
            return true;
        }
    }
    return false;
}

static void print_stats(const struct client_reply *reply)
{
    struct span rest = buf_span(&reply->fields);
    fprintf(stderr, "Status: %d\n", reply->status);
    while (rest.len > 0) {
        struct span line = span_take_line(&rest);
        char text[LINE_SIZE];
        if (is_shown(line)) {
            snprintf(text, sizeof text, "%.*s", (int)line.len, (const char *)line.data);
            make_printable(text);
            fprintf(stderr, "%s\n", text);
        }
    }
}

/* A session that was made is used from now on; one that a fault kept from being is not. */
static void take_session(struct client *c, const struct client_reply *reply)
{
    struct span ram;
    struct id id;
    if (client_field(reply, "Mcu-Ram", &ram) && id_parse(ram, &id)) {
        id_format(&id, c->now.ram);
    }
}

static int run_status(const struct client_reply *reply)
{
    struct span halt;
    struct span code;
    char number[NUMBER_SIZE] = "0";
    if (!client_field(reply, "Mcu-Halt", &halt)) {
        return RUN_HOST_ERROR;
    }
    for (size_t i = 0; i < ARRAY_COUNT(halts); i++) {
        if (span_equals_string(halt, halts[i].word) && halts[i].exit_status >= 0) {
            return halts[i].exit_status;
        }
    }
    if (client_field(reply, "Mcu-Exit-Code", &code) && code.len < sizeof number) {
        memcpy(number, code.data, code.len);
        number[code.len] = 0;
    }
    unsigned long value = strtoul(number, NULL, 10);
    return value < RUN_GUEST_CODE_MAX ? (int)value : RUN_GUEST_CODE_MAX;
}

static int print_console(struct client *c, const struct client_reply *run, struct msg *msg)
{
    char path[CLIENT_PATH_SIZE];
    char text[ID_TEXT_LEN + 1];
    struct span words;
    struct id id;
    if (!client_field(run, "Mcu-Run", &words) || !id_parse(words, &id)) {
        return 0;
    }
    id_format(&id, text);
    snprintf(path, sizeof path, "/runs/%s/console", text);
    struct client_reply reply;
    struct client_sink sink = {.file = stderr};
    bool is_raw = !os_is_terminal(2);
    const struct client_request request = {
        .method = "GET", .path = path, .sink = is_raw ? &sink : NULL};
    int err = client_call(c, &request, &reply, msg);
    if (!err && !is_raw) {
        print_escaped(buf_span(&reply.text), stderr);
    }
    bool is_gone = reply.status == 404; /* kept no longer: many runs came in between */
    client_reply_deinit(&reply);
    return is_gone ? 0 : err;
}

static void print_backtrace(const struct client_reply *reply)
{
    size_t i;
    const json_t *frame;
    json_t *problem = json_loadb((const char *)reply->text.data, reply->text.len, 0, NULL);
    json_array_foreach(json_object_get(problem, "backtrace"), i, frame)
    {
        const char *address = json_string_value(json_object_get(frame, "address"));
        const char *symbol = json_string_value(json_object_get(frame, "symbol"));
        if (address && symbol) {
            char text[FRAME_SIZE];
            snprintf(text, sizeof text, "%s (%s+%" JSON_INTEGER_FORMAT ")", address, symbol,
                     json_integer_value(json_object_get(frame, "offset")));
            make_printable(text);
            fprintf(stderr, "  at %s\n", text);
        }
    }
    json_decref(problem);
}

/* A run that the guest did not end itself is said, as rv32im does. */
static void explain_cap(const struct client_reply *reply)
{
    struct span halt;
    bool is_told = client_field(reply, "Mcu-Halt", &halt);
    for (size_t i = 0; i < ARRAY_COUNT(halts) && is_told; i++) {
        if (span_equals_string(halt, halts[i].word) && halts[i].exit_status >= 0) {
            fprintf(stderr, "%s: %s; the reply is what was there by then\n", program.name,
                    halts[i].text);
        }
    }
}

/* What goes to standard error beside the words of a failure. */
static void report(struct client *c, const struct post_options *options,
                   const struct client_reply *reply)
{
    struct span halt;
    struct client talk = *c; /* its failure is not the run's */
    struct msg lost = {{0}};
    if (client_field(reply, "Mcu-Halt", &halt)) {
        if (print_console(&talk, reply, &lost)) {
            print_failure("mote post: the console", &lost);
        }
        if (span_equals_string(halt, "fault")) {
            print_backtrace(reply);
        }
    }
    if (options->stats && reply->status) {
        print_stats(reply);
    }
}

static int send_run(struct client *c, const struct post_options *options,
                    struct client_request *request, struct msg *msg)
{
    struct client_sink sink = {.file = stdout};
    struct client_reply reply;
    struct span halt;
    request->sink = &sink;
    int err = client_call(c, request, &reply, msg);
    report(c, options, &reply);
    bool is_run = client_field(&reply, "Mcu-Halt", &halt);
    if (!err && !is_run) {
        err = client_doubt(c, "without Mcu-Halt", msg);
    } else if (!err) {
        explain_cap(&reply);
        take_session(c, &reply);
        c->good_status = run_status(&reply);
    } else if (is_run && span_equals_string(halt, "fault")) {
        c->bad_status = run_status(&reply);
    }
    client_reply_deinit(&reply);
    return err;
}

static int post(struct client *c, struct post_options *options, const char *file, struct msg *msg)
{
    char caps[2][FIELD_SIZE];
    struct buf target;
    struct client_body body = {.file = NULL};
    buf_init(&target, QUERY_MAX);
    int err = check_fields(&options->fields, msg);
    err = err ? err : add_caps(options, caps, msg);
    err = err ? err : client_open(c, &options->client, msg);
    c->timeout_ms += options->max_ms; /* a run may be silent for as long as it was asked to be */
    err = err ? err : make_target(c, options, &target, msg);
    err = err ? err : client_body_open(file, &body, msg);
    if (!err) {
        struct client_request request = {
            .method = "POST",
            .path = (const char *)target.data,
            .fields = &options->fields,
            .body = &body,
        };
        err = send_run(c, options, &request, msg);
    }
    client_body_close(&body);
    buf_deinit(&target);
    return err;
}

int mote_post(int argc, char **argv)
{
    check(argc > 0);
    struct post_options options = {.stats = false};
    struct operands operands;
    struct msg msg = {{0}};
    struct client client = {.program = &program};
    int err = option_parse(&program, argv, &options, &operands, &msg);
    if (err == OPTION_DONE) {
        return 0;
    }
    err = err ? err : post(&client, &options, operands.count ? operands.items[0] : NULL, &msg);
    return client_close(&client, err, &msg);
}

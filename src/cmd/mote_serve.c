/* mote_serve.c - `mote serve`: options from flags, environment and file, then the loop */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"

#include "base/buf.h"
#include "cmd/option.h"
#include "os/map.h"
#include "os/process.h"
#include "service/service.h"
#include "service/worker.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARGUMENTS_MAX = 512, LINE_MAX_BYTES = 4096, NAME_BYTES = 64 };

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct service_options, __VA_ARGS__)
#include "service/option.def"
#undef OPTION
};

static const struct program program = {
    .name = "mote serve",
    .operands = "",
    .purpose = "serve ROMs, RAM sessions and runs over HTTP",
    .notes = "Each option can also stand in the environment (MOTE_MAX_MS=5s) or in the file of\n"
             "--config (max-ms = 5s); the command line wins, then the environment.\n"
             "SIGTERM or Ctrl-C stops gracefully: runs under way finish and commit.\n\n"
             "Exit status: 0 after such a stop, 124 for a file or store that cannot be used, 125\n"
             "for wrong usage or trouble of the host.\n",
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
};

/* One command line made of three sources, weakest first; its strings live until the end. Those made
 * here stand together, behind the program's name and before the words of the real command line. */
struct arguments {
    char *items[ARGUMENTS_MAX];
    size_t count;
    size_t owned_count;
};

static void arguments_deinit(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->owned_count; i++) {
        free(arguments->items[1 + i]);
    }
}

static int add(struct arguments *arguments, char *text, struct msg *msg)
{
    if (!text || arguments->count >= ARGUMENTS_MAX - 1) {
        return fail(msg, ERR_USAGE, "more than %d options", ARGUMENTS_MAX);
    }
    arguments->items[arguments->count++] = text;
    return 0;
}

static const struct option_row *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Adds a string of the heap, taking it. */
static int add_owned(struct arguments *arguments, char *text, struct msg *msg)
{
    int err = add(arguments, text, msg);
    if (err) {
        free(text);
    } else {
        arguments->owned_count++;
    }
    return err;
}

/* Adds `--name=value`; a flag is `--name` where the value is yes, true or 1. */
static int add_value(struct arguments *arguments, const struct option_row *row, const char *value,
                     struct msg *msg)
{
    char *text = NULL;
    if (row->kind != OPTION_FLAG) {
        return asprintf(&text, "--%s=%s", row->name, value) < 0
                   ? fail(msg, ERR_NO_MEMORY, "out of memory")
                   : add_owned(arguments, text, msg);
    }
    bool is_yes = !strcmp(value, "1") || !strcmp(value, "yes") || !strcmp(value, "true");
    bool is_no = !strcmp(value, "0") || !strcmp(value, "no") || !strcmp(value, "false");
    if (!is_yes && !is_no) {
        return fail(msg, ERR_USAGE, "%s is yes or no, not `%.40s`", row->name, value);
    }
    if (is_no) {
        return 0;
    }
    return asprintf(&text, "--%s", row->name) < 0 ? fail(msg, ERR_NO_MEMORY, "out of memory")
                                                  : add_owned(arguments, text, msg);
}

/* A line's piece as a string: without the blanks around it. `line` is cut in place. */
static char *to_string(struct span piece)
{
    struct span s = span_trim(piece);
    char *text = (char *)(uintptr_t)s.data;
    text[s.len] = '\0';
    return text;
}

/* `line` has no end of line any more, and a byte of room behind it. */
static int add_line(struct arguments *arguments, char *line, struct msg *msg)
{
    line[strcspn(line, "#")] = '\0';
    struct span value = span_of_string(line);
    struct span before = span_cut(&value, '=');
    char *name = to_string(before);
    if (!value.data) {
        return *name ? fail(msg, ERR_USAGE, "`%.60s` is not `name = value`", name) : 0;
    }
    const struct option_row *row = find(name);
    if (!row || strcmp(name, "config") == 0) {
        return fail(msg, ERR_USAGE, "there is no option `%.60s`; see `mote serve --help`", name);
    }
    return add_value(arguments, row, to_string(value), msg);
}

/* Reads a line without its end; false where there is none. Before it is read the buffer holds no
 * NUL, so that the last one is its end, and any other one stood in the file. */
static bool read_line(FILE *file, char line[LINE_MAX_BYTES], int *ret_err, struct msg *msg)
{
    memset(line, '\n', LINE_MAX_BYTES);
    if (!fgets(line, LINE_MAX_BYTES, file)) {
        return false;
    }
    size_t len = (size_t)((char *)memrchr(line, '\0', LINE_MAX_BYTES) - line);
    bool is_ended = len > 0 && line[len - 1] == '\n';
    *ret_err = 0;
    if (strlen(line) != len) {
        *ret_err = fail(msg, ERR_USAGE, "byte %zu of the line is a NUL", strlen(line) + 1);
    } else if (!is_ended && !feof(file)) {
        *ret_err = fail(msg, ERR_USAGE, "the line is over its limit of %d bytes", LINE_MAX_BYTES);
    }
    len -= is_ended;
    len -= len > 0 && line[len - 1] == '\r';
    line[len] = '\0';
    return true;
}

static int add_file(struct arguments *arguments, const char *path, struct msg *msg)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        return fail(msg, ERR_USAGE, "--config: %.200s cannot be read: %s", path, strerror(errno));
    }
    char line[LINE_MAX_BYTES];
    int err = 0;
    struct msg why = {0};
    for (int number = 1; !err && read_line(file, line, &err, &why); number++) {
        err = err ? err : add_line(arguments, line, &why);
        if (err) {
            UNUSED int same = fail(msg, err, "%.150s:%d: %.200s", path, number, why.text);
        }
    }
    /* A folder opens like a file and fails at its first byte. */
    if (!err && ferror(file)) {
        err = fail(msg, ERR_USAGE, "--config: %.200s cannot be read: %s", path, strerror(errno));
    }
    fclose(file);
    return err;
}

static const char *from_environment(const struct option_row *row)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "MOTE_%s", row->name);
    for (char *c = name; *c; c++) {
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    }
    return getenv(name);
}

static const char *config_path(char **argv)
{
    const char *path = from_environment(find("config"));
    for (char **at = argv + 1; *at; at++) {
        if (strncmp(*at, "--config=", 9) == 0) {
            path = *at + 9;
        } else if (strcmp(*at, "--config") == 0 && at[1]) {
            path = at[1];
        }
    }
    return path;
}

static int gather(struct arguments *arguments, char **argv, struct msg *msg)
{
    int err = add(arguments, argv[0], msg);
    const char *path = config_path(argv);
    if (!err && path) {
        err = add_file(arguments, path, msg);
    }
    for (size_t i = 0; i < ARRAY_COUNT(rows) && !err; i++) {
        const char *value = from_environment(&rows[i]);
        err = value ? add_value(arguments, &rows[i], value, msg) : 0;
    }
    for (char **at = argv + 1; *at && !err; at++) {
        err = add(arguments, *at, msg);
    }
    return err;
}

struct stopper {
    struct service *service;
    struct os_watch watch;
};

static void on_signal(void *context, uint32_t events)
{
    UNUSED uint32_t ignored = events;
    struct stopper *stopper = context;
    while (os_signals_next(stopper->watch.fd) > 0) {
        service_stop(stopper->service);
    }
}

static int run(struct os_poll *poll, struct service *service, struct msg *msg)
{
    static const int signals[] = {SIGTERM, SIGINT};
    struct stopper stopper = {.service = service};
    int fd = -1;
    int err = os_signals_open(signals, ARRAY_COUNT(signals), &fd);
    if (err) {
        return fail(msg, err, "signals cannot be watched");
    }
    stopper.watch = (struct os_watch){
        .fd = fd, .events = OS_READABLE, .on_event = on_signal, .context = &stopper};
    err = os_watch_start(poll, &stopper.watch);
    err = err ? fail(msg, err, "signals cannot be watched") : os_poll_run(poll);
    service_settle(service);
    os_watch_stop(poll, &stopper.watch);
    os_close(fd);
    return err;
}

static int serve(const struct service_options *options, int zygote_socket, struct msg *msg)
{
    /* Blocked before the store's threads start, so that they inherit it. */
    static const int signals[] = {SIGTERM, SIGINT};
    int early = -1;
    struct os_poll *poll = NULL;
    int err = os_signals_open(signals, ARRAY_COUNT(signals), &early);
    err = err ? err : os_poll_create(&poll);
    if (err) {
        return fail(msg, err, "the event loop cannot be made: %s", err_text(err));
    }
    struct service *service = NULL;
    int port = 0;
    err = service_create(poll, options, zygote_socket, &service, msg);
    err = err ? err : service_listen(service, &port, msg);
    if (!err) {
        const char *colon = strrchr(options->listen, ':');
        int host_len = colon ? (int)(colon - options->listen) : 0;
        fprintf(stderr, "mote serve: listening on http://%.*s:%d\n", host_len, options->listen,
                port);
        err = run(poll, service, msg);
    }
    int failed = service_destroy(service);
    if (failed == ERR_TIMEOUT) {
        os_exit(err_exit_status(failed));
    }
    os_poll_destroy(poll);
    os_close(early);
    return err ? err : failed ? fail(msg, failed, "stopped for the reason above") : 0;
}

static int parse_and_serve(struct arguments *arguments, char **argv)
{
    struct msg msg = {0};
    struct service_options options = {.listen = NULL};
    struct operands operands = {.count = 0};
    int parsed = gather(arguments, argv, &msg);
    parsed = parsed ? parsed : option_parse(&program, arguments->items, &options, &operands, &msg);
    if (parsed == OPTION_DONE) {
        return 0;
    }
    if (parsed < 0) {
        return command_end(&program, parsed, &msg);
    }
    options.listen = options.listen ? options.listen : DEFAULT_ADDRESS;
    options.store = options.store ? options.store : DEFAULT_STORE;
    /* First: a system that refuses the walls of a run gets no store either. */
    int zygote_socket = -1;
    int err = os_check_page_size(&msg);
    err = err ? err : zygote_start(&zygote_socket, &msg);
    err = err ? err : serve(&options, zygote_socket, &msg);
    return command_end(&program, err, &msg);
}

int mote_serve(int argc, char **argv)
{
    check(argc > 0);
    struct arguments arguments = {.count = 0};
    int status = parse_and_serve(&arguments, argv);
    arguments_deinit(&arguments);
    return status;
}

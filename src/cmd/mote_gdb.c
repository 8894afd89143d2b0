/* mote_gdb.c - `mote gdb`: a debugger on a machine here, from an image or a source file */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/run.h"
#include "cmd/sdk.h"
#include "os/command.h"
#include "os/process.h"

#include <stdlib.h>

#define DEBUGGER "gdb-multiarch"

struct mote_gdb_options {
    struct run_options run;
    const char *ram;
    const char *debugger;
    struct option_list ex;
    struct option_list scripts;
    bool batch;
};

static const struct option_row rows[] = {
    OPTION_ROW(struct mote_gdb_options, LIST, ex, "ex", 0, "COMMAND", 0, 0, 0,
               "have the debugger do this first; may be given again")
        OPTION_ROW(struct mote_gdb_options, LIST, scripts, "command", 'x', "FILE", 0, 0, 0,
                   "and then what this file says; may be given again")
            OPTION_ROW(struct mote_gdb_options, FLAG, batch, "batch", 0, NULL, 0, 0, 0,
                       "and then have it quit")
                OPTION_ROW(struct mote_gdb_options, TEXT, debugger, "debugger", 0, "PROGRAM", 0, 0,
                           0, "instead of " DEBUGGER)
                    OPTION_ROW(struct mote_gdb_options, TEXT, ram, "ram", 0, "FILE", 0, 0, 0,
                               "keep RAM in FILE from run to run; without it RAM is fresh")
#define OPTION(takers, kind, field, ...) \
    MOTE_GDB_TAKES_##takers(OPTION_ROW(struct mote_gdb_options, kind, run.field, __VA_ARGS__))
#include "cmd/run.def"
#undef OPTION
};

static const struct program program = {
    .name = "mote gdb",
    .operands = "IMAGE [IN]",
    .purpose = "debug one RISC-V microcontroller here",
    .notes =
        "IMAGE is an ELF, Intel HEX, S-records, UF2, a raw binary, or a source file (.c, .cc, .S\n"
        "...), which is compiled by `mote cc -Og -g -Wall` first; IN is the input, empty without\n"
        "it. Starts " DEBUGGER ", which holds the machine at its first instruction: break,\n"
        "watch, step and continue work, and so do reverse-step, reverse-continue and the like.\n"
        "`monitor help` lists what else there is. When the guest has ended, OUT goes to standard\n"
        "output. Quitting the debugger before that ends the run (exit status 125), `detach` has\n"
        "it go on alone.\n"
        "\n" RUN_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_min = 1,
    .operands_max = 2,
};

/* The debugger and its command line. */
struct session {
    const struct mote_gdb_options *options;
    const struct run *run;
    const char *elf; /* with the symbols, where it is one */
    const char **argv;
    size_t argc;
    int pidfd;
};

enum { ARGUMENTS_MAX = 4 * OPTION_LIST_MAX + 16 };

static void add(struct session *s, const char *argument)
{
    check(s->argc < ARGUMENTS_MAX - 1);
    s->argv[s->argc++] = argument;
}

static void add_list(struct session *s, const char *option, const struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        add(s, option);
        add(s, list->items[i]);
    }
}

static void add_arguments(struct session *s, const char *connect)
{
    const struct mote_gdb_options *o = s->options;
    add(s, o->debugger ? o->debugger : DEBUGGER);
    add(s, "-q");
    add(s, "-ex");
    add(s, connect);
    add_list(s, "-ex", &o->ex);
    add_list(s, "-x", &o->scripts);
    if (o->batch) {
        add(s, "-batch");
    }
    if (s->run->image.format == IMAGE_ELF) {
        add(s, s->elf);
    }
}

static int start(void *context, int port, int *ret_pidfd, struct msg *msg)
{
    struct session *s = context;
    struct msg why;
    char connect[64];
    snprintf(connect, sizeof connect, "target remote 127.0.0.1:%d", port);
    s->argv = calloc(ARGUMENTS_MAX, sizeof *s->argv);
    if (!s->argv) {
        return fail(msg, ERR_NO_MEMORY, "no memory for %d arguments", ARGUMENTS_MAX);
    }
    add_arguments(s, connect);
    /* exec's type has no const, though it writes nothing. */
    char **argv;
    memcpy(&argv, &s->argv, sizeof argv);
    int err = os_start(argv, &s->pidfd, &why);
    *ret_pidfd = s->pidfd;
    if (err == ERR_NOT_FOUND && !s->options->debugger) {
        return fail(msg, err, DEBUGGER " is not installed: apt-get install " DEBUGGER);
    }
    return err ? fail(msg, err, "%s", why.text) : 0;
}

/* A file that stays for as long as the debugger reads it. */
static int compile(const char *source, char elf[SDK_PATH_SIZE], struct msg *msg)
{
    os_hold_signals();
    int err = os_temporary_file(".elf", elf, SDK_PATH_SIZE, msg);
    if (err) {
        elf[0] = 0;
    } else {
        err = os_remove_at_end(elf, msg);
        err = err ? err : sdk_compile(source, elf, "-Og", msg);
    }
    if (err && elf[0]) {
        os_remove(elf);
        elf[0] = 0;
    }
    os_release_signals();
    return err;
}

static int debug(struct run *run, struct session *s)
{
    struct msg msg = {{0}};
    struct run_file *out = &run->files[RUN_STDOUT];
    int err = os_given_adopt(1, &out->given, &msg);
    if (err) {
        return command_end(&program, err, &msg);
    }
    int status = run_go(run);
    os_wait_end(s->pidfd);
    free(s->argv);
    return status;
}

int mote_gdb(int argc, char **argv)
{
    check(argc > 0);
    struct mote_gdb_options options = {.ram = NULL};
    struct operands operands;
    struct msg msg = {{0}};
    int result = option_parse(&program, argv, &options, &operands, &msg);
    if (result == OPTION_DONE) {
        return 0;
    }
    if (result) {
        return command_end(&program, result, &msg);
    }
    char elf[SDK_PATH_SIZE] = "";
    const char *image = operands.items[0];
    bool is_source = sdk_is_source(image) && !options.run.raw;
    int err = is_source ? compile(image, elf, &msg) : 0;
    if (err) {
        return command_end(&program, err, &msg);
    }
    options.run.gdb = "0"; /* any port */
    struct run run = {
        .program = program.name,
        .options = &options.run,
        .files =
            {{.label = "IMAGE", .path = is_source ? elf : image, .window = WINDOW_ROM},
             {.label = "RAM", .path = options.ram, .window = WINDOW_RAM, .mode = OS_GIVEN_UPDATE},
             {.label = "IN",
              .path = operands.count > 1 ? operands.items[1] : "/dev/null",
              .window = WINDOW_IN},
             {.label = "OUT", .window = WINDOW_OUT},
             [RUN_SOURCE] = {.label = "source", .path = is_source ? image : NULL},
             [RUN_STDOUT] = {.label = "OUT",
                             .path = "(standard output)",
                             .mode = OS_GIVEN_OUTPUT,
                             .is_open = true}},
        .is_out_to_stdout = true,
        .start_debugger = start,
    };
    struct session session = {
        .options = &options, .run = &run, .elf = run.files[RUN_ROM].path, .pidfd = -1};
    run.debugger = &session;
    int status = debug(&run, &session);
    if (is_source) {
        os_remove(elf);
    }
    return status;
}

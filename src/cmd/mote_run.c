/* mote_run.c - `mote run`: one machine here, from an image or a source file, stdin to stdout */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/run.h"
#include "cmd/sdk.h"
#include "os/command.h"

struct mote_run_options {
    struct run_options run;
    const char *ram;
};

static const struct option_row rows[] = {
    OPTION_ROW(struct mote_run_options, TEXT, ram, "ram", 0, "FILE", 0, 0, 0,
               "keep RAM in FILE from run to run; without it RAM is fresh")
#define OPTION(takers, kind, field, ...) \
    MOTE_RUN_TAKES_##takers(OPTION_ROW(struct mote_run_options, kind, run.field, __VA_ARGS__))
#include "cmd/run.def"
#undef OPTION
};

static const struct program program = {
    .name = "mote run",
    .operands = "IMAGE",
    .purpose = "run one RISC-V microcontroller here, without a server",
    .notes =
        "IMAGE is an ELF, Intel HEX, S-records, UF2, a raw binary, or a source file (.c, .cc, .S\n"
        "...), which is compiled by `mote cc -O2 -g -Wall` first. Standard input is IN, OUT goes\n"
        "to standard output.\n"
        "\n" RUN_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_min = 1,
    .operands_max = 1,
};

/* Compiles `source` to a file that has lost its name by the time the machine runs, so that nothing
 * stays behind however the run ends. */
static int open_source(const char *source, struct os_given *ret_given, struct msg *msg)
{
    char elf[SDK_PATH_SIZE];
    os_hold_signals();
    int err = os_temporary_file(".elf", elf, sizeof elf, msg);
    if (!err) {
        err = sdk_compile(source, elf, "-O2", msg);
        err = err ? err : os_given_open(elf, OS_GIVEN_READ, ret_given, msg);
        os_given_remove(elf);
    }
    os_release_signals();
    return err;
}

static int adopt_standard(struct run *run, struct msg *msg)
{
    struct msg why;
    if (os_is_terminal(0)) {
        fputs("mote run: IN is what you type; Ctrl-D ends it\n", stderr);
    }
    for (int fd = 0; fd < 2; fd++) {
        struct run_file *f = &run->files[fd ? RUN_STDOUT : RUN_IN];
        int err = os_given_adopt(fd, &f->given, &why);
        if (err) {
            return fail(msg, err, "%s %s: %s", f->label, f->path, why.text);
        }
    }
    return 0;
}

int mote_run(int argc, char **argv)
{
    check(argc > 0);
    struct mote_run_options options = {.ram = NULL};
    struct operands operands;
    struct msg msg = {{0}};
    int result = option_parse(&program, argv, &options, &operands, &msg);
    if (result == OPTION_DONE) {
        return 0;
    }
    if (result) {
        return command_end(&program, result, &msg);
    }
    const char *image = operands.items[0];
    struct run run = {
        .program = program.name,
        .options = &options.run,
        .files =
            {{.label = "IMAGE", .path = image, .window = WINDOW_ROM},
             {.label = "RAM", .path = options.ram, .window = WINDOW_RAM, .mode = OS_GIVEN_UPDATE},
             {.label = "IN", .path = "(standard input)", .window = WINDOW_IN, .is_open = true},
             {.label = "OUT", .window = WINDOW_OUT},
             [RUN_SOURCE] = {.label = "source"},
             [RUN_STDOUT] = {.label = "OUT",
                             .path = "(standard output)",
                             .mode = OS_GIVEN_OUTPUT,
                             .is_open = true}},
        .is_out_to_stdout = true,
    };
    struct run_file *rom = &run.files[RUN_ROM];
    rom->is_open = sdk_is_source(image) && !options.run.raw;
    run.files[RUN_SOURCE].path = rom->is_open ? image : NULL;
    int err = rom->is_open ? open_source(image, &rom->given, &msg) : 0;
    err = err ? err : adopt_standard(&run, &msg);
    return err ? command_end(&program, err, &msg) : run_go(&run);
}

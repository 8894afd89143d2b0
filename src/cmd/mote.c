/* mote.c - one program, a subcommand for each thing to do */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/man.h"

#include "base/check.h"
#include "os/process.h"
#include "service/worker.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} commands[] = {
#define COMMAND(name, text) {#name, mote_##name, text},
#include "cmd/command.def"
#undef COMMAND
};

static const struct program program = {
    .name = "mote",
    .operands = "COMMAND [OPTION...]",
    .purpose = "serverless RISC-V microcontrollers: programs in, bytes in, bytes out",
    .notes =
        "`mote COMMAND --help` tells a command's options, `mote COMMAND --man` its manual page.\n",
    .is_prefix = true,
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: %s %s\n\n", program.name, program.operands);
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        fprintf(out, "  mote %-6s %s\n", commands[i].name, commands[i].text);
    }
    fprintf(out, "\n%s", program.notes);
}

static void print_man(void)
{
    man_begin(&program);
    man_section("COMMANDS");
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        char page[40];
        snprintf(page, sizeof page, "mote-%s(1)", commands[i].name);
        man_item(page, commands[i].text);
    }
    man_end(&program);
}

static int unknown(const char *name)
{
    const char *nearest =
        option_nearest(name, &commands->name, ARRAY_COUNT(commands), sizeof *commands);
    struct msg msg;
    int err = nearest ? fail(&msg, ERR_USAGE,
                             "there is no command `%.60s`: did you mean `mote %s`?", name, nearest)
                      : fail(&msg, ERR_USAGE,
                             "there is no command `%.60s`; `mote --help` lists them", name);
    return command_end(&program, err, &msg);
}

int main(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], ZYGOTE_NAME) == 0) {
        zygote_main(OS_SELF_FD);
    }
    os_begin();
    if (argc < 2) {
        print_help(stderr);
        return err_exit_status(ERR_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return command_end(&program, 0, NULL);
    }
    if (strcmp(argv[1], "--man") == 0) {
        print_man();
        return command_end(&program, 0, NULL);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("mote " MOTE_VERSION);
        return command_end(&program, 0, NULL);
    }
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return unknown(argv[1]);
}

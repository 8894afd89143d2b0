/* mote_cc.c - `mote cc`: the cross compiler with the SDK's specs, and nothing else added */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/man.h"
#include "cmd/sdk.h"
#include "os/command.h"

#include <string.h>

static const struct program program = {
    .name = "mote cc",
    .operands = "ARGUMENT...",
    .purpose = "compile C, C++ or assembly for the MCU",
    .notes =
        "Becomes riscv64-unknown-elf-gcc (g++ where an argument names C++) with\n"
        "--specs=SDK/mote.specs and every argument as it stands, so all of GCC's options work,\n"
        "--version and, beside others, --help among them:\n\n"
        "  mote cc -O2 hello.c -o hello.elf\n"
        "  mote run hello.elf < input\n\n"
        "The SDK is in ../share/mote beside this program, or where $MOTE_SDK says.\n\n"
        "Exit status: GCC's; 124 where there is no compiler or SDK.\n",
    .is_prefix = true,
};

static int become(char **argv, size_t count, struct msg *msg)
{
    struct compiler compiler = {.argv = NULL};
    int err = compiler_init(&compiler, (const char *const *)argv, count, msg);
    err = err ? err : compiler_missing(&compiler, os_exec(compiler.argv, msg), msg);
    compiler_deinit(&compiler);
    return err;
}

int mote_cc(int argc, char **argv)
{
    struct msg msg = {{0}};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        option_help(&program);
        return command_end(&program, 0, &msg);
    }
    if (argc == 2 && strcmp(argv[1], "--man") == 0) {
        man_print(&program);
        return command_end(&program, 0, &msg);
    }
    int err = argc < 2 ? fail(&msg, ERR_USAGE, "needs a file to compile. See `mote cc --help`")
                       : become(argv + 1, (size_t)argc - 1, &msg);
    return command_end(&program, err, &msg);
}

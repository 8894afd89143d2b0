/* rv32im.c - run one MCU over four files */
/* SPDX-License-Identifier: MIT */
#include "cmd/printable.h"
#include "cmd/run.h"

#include "os/process.h"

static const struct option_row rows[] = {
#define OPTION(takers, ...) RV32IM_TAKES_##takers(OPTION_ROW(struct run_options, __VA_ARGS__))
#include "cmd/run.def"
#undef OPTION
};

static const struct program program = {
    .name = "rv32im",
    .operands = "ROM RAM IN OUT",
    .purpose = "run one RISC-V microcontroller over four files",
    .notes =
        "ROM is an ELF, Intel HEX, S-records, UF2 or a raw binary, IN the input; both are only\n"
        "read. RAM (kept from run to run) and OUT (cleared first) are made where missing and\n"
        "extended to 32 MiB, sparse (with --machine classic, to 1 MiB or whole pages). They are\n"
        "mapped in place: a run that is killed or faults leaves what it wrote. OUT's length is\n"
        "`out_len` of the statistics. A pipe or device is read into memory first.\n\n" RUN_NOTES,
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_min = 4,
    .operands_max = 4,
};

int main(int argc, char **argv)
{
    struct run_options options = {0};
    struct operands files;
    struct msg msg;
    (void)argc;
    os_begin();
    int result = option_parse(&program, argv, &options, &files, &msg);
    if (result == OPTION_DONE) {
        return 0;
    }
    if (result) {
        print_failure(program.name, &msg);
        return err_exit_status(result);
    }
    struct run run = {
        .program = "rv32im",
        .options = &options,
        .files = {{.label = "ROM", .window = WINDOW_ROM, .mode = OS_GIVEN_READ},
                  {.label = "RAM", .window = WINDOW_RAM, .mode = OS_GIVEN_UPDATE},
                  {.label = "IN", .window = WINDOW_IN, .mode = OS_GIVEN_READ},
                  {.label = "OUT", .window = WINDOW_OUT, .mode = OS_GIVEN_OUTPUT}},
    };
    for (size_t i = 0; i < RUN_WINDOWS; i++) {
        run.files[i].path = files.items[i];
    }
    return run_go(&run);
}

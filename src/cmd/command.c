/* command.c - how a subcommand of mote ends */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/printable.h"

int command_end(const struct program *program, int err, const struct msg *msg)
{
    struct msg lost = {{0}};
    if (!err) {
        err = option_printed(&lost);
        msg = &lost;
    }
    if (!err) {
        return 0;
    }
    print_failure(program->name, msg);
    return err_exit_status(err);
}

/* command.c - how a subcommand of mote ends */
/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"

#include <stdio.h>

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
    fprintf(stderr, "%s: %s\n", program->name, msg->text);
    return err_exit_status(err);
}

/* remember.h - the small file in which mote keeps server, ROM and session between commands */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "base/id.h"

enum { REMEMBER_SERVER_SIZE = 256, REMEMBER_PATH_SIZE = 4096 };

/* Empty strings for what is not known. */
struct remembered {
    char server[REMEMBER_SERVER_SIZE];
    char rom[ID_TEXT_LEN + 1];
    char ram[ID_TEXT_LEN + 1];
};

/* Reads $MOTE_SESSION, or $XDG_CONFIG_HOME/mote/session (~/.config/mote/session). Lines that are
 * not understood, and ids that are none, count as absent; so does a missing file. */
MUST_CHECK int remember_load(struct remembered *ret_remembered, struct msg *msg);
/* Replaces that file in one step, making the default one's folders. */
MUST_CHECK int remember_save(const struct remembered *remembered, struct msg *msg);

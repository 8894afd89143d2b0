/* typed.h - what is typed into a run: from a terminal, into a record, out of a record */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: typed_init (what it is wanted for in its options) -> typed_input for the machine's
 * config -> the run -> typed_restore -> typed_check -> typed_deinit.
 * A record is a text, a line for each byte, with the moment of the run in which it came in:
 * `CYCLES MTIME 0x41`, or `quit` in place of the byte. */
#include "base/err.h"
#include "base/span.h"
#include "machine/machine.h"
#include "os/terminal.h"
#include <stdio.h>

enum { TYPED_BYTES_MAX = 4096, TYPED_QUIT = 256 };

struct typed_event {
    struct moment when;
    int what; /* a byte, or TYPED_QUIT */
};

struct typed {
    struct machine_input input;
    struct os_terminal terminal;
    bool is_live;                   /* the terminal is read */
    bool is_over;                   /* no more will be typed */
    bool is_after_prefix;           /* Ctrl-A was typed */
    uint8_t bytes[TYPED_BYTES_MAX]; /* read, not taken yet */
    size_t bytes_at, bytes_len;
    struct typed_event *events; /* of a record, owned */
    size_t events_count, events_at;
    FILE *record;  /* borrowed; NULL: none is wanted */
    FILE *console; /* borrowed; what the guest says is flushed before anybody waits */
};

/* Reads standard input as the console's from now on: Ctrl-A x quits, Ctrl-A twice is one. */
MUST_CHECK int typed_init_live(struct typed *typed, struct msg *msg);
/* Replays a record (borrowed for the call). ERR_BAD_FILE names the line that is none. */
MUST_CHECK int typed_init_replay(struct typed *typed, struct span record, struct msg *msg);
/* The terminal as it was; again does nothing. */
void typed_restore(struct typed *typed);
/* ERR_BAD_FILE where a record was not used up: it is of another run. */
MUST_CHECK int typed_check(const struct typed *typed, struct msg *msg);
/* Accepts zeroed. A signal that came meanwhile ends the program here. */
void typed_deinit(struct typed *typed);

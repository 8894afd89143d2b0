/* run.h - one run of a machine for a command: files, caps, META, console, trace, statistics */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: fill struct run with options, program and files -> run_go -> exit status.
 * Shared by rv32im (four files) and mote run (an image, standard input and output). */
#include "base/defaults.h"
#include "base/err.h"
#include "cmd/costs.h"
#include "cmd/coverage.h"
#include "cmd/option.h"
#include "cmd/run_given.h"
#include "cmd/trace.h"
#include "cmd/typed.h"
#include "machine/machine.h"
#include "os/given.h"
#include <stdio.h>

/* Of a pipe that --console-in or --replay names. */
enum { RUN_VIEW_MAX = 32 << 20 };

enum { RUN_GUEST_CODE_MAX = 119, RUN_HOST_ERROR = 125 };

/* A file of the run; `path` NULL: none (zeros in the window, or the text goes to `stream`). */
struct run_file {
    const char *label; /* "RAM", "--trace" */
    const char *path;  /* as the user wrote it */
    enum window window;
    enum os_given_mode mode;
    bool is_open; /* by the caller; `path` is what messages call it */
    struct os_given given;
    const uint8_t *base; /* where it is mapped, NULL where it is not */
    size_t size;         /* of that mapping */
    FILE *stream;        /* where a text goes, NULL: it is not wanted */
    struct span view;    /* of one that run_files_view has read whole */
    uint8_t *copy;       /* owned: those bytes, where they could not be mapped */
};

/* The files of windows come first; SOURCE is what was compiled to ROM, STDOUT where OUT goes. */
enum run_role {
    RUN_ROM,
    RUN_RAM,
    RUN_IN,
    RUN_OUT,
    RUN_WINDOWS,
    RUN_CONSOLE = RUN_WINDOWS,
    RUN_TRACE,
    RUN_PROFILE,
    RUN_COVERAGE,
    RUN_HEADERS,
    RUN_STATS,
    RUN_RECORD,
    RUN_TEXTS,
    RUN_SOURCE = RUN_TEXTS,
    RUN_STDOUT,
    RUN_CONSOLE_IN,
    RUN_REPLAY,
    RUN_ROLES
};

struct run {
    const char *program; /* for messages */
    const struct run_options *options;
    struct run_file files[RUN_ROLES];
    bool is_out_to_stdout; /* OUT goes to RUN_STDOUT after the run */

    struct run_given given; /* to the guest, by semihosting */
    enum profile profile;
    struct machine *machine;
    struct image image;      /* owned */
    const uint8_t *rom_view; /* the image's bytes as a whole */
    size_t rom_len;
    uint8_t *rom_copy; /* owned: those bytes, where they could not be mapped */
    struct trace trace;
    struct costs *costs; /* owned, as the next; NULL where none is wanted */
    struct coverage *coverage;
    struct typed typed;
    uint64_t console_len; /* bytes that the guest has put, those beyond --console-max too */
    struct stop stop;
    char bad_header[sizeof(struct msg)]; /* why a reply's header made the run a fault, or "" */
    bool is_warm;                        /* RAM held something before */
    /* Starts a debugger with --gdb (gdb_serve.h), NULL: the user does. */
    int (*start_debugger)(void *context, int port, int *ret_pidfd, struct msg *msg);
    void *debugger; /* its context */
};

/* The end of --help. */
#define RUN_NOTES                                                                          \
    "Exit status:\n"                                                                       \
    "  0-119  the guest's own exit code (119 also for any larger one); 0 after Ctrl-A x\n" \
    "  120    the guest sleeps        121  the cycle cap        122  the wall-clock cap\n" \
    "  123    a fault of the guest    124  an image or file that cannot be used\n"         \
    "  125    wrong usage, or trouble of the host (a full disk, a file cut during the run)\n"

/* Opens the files, runs the machine, reports; prints what went wrong. Returns the exit status. */
int run_go(struct run *r);
/* The exit status for r->stop (halt.def). */
int run_exit_status(const struct run *r);

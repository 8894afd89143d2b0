/* worker.h - what the server, the zygote and the child of one run say to each other */
/* SPDX-License-Identifier: MIT */
#pragma once
/* The server sends the zygote one `struct run_order` with the descriptors of `enum run_fd`. The
 * zygote forks and answers, order by order, with a `struct run_birth` and the child's pidfd, on its
 * own socket, which no child has: a taken-over child cannot pose as another process. The child
 * sends a `struct run_result` on the run's socket (a fault's twice) and ends; a socket that closes
 * without a result means that the child died. All of it between processes of one program file:
 * plain structs will do. A child may be taken over by its guest: the server believes nothing in a
 * result, it copies and range-checks (runner.c). */
#include "machine/backtrace.h"

enum run_fd {
    RUN_FD_SOCKET,  /* the child's end */
    RUN_FD_IMAGE,   /* the file as uploaded, read only */
    RUN_FD_IN,      /* the body, sealed */
    RUN_FD_OUT,     /* OUT_SIZE zeros */
    RUN_FD_META,    /* META_SIZE: the request's half filled in */
    RUN_FD_DELTA,   /* DELTA_BYTES zeros: takes the RAM pages that changed */
    RUN_FD_CONSOLE, /* CONSOLE_BYTES_MAX zeros */
    RUN_FD_RAM,     /* the session's RAM before the run, read only; may be left out */
    RUN_FDS_MAX,
};

/* The delta file: each dirty page at its offset in RAM, then one byte a page, 1 for dirty. */
enum {
    RAM_PAGES = RAM_SIZE / PAGE_SIZE,
    DELTA_MARKS_AT = RAM_SIZE,
    DELTA_BYTES = RAM_SIZE + RAM_PAGES,
};

struct run_order {
    uint64_t cycles_max;
    uint64_t time_max_ns;
    uint64_t image_bytes;
    uint64_t ram_bytes; /* of RUN_FD_RAM's file */
    uint8_t seed[SEED_SIZE];
    uint32_t in_len;
    uint32_t meta_len;
    enum image_format format;
    enum boot_reason boot;
};

struct run_birth {
    int32_t err; /* why there is no child, 0 where there is one */
};

enum { SYMBOL_BYTES_MAX = 96 };

/* An address with its function's name and the distance into it; `name` is empty where the image
 * has none. */
struct run_frame {
    uint32_t address;
    uint32_t offset;
    char name[SYMBOL_BYTES_MAX];
};

struct run_result {
    int32_t err; /* 0: the guest ran, `stop` tells how it ended; else `msg` has words */
    uint32_t out_len;
    uint32_t meta_len;
    uint32_t console_len;
    uint64_t run_ns;
    struct stop stop;
    /* Not 0 where the same result will come again with a back-trace: it may take longer than the
     * child has, and then this one stands. */
    uint32_t frames_follow;
    uint32_t frames_count; /* of a fault's back-trace; 0 for other halts */
    struct run_frame frames[BACKTRACE_FRAMES_MAX];
    struct msg msg;
};

/* Starts the zygote, the process that forks the children of runs off the server's path. It is our
 * program's file anew, so that a child which its guest has taken over finds nothing of the server:
 * neither memory, nor environment, nor where its code lies. The result is the server's end of the
 * zygote's socket, at whose end of file the zygote has died; it dies with us. Has a child put the
 * walls up and speak from behind them first: ERR_NOT_BUILT where this system cannot. */
MUST_CHECK int zygote_start(int *ret_socket, struct msg *msg);
/* Starts one in the place of one that has died and does not wait for it: the first message on its
 * socket is a struct run_birth without a descriptor, whose `err` says whether the walls stand. */
MUST_CHECK int zygote_start_again(int *ret_socket);

/* What a zygote is called: main gives it to zygote_main at once, with OS_SELF_FD. */
#define ZYGOTE_NAME "mote-zygote"
NORETURN void zygote_main(int socket);

/* Puts the walls of a run up round the calling process. */
MUST_CHECK int worker_confine(void);
/* The child's whole life; `fds` as in enum run_fd, -1 for none. */
NORETURN void worker_main(const struct run_order *order, const int fds[RUN_FDS_MAX]);

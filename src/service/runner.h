/* runner.h - runs guests outside of this process; where they run is its secret */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: zygote_start (worker.h) -> runner_create -> runner_start ->
 * `done` of that run, always and once -> runner_destroy when no run is under way. Everything
 * belongs to the loop's thread. The pool of persistent workers will come behind this face. */
#include "os/poll.h"
#include "service/worker.h"

struct runner;
struct run;

struct runner_options {
    int zygote_socket;      /* taken */
    uint64_t kill_after_ns; /* beyond a run's time cap */
    /* The zygote has died, with all runs under way; another takes its place. */
    void (*on_restart)(void *context);
    /* None can take its place: no run can start any more. */
    void (*on_lost)(void *context);
    void *context;
};

MUST_CHECK int runner_create(struct os_poll *poll, const struct runner_options *options,
                             struct runner **ret_runner);
/* NULL is accepted. */
void runner_destroy(struct runner *runner);

struct run_request {
    struct run_order order;
    int fds[RUN_FDS_MAX]; /* borrowed until `done`; RUN_FD_SOCKET is not looked at */
    /* `result` is copied and range-checked, and the child is dead or dying. `err`: ERR_CLOSED where
     * it died without a result, ERR_TIMEOUT where it had to be killed, or why it never started. */
    void (*done)(void *context, int err, const struct run_result *result);
    void *context;
};

/* Never waits: a run that the zygote has no place for yet is ordered later. */
MUST_CHECK int runner_start(struct runner *runner, const struct run_request *request,
                            struct run **ret_run);
/* Kills the run; `done` follows, with ERR_CLOSED, when it is gone. */
void runner_cancel(struct run *run);

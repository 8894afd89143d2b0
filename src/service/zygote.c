/* zygote.c - the process that forks one clean child for each run */
/* SPDX-License-Identifier: MIT */
#include "service/worker.h"

#include "os/error.h"
#include "os/process.h"

#include <assert.h>

static_assert((int)RUN_FDS_MAX <= (int)OS_FDS_MAX, "an order's descriptors must fit one message");

static void close_all(const int fds[OS_FDS_MAX])
{
    for (size_t i = 0; i < OS_FDS_MAX; i++) {
        os_close(fds[i]);
    }
}

static int start_child(int socket, const struct run_order *order, const int fds[OS_FDS_MAX])
{
    int zygote = os_process_id();
    int pidfd = -1;
    int forked = os_fork(&pidfd);
    if (forked == 0) {
        os_die_with(zygote);
        worker_main(order, fds);
    }
    struct run_birth birth = {.err = forked < 0 ? forked : 0};
    int err = os_send_fds(socket, span_of(&birth, sizeof birth), &pidfd, forked > 0);
    os_close(pidfd);
    return err;
}

/* Returns when the server closes its end; its death comes by signal before that. */
static int zygote_loop(int socket, int child_events)
{
    for (;;) {
        int ready = os_wait_either(socket, child_events);
        if (ready < 0) {
            return ready;
        }
        if (ready == 0) {
            continue;
        }
        struct run_order order;
        struct os_message message;
        int err = os_recv_fds(socket, &order, sizeof order, &message);
        if (err || message.len == 0) {
            return err;
        }
        if (message.len != sizeof order) {
            return ERR_ARGUMENT;
        }
        err = start_child(socket, &order, message.fds);
        close_all(message.fds);
        if (err) {
            return err;
        }
    }
}

/* Puts the walls up round a child that speaks from behind them, as the children of runs will. */
static int try_walls(void)
{
    int ends[2];
    int err = os_message_pair(ends);
    if (err) {
        return err;
    }
    int pidfd = -1;
    int forked = os_fork(&pidfd);
    if (forked == 0) {
        struct run_birth said = {.err = worker_confine()};
        err = os_send_fds(ends[1], span_of(&said, sizeof said), NULL, 0);
        os_exit(err ? 1 : 0);
    }
    os_close(ends[1]);
    struct run_birth heard;
    struct os_message message = {0};
    err = forked < 0 ? forked : os_recv_fds(ends[0], &heard, sizeof heard, &message);
    os_close(ends[0]);
    os_close(pidfd);
    if (!err && message.len != sizeof heard) {
        return ERR_NOT_BUILT; /* it was killed */
    }
    return err ? err : heard.err;
}

/* Its first message is the outcome of try_walls. */
void zygote_main(int socket)
{
    os_ignore_stop_signals();
    os_keep_only(&socket, 1);
    int child_events = -1;
    int err = os_child_events(&child_events);
    struct run_birth birth = {.err = err ? err : try_walls()};
    os_reap();
    err = os_send_fds(socket, span_of(&birth, sizeof birth), NULL, 0);
    err = err || birth.err ? ERR_CLOSED : zygote_loop(socket, child_events);
    os_exit(err ? 1 : 0);
}

int zygote_start_again(int *ret_socket)
{
    int ends[2];
    int err = os_message_pair(ends);
    if (err) {
        return err;
    }
    int pidfd = -1;
    err = os_start_self(ZYGOTE_NAME, ends[1], &pidfd);
    os_close(ends[1]);
    os_close(pidfd);
    if (err) {
        os_close(ends[0]);
        return err;
    }
    *ret_socket = ends[0];
    return 0;
}

static int hear_walls(int socket, struct msg *msg)
{
    struct run_birth birth;
    struct os_message message = {0};
    int err = os_recv_fds(socket, &birth, sizeof birth, &message);
    if (err || message.len != sizeof birth) {
        return fail(msg, err ? err : ERR_CLOSED, "the process that starts runs has died");
    }
    if (birth.err) {
        return fail(msg, birth.err,
                    "this system refuses the walls round a run (no_new_privs, resource limits, a "
                    "list of system calls by seccomp), and without them no guest is run");
    }
    return 0;
}

int zygote_start(int *ret_socket, struct msg *msg)
{
    int socket = -1;
    int err = zygote_start_again(&socket);
    if (err) {
        return os_fail(msg, err, "the process that starts runs cannot be made");
    }
    err = hear_walls(socket, msg);
    if (err) {
        os_close(socket);
        return err;
    }
    *ret_socket = socket;
    return 0;
}

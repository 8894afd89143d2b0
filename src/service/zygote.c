/* zygote.c - the process that forks one clean child for each run */
/* SPDX-License-Identifier: MIT */
#include "service/worker.h"

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

static NORETURN void zygote_main(int socket)
{
    os_ignore_stop_signals();
    os_keep_only(&socket, 1);
    int child_events = -1;
    int err = os_child_events(&child_events);
    err = err ? err : zygote_loop(socket, child_events);
    os_exit(err ? 1 : 0);
}

int zygote_start(int *ret_socket)
{
    int ends[2];
    int err = os_message_pair(ends);
    if (err) {
        return err;
    }
    int server = os_process_id();
    int pidfd = -1;
    int forked = os_fork(&pidfd);
    if (forked == 0) {
        os_die_with(server);
        zygote_main(ends[1]);
    }
    os_close(ends[1]);
    if (forked < 0) {
        os_close(ends[0]);
        return forked;
    }
    os_close(pidfd);
    *ret_socket = ends[0];
    return 0;
}

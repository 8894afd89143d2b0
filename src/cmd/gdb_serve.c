/* gdb_serve.c - the debugger's connection: loopback only, one debugger, one run */
/* SPDX-License-Identifier: MIT */
#include "cmd/gdb_serve.h"
#include "cmd/gdb_stub.h"
#include "cmd/number.h"
#include "os/poll.h"
#include "os/socket.h"

#include <stdio.h>

enum { RECEIVE_BYTES = 4096, TURNS_MAX = 20 };
static const uint64_t forever_ns = UINT64_MAX;
static const uint64_t goodbye_ns = 100000000; /* a turn of waiting for the other side to close */

struct server {
    const struct gdb_serve_options *options;
    struct gdb *gdb;
    struct os_poll *poll;
    struct os_watch watch; /* the listener, then the connection */
    struct os_watch child; /* the debugger's process */
    uint32_t events;       /* that came for the watch */
    bool is_child_ended;
    bool is_greeted; /* the first byte was a debugger's */
    bool is_closed;  /* the other side went away */
};

int gdb_parse_port(const char *text, uint16_t *ret_port, struct msg *msg)
{
    struct msg why;
    uint64_t port = GDB_DEFAULT_PORT;
    if (text[0] && number_parse_count(text, &port, &why)) {
        return fail(msg, ERR_USAGE, "--gdb: %s", why.text);
    }
    if (port > GDB_PORT_MAX) {
        return fail(msg, ERR_USAGE, "--gdb: port %llu is over %d", (unsigned long long)port,
                    GDB_PORT_MAX);
    }
    *ret_port = (uint16_t)port;
    return 0;
}

static void on_event(void *context, uint32_t events)
{
    struct server *s = context;
    s->events |= events;
}

static void on_child(void *context, uint32_t events UNUSED)
{
    struct server *s = context;
    s->is_child_ended = true;
}

static int start_watch(struct server *s, int fd)
{
    s->watch =
        (struct os_watch){.fd = fd, .events = OS_READABLE, .on_event = on_event, .context = s};
    return os_watch_start(s->poll, &s->watch);
}

static void stop_watch(struct server *s)
{
    os_watch_stop(s->poll, &s->watch);
    os_close(s->watch.fd);
}

static int wait_for(struct server *s, uint64_t timeout_ns)
{
    s->events = 0;
    return os_poll_once(s->poll, timeout_ns);
}

/* ---- the connection */

static void flush_output(struct server *s)
{
    struct buf *out = gdb_output(s->gdb);
    while (out->len > 0 && !s->is_closed) {
        int64_t sent = os_socket_send(s->watch.fd, buf_span(out), span_of(NULL, 0), false);
        if (sent == ERR_BUSY) {
            break;
        }
        s->is_closed = sent < 0;
        buf_drop(out, sent < 0 ? 0 : (size_t)sent);
    }
    /* Who does not take our answers is not listened to. */
    os_watch_change(s->poll, &s->watch, out->len > 0 ? OS_WRITABLE : OS_READABLE);
}

/* A debugger begins with an acknowledgement, a packet or an interrupt. A page in a browser, which
 * may reach loopback too, cannot. */
static bool is_greeting(uint8_t byte)
{
    return byte == '+' || byte == '-' || byte == '$' || byte == 3;
}

static void receive(struct server *s)
{
    uint8_t bytes[RECEIVE_BYTES];
    int64_t len = os_socket_receive(s->watch.fd, bytes, sizeof bytes);
    if (len == ERR_BUSY) {
        return;
    }
    if (len <= 0 || (!s->is_greeted && !is_greeting(bytes[0]))) {
        s->is_closed = true;
        return;
    }
    s->is_greeted = true;
    gdb_feed(s->gdb, span_of(bytes, (size_t)len));
}

static int talk(struct server *s)
{
    int err = 0;
    while (!err && gdb_end(s->gdb) == GDB_OPEN && !s->is_closed) {
        bool is_running = gdb_is_running(s->gdb);
        flush_output(s);
        err = wait_for(s, is_running ? 0 : forever_ns);
        if (s->events & (OS_READABLE | OS_BROKEN)) {
            receive(s);
        }
        gdb_work(s->gdb);
    }
    return err;
}

/* The last answer must arrive: closing with bytes unread would take it back. */
static int say_goodbye(struct server *s)
{
    uint8_t bytes[RECEIVE_BYTES];
    int err = 0;
    flush_output(s);
    os_socket_end(s->watch.fd);
    for (int i = 0; i < TURNS_MAX && !s->is_closed && !err; i++) {
        err = wait_for(s, goodbye_ns);
        flush_output(s);
        int64_t len = os_socket_receive(s->watch.fd, bytes, sizeof bytes);
        s->is_closed = len != ERR_BUSY && len <= 0;
    }
    return err;
}

static int talk_whole(struct server *s)
{
    int err = talk(s);
    return err || !s->is_greeted ? err : say_goodbye(s);
}

/* ---- waiting for it */

static int open_port(struct server *s, struct msg *msg)
{
    char text[32];
    struct os_address address;
    struct os_address bound;
    int fd;
    snprintf(text, sizeof text, "127.0.0.1:%u", s->options->port);
    int err = os_address_parse(text, &address, msg);
    err = err ? err : os_socket_listen(&address, &fd, &bound, msg);
    if (err) {
        return err;
    }
    err = start_watch(s, fd);
    if (err) {
        os_close(fd);
        return fail(msg, err, "cannot watch %s: %s", text, err_text(err));
    }
    int port = os_address_port(&bound);
    if (!s->options->start) {
        fprintf(stderr, "%s: waiting for a debugger on 127.0.0.1:%d\n", s->options->program, port);
        return 0;
    }
    s->child = (struct os_watch){.events = OS_READABLE, .on_event = on_child, .context = s};
    err = s->options->start(s->options->context, port, &s->child.fd, msg);
    err = err ? err : os_watch_start(s->poll, &s->child);
    if (err) {
        stop_watch(s);
    }
    return err;
}

static int accept_one(struct server *s, int listener, struct msg *msg)
{
    struct os_address peer;
    int fd;
    int err = ERR_NOT_FOUND;
    while (err == ERR_NOT_FOUND || err == ERR_IO) {
        if (wait_for(s, forever_ns)) {
            return fail(msg, ERR_IO, "waiting for a debugger failed");
        }
        if (s->is_child_ended) {
            return fail(msg, ERR_CLOSED, "the debugger ended before it connected");
        }
        err = os_socket_accept(listener, &fd, &peer);
    }
    if (err) {
        return fail(msg, err, "a debugger's connection cannot be taken: %s", err_text(err));
    }
    os_watch_stop(s->poll, &s->watch);
    s->is_closed = false;
    err = start_watch(s, fd);
    if (err) {
        os_close(fd);
    }
    return err ? fail(msg, err, "cannot watch a connection: %s", err_text(err)) : 0;
}

/* Talks to who connects, until that was a debugger. */
static int converse(struct server *s, struct msg *msg)
{
    int listener = s->watch.fd;
    int err = 0;
    while (!err && !s->is_greeted) {
        err = accept_one(s, listener, msg);
        if (!err) {
            err = talk_whole(s);
            stop_watch(s);
        }
        if (!err && !s->is_greeted) {
            fprintf(stderr, "%s: what connected is no debugger; still waiting for one\n",
                    s->options->program);
            err = start_watch(s, listener);
        }
    }
    os_close(listener);
    return err;
}

static int outcome(struct server *s, struct machine *m, struct stop *ret_stop, struct msg *msg)
{
    switch (gdb_end(s->gdb)) {
    case GDB_EXITED:
        *ret_stop = gdb_stop(s->gdb);
        return 0;
    case GDB_DETACHED:
        machine_run(m, ret_stop);
        return 0;
    case GDB_KILLED:
        return fail(msg, ERR_CLOSED, "the debugger ended the run after %llu cycles",
                    (unsigned long long)gdb_stop(s->gdb).cycles);
    case GDB_OPEN:
        break;
    }
    return fail(msg, ERR_CLOSED, "the debugger went away after %llu cycles",
                (unsigned long long)gdb_stop(s->gdb).cycles);
}

int gdb_serve(struct machine *m, const struct gdb_serve_options *options, struct stop *ret_stop,
              struct msg *msg)
{
    struct server s = {.options = options, .child = {.fd = -1}};
    int err = os_poll_create(&s.poll);
    err = err ? err : gdb_create(m, &s.gdb);
    if (err) {
        fail(msg, err, "a debugger's stub cannot be set up: %s", err_text(err));
    }
    err = err ? err : open_port(&s, msg);
    err = err ? err : converse(&s, msg);
    err = err ? err : outcome(&s, m, ret_stop, msg);
    gdb_destroy(s.gdb);
    os_poll_destroy(s.poll);
    return err;
}

/* server.c - listening, accepting within bounds, and the graceful end */
/* SPDX-License-Identifier: MIT */
#include "http/internal.h"

#include "base/defaults.h"
#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { ACCEPTS_PER_TURN = 64 };

#define ACCEPT_PAUSE_NS 100000000u
#define MS_NS           1000000u
#define SECOND_NS       1000000000u

struct http_options http_options_default(void)
{
    return (struct http_options){
        .head_bytes_max = DEFAULT_HEAD_BYTES,
        .target_bytes_max = DEFAULT_TARGET_BYTES,
        .fields_count_max = DEFAULT_FIELDS,
        .connections_count_max = DEFAULT_CONNECTIONS,
        .head_timeout_ns = (uint64_t)DEFAULT_HEAD_MS * MS_NS,
        .idle_timeout_ns = (uint64_t)DEFAULT_IDLE_MS * MS_NS,
        .linger_timeout_ns = 2ull * SECOND_NS,
        .body_rate_min = DEFAULT_UPLOAD_RATE,
        .body_window_ns = 10ull * SECOND_NS,
        .reply_rate_min = DEFAULT_DOWNLOAD_RATE,
        .problem_type_root = "urn:problem:",
    };
}

static void on_accept_timer(void *context);

int http_server_create(struct os_poll *poll, const struct http_options *options,
                       const struct http_handler *handler, struct http_server **ret_server)
{
    check(handler->on_head);
    check(options->fields_count_max <= HTTP_FIELDS_MAX);
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        return ERR_NO_MEMORY;
    }
    server->poll = poll;
    server->options = *options;
    server->handler = *handler;
    server->is_accepting = true;
    server->accept_timer = (struct os_timer){.on_due = on_accept_timer, .context = server};
    os_ignore_broken_pipes(); /* sendfile(2) has no flag against them */
    *ret_server = server;
    return 0;
}

/* ---- accepting ---- */

static void set_accepting(struct http_server *server, bool is_accepting)
{
    if (server->is_accepting == is_accepting) {
        return;
    }
    server->is_accepting = is_accepting;
    for (struct listener *l = server->listeners; l; l = l->next) {
        os_watch_change(server->poll, &l->watch, is_accepting ? OS_READABLE : 0);
    }
}

static bool has_place(const struct http_server *server)
{
    return server->conns_count < server->options.connections_count_max;
}

/* The connection that is idle longest, but for those of which something has come that the loop has
 * not looked at yet; NULL: there is none, or not among the first few. */
static struct conn *find_idle(const struct http_server *server)
{
    struct conn *c = server->idle_first;
    for (int i = 0; i < ACCEPTS_PER_TURN && c && os_socket_has_input(c->watch.fd); i++) {
        c = c->idle_next;
    }
    return c && !os_socket_has_input(c->watch.fd) ? c : NULL;
}

/* Whether one more may come: an idle connection gives its place. */
static bool can_take(const struct http_server *server)
{
    return has_place(server) || server->idle_first;
}

static void on_accept_timer(void *context)
{
    struct http_server *server = context;
    set_accepting(server, can_take(server));
}

static void leave_idle(struct http_server *server, struct conn *c)
{
    *(c->idle_before ? &c->idle_before->idle_next : &server->idle_first) = c->idle_next;
    *(c->idle_next ? &c->idle_next->idle_before : &server->idle_last) = c->idle_before;
    c->idle_next = NULL;
    c->idle_before = NULL;
}

static void enter_idle(struct http_server *server, struct conn *c)
{
    c->idle_before = server->idle_last;
    *(server->idle_last ? &server->idle_last->idle_next : &server->idle_first) = c;
    server->idle_last = c;
}

void server_note_idle(struct http_server *server, struct conn *c, bool is_idle)
{
    if (c->is_idle == is_idle) {
        return;
    }
    c->is_idle = is_idle;
    if (!is_idle) {
        leave_idle(server, c);
        return;
    }
    enter_idle(server, c);
    if (!server->is_draining && server->accept_timer.place == 0) {
        set_accepting(server, true);
    }
}

/* Without descriptors or memory, accept would fail again at once: rest a little. */
static void pause_accepting(struct http_server *server)
{
    uint64_t due = os_poll_now(server->poll) + ACCEPT_PAUSE_NS;
    if (os_timer_start(server->poll, &server->accept_timer, due) == 0) {
        set_accepting(server, false);
    }
}

static void on_connection(void *context, uint32_t events UNUSED)
{
    struct listener *listener = context;
    struct http_server *server = listener->server;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct conn *idle = has_place(server) ? NULL : find_idle(server);
        if (!has_place(server) && !idle) {
            break;
        }
        int fd;
        struct os_address peer;
        int err = os_socket_accept(listener->watch.fd, &fd, &peer);
        if (err == ERR_NOT_FOUND) {
            return;
        }
        if (err == ERR_QUOTA) {
            pause_accepting(server);
            return;
        }
        if (err == 0 && idle) {
            conn_destroy(idle, HTTP_ABORT_GONE);
        }
        if (err == 0 && conn_create(server, fd, &peer)) {
            os_close(fd);
            pause_accepting(server);
            return;
        }
    }
    set_accepting(server, can_take(server));
}

int http_server_listen(struct http_server *server, const char *address, int *ret_port,
                       struct msg *msg)
{
    struct os_address wanted;
    struct os_address bound;
    int err = os_address_parse(address, &wanted, msg);
    if (err) {
        return err;
    }
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        return fail(msg, ERR_NO_MEMORY, "cannot listen on %s: out of memory", address);
    }
    int fd;
    err = os_socket_listen(&wanted, &fd, &bound, msg);
    if (err) {
        free(listener);
        return err;
    }
    listener->server = server;
    listener->watch = (struct os_watch){
        .fd = fd, .events = OS_READABLE, .on_event = on_connection, .context = listener};
    err = os_watch_start(server->poll, &listener->watch);
    if (err) {
        os_close(fd);
        free(listener);
        return fail(msg, err, "cannot watch %s: %s", address, err_text(err));
    }
    listener->next = server->listeners;
    server->listeners = listener;
    *ret_port = os_address_port(&bound);
    return 0;
}

int http_server_adopt(struct http_server *server, int fd)
{
    struct os_address nobody = {0};
    int err = os_socket_prepare(fd);
    return err ? err : conn_create(server, fd, &nobody);
}

void server_conn_ended(struct http_server *server)
{
    if (server->is_draining) {
        if (!server->conns && !server->is_drained) {
            server->is_drained = true;
            if (server->handler.on_drained) {
                server->handler.on_drained(server->handler.context);
            }
        }
    } else if (server->accept_timer.place == 0) {
        set_accepting(server, can_take(server));
    }
}

/* ---- the end ---- */

static void stop_listening(struct http_server *server)
{
    os_timer_stop(server->poll, &server->accept_timer);
    while (server->listeners) {
        struct listener *listener = server->listeners;
        server->listeners = listener->next;
        os_watch_stop(server->poll, &listener->watch);
        os_close(listener->watch.fd);
        free(listener);
    }
}

void http_server_drain(struct http_server *server)
{
    stop_listening(server);
    struct conn *next;
    for (struct conn *c = server->conns; c; c = next) {
        next = c->next;
        if (c->state == CONN_HEAD && c->in_len == 0 && !c->is_running) {
            conn_destroy(c, HTTP_ABORT_GONE);
        }
    }
    server->is_draining = true;
    server_conn_ended(server);
}

void http_server_destroy(struct http_server *server)
{
    if (!server) {
        return;
    }
    stop_listening(server);
    server->is_drained = true; /* nobody waits for on_drained any more */
    while (server->conns) {
        conn_destroy(server->conns, HTTP_ABORT_SHUTDOWN);
    }
    free(server);
}

struct span server_date(struct http_server *server)
{
    uint64_t now_s = os_wall_ms() / 1000;
    if (server->date_s != now_s) {
        char date[OS_DATE_TEXT_MAX];
        os_format_date(now_s, date);
        snprintf(server->date, sizeof server->date, "Date: %s\r\n", date);
        server->date_s = now_s;
    }
    return span_of_string(server->date);
}

/* conn.c - one connection: what it waits for, its time limits, and the life of its requests */
/* SPDX-License-Identifier: MIT */
#include "http/internal.h"

#include <stdio.h>
#include <stdlib.h>

static void on_event(void *context, uint32_t events);
static void on_timer(void *context);

static uint64_t now_of(const struct conn *c)
{
    return os_poll_now(c->server->poll);
}

void conn_set_deadline(struct conn *c, uint64_t deadline_ns)
{
    c->deadline_ns = deadline_ns;
    if (deadline_ns != HTTP_NEVER && (c->timer.place == 0 || c->timer.due_ns > deadline_ns) &&
        os_timer_start(c->server->poll, &c->timer, deadline_ns)) {
        c->is_broken = true;
    }
}

int conn_create(struct http_server *server, int fd, const struct os_address *peer)
{
    struct conn *c = calloc(1, sizeof *c);
    size_t in_size = server->options.head_bytes_max + HTTP_BODY_ROOM;
    uint8_t *in = malloc(in_size);
    if (!c || !in) {
        goto fail;
    }
    c->server = server;
    c->in = in;
    c->in_size = in_size;
    c->peer = *peer;
    c->request.conn = c;
    c->timer = (struct os_timer){.on_due = on_timer, .context = c};
    c->watch = (struct os_watch){
        .fd = fd, .events = OS_READABLE | OS_HALF_CLOSED, .on_event = on_event, .context = c};
    buf_init(&c->out, HTTP_REPLY_HEAD_MAX);
    conn_set_deadline(c, now_of(c) + server->options.idle_timeout_ns);
    if (c->is_broken || os_watch_start(server->poll, &c->watch)) {
        os_timer_stop(server->poll, &c->timer);
        goto fail;
    }
    c->next = server->conns;
    c->link = &server->conns;
    if (c->next) {
        c->next->link = &c->next;
    }
    server->conns = c;
    server->conns_count++;
    server_note_idle(server, c, true);
    return 0;
fail:
    free(in);
    free(c);
    return ERR_NO_MEMORY;
}

/* ---- the life of a request ---- */

static void tell_abort(struct conn *c, enum http_abort why)
{
    struct http_request *r = &c->request;
    const struct http_handler *h = &c->server->handler;
    if (r->is_passed && !r->is_answered && !r->is_gone) {
        r->is_gone = true;
        if (h->on_abort) {
            h->on_abort(h->context, r, why);
        }
    }
}

/* The last the handler hears of the request; makes place for the next one. */
static void end_request(struct conn *c)
{
    struct http_request *r = &c->request;
    const struct http_handler *h = &c->server->handler;
    if (!r->is_passed && !r->is_answered) {
        return;
    }
    if (!r->is_answered) {
        r->status = 499;
    }
    if (h->on_end) {
        h->on_end(h->context, r);
    }
    server_note_idle(c->server, c, false); /* it was used just now */
    body_release(&c->body);
    buf_clear(&c->out);
    c->out_at = 0;
    /* The array of fields needs no clearing. */
    struct http_request *next = &c->request;
    memset(next, 0, offsetof(struct http_request, fields));
    memset(&next->fields_count, 0, sizeof *next - offsetof(struct http_request, fields_count));
    next->conn = c;
    c->in_len -= c->head_len;
    memmove(c->in, c->in + c->head_len, c->in_len);
    c->head_len = 0;
    c->line_at = 0;
}

void conn_destroy(struct conn *c, enum http_abort why)
{
    struct http_server *server = c->server;
    c->is_running = true; /* callbacks below must not come back in here */
    server_note_idle(server, c, false);
    tell_abort(c, why);
    end_request(c);
    os_timer_stop(server->poll, &c->timer);
    os_watch_stop(server->poll, &c->watch);
    os_close(c->watch.fd);
    *c->link = c->next;
    if (c->next) {
        c->next->link = c->link;
    }
    body_release(&c->body);
    buf_deinit(&c->out);
    free(c->in);
    free(c);
    server->conns_count--;
    server_conn_ended(server);
}

void conn_refuse(struct conn *c, const struct refusal *refusal)
{
    tell_abort(c, HTTP_ABORT_BODY);
    struct http_problem problem = {
        .status = refusal->status,
        .type = refusal->type,
        .detail = refusal->detail,
        .members = refusal->members[0] ? refusal->members : NULL,
    };
    c->closes = true;
    c->request.is_gone = false;
    http_respond_problem(&c->request, &problem);
}

/* ---- steps: each returns whether to go on ---- */

static void begin_linger(struct conn *c)
{
    os_socket_end(c->watch.fd);
    c->state = CONN_LINGER;
    conn_set_deadline(c, now_of(c) + c->server->options.linger_timeout_ns);
}

/* How much of the reply the client's side has: what waits in our socket could be all of it. */
static uint64_t taken(const struct conn *c)
{
    uint64_t sent = c->request.sent;
    uint64_t unsent = os_socket_unsent(c->watch.fd);
    return unsent < sent ? sent - unsent : 0;
}

static bool step_send(struct conn *c)
{
    int done = reply_flush(c);
    if (done < 0) {
        c->is_broken = true;
        return false;
    }
    if (done == 0) {
        if (c->deadline_ns == HTTP_NEVER) {
            c->window_at = taken(c);
            conn_set_deadline(c, now_of(c) + c->server->options.idle_timeout_ns);
        }
        return false;
    }
    end_request(c);
    if (c->closes) {
        begin_linger(c);
        return false;
    }
    c->state = CONN_HEAD;
    conn_set_deadline(c, now_of(c) + c->server->options.idle_timeout_ns);
    return true;
}

static bool complete(struct conn *c)
{
    const struct http_handler *h = &c->server->handler;
    c->request.is_complete = true;
    c->state = CONN_WAIT;
    conn_set_deadline(c, HTTP_NEVER);
    if (h->on_complete) {
        h->on_complete(h->context, &c->request);
    }
    return c->state != CONN_WAIT;
}

static bool refuse_now(struct conn *c)
{
    struct refusal refusal = c->refusal;
    conn_refuse(c, &refusal);
    return true;
}

static bool tell_continue(struct conn *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct span line = span_of(text, sizeof text - 1);
    return os_socket_send(c->watch.fd, line, span_of(NULL, 0), false) == (int64_t)line.len;
}

static bool begin_body(struct conn *c)
{
    struct http_request *r = &c->request;
    if (r->length > r->body_max) {
        refuse_over(c, &body_limit, r->body_max, r->length);
        return refuse_now(c);
    }
    if (r->expects_continue && c->in_len == c->head_len && !tell_continue(c)) {
        c->is_broken = true;
        return false;
    }
    c->state = CONN_BODY;
    c->window_at = 0;
    conn_set_deadline(c, now_of(c) + c->server->options.body_window_ns);
    return true;
}

static bool step_head(struct conn *c)
{
    struct http_request *r = &c->request;
    if (c->in_len == 0) {
        return false;
    }
    if (r->started_ns == 0) {
        r->started_ns = now_of(c);
    }
    int parsed = head_parse(c);
    if (parsed == 0) {
        if (c->deadline_ns > r->started_ns + c->server->options.head_timeout_ns) {
            conn_set_deadline(c, r->started_ns + c->server->options.head_timeout_ns);
        }
        return false;
    }
    if (parsed < 0) {
        return refuse_now(c);
    }
    r->is_passed = true;
    conn_set_deadline(c, HTTP_NEVER);
    c->server->handler.on_head(c->server->handler.context, r);
    if (r->is_answered) {
        return true;
    }
    return http_has_body(r) ? begin_body(c) : complete(c);
}

static bool step_body(struct conn *c)
{
    int fed = body_feed(c);
    if (fed < 0) {
        return refuse_now(c);
    }
    return fed > 0 ? complete(c) : c->state != CONN_BODY;
}

static bool step(struct conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        return step_head(c);
    case CONN_BODY:
        return step_body(c);
    case CONN_SEND:
        return step_send(c);
    case CONN_WAIT:
    case CONN_LINGER:
        break;
    }
    return false;
}

/* READABLE stays asked for while a handler works, to save two system calls a request; on_event
 * takes it away where it comes too early. */
static void watch_for_next(struct conn *c)
{
    uint32_t events = c->watch.events;
    switch (c->state) {
    case CONN_HEAD:
    case CONN_BODY:
        events = OS_READABLE | OS_HALF_CLOSED;
        break;
    case CONN_WAIT:
        events = (events & OS_READABLE) | OS_HALF_CLOSED;
        break;
    case CONN_SEND:
        events = OS_WRITABLE;
        break;
    case CONN_LINGER:
        events = OS_READABLE;
        break;
    }
    os_watch_change(c->server->poll, &c->watch, events);
}

static void step_all(struct conn *c)
{
    c->has_next = false;
    c->is_running = true;
    while (!c->is_broken && step(c)) {
    }
    c->is_running = false;
}

/* Ends it where nothing more can come, else waits for what its state asks for. */
static void settle(struct conn *c)
{
    bool is_idle = c->state == CONN_HEAD && c->in_len == 0;
    if (c->is_broken || (is_idle && c->server->is_draining)) {
        conn_destroy(c, HTTP_ABORT_GONE);
        return;
    }
    watch_for_next(c);
    server_note_idle(c->server, c, is_idle);
}

void conn_run(struct conn *c)
{
    step_all(c);
    settle(c);
}

void conn_leave_request(struct conn *c)
{
    c->is_running = true;
    if (!c->is_broken && step_send(c) && c->in_len > 0) {
        c->has_next = true;
        c->is_broken |= os_timer_start(c->server->poll, &c->timer, now_of(c)) != 0;
    }
    c->is_running = false;
    settle(c);
}

/* ---- what happens to it ---- */

static void receive(struct conn *c)
{
    if (c->state == CONN_LINGER) {
        c->in_len = 0;
    }
    int64_t count = os_socket_receive(c->watch.fd, c->in + c->in_len, c->in_size - c->in_len);
    if (count == 0 || count == ERR_CLOSED) {
        c->is_broken = true;
        return;
    }
    if (count > 0) {
        c->in_len += (size_t)count;
    }
}

static void on_event(void *context, uint32_t events)
{
    struct conn *c = context;
    bool is_reading = c->state != CONN_WAIT && c->state != CONN_SEND;
    if (events & OS_BROKEN) {
        c->is_broken = true;
    } else if (events & OS_READABLE && is_reading) {
        /* Not before what is there was looked at: the buffer may be full. */
        if (!c->has_next) {
            receive(c);
        }
    } else if (events & OS_READABLE) {
        os_watch_change(c->server->poll, &c->watch, c->watch.events & ~(uint32_t)OS_READABLE);
    }
    if (c->state != CONN_LINGER) {
        step_all(c);
    }
    /* The client will not read the answer, or so we take it: its run is to stop. */
    if (events & OS_HALF_CLOSED && c->state == CONN_WAIT) {
        c->is_broken = true;
    }
    conn_run(c);
}

static uint64_t bytes_in(uint64_t rate, uint64_t window_ns)
{
    return (uint64_t)((double)rate * (double)window_ns / 1e9);
}

/* Whether enough came in (or went out) since the last look, one window ago. */
static bool is_fast_enough(struct conn *c, uint64_t moved, uint64_t needed)
{
    uint64_t at = c->window_at;
    c->window_at = moved;
    return moved >= at && moved - at >= needed;
}

/* A reply that does not move at all is given up whatever the rate. */
static bool is_taken_fast_enough(struct conn *c)
{
    const struct http_options *o = &c->server->options;
    uint64_t needed = bytes_in(o->reply_rate_min, o->idle_timeout_ns);
    return is_fast_enough(c, taken(c), needed ? needed : 1);
}

static void time_out_body(struct conn *c)
{
    const struct http_options *o = &c->server->options;
    if (is_fast_enough(c, c->request.received, bytes_in(o->body_rate_min, o->body_window_ns))) {
        conn_set_deadline(c, now_of(c) + o->body_window_ns);
        return;
    }
    refuse(c, 408, "too-slow", "the body came slower than the limit of %llu bytes a second",
           (unsigned long long)o->body_rate_min);
    refuse_now(c);
}

static void time_out(struct conn *c)
{
    const struct http_options *o = &c->server->options;
    switch (c->state) {
    case CONN_HEAD:
        if (c->in_len == 0) {
            c->is_broken = true;
            return;
        }
        refuse(c, 408, "too-slow", "the request's head did not come within %llu ms",
               (unsigned long long)(o->head_timeout_ns / 1000000));
        refuse_now(c);
        return;
    case CONN_BODY:
        time_out_body(c);
        return;
    case CONN_SEND:
        c->is_broken = !is_taken_fast_enough(c);
        conn_set_deadline(c, now_of(c) + o->idle_timeout_ns);
        return;
    case CONN_WAIT:
        return;
    case CONN_LINGER:
        c->is_broken = true;
        return;
    }
}

static void on_timer(void *context)
{
    struct conn *c = context;
    if (c->has_next) {
        conn_set_deadline(c, now_of(c) + c->server->options.idle_timeout_ns);
    } else if (c->deadline_ns > now_of(c)) {
        conn_set_deadline(c, c->deadline_ns);
    } else {
        c->is_running = true;
        time_out(c);
    }
    conn_run(c);
}

/* reply.c - answers: the head, the body from memory or a file, and error documents */
/* SPDX-License-Identifier: MIT */
#include "http/internal.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SEND_FILE_MAX = 1 << 20, /* bytes in one call, so that other connections get their turn */
    HEAD_KEPT_MAX = 16384,   /* a larger buffer is given back after its reply */
};

const char *http_reason(int status)
{
    switch (status) {
#define STATUS(number, reason) \
    case number:               \
        return reason;
#include "http/status.def"
#undef STATUS
    default:
        return "Unknown";
    }
}

int http_put_field(struct buf *lines, struct span name, struct span value)
{
    if (!span_is_token(name)) {
        return ERR_ARGUMENT;
    }
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return ERR_ARGUMENT;
        }
    }
    buf_put(lines, name.data, name.len);
    buf_puts(lines, ": ");
    buf_put(lines, value.data, value.len);
    buf_puts(lines, "\r\n");
    return 0;
}

/* ---- bodies ---- */

void body_release(struct http_body *body)
{
    switch (body->kind) {
    case HTTP_BODY_FILE:
        os_close(body->fd);
        break;
    case HTTP_BODY_OWNED:
        if (body->release) {
            body->release(body->release_context);
        }
        break;
    case HTTP_BODY_BORROWED:
    case HTTP_BODY_NONE:
        break;
    }
    *body = (struct http_body){0};
}

static uint64_t body_size(const struct http_body *body)
{
    return body->kind == HTTP_BODY_FILE ? body->size : body->bytes.len;
}

/* Makes a borrowed rest our own, since its owner takes it back after http_respond. */
static int keep_rest(struct conn *c)
{
    if (c->body.kind != HTTP_BODY_BORROWED || c->body.bytes.len == 0) {
        return 0;
    }
    void *copy = malloc(c->body.bytes.len);
    if (!copy) {
        return ERR_NO_MEMORY;
    }
    memcpy(copy, c->body.bytes.data, c->body.bytes.len);
    c->body = http_body_owned(span_of(copy, c->body.bytes.len), free, copy);
    return 0;
}

/* ---- sending ---- */

static void advance(struct conn *c, uint64_t count)
{
    uint64_t of_head = c->out.len - c->out_at;
    of_head = count < of_head ? count : of_head;
    c->out_at += of_head;
    count -= of_head;
    c->request.sent += count;
    if (c->body.kind == HTTP_BODY_FILE) {
        c->body.offset += count;
        c->body.size -= count;
    } else if (count > 0) {
        c->body.bytes = span_of(c->body.bytes.data + count, c->body.bytes.len - count);
    }
}

static int64_t send_some(struct conn *c)
{
    struct span head = span_of(c->out.data + c->out_at, c->out.len - c->out_at);
    struct span bytes = c->body.bytes;
    if (c->body.kind != HTTP_BODY_FILE) {
        return head.len > 0 ? os_socket_send(c->watch.fd, head, bytes, false)
                            : os_socket_send(c->watch.fd, bytes, span_of(NULL, 0), false);
    }
    if (head.len > 0) {
        return os_socket_send(c->watch.fd, head, span_of(NULL, 0), c->body.size > 0);
    }
    size_t size = c->body.size < SEND_FILE_MAX ? (size_t)c->body.size : SEND_FILE_MAX;
    int64_t count = os_socket_send_file(c->watch.fd, c->body.fd, c->body.offset, size);
    return count == 0 ? ERR_CLOSED : count; /* the file became shorter: the length was a lie */
}

int reply_flush(struct conn *c)
{
    while (c->out_at < c->out.len || body_size(&c->body) > 0) {
        int64_t count = send_some(c);
        if (count == ERR_BUSY) {
            return 0;
        }
        if (count < 0) {
            return ERR_CLOSED;
        }
        advance(c, (uint64_t)count);
        if (count == SEND_FILE_MAX) {
            return 0; /* the socket is writable still, so the loop comes back */
        }
    }
    return 1;
}

/* ---- heads ---- */

static void put_number(struct buf *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_put(out, digits + at, sizeof digits - at);
}

static void put_head(struct conn *c, const struct http_reply *reply)
{
    struct buf *out = &c->out;
    buf_puts(out, "HTTP/1.1 ");
    put_number(out, (uint64_t)reply->status);
    buf_puts(out, " ");
    buf_puts(out, http_reason(reply->status));
    buf_puts(out, "\r\n");
    struct span date = server_date(c->server);
    buf_put(out, date.data, date.len);
    if (c->server->options.common_fields) {
        buf_puts(out, c->server->options.common_fields);
    }
    const struct http_handler *handler = &c->server->handler;
    if (handler->reply_fields) {
        buf_puts(out, handler->reply_fields(handler->context, &c->request));
    }
    buf_put(out, reply->fields.data, reply->fields.len);
    if (reply->status != 204 && reply->status != 304) {
        buf_puts(out, "Content-Length: ");
        put_number(out, reply->status == 205 ? 0 : body_size(&reply->body));
        buf_puts(out, "\r\n");
    }
    if (c->closes) {
        buf_puts(out, "Connection: close\r\n");
    } else if (c->request.minor == 0) {
        buf_puts(out, "Connection: keep-alive\r\n");
    }
    buf_puts(out, "\r\n");
}

/* An early answer ends the connection unless the whole body has come already. */
static bool drop_body(struct conn *c)
{
    struct http_request *r = &c->request;
    if (r->is_complete || !http_has_body(r)) {
        return true;
    }
    size_t here = c->in_len - c->head_len;
    if (c->state != CONN_HEAD || r->is_chunked || r->length > here) {
        return false;
    }
    c->in_len -= (size_t)r->length;
    memmove(c->in + c->head_len, c->in + c->head_len + r->length, here - (size_t)r->length);
    return true;
}

void http_respond(struct http_request *r, const struct http_reply *reply)
{
    struct conn *c = r->conn;
    check(!r->is_answered && !r->is_gone);
    check(reply->status >= 200 && reply->status <= 599);
    c->closes |= reply->closes || !r->keeps_alive || c->server->is_draining || !drop_body(c);
    r->is_answered = true;
    r->status = reply->status;
    if (c->out.size > HEAD_KEPT_MAX) {
        buf_deinit(&c->out);
    }
    buf_clear(&c->out);
    c->out_at = 0;
    put_head(c, reply);
    c->body = reply->body;
    bool is_bodiless = reply->status == 204 || reply->status == 205 || reply->status == 304;
    if (is_bodiless || http_method_is(r, "HEAD")) {
        body_release(&c->body);
    }
    c->state = CONN_SEND;
    conn_set_deadline(c, HTTP_NEVER);
    /* Sent here and now, while a borrowed body is still there. */
    if (c->out.failed || reply_flush(c) < 0 || keep_rest(c)) {
        c->is_broken = true;
        if (c->body.kind == HTTP_BODY_BORROWED) {
            c->body = (struct http_body){0};
        }
    }
    if (!c->is_running) {
        conn_leave_request(c);
    }
}

void http_respond_problem(struct http_request *r, const struct http_problem *problem)
{
    const char *root = r->conn->server->options.problem_type_root;
    struct buf body;
    struct buf lines;
    buf_init(&body, HTTP_REPLY_HEAD_MAX);
    buf_init(&lines, HTTP_REPLY_HEAD_MAX);
    buf_puts(&lines, "Content-Type: application/problem+json\r\n");
    buf_put(&lines, problem->fields.data, problem->fields.len);
    buf_puts(&body, "{\"type\":\"");
    buf_put_json(&body, span_of_string(root ? root : ""));
    buf_put_json(&body, span_of_string(problem->type));
    buf_print(&body, "\",\"title\":\"%s\",\"status\":%d,\"detail\":\"",
              http_reason(problem->status), problem->status);
    buf_put_json(&body, span_of_string(problem->detail));
    buf_puts(&body, "\"");
    if (problem->members) {
        buf_puts(&body, ",");
        buf_puts(&body, problem->members);
    }
    buf_puts(&body, "}\n");
    struct http_reply reply = {
        .status = problem->status,
        .fields = buf_span(&lines),
        .body = http_body_borrowed(buf_span(&body)),
        .closes = body.failed || lines.failed,
    };
    http_respond(r, &reply);
    buf_deinit(&body);
    buf_deinit(&lines);
}

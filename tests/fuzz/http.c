/* http.c - whatever bytes a client sends, cut anywhere, the server keeps its promises */
/* SPDX-License-Identifier: MIT */
#include "http/http.h"
#include "os/socket.h"

#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the handler saw: each request is passed once, ends once, and is never both answered and
 * aborted. */
struct toy {
    struct http_request *current;
    bool is_answered;
    bool is_late; /* answered from outside */
    bool is_complete;
    uint64_t received;
};

static void answer(struct toy *toy)
{
    toy->is_answered = true;
    struct http_reply reply = {.status = 200, .body = http_body_borrowed(http_path(toy->current))};
    http_respond(toy->current, &reply);
}

static void on_head(void *context, struct http_request *r)
{
    struct toy *toy = context;
    check(!toy->current);
    struct span path = http_path(r);
    struct span method = http_method(r);
    check(path.len > 0 && method.len > 0);
    for (size_t i = 0; i < path.len; i++) {
        check(path.data[i] > ' ' && path.data[i] < 0x7f);
    }
    check(http_minor_version(r) == 0 || http_field_repeats(r, "Host") == 1);
    *toy = (struct toy){.current = r, .is_late = path.len % 2 == 0};
    if (path.len % 5 == 4) {
        answer(toy);
    } else {
        http_accept_body(r, 64);
    }
}

static void on_body(void *context, struct http_request *r, struct span bytes)
{
    struct toy *toy = context;
    check(toy->current == r && !toy->is_answered);
    toy->received += bytes.len;
    check(toy->received <= 64);
}

/* What the request says that its body has; false for chunks, which do not say. */
static bool read_length(const struct http_request *r, uint64_t *ret_length)
{
    struct span text;
    *ret_length = 0;
    if (!http_field(r, "Content-Length", &text)) {
        return !http_has_body(r);
    }
    for (size_t i = 0; i < text.len; i++) {
        *ret_length = *ret_length * 10 + (text.data[i] - '0');
    }
    return true;
}

static void on_complete(void *context, struct http_request *r)
{
    struct toy *toy = context;
    uint64_t length;
    check(toy->current == r && !toy->is_answered);
    check(!read_length(r, &length) || length == toy->received);
    toy->is_complete = true;
    if (!toy->is_late) {
        answer(toy);
    }
}

static void on_abort(void *context, struct http_request *r, enum http_abort why UNUSED)
{
    struct toy *toy = context;
    check(toy->current == r && !toy->is_answered);
    toy->is_answered = true;
}

static void on_end(void *context, struct http_request *r)
{
    struct toy *toy = context;
    check(!toy->current || toy->current == r);
    check(!toy->current || toy->is_answered);
    toy->current = NULL;
}

static void turn(struct os_poll *poll, struct toy *toy, int client)
{
    uint8_t reply[4096];
    check(os_poll_once(poll, 0) == 0);
    if (toy->current && !toy->is_answered && toy->is_late && toy->is_complete) {
        answer(toy);
    }
    while (os_socket_receive(client, reply, sizeof reply) > 0) {
    }
}

/* The first byte says how long the pieces are in which the rest is sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct toy toy = {0};
    struct os_poll *poll;
    struct http_server *server;
    struct http_options options = http_options_default();
    struct http_handler handler = {.context = &toy,
                                   .on_head = on_head,
                                   .on_body = on_body,
                                   .on_complete = on_complete,
                                   .on_abort = on_abort,
                                   .on_end = on_end};
    options.head_bytes_max = 1024;
    options.target_bytes_max = 256;
    int fds[2];
    check(os_poll_create(&poll) == 0 && os_socket_pair(fds) == 0);
    check(http_server_create(poll, &options, &handler, &server) == 0);
    check(http_server_adopt(server, fds[0]) == 0);
    size_t piece = size > 0 && data[0] > 0 ? data[0] : size + 1;
    for (size_t at = 1; at < size; at += piece) {
        size_t len = size - at < piece ? size - at : piece;
        if (os_socket_send(fds[1], span_of(data + at, len), span_of(NULL, 0), false) < 0) {
            break;
        }
        turn(poll, &toy, fds[1]);
    }
    for (int i = 0; i < 4; i++) {
        turn(poll, &toy, fds[1]);
    }
    shutdown(fds[1], SHUT_WR);
    turn(poll, &toy, fds[1]);
    http_server_destroy(server);
    os_poll_destroy(poll);
    os_close(fds[1]);
    check(!toy.current);
    return 0;
}

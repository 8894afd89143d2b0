/* http.h - an HTTP/1.1 server on one event loop; knows nothing of what it serves */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: http_server_create -> http_server_listen (again for more addresses) -> the loop runs
 * -> http_server_drain -> (is_drained, or time is up) -> http_server_destroy.
 * Everything here, callbacks too, belongs to the thread that runs the loop; another thread gets in
 * through os_poll_post. A request is one pointer from on_head until on_end returns:
 *
 *   on_head -> on_body* -> on_complete -> ... http_respond ... -> on_end
 *
 * http_respond may be called from on_head (an early answer: the body is not read), from on_body,
 * from on_complete or at any later moment, once. Where the client goes away, breaks its body or
 * sends it too slowly before that, on_abort says so instead, and on_end follows. Requests that
 * never pass the checks of the head get their error from here: only on_end is called for them.
 * A connection has one request at a time; pipelined ones wait unread and are answered in order. */

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "os/poll.h"

struct http_server;
struct http_request;

/* ---- what a server is made of ---------------------------------------------------------------- */

struct http_options {
    size_t head_bytes_max;        /* request line and header fields together: 431 */
    size_t target_bytes_max;      /* 414 */
    size_t fields_count_max;      /* 431; at most HTTP_FIELDS_MAX */
    size_t connections_count_max; /* one more takes the place of the one that is idle longest; where
                                   * none is, it waits in the kernel's backlog */
    uint64_t head_timeout_ns;     /* from a head's first byte to its last: 408 */
    uint64_t idle_timeout_ns;     /* between requests */
    uint64_t linger_timeout_ns;   /* how long a closing connection still swallows input */
    uint64_t body_rate_min;       /* bytes a second that a body must bring: 408 */
    uint64_t body_window_ns;      /* over which that rate is measured */
    uint64_t reply_rate_min;      /* bytes a second of a reply that a client must take, or it is
                                   * closed; measured over idle_timeout_ns */
    const char *common_fields;    /* whole lines, "Name: value\r\n", in every reply; or NULL */
    const char *problem_type_root; /* what `type` of an error document starts with */
};

enum { HTTP_FIELDS_MAX = 128 };

/* What base/defaults.h says; closing takes 2 s, the rate of a body is over 10 s; no common
 * fields; "urn:problem:". */
struct http_options http_options_default(void);

/* Why a request will never be answered by its handler. */
enum http_abort {
    HTTP_ABORT_GONE,     /* the client closed or half-closed, or the connection broke */
    HTTP_ABORT_BODY,     /* the body was malformed, too large or too slow; it was told so */
    HTTP_ABORT_SHUTDOWN, /* http_server_destroy */
};

/* The layer above. Every pointer may be NULL but on_head. */
struct http_handler {
    void *context;
    /* The head is complete and has passed all checks. Answer now, or http_accept_body, or do
     * nothing and answer after on_complete (a body is then refused: 413). */
    void (*on_head)(void *context, struct http_request *request);
    /* Bytes of the body as they come, borrowed for the call, decoded from chunks. */
    void (*on_body)(void *context, struct http_request *request, struct span bytes);
    /* The body is complete; called for a request without one too, unless answered already. */
    void (*on_complete)(void *context, struct http_request *request);
    /* Forget this request: it must not be answered any more. */
    void (*on_abort)(void *context, struct http_request *request, enum http_abort why);
    /* Header lines that every reply to this request has, the errors from here too; static. Asked
     * once, at the reply: where the head was not understood, method and path may be empty. */
    const char *(*reply_fields)(void *context, const struct http_request *request);
    /* The last sight of a request, answered or not: for logs and metrics. */
    void (*on_end)(void *context, struct http_request *request);
    /* http_server_drain was called and the last connection has closed. */
    void (*on_drained)(void *context);
};

/* Makes a server on `poll`, which must outlive it; options and handler are copied, the strings in
 * them kept. Has SIGPIPE ignored in this process. Returns owned. */
MUST_CHECK int http_server_create(struct os_poll *poll, const struct http_options *options,
                                  const struct http_handler *handler,
                                  struct http_server **ret_server);
/* Listens on "127.0.0.1:8080", "[::1]:8080" or "name:port"; port 0 lets the kernel pick. The port
 * that it became is in `ret_port`. */
MUST_CHECK int http_server_listen(struct http_server *server, const char *address, int *ret_port,
                                  struct msg *msg);
/* Takes a connected stream socket, as if it had just been accepted. */
MUST_CHECK int http_server_adopt(struct http_server *server, int fd);
/* Stops listening, closes idle connections; requests under way go on and each connection closes
 * after its reply. Calls on_drained, at once where there is none. */
void http_server_drain(struct http_server *server);
/* Closes everything, aborting what is under way; NULL is accepted. Not from a callback. */
void http_server_destroy(struct http_server *server);

/* ---- a request: what it asked ----------------------------------------------------------------
 * Spans stay valid until on_end returns. */

/* As sent: a token of up to 32 characters, upper or lower case, known or not. CONNECT never comes
 * here (501). Empty in on_end where the line was not understood. */
struct span http_method(const struct http_request *request);
bool http_method_is(const struct http_request *request, const char *method);
/* The target's path as sent: starts with '/', visible ASCII, percent-encoded or not; "*" for
 * OPTIONS only. Of an absolute target the part after the authority. */
struct span http_path(const struct http_request *request);
/* What follows the '?'; empty where there is none. */
struct span http_query(const struct http_request *request);
/* The authority of an absolute target, else the Host field; empty only on HTTP/1.0 without one. */
struct span http_host(const struct http_request *request);
/* 0 for HTTP/1.0, 1 for HTTP/1.1. */
int http_minor_version(const struct http_request *request);

struct http_field {
    struct span name;
    struct span value; /* without white space around it; never CR, LF, NUL or other controls */
};
size_t http_fields_count(const struct http_request *request);
struct http_field http_field_at(const struct http_request *request, size_t index);
/* The value of the first field of that name, in any case; false where there is none. */
bool http_field(const struct http_request *request, const char *name, struct span *ret_value);
/* How many fields of that name there are: a caller that needs one refuses two. */
size_t http_field_repeats(const struct http_request *request, const char *name);

/* Whether a body was announced. */
bool http_has_body(const struct http_request *request);
/* In on_head: lets a body of up to `bytes_max` come. A larger one gets 413, at once where its
 * length says so, else as soon as it passes. The client is told to go on (100) where it waits. */
void http_accept_body(struct http_request *request, uint64_t bytes_max);

/* A pointer of the handler's that travels with the request; NULL at first. */
void http_set_user(struct http_request *request, void *user);
void *http_user(const struct http_request *request);
/* "127.0.0.1:50000" of the client, NUL-terminated. */
const char *http_peer(const struct http_request *request);
/* Whether the client is on this machine, by its address. */
bool http_peer_is_loopback(const struct http_request *request);

/* ---- a request: how it went (os_now_ns time; 0 where it has not happened) ---------------------
 */

uint64_t http_started_ns(const struct http_request *request);
uint64_t http_body_received(const struct http_request *request);
int http_status(const struct http_request *request); /* 0 while unanswered; 499: client went away */
uint64_t http_body_sent(const struct http_request *request);

/* ---- the answer ------------------------------------------------------------------------------ */

enum http_body_kind {
    HTTP_BODY_NONE,
    HTTP_BODY_BORROWED, /* copied where it cannot be sent at once */
    HTTP_BODY_OWNED,    /* kept until sent, then release(release_context) */
    HTTP_BODY_FILE,     /* `size` bytes of `fd` from `offset`; takes fd and closes it */
};

struct http_body {
    enum http_body_kind kind;
    struct span bytes;
    void (*release)(void *context);
    void *release_context;
    int fd;
    uint64_t offset;
    uint64_t size;
};

static inline struct http_body http_body_borrowed(struct span bytes)
{
    return (struct http_body){.kind = HTTP_BODY_BORROWED, .bytes = bytes};
}

static inline struct http_body http_body_owned(struct span bytes, void (*release)(void *),
                                               void *context)
{
    return (struct http_body){
        .kind = HTTP_BODY_OWNED, .bytes = bytes, .release = release, .release_context = context};
}

static inline struct http_body http_body_file(int fd, uint64_t offset, uint64_t size)
{
    return (struct http_body){.kind = HTTP_BODY_FILE, .fd = fd, .offset = offset, .size = size};
}

struct http_reply {
    int status;            /* 200 to 599 */
    struct span fields;    /* whole lines, "Name: value\r\n" each, borrowed for the call; never
                            * Content-Length, Transfer-Encoding, Connection or Date */
    struct http_body body; /* for HEAD too: its length is announced, nothing is sent. With 204, 205
                            * and 304 it is dropped */
    bool closes;           /* close the connection afterwards */
};

/* Answers the request, once; takes the body as its kind says. Never fails towards the caller: a
 * client that cannot be reached shows in on_end. The request may end inside this call, but the next
 * one of its connection begins in a later turn of the loop: no other callback comes from in here.
 */
void http_respond(struct http_request *request, const struct http_reply *reply);
/* Appends "name: value\r\n" to the lines of a reply. ERR_ARGUMENT where the name is not a token or
 * the value holds CR, LF, NUL or another control; nothing is appended then. */
MUST_CHECK int http_put_field(struct buf *lines, struct span name, struct span value);
/* The words that belong to a status, "Not Found"; "Status 299" style numbers get "Unknown". */
const char *http_reason(int status);

/* An error document, application/problem+json (RFC 9457). */
struct http_problem {
    int status;
    const char *type;    /* "too-large"; the server's problem_type_root goes before it */
    const char *detail;  /* a sentence that names the thing, the limit and the value */
    const char *members; /* more members as JSON text, "\"limit\":1,\"value\":2"; or NULL */
    struct span fields;  /* more header lines: Allow, Retry-After; or empty */
};
/* Answers with it, exactly as the server's own errors are answered. */
void http_respond_problem(struct http_request *request, const struct http_problem *problem);

/* internal.h - what the files of http/ share: a connection and the request that it carries */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "http/http.h"
#include "os/socket.h"

#include <llhttp.h>

enum {
    HTTP_METHOD_LEN_MAX = 32,
    /* Of a connection's buffer, beside the largest head: where bodies pass through. */
    HTTP_BODY_ROOM = 16384,
    HTTP_REPLY_HEAD_MAX = 1 << 18,
};

#define HTTP_NEVER UINT64_MAX

/* Why a request is refused: what http_respond_problem needs, with room for the words. */
struct refusal {
    int status;
    const char *type;
    char detail[256];
    char members[80];
};

struct http_request {
    struct conn *conn;
    /* From the head, pointing into conn->in. */
    struct span method;
    struct span target;
    struct span path;
    struct span query;
    struct span host;
    bool is_after_empty_line; /* one is forgiven, no second */
    bool expects_continue;
    bool keeps_alive;
    bool is_chunked;
    bool has_length;
    int minor;
    uint64_t length;
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t fields_count;
    /* How it goes. */
    bool is_passed;   /* on_head was called */
    bool is_complete; /* the body is in */
    bool is_answered; /* http_respond was called */
    bool is_gone;     /* on_abort was called */
    int status;
    uint64_t body_max;
    uint64_t received;
    uint64_t raw_received; /* with the framing of chunks */
    uint64_t sent;
    uint64_t started_ns;
    void *user;
};

enum conn_state {
    CONN_HEAD,   /* waits for, or reads, a head */
    CONN_BODY,   /* reads a body */
    CONN_WAIT,   /* all is read; the handler has not answered */
    CONN_SEND,   /* an answer is on its way */
    CONN_LINGER, /* our direction is closed; swallows what still comes */
};

struct conn {
    struct http_server *server;
    struct conn *next;
    struct conn **link;
    struct conn *idle_next; /* in the server's list of idle ones; where is_idle */
    struct conn *idle_before;
    bool is_idle; /* between two requests, and nothing of the next has come */
    struct os_watch watch;
    struct os_timer timer;
    uint64_t deadline_ns; /* the timer may fire earlier and then looks again */
    enum conn_state state;
    bool is_running; /* conn_run is active further up the stack */
    bool is_broken;  /* to be destroyed when conn_run ends */
    bool closes;     /* after the reply under way */
    bool has_next;   /* the next request came already: the timer is set to begin it */
    struct os_address peer;
    char peer_text[OS_ADDRESS_TEXT_MAX];
    /* Input: [0, head_len) is the head once it is complete, [head_len, in_len) not yet used. */
    uint8_t *in;
    size_t in_size;
    size_t in_len;
    size_t head_len;
    size_t line_at;     /* start of the line that the head's scan is in */
    uint64_t window_at; /* body bytes, received or sent, at the last look of the timer */
    llhttp_t parser;
    const char *framing_at; /* while llhttp runs: first byte that is not checked yet */
    uint8_t framing_last;
    struct refusal refusal;
    /* Output: the rest of the head, then the rest of the body. */
    struct buf out;
    size_t out_at;
    struct http_body body;
    struct http_request request;
};

struct listener {
    struct http_server *server;
    struct listener *next;
    struct os_watch watch;
};

struct http_server {
    struct os_poll *poll;
    struct http_options options;
    struct http_handler handler;
    struct listener *listeners;
    struct conn *conns;
    struct conn *idle_first; /* idle longest */
    struct conn *idle_last;
    struct os_timer accept_timer; /* runs while accepting pauses for want of descriptors */
    bool is_accepting;
    bool is_draining;
    bool is_drained;
    uint64_t date_s;
    char date[48];
    uint64_t conns_count;
};

/* ---- conn.c ---- */
MUST_CHECK int conn_create(struct http_server *server, int fd, const struct os_address *peer);
/* Ends its request, closes the descriptor and frees it. */
void conn_destroy(struct conn *c, enum http_abort why);
/* Goes on as far as it can without waiting; may destroy `c`. */
void conn_run(struct conn *c);
/* After an answer from outside of conn_run: goes on sending, but leaves the next request to a turn
 * of the loop, since whoever answers is in the midst of its own work. May destroy `c`. */
void conn_leave_request(struct conn *c);
void conn_set_deadline(struct conn *c, uint64_t deadline_ns);
/* Answers with an error of ours and closes afterwards; tells the handler where it knew. */
void conn_refuse(struct conn *c, const struct refusal *refusal);

/* ---- server.c ---- */
/* Puts a connection last in the list of idle ones, or takes it out, where that has changed. */
void server_note_idle(struct http_server *server, struct conn *c, bool is_idle);
/* A place became free, or the last connection went. */
void server_conn_ended(struct http_server *server);
/* "Date: ...\r\n", made anew once a second. */
struct span server_date(struct http_server *server);

/* ---- head.c ---- */
/* Looks at what came in: 1 where the head is complete and good (conn->request is filled), 0 where
 * more must come, ERR_ARGUMENT with conn->refusal where it is refused. */
MUST_CHECK int head_parse(struct conn *c);
/* What llhttp found wrong, in words; `fallback` for what our own checks should have seen first. */
const char *malformed_text(llhttp_errno_t error, const char *fallback);

/* ---- body.c ---- */
/* Uses [head_len, in_len): 1 where the body is complete, 0 where more must come or an answer was
 * given, ERR_ARGUMENT with conn->refusal. */
MUST_CHECK int body_feed(struct conn *c);

/* ---- reply.c ---- */
/* Sends what it can: 1 all done, 0 blocked, ERR_CLOSED. */
MUST_CHECK int reply_flush(struct conn *c);
void body_release(struct http_body *body);

/* Fills c->refusal; returns ERR_ARGUMENT. */
int refuse(struct conn *c, int status, const char *type, const char *format, ...) PRINTF(4, 5);
/* A limit that a client may pass, for the words of its refusal. */
struct limit {
    int status;
    const char *what;
    const char *unit;
};
extern const struct limit body_limit;
/* Refuses what has come to `value` so far, which is over `max`; returns ERR_ARGUMENT. */
int refuse_over(struct conn *c, const struct limit *limit, uint64_t max, uint64_t value);

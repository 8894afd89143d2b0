/* internal.h - the objects that the files of the service share */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "http/http.h"
#include "os/log.h"
#include "service/condition.h"
#include "service/console.h"
#include "service/cookie.h"
#include "service/jobs.h"
#include "service/range.h"
#include "service/route.h"
#include "service/runner.h"
#include "service/service.h"
#include "store/store.h"

enum { SESSION_BUCKETS = 256, JSON_BYTES_MAX = 1 << 26, LINES_MAX = 1 << 17 };

struct request;

struct queue {
    struct request *first;
    struct request *last;
    uint64_t count;
};

/* A session that somebody uses now: one request has its turn, others wait in order. */
struct session {
    struct id id;
    struct request *active;
    struct queue waiting;
    bool is_giving;       /* give_turns is at work further up the stack */
    struct session *next; /* in its bucket */
};

struct service {
    struct os_poll *poll;
    struct service_options options;
    struct http_server *http;
    struct store *store;
    struct jobs *jobs;
    struct runner *runner;
    struct consoles consoles;
    struct os_log log;
    struct session *sessions[SESSION_BUCKETS];
    struct queue workers; /* runs that have their session's turn and wait for a worker */
    uint64_t workers_busy;
    bool is_starting;     /* post_next is at work further up the stack */
    uint64_t memory_used; /* of body-memory, by requests under way: what memory_take gave */
    struct os_timer drain_timer;
    bool is_draining;
    bool is_over; /* the drain's bound has passed, or a second signal came */
    int failed;   /* why it had to stop */
};

enum phase {
    PHASE_BODY,      /* before its turn: the body comes */
    PHASE_QUEUED,    /* in the session's queue */
    PHASE_TURN,      /* has the session; neither waits nor runs, as between two of the others */
    PHASE_WORKER,    /* has the session, is in the queue for a worker */
    PHASE_RUNNING,   /* its child runs */
    PHASE_COMMITTING /* on a thread of the store: stands, whatever the client does */
};

/* What a request does with its session, or a PUT or DELETE with its ROM. */
enum purpose {
    PURPOSE_NONE,
    PURPOSE_RUN,
    PURPOSE_CHANGE,
    PURPOSE_REMOVE /* the others were told so already */
};

/* A reply's way out. */
struct sending {
    /* Of whoever replies: */
    char etag[ETAG_SIZE]; /* of the whole body; empty: it has none */
    struct ranges ranges; /* what is asked for of the body; none: all of it */
    /* While a thread makes the reply: */
    bool is_busy;
    struct http_request *http; /* NULL once the client has gone */
    int status;
    struct buf lines;
    struct http_body body;
    struct job job;
    int err;
};

/* One request from on_head until the client and all work on it are gone. */
struct request {
    struct service *service;
    struct http_request *http; /* NULL once on_end or on_abort came, or it is answered */
    const struct route *route;
    struct route_ids ids;
    struct cookies cookies;
    bool is_ended; /* on_end came */
    bool is_busy;  /* has a session's turn or place in a queue, a run or a job */
    bool is_removed;
    enum phase phase;
    enum purpose purpose;
    int body_fd;          /* -1 until its first byte */
    uint64_t body_len;    /* all of it counted in memory_used, as the next two are */
    struct buf gathered;  /* the last bytes of the body, which are not in body_fd yet */
    uint64_t reply_bytes; /* that stay until the client has the reply */
    uint64_t delta_bytes; /* that stay until the commit */
    struct job job;
    int err; /* the job's outcome */
    struct msg msg;
    /* Objects that need no session. */
    enum image_format format;
    uint32_t entry;
    struct rom_info rom_info;
    struct ram_info ram_info;
    struct buf json; /* a list, while it is made */
    struct sending sending;
    /* The session. */
    struct session *session;
    struct request *next;
    struct os_timer timer;
    struct id rom;
    struct id ram;
    bool is_new; /* makes its session */
    /* The run. */
    uint64_t cycles_max;
    uint64_t time_max_ns;
    bool is_ephemeral; /* keeps no RAM */
    bool has_seed;
    uint8_t seed[SEED_SIZE];
    struct run *run;
    struct id run_id;
    bool has_worker;
    bool has_run;
    bool has_result;        /* it ended by itself: `result` counts */
    struct blob_lease blob; /* until the reply is sent, where that is the ROM itself */
    struct ram_lease base;  /* and this, where it is the RAM image */
    bool has_blob;
    bool has_base;
    int fds[RUN_FDS_MAX];
    uint8_t *marks;
    struct run_result result;
    bool is_committed;
    uint64_t queued_ns;
    uint64_t started_ns;
    uint64_t done_ns;
    uint64_t committed_ns;
    struct buf guest_lines;
    int guest_status;
    bool has_guest_type;
    bool has_bad_headers; /* the guest's reply headers made its run a fault */
};

/* ---- request.c: life of a request, plain answers */

struct request *request_create(struct service *service, struct http_request *http);
/* Frees it where neither the client nor any work needs it. */
void request_release(struct request *request);
/* Gives the files, leases and memory of a run back early. */
void request_drop_run(struct request *request);
/* Gives the body back as soon as nobody reads it any more. */
void request_drop_body(struct request *request);
/* Counts memory that is to stay against body-memory; false where it would be more. */
bool memory_take(struct service *service, uint64_t bytes);
/* ERR_NO_MEMORY, with words that name the option. */
int memory_fail(const struct service *service, struct msg *msg);
/* Answers with an error document; `detail` names the thing, the limit and the value. */
void request_fail(struct request *request, int status, const char *type, const char *detail);
/* The same for an error of a layer below. */
void request_fail_err(struct request *request, int err, const struct msg *msg);
/* The same where body-memory has no room. */
void request_fail_memory(struct request *request);
/* Takes bytes of the body. */
void request_body(struct request *request, struct span bytes);
/* All of them have come; false where they could not be kept, which is answered then. */
MUST_CHECK bool request_body_end(struct request *request);
/* An error document with more members and header lines. */
void request_problem(struct request *request, const struct http_problem *problem);
/* Submits `work` to the store's threads, then `done`. */
void request_job(struct request *request, void (*work)(void *), void (*done)(void *));
const char *problem_type(int status);
/* Request may be NULL. */
void log_request(struct service *service, const struct request *request,
                 const struct http_request *http);

/* ---- send.c */

/* Answers, with what `sending` says of the body. Takes the body, and the lines where that takes a
 * while: the request goes on until the reply is made, whatever becomes of its session. */
void request_reply(struct request *request, int status, struct buf *lines,
                   const struct http_body *body);

/* ---- service.c */

/* Writes a line to the log, which never makes the loop wait. */
void service_log(struct service *service, const char *format, ...) PRINTF(2, 3);

/* ---- queue.c: a request is in one queue at the most, linked by `next` */

void queue_put(struct queue *queue, struct request *request);
/* Takes it out, wherever it stands; its wait, and the timer of that, are over. */
void queue_take(struct queue *queue, struct request *request);

/* ---- session.c: who may use a session when */

/* Has session_turn called with the request: at once, or when those before it are done. */
void session_enter(struct request *request, const struct id *id);
/* Goes to the front of the queue, stops the run under way and turns those who wait away (409):
 * since they were told of the removal, it stands, whatever its client does. */
void session_enter_to_remove(struct request *request, const struct id *id);
/* The turn is over: the next one's begins. */
void session_leave(struct request *request);
/* The client has gone: leaves the queue. */
void session_quit(struct request *request);
bool session_is_known(const struct service *service, const struct id *id);
/* The turn has come; post.c and object.c. */
void session_turn(struct request *request);

/* ---- post.c: one run */

/* The head is here: settles ROM and session. True where the body may come, false where the request
 * was answered. */
bool post_head(struct request *request);
/* The body is here: waits for the session's turn. */
void post_complete(struct request *request);
/* It has come: waits for a worker. */
void post_turn(struct request *request);
/* Starts runs that wait while workers are free. */
void post_next(struct service *service);
/* The client has gone, or the session was removed: stops the run, which commits nothing. */
void post_abort(struct request *request);

/* ---- report.c: what a run's reply says */

/* Appends the header lines that every run's reply has. */
void report_fields(const struct request *request, struct buf *lines);
/* Answers for a run that ended in a fault: a problem report, or OUT where the client asked so. */
void report_fault(struct request *request);
/* What a run of which nothing is kept leaves of its session, in words. */
const char *report_unkept(const struct request *request);
/* How the run ended, as JSON. */
void report_run(const struct request *request, struct buf *json);

/* ---- stored.c: ROMs and RAM images read */

void get_rom(struct request *request);
void get_ram(struct request *request);
void etag_of_rom(const struct rom_info *rom, char ret_etag[ETAG_SIZE]);
void etag_of_ram(const struct ram_info *ram, char ret_etag[ETAG_SIZE]);
/* Answers 400 where If-Match or If-None-Match is malformed. */
bool refuse_bad_condition(struct request *request);
/* Whether the request has one of them. */
bool has_condition(const struct http_request *http);
/* Answers where they do not hold, with 412 or, a read, 304; `etag` of what is there, or NULL. */
bool refuse_condition(struct request *request, const char *etag);

/* ---- object.c: ROMs, RAM images, lists */

/* These three are as those of post.c. */
bool object_head(struct request *request);
void object_complete(struct request *request);
void object_turn(struct request *request);

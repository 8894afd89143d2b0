/* server_test.c - a whole server driven through its sockets, with a toy for a handler */
/* SPDX-License-Identifier: MIT */
#include "http/http.h"
#include "os/clock.h"
#include "os/socket.h"

#include "test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
enum { BODY_MAX = 1 << 20 };

/* Answers /later when told to, /early from on_head, /file from a memfd, all else with its body. */
struct world {
    struct os_poll *poll;
    struct http_server *server;
    int client;
    struct buf got;  /* what the client received */
    bool is_closed;  /* by the server, as the client sees it */
    struct buf body; /* of the request under way */
    struct http_request *later;
    int aborts_count;
    enum http_abort why;
    int ends_count;
    int last_status;
    uint64_t last_sent;
    bool is_drained;
    size_t file_size;
};

static void answer(struct http_request *r, struct span body)
{
    http_respond(r, &(struct http_reply){.status = 200, .body = http_body_borrowed(body)});
}

static void answer_with_file(struct world *w, struct http_request *r)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)w->file_size + 1), 0);
    assert_int_equal(pwrite(fd, "first", 5, 1), 5);
    http_respond(r,
                 &(struct http_reply){.status = 200, .body = http_body_file(fd, 1, w->file_size)});
}

static void on_head(void *context, struct http_request *r)
{
    struct world *w = context;
    buf_clear(&w->body);
    if (span_equals_string(http_path(r), "/early")) {
        http_respond_problem(r,
                             &(struct http_problem){.status = 404, .type = "none", .detail = "no"});
        return;
    }
    bool is_small = span_equals_string(http_path(r), "/small");
    http_accept_body(r, is_small ? 4 : BODY_MAX);
}

static void on_body(void *context, struct http_request *r, struct span bytes)
{
    (void)r;
    struct world *w = context;
    buf_put(&w->body, bytes.data, bytes.len);
}

static void on_complete(void *context, struct http_request *r)
{
    struct world *w = context;
    struct span path = http_path(r);
    if (span_equals_string(path, "/later")) {
        w->later = r;
    } else if (span_equals_string(path, "/file")) {
        answer_with_file(w, r);
    } else if (span_equals_string(path, "/empty")) {
        http_respond(r, &(struct http_reply){
                            .status = 204, .body = http_body_borrowed(span_of_string("dropped"))});
    } else if (span_equals_string(path, "/method")) {
        answer(r, http_method(r));
    } else if (span_equals_string(path, "/host")) {
        answer(r, http_host(r));
    } else {
        answer(r, buf_span(&w->body));
    }
}

static void on_abort(void *context, struct http_request *r, enum http_abort why)
{
    struct world *w = context;
    w->aborts_count++;
    w->why = why;
    if (w->later == r) {
        w->later = NULL;
    }
}

static void on_end(void *context, struct http_request *r)
{
    struct world *w = context;
    w->ends_count++;
    w->last_status = http_status(r);
    w->last_sent = http_body_sent(r);
}

static void on_drained(void *context)
{
    ((struct world *)context)->is_drained = true;
}

static void reconnect(struct world *w)
{
    int fds[2];
    assert_int_equal(os_socket_pair(fds), 0);
    assert_int_equal(http_server_adopt(w->server, fds[0]), 0);
    os_close(w->client);
    w->client = fds[1];
    buf_clear(&w->got);
    w->is_closed = false;
}

static void start(struct world *w, const struct http_options *options)
{
    *w = (struct world){.client = -1};
    buf_init(&w->got, 64 << 20);
    buf_init(&w->body, BODY_MAX);
    struct http_handler handler = {.context = w,
                                   .on_head = on_head,
                                   .on_body = on_body,
                                   .on_complete = on_complete,
                                   .on_abort = on_abort,
                                   .on_end = on_end,
                                   .on_drained = on_drained};
    assert_int_equal(os_poll_create(&w->poll), 0);
    assert_int_equal(http_server_create(w->poll, options, &handler, &w->server), 0);
    reconnect(w);
}

static void stop(struct world *w)
{
    http_server_destroy(w->server);
    os_poll_destroy(w->poll);
    os_close(w->client);
    buf_deinit(&w->got);
    buf_deinit(&w->body);
}

static void start_with_defaults(struct world *w)
{
    struct http_options options = http_options_default();
    start(w, &options);
}

/* One turn of the loop, and what the client then finds. */
static void turn(struct world *w)
{
    static uint8_t bytes[1 << 16];
    assert_int_equal(os_poll_once(w->poll, 1000000), 0);
    int64_t count;
    while ((count = os_socket_receive(w->client, bytes, sizeof bytes)) > 0) {
        buf_put(&w->got, bytes, (size_t)count);
    }
    w->is_closed |= count != ERR_BUSY;
}

static void say(struct world *w, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        int64_t count = os_socket_send(w->client, span_of(at, len), span_of(NULL, 0), false);
        if (count > 0) {
            at += count;
            len -= (size_t)count;
        } else if (count != ERR_BUSY) {
            return;
        }
        turn(w);
    }
}

static void say_text(struct world *w, const char *text)
{
    say(w, text, strlen(text));
}

static size_t count_of(struct world *w, const char *word)
{
    size_t count = 0;
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= w->got.len; i++) {
        count += memcmp(w->got.data + i, word, len) == 0;
    }
    return count;
}

/* Turns until the client has got `word` `count` times; fails where that never comes. */
static void expect(struct world *w, const char *word, size_t count)
{
    uint64_t end = os_now_ns() + 20000000000u;
    while (count_of(w, word) < count && !w->is_closed && os_now_ns() < end) {
        turn(w);
    }
    if (count_of(w, word) != count) {
        fail_msg("expected %zu of \"%s\" in: %.*s", count, word, (int)w->got.len,
                 (const char *)w->got.data);
    }
}

static void expect_close(struct world *w)
{
    uint64_t end = os_now_ns() + 20000000000u;
    while (!w->is_closed && os_now_ns() < end) {
        turn(w);
    }
    assert_true(w->is_closed);
}

static void expect_status(struct world *w, int status)
{
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    expect(w, line, 1);
}

static void expect_alive(struct world *w)
{
    reconnect(w);
    say_text(w, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect_status(w, 200);
}

static void try_hostile(struct world *w, const char *name, int status, struct span bytes)
{
    print_message("  %s\n", name);
    reconnect(w);
    say(w, bytes.data, bytes.len);
    expect_close(w);
    expect_status(w, status);
    expect(w, "\r\nDate: ", 1);
    expect(w, "Connection: close\r\n", 1);
    expect(w, "\"type\":\"urn:problem:", 1);
}

TEST(server, refuses_each_hostile_request_and_lives_on)
{
    struct world w;
    start_with_defaults(&w);
#define HOSTILE(name, status, bytes) \
    try_hostile(&w, #name, status, span_of(bytes, sizeof bytes - 1));
#include "../../http/hostile.def"
#undef HOSTILE
    expect_alive(&w);
    stop(&w);
}

TEST(server, refuses_them_byte_by_byte_too)
{
    struct world w;
    start_with_defaults(&w);
    static const struct {
        int status;
        struct span bytes;
    } rows[] = {
#define HOSTILE(name, status, bytes) {status, {(const uint8_t *)bytes, sizeof bytes - 1}},
#include "../../http/hostile.def"
#undef HOSTILE
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        reconnect(&w);
        for (size_t at = 0; at < rows[i].bytes.len; at++) {
            say(&w, rows[i].bytes.data + at, 1);
        }
        expect_close(&w);
        expect_status(&w, rows[i].status);
        expect(&w, "\r\nDate: ", 1);
    }
    expect_alive(&w);
    stop(&w);
}

/* ---- limits ---- */

static void say_many(struct world *w, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        say_text(w, text);
    }
}

TEST(limits, target_gets_414)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET /");
    say_many(&w, "0123456789abcdef", 8192 / 16 + 8);
    expect_status(&w, 414);
    expect(&w, "\"limit\":8192,\"value\":8", 1); /* as much of it as has come */
    expect(&w, " bytes, over its limit of 8192\"", 1);
    reconnect(&w);
    say_many(&w, "METHOD", 1400);
    expect_status(&w, 501);
    reconnect(&w);
    say_text(&w, "GET / HTTP");
    say_many(&w, "0123456789abcdef", 8192 / 16 + 8);
    expect_status(&w, 400);
    stop(&w);
}

TEST(limits, target_of_just_the_limit_passes)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET /123456789abcdef");
    say_many(&w, "0123456789abcdef", 8192 / 16 - 1);
    say_text(&w, " HTTP/1.1\r\n" HOST "\r\n");
    expect_status(&w, 200);
    reconnect(&w);
    say_text(&w, "GET /123456789abcdefX");
    say_many(&w, "0123456789abcdef", 8192 / 16 - 1);
    say_text(&w, " HTTP/1.1\r\n" HOST "\r\n");
    expect_status(&w, 414);
    expect(&w, "\"limit\":8192,\"value\":8193}", 1);
    stop(&w);
}

TEST(limits, head_gets_431)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET / HTTP/1.1\r\n" HOST "X: ");
    say_many(&w, "0123456789abcdef", 1025);
    expect_status(&w, 431);
    expect(&w, "\"limit\":16384,\"value\":16", 1);
    reconnect(&w);
    say_text(&w, "GET / HTTP/1.1\r\n" HOST);
    say_many(&w, "A: b\r\n", 100);
    say_text(&w, "\r\n");
    expect_status(&w, 431);
    expect(&w, "\"limit\":100,\"value\":101}", 1);
    expect_alive(&w);
    stop(&w);
}

TEST(limits, body_gets_413_by_its_length_and_while_it_comes)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "PUT /small HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n");
    expect_status(&w, 413);
    expect(&w, "\"limit\":4,\"value\":5", 1);
    assert_int_equal(w.aborts_count, 1);
    reconnect(&w);
    say_text(&w, "PUT /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
    assert_int_equal(w.got.len, 0);
    say_text(&w, "1\r\ne\r\n");
    expect_status(&w, 413);
    expect(&w, "\"limit\":4,\"value\":5}", 1);
    assert_int_equal(w.aborts_count, 2);
    assert_int_equal(w.why, HTTP_ABORT_BODY);
    expect_alive(&w);
    stop(&w);
}

TEST(limits, chunks_that_are_mostly_framing_get_400)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1;");
    say_many(&w, "0123456789abcdef", 1100);
    expect_status(&w, 400);
    stop(&w);
}

TEST(limits, slow_head_and_slow_body_get_408)
{
    struct http_options options = http_options_default();
    options.head_timeout_ns = 20000000;
    options.body_window_ns = 20000000;
    options.body_rate_min = 1000;
    struct world w;
    start(&w, &options);
    say_text(&w, "GET / HT");
    expect_status(&w, 408);
    reconnect(&w);
    say_text(&w, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 50\r\n\r\nabc");
    expect_status(&w, 408);
    assert_int_equal(w.why, HTTP_ABORT_BODY);
    expect_alive(&w);
    stop(&w);
}

TEST(limits, idle_connection_is_closed_silently)
{
    struct http_options options = http_options_default();
    options.idle_timeout_ns = 20000000;
    struct world w;
    start(&w, &options);
    expect_close(&w);
    assert_int_equal(w.got.len, 0);
    stop(&w);
}

/* ---- what must work ---- */

TEST(server, keeps_the_connection_and_answers_pipelined_requests_in_order)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "PUT /1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"
                 "PUT /2 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                 "3;a=b\r\ntwo\r\n0\r\nTrailer: x\r\n\r\n"
                 "\r\nGET /method HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "HTTP/1.1 200 OK\r\n", 3);
    buf_put(&w.got, "", 1);
    const char *one = strstr((char *)w.got.data, "\r\n\r\none");
    const char *two = strstr((char *)w.got.data, "\r\n\r\ntwo");
    const char *get = strstr((char *)w.got.data, "\r\n\r\nGET");
    assert_true(one && two && get && one < two && two < get);
    assert_false(w.is_closed);
    stop(&w);
}

TEST(server, begins_no_request_while_another_is_answered_from_outside)
{
    struct world w;
    start_with_defaults(&w);
    static char text[1 << 15];
    size_t len = 0;
    for (int i = 0; i < 400; i++) { /* more than a connection's buffer holds */
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    }
    say(&w, text, len);
    for (size_t i = 1; i <= 400; i++) {
        for (int turns = 0; turns < 20 && !w.later; turns++) {
            turn(&w);
        }
        struct http_request *first = w.later;
        assert_non_null(first);
        w.later = NULL;
        answer(first, span_of_string("late"));
        assert_null(w.later);
        expect(&w, "late", i);
    }
    stop(&w);
}

TEST(server, keeps_pipelined_requests_waiting_for_a_late_answer)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET /later HTTP/1.1\r\n" HOST "\r\nGET /method HTTP/1.1\r\n" HOST "\r\n");
    turn(&w);
    assert_non_null(w.later);
    assert_int_equal(w.got.len, 0);
    answer(w.later, span_of_string("late"));
    expect(&w, "HTTP/1.1 200 OK\r\n", 2);
    assert_int_equal(w.ends_count, 2);
    stop(&w);
}

TEST(server, tells_of_a_client_that_goes_away_or_half_closes)
{
    struct world w;
    start_with_defaults(&w);
    for (int how = 0; how < 2; how++) {
        reconnect(&w);
        say_text(&w, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
        assert_non_null(w.later);
        shutdown(w.client, how == 0 ? SHUT_WR : SHUT_RDWR);
        for (int i = 0; i < 5 && w.later; i++) {
            turn(&w);
        }
        assert_null(w.later);
        assert_int_equal(w.aborts_count, how + 1);
        assert_int_equal(w.why, HTTP_ABORT_GONE);
        assert_int_equal(w.last_status, 499);
    }
    reconnect(&w);
    say_text(&w, "POST / HTTP/1.1\r\n" HOST "Content-Length: 20\r\n\r\nhi");
    shutdown(w.client, SHUT_WR);
    expect_close(&w);
    assert_int_equal(w.aborts_count, 3);
    expect_alive(&w);
    stop(&w);
}

TEST(server, says_continue_only_when_nothing_is_wrong)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    expect(&w, "HTTP/1.1 100 Continue\r\n\r\n", 1);
    say_text(&w, "abc");
    expect_status(&w, 200);
    reconnect(&w);
    say_text(&w,
             "PUT /early HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    expect_status(&w, 404);
    expect(&w, "100 Continue", 0);
    expect(&w, "Connection: close\r\n", 1);
    reconnect(&w);
    say_text(&w,
             "PUT /small HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    expect_status(&w, 413);
    expect(&w, "100 Continue", 0);
    stop(&w);
}

TEST(server, swallows_a_refused_body_so_that_the_answer_is_seen)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "PUT /early HTTP/1.1\r\n" HOST "Content-Length: 900000\r\n\r\n");
    say_many(&w, "0123456789abcdef", 20000);
    expect_status(&w, 404);
    assert_int_equal(w.aborts_count, 0);
    assert_true(w.last_sent > 0);
    stop(&w);
}

TEST(server, keeps_the_connection_where_the_refused_body_is_there)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "PUT /early HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                 "GET /method HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "\r\n\r\nGET", 1);
    expect(&w, "Connection: close", 0);
    stop(&w);
}

TEST(server, ignores_upgrade_and_knows_any_method)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET /method HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
                 "BREW /method HTTP/1.1\r\n" HOST "\r\nSOURCE /method HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "\r\n\r\nGET", 1);
    expect(&w, "\r\n\r\nBREW", 1);
    expect(&w, "\r\n\r\nSOURCE", 1);
    stop(&w);
}

TEST(server, takes_the_host_of_an_absolute_target)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET http://other:81/host?q HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "\r\n\r\nother:81", 1);
    say_text(&w, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "HTTP/1.1 200 OK\r\n", 2);
    stop(&w);
}

TEST(server, speaks_http_1_0)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(&w, "Connection: keep-alive\r\n", 1);
    say_text(&w, "GET / HTTP/1.0\r\n\r\n");
    expect(&w, "Connection: close\r\n", 1);
    expect_close(&w);
    stop(&w);
}

TEST(reply, has_no_body_where_there_must_be_none)
{
    struct world w;
    start_with_defaults(&w);
    w.file_size = 123;
    say_text(&w, "HEAD /file HTTP/1.1\r\n" HOST "\r\nGET /empty HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "HTTP/1.1 204 No Content\r\n", 1);
    expect(&w, "Content-Length: 123\r\n", 1);
    expect(&w, "Content-Length", 1);
    expect(&w, "first", 0);
    expect(&w, "dropped", 0);
    stop(&w);
}

TEST(reply, streams_a_large_file_to_a_client_that_reads_slowly)
{
    struct world w;
    start_with_defaults(&w);
    w.file_size = 32 << 20;
    say_text(&w, "GET /file HTTP/1.1\r\n" HOST "\r\n");
    size_t head = 0;
    for (int i = 0; i < 100000 && (head == 0 || w.got.len < head + w.file_size); i++) {
        turn(&w);
        const uint8_t *end = memmem(w.got.data, w.got.len, "\r\n\r\n", 4);
        head = end ? (size_t)(end - w.got.data) + 4 : 0;
    }
    assert_int_equal(w.got.len, head + w.file_size);
    assert_memory_equal(w.got.data + head, "first", 5);
    say_text(&w, "GET /method HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "\r\n\r\nGET", 1);
    stop(&w);
}

TEST(reply, copies_a_borrowed_body_that_does_not_fit_the_socket)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    size_t size = 8 << 20;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    answer(w.later, span_of(bytes, size));
    memset(bytes, 'y', size);
    free(bytes);
    while (w.got.len < size) {
        turn(&w);
    }
    turn(&w);
    assert_null(memchr(w.got.data, 'y', w.got.len));
    assert_int_equal(w.last_sent, size);
    stop(&w);
}

TEST(reply, field_with_a_line_break_is_refused)
{
    struct buf lines;
    buf_init(&lines, 1000);
    assert_int_equal(http_put_field(&lines, span_of_string("A"), span_of_string("b")), 0);
    assert_true(span_equals_string(buf_span(&lines), "A: b\r\n"));
    assert_int_equal(http_put_field(&lines, span_of_string("A"), span_of_string("b\r\nC: d")),
                     ERR_ARGUMENT);
    assert_int_equal(http_put_field(&lines, span_of_string("A:"), span_of_string("b")),
                     ERR_ARGUMENT);
    assert_int_equal(http_put_field(&lines, span_of_string(""), span_of_string("b")), ERR_ARGUMENT);
    assert_int_equal(http_put_field(&lines, span_of_string("A"), span_of("\0", 1)), ERR_ARGUMENT);
    assert_int_equal(lines.len, 6);
    buf_deinit(&lines);
}

TEST(server, drains_when_the_last_request_is_answered)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    http_server_drain(w.server);
    assert_false(w.is_drained);
    answer(w.later, span_of_string("last"));
    expect(&w, "Connection: close\r\n", 1);
    expect(&w, "last", 1);
    expect_close(&w);
    shutdown(w.client, SHUT_RDWR);
    for (int i = 0; i < 5 && !w.is_drained; i++) {
        turn(&w);
    }
    assert_true(w.is_drained);
    stop(&w);
}

TEST(server, aborts_what_is_under_way_when_destroyed)
{
    struct world w;
    start_with_defaults(&w);
    say_text(&w, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(w.later);
    http_server_destroy(w.server);
    w.server = NULL;
    assert_int_equal(w.aborts_count, 1);
    assert_int_equal(w.why, HTTP_ABORT_SHUTDOWN);
    stop(&w);
}

static int connect_to(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (void *)&address, sizeof address), 0);
    assert_int_equal(os_socket_prepare(fd), 0);
    return fd;
}

/* Whether the server has closed it. */
static bool is_closed(int client)
{
    uint8_t byte;
    int64_t count = os_socket_receive(client, &byte, 1);
    assert_true(count == 0 || count == ERR_BUSY || count == ERR_CLOSED);
    return count != ERR_BUSY;
}

TEST(server, gives_a_newcomer_the_place_of_the_one_that_is_idle_longest)
{
    enum { COUNT = 5 };
    struct http_options options = http_options_default();
    options.connections_count_max = 3;
    struct world w;
    struct msg msg;
    int port = 0;
    start(&w, &options);
    assert_int_equal(http_server_listen(w.server, "127.0.0.1:0", &port, &msg), 0);
    int clients[COUNT] = {w.client};
    for (int i = 1; i < 3; i++) {
        clients[i] = connect_to(port);
        turn(&w);
        turn(&w);
    }
    /* The first has been used last, the second has begun a request: the third is idle longest. */
    w.client = clients[1];
    say_text(&w, "GET / HT");
    turn(&w);
    w.client = clients[0];
    say_text(&w, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect_status(&w, 200);
    for (int i = 3; i < COUNT; i++) {
        clients[i] = connect_to(port);
        turn(&w);
        turn(&w);
    }
    static const bool is_gone[COUNT] = {true, false, true, false, false};
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(is_closed(clients[i]), is_gone[i]);
    }
    w.client = clients[1];
    say_text(&w, "TP/1.1\r\n" HOST "\r\n");
    expect(&w, "HTTP/1.1 200 ", 2);
    for (int i = 0; i < COUNT; i++) {
        if (clients[i] != w.client) {
            os_close(clients[i]);
        }
    }
    stop(&w);
}

TEST(server, does_not_close_a_connection_whose_request_it_has_not_read)
{
    struct http_options options = http_options_default();
    options.connections_count_max = 1;
    struct world w;
    struct msg msg;
    int port = 0;
    start(&w, &options);
    assert_int_equal(http_server_listen(w.server, "127.0.0.1:0", &port, &msg), 0);
    turn(&w);
    int newcomer = connect_to(port); /* the loop hears of it first */
    say_text(&w, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect_status(&w, 200);
    os_close(w.client); /* now it is idle, and may be gone already */
    w.client = newcomer;
    w.is_closed = false;
    say_text(&w, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect(&w, "HTTP/1.1 200 ", 2);
    stop(&w);
}

TEST(server, listens_on_a_port_that_the_kernel_picks_and_bounds_its_connections)
{
    struct http_options options = http_options_default();
    options.connections_count_max = 2;
    struct world w;
    struct msg msg;
    int port = 0;
    start(&w, &options);
    assert_int_equal(http_server_listen(w.server, "127.0.0.1:0", &port, &msg), 0);
    assert_true(port > 0);
    int taken;
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    assert_int_equal(http_server_listen(w.server, address, &taken, &msg), ERR_BUSY);
    int first = w.client;
    int second = connect_to(port);
    turn(&w);
    say_text(&w, "GET / HT");
    turn(&w);
    w.client = second;
    say_text(&w, "GET / HT");
    turn(&w);
    int third = connect_to(port);
    w.client = third;
    say_text(&w, "GET / HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 3; i++) {
        turn(&w);
    }
    assert_int_equal(w.ends_count, 0); /* two others have begun requests in the places */
    os_close(first);
    expect_status(&w, 200);
    os_close(second);
    stop(&w);
}

/* service.c - joins HTTP server, store, threads and runner; every request enters here */
/* SPDX-License-Identifier: MIT */
#include "service/service.h"

#include "os/clock.h"
#include "os/process.h"
#include "os/socket.h"
#include "service/browser.h"
#include "service/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOG_FD = 2 }; /* stderr */
enum { QUOTED_MAX = 80 };

#define MAX_WAIT_NS 1000000000u /* between two looks at what is still under way */

struct refusal {
    int status;
    const char *type;
    const char *before;
    const char *after;
};

enum times { ONCE, LIST };
enum unbuilt { NEVER, WRITES };

static const struct {
    const char *name;
    enum times times;
    enum unbuilt unbuilt;
} fields[] = {
#define FIELD(name, times, unbuilt, text) {name, times, unbuilt},
#include "service/field.def"
#undef FIELD
};

static const char common_fields[] = "X-Content-Type-Options: nosniff\r\n"
                                    "Content-Security-Policy: sandbox\r\n";

/* ---- checks that need no body */

static bool changes_something(const struct http_request *http)
{
    return !http_method_is(http, "GET") && !http_method_is(http, "HEAD") &&
           !http_method_is(http, "OPTIONS");
}

/* Appends what a client sent, in quotes and cut to a length that fits into a sentence. */
static void put_quoted(struct buf *words, struct span value)
{
    buf_puts(words, "`");
    buf_put(words, value.data, value.len < QUOTED_MAX ? value.len : QUOTED_MAX);
    buf_puts(words, value.len < QUOTED_MAX ? "`" : "...`");
}

/* Refuses with "before `value` after". */
static void refuse_value(struct request *request, const struct refusal *refusal, struct span value)
{
    struct buf words;
    buf_init(&words, LINES_MAX);
    buf_puts(&words, refusal->before);
    put_quoted(&words, value);
    buf_puts(&words, refusal->after);
    buf_put(&words, "", 1);
    request_fail(request, refusal->status, refusal->type,
                 words.failed ? refusal->before : (const char *)words.data);
    buf_deinit(&words);
}

/* Two of a field that may come once: the checks below would look at the first of them only. */
static bool refuse_repeats(struct request *request)
{
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        size_t count = http_field_repeats(request->http, fields[i].name);
        if (fields[i].times == ONCE && count > 1) {
            char detail[120];
            snprintf(detail, sizeof detail, "the request has %zu fields %s; it may have one", count,
                     fields[i].name);
            request_fail(request, 400, "bad-header", detail);
            return true;
        }
    }
    return false;
}

static bool refuse_tricks(struct request *request)
{
    static const struct refusal host_refusal = {
        421, "host", "the Host ", " is none of localhost, 127.0.0.1, [::1] and --allow-host"};
    static const struct refusal origin_refusal = {403, "origin", "the Origin ",
                                                  " is not the site of this Host"};
    static const struct refusal site_refusal = {403, "site", "the Sec-Fetch-Site ",
                                                " is neither same-origin nor none"};
    struct http_request *http = request->http;
    const char *allowed = request->service->options.allow_host;
    struct span host = http_host(http);
    bool is_bare = host.len == 0 && http_minor_version(http) == 0;
    if (!is_bare && !browser_is_our_host(host, allowed)) {
        refuse_value(request, &host_refusal, host);
        return true;
    }
    if (!changes_something(http)) {
        return false;
    }
    struct span value;
    if (http_field(http, "Origin", &value) && !browser_is_our_origin(value, host, allowed)) {
        refuse_value(request, &origin_refusal, value);
        return true;
    }
    if (http_field(http, "Sec-Fetch-Site", &value) && !browser_is_our_site(value)) {
        refuse_value(request, &site_refusal, value);
        return true;
    }
    return false;
}

/* The first coding of a body that is not `identity`. */
static bool find_coding(const struct http_request *http, struct span *ret_coding)
{
    for (size_t i = 0; i < http_fields_count(http); i++) {
        struct http_field field = http_field_at(http, i);
        struct span rest = field.value;
        while (span_equals_nocase(field.name, "Content-Encoding") && rest.data) {
            struct span coding = span_trim(span_cut(&rest, ','));
            bool is_empty = coding.len == 0; /* legal in a list (RFC 9110, 5.6.1.2) */
            if (!is_empty && !span_equals_nocase(coding, "identity")) {
                *ret_coding = coding;
                return true;
            }
        }
    }
    return false;
}

/* Fields that would do harm if they were ignored. */
static bool refuse_unbuilt(struct request *request)
{
    static const struct refusal coding_refusal = {
        415, "encoding", "the Content-Encoding ",
        ": a body is taken as it is, so only as identity"};
    static const struct refusal range_refusal = {400, "range", "the Content-Range ",
                                                 ": a PUT takes whole bodies"};
    struct http_request *http = request->http;
    struct span value;
    if (!changes_something(http)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (fields[i].unbuilt == WRITES && http_field(http, fields[i].name, &value)) {
            char detail[80];
            snprintf(detail, sizeof detail, "the request field %s is not built yet",
                     fields[i].name);
            request_fail(request, 501, "not-built", detail);
            return true;
        }
    }
    if (find_coding(http, &value)) {
        refuse_value(request, &coding_refusal, value);
        return true;
    }
    if (http_method_is(http, "PUT") && http_field(http, "Content-Range", &value)) {
        refuse_value(request, &range_refusal, value);
        return true;
    }
    return false;
}

static void refuse_bad_id(struct request *request)
{
    char before[40];
    snprintf(before, sizeof before, "the %.*s of the path, ", (int)request->ids.bad_name.len,
             (const char *)request->ids.bad_name.data);
    struct refusal refusal = {400, "bad-id", before, ", is no version 4 UUID"};
    refuse_value(request, &refusal, request->ids.bad);
}

static bool refuse_route(struct request *request)
{
    struct http_request *http = request->http;
    struct span path = http_path(http);
    enum route_found found = route_find(http_method(http), path, &request->route, &request->ids);
    struct buf lines;
    buf_init(&lines, 1024);
    if (found == ROUTE_OPTIONS || found == ROUTE_NO_METHOD) {
        buf_puts(&lines, "Allow: ");
        route_allow(path, &lines);
        buf_puts(&lines, "\r\n");
    }
    if (found == ROUTE_OPTIONS) {
        request_reply(request, 204, &lines, &(struct http_body){0});
    } else if (found == ROUTE_NO_METHOD) {
        request_problem(request, &(struct http_problem){.status = 405,
                                                        .type = "method",
                                                        .detail = "this path has no such method; "
                                                                  "Allow lists those it has",
                                                        .fields = buf_span(&lines)});
    } else if (found == ROUTE_UNKNOWN_METHOD) {
        static const struct refusal method_refusal = {501, "unknown-method", "the method ",
                                                      " is not one of HTTP's"};
        refuse_value(request, &method_refusal, http_method(http));
    } else if (found == ROUTE_NO_PATH) {
        request_fail(request, 404, "path", "there is nothing at this path; / says what there is");
    } else if (request->ids.is_bad) {
        refuse_bad_id(request);
    } else if (request->route->handler == HANDLER_not_built) {
        request_fail(request, 501, "not-built", "this path is not built yet");
    } else {
        buf_deinit(&lines);
        return false;
    }
    buf_deinit(&lines);
    return true;
}

static void read_cookies(struct request *request)
{
    struct http_request *http = request->http;
    for (size_t i = 0; i < http_fields_count(http); i++) {
        struct http_field field = http_field_at(http, i);
        if (span_equals_nocase(field.name, "Cookie")) {
            cookies_read(field.value, &request->cookies);
        }
    }
}

/* ---- what the HTTP server calls */

static void on_head(void *context, struct http_request *http)
{
    struct service *service = context;
    struct request *request = request_create(service, http);
    if (!request) {
        http_respond_problem(http, &(struct http_problem){.status = 503,
                                                          .type = "unavailable",
                                                          .detail = "out of memory"});
        return;
    }
    if (service->is_draining) {
        request_fail(request, 503, "draining", "the server is stopping");
        return;
    }
    if (refuse_repeats(request) || refuse_tricks(request) || refuse_route(request) ||
        refuse_unbuilt(request) || refuse_bad_condition(request)) {
        return;
    }
    read_cookies(request);
    bool takes_body =
        request->route->handler == HANDLER_post_run ? post_head(request) : object_head(request);
    if (takes_body) {
        http_accept_body(http, IN_SIZE);
    }
}

static void on_body(void *context, struct http_request *http, struct span bytes)
{
    UNUSED void *ignored = context;
    struct request *request = http_user(http);
    if (request) {
        request_body(request, bytes);
    }
}

static void on_complete(void *context, struct http_request *http)
{
    UNUSED void *ignored = context;
    struct request *request = http_user(http);
    if (!request || !request->http || !request_body_end(request)) {
        return;
    }
    if (request->route->handler == HANDLER_post_run) {
        post_complete(request);
    } else {
        object_complete(request);
    }
}

static void on_abort(void *context, struct http_request *http, enum http_abort why)
{
    UNUSED void *ignored = context;
    UNUSED enum http_abort reason = why;
    struct request *request = http_user(http);
    if (!request) {
        return;
    }
    request->http = NULL;
    request->sending.http = NULL;
    if (!request->is_busy) {
        return;
    }
    if (request->phase == PHASE_QUEUED) {
        if (request->purpose != PURPOSE_REMOVE) {
            session_quit(request);
        }
    } else if (request->purpose == PURPOSE_RUN) {
        post_abort(request);
    }
}

static void on_end(void *context, struct http_request *http)
{
    struct request *request = http_user(http);
    log_request(context, request, http);
    if (request) {
        http_set_user(http, NULL);
        request->http = NULL;
        request->is_ended = true;
        request_release(request);
    }
}

/* What a cache may do: nothing at all with runs and with what was not understood, ask first with
 * the rest. */
static const char *reply_fields(void *context, const struct http_request *http)
{
    UNUSED void *ignored = context;
    bool is_stored = http_method(http).len > 0 && !http_method_is(http, "POST");
    return is_stored ? "Cache-Control: private, no-cache\r\nVary: Cookie\r\n"
                     : "Cache-Control: no-store\r\nVary: Cookie\r\n";
}

static void on_drained(void *context)
{
    struct service *service = context;
    os_poll_stop(service->poll);
}

void session_turn(struct request *request)
{
    if (request->purpose == PURPOSE_RUN) {
        post_turn(request);
    } else {
        object_turn(request);
    }
}

/* ---- life cycle */

void service_log(struct service *service, const char *format, ...)
{
    char line[OS_LOG_LINE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t bytes = len < 0 ? 0 : (size_t)len;
    os_log_line(&service->log, span_of(line, bytes < sizeof line ? bytes : sizeof line - 1));
}

static void on_restart(void *context)
{
    service_log(context,
                "mote serve: the process that starts runs has died, and the runs under way "
                "with it; another takes its place");
}

static void on_lost(void *context)
{
    struct service *service = context;
    service_log(service, "mote serve: the process that starts runs has died and no other can take "
                         "its place; the server ends");
    service->failed = ERR_CLOSED;
    os_poll_stop(service->poll);
}

static int create_http(struct service *service)
{
    const struct service_options *o = &service->options;
    struct http_options options = http_options_default();
    options.head_bytes_max = o->header_bytes;
    options.target_bytes_max = o->target_bytes;
    options.fields_count_max = o->header_fields;
    options.connections_count_max = o->connections;
    options.head_timeout_ns = o->header_ms * 1000000u;
    options.idle_timeout_ns = o->idle_ms * 1000000u;
    options.body_rate_min = o->upload_rate;
    options.reply_rate_min = o->download_rate;
    options.common_fields = common_fields;
    options.problem_type_root = "urn:mote:problem:";
    struct http_handler handler = {
        .context = service,
        .on_head = on_head,
        .on_body = on_body,
        .on_complete = on_complete,
        .on_abort = on_abort,
        .reply_fields = reply_fields,
        .on_end = on_end,
        .on_drained = on_drained,
    };
    return http_server_create(service->poll, &options, &handler, &service->http);
}

/* What a connection, a run and a thread may have open at the same time, and the rest. */
enum { CONNECTION_FILES = 5, WORKER_FILES = 4, THREAD_FILES = 4, OTHER_FILES = 64 };

static void allow_files(struct service *service)
{
    const struct service_options *o = &service->options;
    uint64_t wanted = o->connections * CONNECTION_FILES + o->workers * WORKER_FILES +
                      o->threads * THREAD_FILES + OTHER_FILES;
    uint64_t allowed = os_allow_files(wanted);
    if (allowed < wanted) {
        service_log(service,
                    "mote serve: %llu connections may need %llu open files, this system allows "
                    "%llu (ulimit -Hn): beyond that requests get 503",
                    (unsigned long long)o->connections, (unsigned long long)wanted,
                    (unsigned long long)allowed);
    }
}

static int open_store(struct service *service, struct msg *msg)
{
    const struct service_options *o = &service->options;
    struct store_options options = {
        .path = o->store,
        .roms_max = (uint32_t)o->roms_max,
        .sessions_max = (uint32_t)o->sessions_max,
        .held_bytes_max = o->held_bytes,
    };
    struct store_report report;
    struct msg why = {0};
    int err = store_open(&options, &service->store, &report, &why);
    if (err) {
        const char *next =
            err == ERR_BUSY ? "; stop that server, or name another directory with --store" : "";
        return fail(msg, err, "%.300s%s", why.text, next);
    }
    service_log(service,
                "mote serve: store %s: %u ROMs, %u sessions, %u corrupt, %u leftovers dropped",
                o->store, report.roms_count, report.sessions_count, report.corrupt_count,
                report.dropped_count);
    if (report.corrupt_count > 0) {
        service_log(service, "mote serve: the first damaged file is %s/%s: %s", o->store,
                    report.corrupt_name, report.corrupt_why.text);
    }
    return 0;
}

/* Before anything is made, so that a mistyped address leaves no store behind. */
static int check_listen(const struct service_options *options, struct msg *msg)
{
    struct os_address address;
    struct msg why = {0};
    int err = os_address_parse(options->listen, &address, &why);
    if (err) {
        return fail(msg, err, "--listen: %.350s", why.text);
    }
    if (!os_address_is_loopback(&address) && !options->beyond_loopback) {
        return fail(msg, ERR_ARGUMENT,
                    "%s is not a loopback address, and there are no tokens yet: whoever reaches "
                    "it could run code and read all ROMs. If that is what you want, add "
                    "--listen-beyond-loopback-without-tokens (and --allow-host NAME)",
                    options->listen);
    }
    return 0;
}

int service_create(struct os_poll *poll, const struct service_options *options, int zygote_socket,
                   struct service **ret_service, struct msg *msg)
{
    int err = check_listen(options, msg);
    struct service *service = err ? NULL : calloc(1, sizeof *service);
    if (!service) {
        os_close(zygote_socket);
        return err ? err : fail(msg, ERR_NO_MEMORY, "out of memory");
    }
    service->poll = poll;
    service->options = *options;
    os_log_open(&service->log, LOG_FD);
    unsigned cores = os_cores();
    if (service->options.workers == 0) {
        service->options.workers = cores < 2 ? 4 : 2 * (uint64_t)cores;
    }
    allow_files(service);
    struct runner_options runner = {
        .zygote_socket = zygote_socket,
        .kill_after_ns = options->kill_after_ms * 1000000u,
        .on_restart = on_restart,
        .on_lost = on_lost,
        .context = service,
    };
    err = runner_create(poll, &runner, &service->runner);
    err = err ? fail(msg, err, "the runner cannot be made: %s", err_text(err))
              : open_store(service, msg);
    if (!err) {
        err = consoles_init(&service->consoles, options->consoles_max,
                            options->console_ms * 1000000u);
        err = err ? err : jobs_create(poll, (unsigned)options->threads, &service->jobs);
        err = err ? err : create_http(service);
        err = err ? fail(msg, err, "the server cannot be made: %s", err_text(err)) : 0;
    }
    if (err) {
        UNUSED int ignored = service_destroy(service);
        return err;
    }
    *ret_service = service;
    return 0;
}

int service_listen(struct service *service, int *ret_port, struct msg *msg)
{
    struct msg why = {0};
    int err = http_server_listen(service->http, service->options.listen, ret_port, &why);
    const char *next = err == ERR_BUSY ? "; stop what listens there, or name another port with "
                                         "--listen (port 0 lets the kernel pick)"
                                       : "";
    return err ? fail(msg, err, "%.250s%s", why.text, next) : 0;
}

static void drain_over(void *context)
{
    struct service *service = context;
    service_log(service, "mote serve: the drain bound has passed; runs under way are rolled back");
    service->is_over = true;
    os_poll_stop(service->poll);
}

void service_stop(struct service *service)
{
    if (service->is_draining) {
        service->is_over = true;
        os_poll_stop(service->poll);
        return;
    }
    service_log(service, "mote serve: stopping; runs under way finish first");
    service->is_draining = true;
    service->drain_timer = (struct os_timer){.on_due = drain_over, .context = service};
    uint64_t due = os_now_ns() + service->options.drain_ms * 1000000u;
    if (os_timer_start(service->poll, &service->drain_timer, due)) {
        drain_over(service);
        return;
    }
    http_server_drain(service->http);
}

static bool has_work(const struct service *service)
{
    if (service->jobs && jobs_pending(service->jobs) > 0) {
        return true;
    }
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        if (service->sessions[i]) {
            return true;
        }
    }
    return service->workers_busy > 0;
}

void service_settle(struct service *service)
{
    while (service->is_draining && !service->is_over && has_work(service) &&
           os_poll_once(service->poll, MAX_WAIT_NS) >= 0) {
    }
}

/* Aborted runs are being killed, and commits under way stand: lets both come to their end. False
 * where they do not in time. A commit that is cut off then was not acknowledged, and the next open
 * of the store finds all of it or nothing. */
static bool end_work(struct service *service)
{
    uint64_t until = os_now_ns() + STOP_GRACE_MS * 1000000ull;
    uint64_t now = os_now_ns();
    while (has_work(service) && now < until && os_poll_once(service->poll, until - now) >= 0) {
        now = os_now_ns();
    }
    return !has_work(service);
}

int service_destroy(struct service *service)
{
    if (!service) {
        return 0;
    }
    int failed = service->failed;
    service->is_draining = true;
    os_timer_stop(service->poll, &service->drain_timer);
    http_server_destroy(service->http);
    if (!end_work(service)) {
        service_log(service,
                    "mote serve: %d ms after the end of the drain there is work of the store that "
                    "has not ended; the server ends without it",
                    STOP_GRACE_MS);
        return ERR_TIMEOUT;
    }
    jobs_destroy(service->jobs);
    runner_destroy(service->runner);
    consoles_deinit(&service->consoles);
    store_close(service->store);
    os_log_close(&service->log);
    free(service);
    return failed;
}

/* request.c - one request: its body in a memory file, its answer, its line in the log */
/* SPDX-License-Identifier: MIT */
#include "service/internal.h"

#include "os/clock.h"
#include "os/error.h"
#include "os/process.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECE_DIRECT_MIN = 4096 };

struct request *request_create(struct service *service, struct http_request *http)
{
    struct request *request = calloc(1, sizeof *request);
    if (!request) {
        return NULL;
    }
    request->service = service;
    request->http = http;
    request->body_fd = -1;
    buf_init(&request->gathered, GATHER_BYTES_MAX);
    buf_init(&request->json, JSON_BYTES_MAX);
    for (size_t i = 0; i < RUN_FDS_MAX; i++) {
        request->fds[i] = -1;
    }
    http_set_user(http, request);
    return request;
}

void request_drop_run(struct request *request)
{
    struct store *store = request->service->store;
    if (request->has_blob) {
        blob_release(store, &request->blob);
        request->has_blob = false;
    }
    if (request->has_base) {
        ram_release(store, &request->base);
        request->has_base = false;
    }
    for (size_t i = 0; i < RUN_FDS_MAX; i++) {
        bool is_own =
            i == RUN_FD_OUT || i == RUN_FD_META || i == RUN_FD_DELTA || i == RUN_FD_CONSOLE;
        if (is_own) {
            os_close(request->fds[i]);
        }
        request->fds[i] = -1;
    }
    free(request->marks);
    request->marks = NULL;
    request->service->memory_used -= request->delta_bytes;
    request->delta_bytes = 0;
    request_drop_body(request);
}

void request_drop_body(struct request *request)
{
    os_close(request->body_fd);
    request->body_fd = -1;
    buf_deinit(&request->gathered);
    request->fds[RUN_FD_IN] = -1;
    request->service->memory_used -= request->body_len;
    request->body_len = 0;
}

bool memory_take(struct service *service, uint64_t bytes)
{
    if (bytes > service->options.body_memory - service->memory_used) {
        return false;
    }
    service->memory_used += bytes;
    return true;
}

int memory_fail(const struct service *service, struct msg *msg)
{
    return fail(msg, ERR_NO_MEMORY,
                "the bodies and replies under way would take more than the %llu bytes of "
                "body-memory",
                (unsigned long long)service->options.body_memory);
}

void request_release(struct request *request)
{
    if (!request->is_ended || request->is_busy || request->sending.is_busy) {
        return;
    }
    request_drop_run(request);
    request->service->memory_used -= request->reply_bytes;
    buf_deinit(&request->guest_lines);
    buf_deinit(&request->json);
    free(request);
}

const char *problem_type(int status)
{
    static const struct {
        int status;
        const char *type;
    } types[] = {
#define PROBLEM(status, type, text) {status, type},
#include "service/problem.def"
#undef PROBLEM
    };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (types[i].status == status) {
            return types[i].type;
        }
    }
    return "internal";
}

void request_problem(struct request *request, const struct http_problem *problem)
{
    struct http_request *http = request->http;
    if (!http) {
        return;
    }
    request->http = NULL;
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    buf_put(&lines, problem->fields.data, problem->fields.len);
    bool is_temporary = problem->status == 429 || problem->status == 503;
    buf_puts(&lines, is_temporary ? "Retry-After: 1\r\n" : "");
    struct http_problem copy = *problem;
    copy.fields = buf_span(&lines);
    http_respond_problem(http, &copy);
    buf_deinit(&lines);
}

void request_fail(struct request *request, int status, const char *type, const char *detail)
{
    request_problem(request, &(struct http_problem){
                                 .status = status,
                                 .type = type ? type : problem_type(status),
                                 .detail = detail,
                             });
}

void request_fail_err(struct request *request, int err, const struct msg *msg)
{
    const char *words = msg && msg->text[0] ? msg->text : err_text(err);
    request_fail(request, err_http_status(err), NULL, words);
}

void request_fail_memory(struct request *request)
{
    struct msg msg;
    UNUSED int ignored = memory_fail(request->service, &msg);
    request_fail(request, 503, "body-memory", msg.text);
}

static int write_body(struct request *request, struct span bytes, uint64_t at)
{
    int err = request->body_fd < 0 ? os_memfd("body", IN_SIZE, &request->body_fd) : 0;
    return err ? err : os_memfd_write(request->body_fd, bytes, at);
}

/* Writes what was gathered of the body's first `end` bytes. */
static int write_gathered(struct request *request, uint64_t end)
{
    struct span bytes = buf_span(&request->gathered);
    int err = bytes.len > 0 ? write_body(request, bytes, end - bytes.len) : 0;
    buf_clear(&request->gathered);
    return err;
}

/* A client may send its body in chunks of a byte: small pieces are written together. */
static int take_piece(struct request *request, struct span bytes, uint64_t at)
{
    struct buf *gathered = &request->gathered;
    bool is_small = bytes.len < PIECE_DIRECT_MIN;
    int err = 0;
    if (!is_small || gathered->len + bytes.len > GATHER_BYTES_MAX) {
        err = write_gathered(request, at);
    }
    if (err || !is_small) {
        return err ? err : write_body(request, bytes, at);
    }
    buf_put(gathered, bytes.data, bytes.len);
    return gathered->failed ? ERR_NO_MEMORY : 0;
}

static void fail_body(struct request *request, int err)
{
    struct msg msg;
    err = os_fail(&msg, err, "the body cannot be taken");
    request_fail_err(request, err, &msg);
}

void request_body(struct request *request, struct span bytes)
{
    struct service *service = request->service;
    if (!request->http) {
        return;
    }
    if (!memory_take(service, bytes.len)) {
        request_fail_memory(request);
        return;
    }
    request->body_len += bytes.len;
    int err = take_piece(request, bytes, request->body_len - bytes.len);
    if (err) {
        fail_body(request, err);
    }
}

bool request_body_end(struct request *request)
{
    int err = write_gathered(request, request->body_len);
    buf_deinit(&request->gathered);
    if (err) {
        fail_body(request, err);
    }
    return !err;
}

void request_job(struct request *request, void (*work)(void *), void (*done)(void *))
{
    request->is_busy = true;
    request->job = (struct job){.work = work, .done = done, .context = request};
    jobs_submit(request->service->jobs, &request->job);
}

/* A segment may be an id, wherever it stands, and ids grant access: the first 8 characters only. */
static void put_short_path(struct buf *line, struct span path)
{
    size_t in_segment = 0;
    for (size_t i = 0; i < path.len && line->len < 400; i++) {
        char c = (char)path.data[i];
        in_segment = c == '/' ? 0 : in_segment + 1;
        if (in_segment <= 8) {
            buf_print(line, c == '"' || c == '\\' ? "\\%c" : "%c", c);
        }
    }
}

void log_request(struct service *service, const struct request *request,
                 const struct http_request *http)
{
    struct buf line;
    buf_init(&line, 4096);
    uint64_t wall_ms = os_wall_ms();
    double took_ms = (double)(os_now_ns() - http_started_ns(http)) / 1e6;
    struct span method = http_method(http);
    buf_print(&line, "ts=%llu.%03llu peer=%s method=%.*s path=\"",
              (unsigned long long)wall_ms / 1000, (unsigned long long)wall_ms % 1000,
              http_peer(http), (int)method.len, (const char *)method.data);
    put_short_path(&line, http_path(http));
    buf_print(&line, "\" status=%d in=%llu out=%llu ms=%.3f", http_status(http),
              (unsigned long long)http_body_received(http),
              (unsigned long long)http_body_sent(http), took_ms);
    if (request && request->has_run) {
        buf_print(&line, " run=%.8s rom=%.8s", id_text(&request->run_id).text,
                  id_text(&request->rom).text);
        if (!request->is_new || request->is_committed) {
            buf_print(&line, " ram=%.8s", id_text(&request->ram).text);
        }
        buf_print(&line, " committed=%s", request->is_committed ? "yes" : "no");
    }
    if (request && request->has_result) {
        buf_print(&line, " halt=%s cycles=%llu", halt_text(request->result.stop.halt),
                  (unsigned long long)request->result.stop.cycles);
    }
    os_log_line(&service->log, buf_span(&line));
    buf_deinit(&line);
}

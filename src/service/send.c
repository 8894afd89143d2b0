/* send.c - what becomes of a reply's bytes before they go out: the ranges that were asked for */
/* SPDX-License-Identifier: MIT */
/* What takes time is done on a thread of the store. The reply is the request's `sending` then, and
 * goes on after the request has left its session. */
#include "service/internal.h"

#include "os/process.h"

#include <stdlib.h>

enum { REPLY_COUNTED_MIN = 65536, PART_HEAD_MAX = 256 };

static uint64_t size_of(const struct http_body *body)
{
    return body->kind == HTTP_BODY_FILE ? body->size : body->bytes.len;
}

/* A large reply from memory stays there until its client has read it. Small ones are bounded by the
 * number of connections. */
static bool count_reply(struct request *request, const struct http_body *body)
{
    bool is_large = body->kind != HTTP_BODY_FILE && body->bytes.len >= REPLY_COUNTED_MIN;
    if (!is_large) {
        return true;
    }
    bool is_taken = memory_take(request->service, body->bytes.len);
    request->reply_bytes += is_taken ? body->bytes.len : 0;
    return is_taken;
}

/* A body that nobody will send. */
static void drop_body(const struct http_body *body)
{
    if (body->kind == HTTP_BODY_FILE) {
        os_close(body->fd);
    } else if (body->kind == HTTP_BODY_OWNED && body->release) {
        body->release(body->release_context);
    }
}

/* Takes the body. */
static void respond(struct request *request, const struct http_reply *reply, bool has_failed)
{
    if (!has_failed && count_reply(request, &reply->body)) {
        struct http_request *http = request->http;
        request->http = NULL;
        http_respond(http, reply);
        return;
    }
    drop_body(&reply->body);
    if (has_failed) {
        request_fail(request, 500, "internal", "no memory for the reply");
    } else {
        request_fail_memory(request);
    }
}

/* ---- ranges */

static void put_content_range(struct buf *lines, const struct range *range, uint64_t size)
{
    buf_print(lines, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)range->first,
              (unsigned long long)range->end - 1, (unsigned long long)size);
}

/* The one range of a body. */
static void cut(struct http_body *body, const struct range *range)
{
    if (body->kind == HTTP_BODY_FILE) {
        body->offset += range->first;
        body->size = range->end - range->first;
    } else {
        body->bytes = span_of(body->bytes.data + range->first, (size_t)(range->end - range->first));
    }
}

static int put_part(struct buf *out, const struct sending *s, const struct range *range,
                    const char *boundary)
{
    uint64_t size = size_of(&s->body);
    size_t len = (size_t)(range->end - range->first);
    buf_print(out, "\r\n--%s\r\nContent-Type: application/octet-stream\r\n", boundary);
    put_content_range(out, range, size);
    buf_puts(out, "\r\n");
    uint8_t *room = buf_room(out, len);
    if (!room) {
        return ERR_NO_MEMORY;
    }
    if (s->body.kind == HTTP_BODY_FILE) {
        return os_memfd_read(s->body.fd, room, len, s->body.offset + range->first);
    }
    memcpy(room, s->body.bytes.data + range->first, len);
    return 0;
}

/* multipart/byteranges (RFC 9110, 14.6), in memory. */
static int join_ranges(struct sending *s)
{
    struct id id;
    int err = store_make_id(&id);
    struct id_text boundary = id_text(&id);
    struct buf out;
    buf_init(&out, (size_t)size_of(&s->body) + (RANGES_MAX + 1) * PART_HEAD_MAX);
    for (size_t i = 0; i < s->ranges.count && !err; i++) {
        err = put_part(&out, s, &s->ranges.items[i], boundary.text);
    }
    buf_print(&out, "\r\n--%s--\r\n", boundary.text);
    if (err || out.failed) {
        buf_deinit(&out);
        return err ? err : ERR_NO_MEMORY;
    }
    buf_print(&s->lines, "Content-Type: multipart/byteranges; boundary=%s\r\n", boundary.text);
    drop_body(&s->body);
    s->body = http_body_owned(buf_span(&out), free, out.data);
    return 0;
}

/* ---- the way out */

static void send_work(void *context)
{
    struct request *request = context;
    request->sending.err = join_ranges(&request->sending);
}

static void send_done(void *context)
{
    struct request *request = context;
    struct sending *s = &request->sending;
    request->http = s->http;
    s->http = NULL;
    s->is_busy = false;
    if (request->http) {
        struct http_reply reply = {
            .status = s->status, .fields = buf_span(&s->lines), .body = s->body};
        respond(request, &reply, s->err || s->lines.failed);
    } else {
        drop_body(&s->body);
    }
    buf_deinit(&s->lines);
    request_release(request);
}

/* Has a thread make the reply; takes lines and body. */
static void begin(struct request *request, int status, struct buf *lines,
                  const struct http_body *body)
{
    struct sending *s = &request->sending;
    s->http = request->http;
    request->http = NULL;
    s->is_busy = true;
    s->status = status;
    s->lines = *lines;
    *lines = (struct buf){0};
    s->body = *body;
    s->job = (struct job){.work = send_work, .done = send_done, .context = request};
    jobs_submit(request->service->jobs, &s->job);
}

void request_reply(struct request *request, int status, struct buf *lines,
                   const struct http_body *body)
{
    struct sending *s = &request->sending;
    if (!request->http) {
        drop_body(body);
        return;
    }
    if (s->etag[0]) {
        buf_print(lines, "ETag: \"%s\"\r\n", s->etag);
    }
    if (s->ranges.count > 1) {
        begin(request, status, lines, body);
        return;
    }
    struct http_reply reply = {.status = status, .body = *body};
    if (s->ranges.count == 1) {
        put_content_range(lines, &s->ranges.items[0], size_of(body));
        cut(&reply.body, &s->ranges.items[0]);
    }
    reply.fields = buf_span(lines);
    respond(request, &reply, lines->failed);
}

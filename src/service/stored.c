/* stored.c - ROMs and RAM images read: conditions, ranges, bytes */
/* SPDX-License-Identifier: MIT */
#include "service/internal.h"

#include "os/process.h"
#include "store/hash.h"

#include <assert.h>
#include <stdio.h>

static_assert((int)ETAG_SIZE >= (int)SHA256_TEXT_SIZE && (int)ETAG_SIZE >= (int)VERSION_TEXT_SIZE,
              "tags must fit");

void etag_of_rom(const struct rom_info *rom, char ret_etag[ETAG_SIZE])
{
    hash_format(rom->sha256, ret_etag);
}

void etag_of_ram(const struct ram_info *ram, char ret_etag[ETAG_SIZE])
{
    version_format(&ram->version, ret_etag);
}

static bool is_read(const struct http_request *http)
{
    return http_method_is(http, "GET") || http_method_is(http, "HEAD");
}

/* ---- conditions */

/* If-None-Match of a read that does not hold: the client has it already (RFC 9110, 15.4.5). */
static void reply_unchanged(struct request *request)
{
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    request_reply(request, 304, &lines, &(struct http_body){0});
    buf_deinit(&lines);
}

bool has_condition(const struct http_request *http)
{
    return http_field_repeats(http, "If-Match") > 0 ||
           http_field_repeats(http, "If-None-Match") > 0;
}

bool refuse_bad_condition(struct request *request)
{
    if (condition_of(request->http, NULL) != CONDITION_MALFORMED) {
        return false;
    }
    request_fail(request, 400, "bad-header",
                 "If-Match and If-None-Match are either `*` or a list of entity tags, each in "
                 "double quotes");
    return true;
}

bool refuse_condition(struct request *request, const char *etag)
{
    enum condition condition = condition_of(request->http, etag);
    if (condition == CONDITION_HOLDS) {
        return false;
    }
    if (condition == CONDITION_NONE_MATCH && is_read(request->http)) {
        reply_unchanged(request);
        return true;
    }
    char detail[200];
    snprintf(detail, sizeof detail, "%s does not hold: %s%s%s",
             condition == CONDITION_MATCH ? "If-Match" : "If-None-Match",
             etag ? "the ETag of what is there is \"" : "nothing is there", etag ? etag : "",
             etag ? "\"" : "");
    request_fail(request, 412, "condition", detail);
    return true;
}

/* ---- ranges */

static void refuse_ranges(struct request *request, uint64_t size, const char *detail)
{
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    buf_print(&lines, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
    request_problem(
        request, &(struct http_problem){
                     .status = 416, .type = "range", .detail = detail, .fields = buf_span(&lines)});
    buf_deinit(&lines);
}

/* Reads what part of `size` bytes is asked for; false where that has been refused. Where If-Range
 * names another version, all of them are to come. */
static bool choose_ranges(struct request *request, uint64_t size)
{
    struct sending *s = &request->sending;
    struct span range;
    struct span tag;
    if (!http_method_is(request->http, "GET") || !http_field(request->http, "Range", &range) ||
        (http_field(request->http, "If-Range", &tag) && !tag_is(tag, s->etag))) {
        return true;
    }
    char detail[160];
    switch (ranges_read(range, size, &s->ranges)) {
    case RANGES_OTHER:
    case RANGES_SOME:
        return true;
    case RANGES_NONE:
        snprintf(detail, sizeof detail, "no byte of the Range is among the %llu that there are",
                 (unsigned long long)size);
        break;
    case RANGES_TOO_MANY:
        snprintf(detail, sizeof detail, "the Range has more than %d ranges", RANGES_MAX);
        break;
    case RANGES_MALFORMED:
        request_fail(request, 400, "bad-header",
                     "the Range is no list of `first-last`, `first-` and `-count`");
        return false;
    }
    refuse_ranges(request, size, detail);
    return false;
}

/* ---- reading */

/* The file's lease stays with the request until the reply is sent, so that the store knows of it.
 */
static void reply_file(struct request *request, int fd, uint64_t size, struct buf *lines)
{
    if (refuse_condition(request, request->sending.etag) || !choose_ranges(request, size)) {
        return;
    }
    int copy = -1;
    int err = size > 0 ? os_duplicate(fd, &copy) : 0;
    if (err) {
        request_fail_err(request, err, NULL);
        return;
    }
    struct http_body body =
        size > 0 ? http_body_file(copy, 0, size) : http_body_borrowed(span_of(NULL, 0));
    buf_puts(lines, "Accept-Ranges: bytes\r\n");
    if (request->sending.ranges.count <= 1) {
        buf_puts(lines, "Content-Type: application/octet-stream\r\n");
    }
    request_reply(request, request->sending.ranges.count ? 206 : 200, lines, &body);
}

void get_rom(struct request *request)
{
    struct store *store = request->service->store;
    bool is_named = request->ids.has_first;
    if (!is_named && !request->cookies.has_rom) {
        request_fail(request, 404, "no-rom", "neither the path nor a cookie names a ROM");
        return;
    }
    struct msg msg = {0};
    const struct id *id = is_named ? &request->ids.first : &request->cookies.rom;
    int err = blob_get(store, id, &request->blob, &msg);
    if (err) {
        request_fail_err(request, err, &msg);
        return;
    }
    request->has_blob = true;
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    etag_of_rom(&request->blob.rom, request->sending.etag);
    reply_file(request, request->blob.fd, request->blob.rom.size, &lines);
    buf_deinit(&lines);
}

void get_ram(struct request *request)
{
    struct store *store = request->service->store;
    struct msg msg = {0};
    int err = ram_load(store, &request->ids.second, &request->base, &msg);
    if (err) {
        request_fail_err(request, err, &msg);
        return;
    }
    request->has_base = true;
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    etag_of_ram(&request->base.info, request->sending.etag);
    buf_print(&lines, "Mcu-Ram-Version: %s\r\n", request->sending.etag);
    reply_file(request, request->base.fd, request->base.info.size, &lines);
    buf_deinit(&lines);
}

/* guest.c - fills META from a request, reads a guest's headers out of it */
/* SPDX-License-Identifier: MIT */
#include "service/guest.h"

#include "machine/meta.h"

#include <stdio.h>

enum { VARIABLE_BYTES_MAX = 256, LINES_BYTES_MAX = 2 * META_REPLY_MAX };

/* One walk over a request's variables; stops at the first error. */
struct filler {
    uint8_t *meta;
    uint32_t len;
    int err;
    struct msg *msg;
};

static void put(struct filler *f, const char *name, struct span value)
{
    if (!f->err) {
        f->err = meta_put(f->meta, &f->len, span_of_string(name), value, f->msg);
    }
}

static void put_text(struct filler *f, const char *name, const char *value)
{
    put(f, name, span_of_string(value));
}

/* "X-Fish" becomes HTTP_X_FISH; false for names that another one could also become. */
static bool variable_of(struct span name, char variable[VARIABLE_BYTES_MAX])
{
    static const char prefix[] = "HTTP_";
    size_t at = sizeof prefix - 1;
    memcpy(variable, prefix, at);
    if (name.len + at >= VARIABLE_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool is_lower = c >= 'a' && c <= 'z';
        bool is_plain = is_lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '-') {
            return false;
        }
        variable[at++] = c == '-' ? '_' : (char)(is_lower ? c - 'a' + 'A' : c);
    }
    variable[at] = '\0';
    return true;
}

static bool is_repeated(const struct http_request *request, size_t index)
{
    struct span name = http_field_at(request, index).name;
    for (size_t i = 0; i < index; i++) {
        if (span_same_nocase(http_field_at(request, i).name, name)) {
            return true;
        }
    }
    return false;
}

/* Fields of one name become one variable, with commas between (RFC 3875, 4.1.18). */
static void put_field(struct filler *f, const struct http_request *request, size_t index)
{
    struct span name = http_field_at(request, index).name;
    char variable[VARIABLE_BYTES_MAX];
    if (meta_is_secret(name) || !variable_of(name, variable) || is_repeated(request, index)) {
        return;
    }
    struct buf value;
    buf_init(&value, META_REQUEST_MAX);
    for (size_t i = index; i < http_fields_count(request); i++) {
        struct http_field field = http_field_at(request, i);
        if (span_same_nocase(field.name, name)) {
            buf_puts(&value, i > index ? ", " : "");
            buf_put(&value, field.value.data, field.value.len);
        }
    }
    if (value.failed) {
        f->err = fail(f->msg, ERR_TOO_BIG, "header field %.40s is over %d bytes", variable,
                      META_REQUEST_MAX);
    }
    put(f, variable, buf_span(&value));
    buf_deinit(&value);
}

int guest_request(const struct http_request *request, uint64_t body_len, uint8_t *meta,
                  uint32_t *ret_len, struct msg *msg)
{
    struct filler f = {.meta = meta, .msg = msg};
    put_text(&f, "GATEWAY_INTERFACE", "CGI/1.1");
    put_text(&f, "SERVER_PROTOCOL", http_minor_version(request) ? "HTTP/1.1" : "HTTP/1.0");
    put(&f, "REQUEST_METHOD", http_method(request));
    put_text(&f, "SCRIPT_NAME", "/mcu");
    put_text(&f, "PATH_INFO", "");
    put(&f, "QUERY_STRING", http_query(request));
    struct span type;
    if (http_field(request, "Content-Type", &type)) {
        put(&f, "CONTENT_TYPE", type);
    }
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)body_len);
    put_text(&f, "CONTENT_LENGTH", number);
    for (size_t i = 0; i < http_fields_count(request) && !f.err; i++) {
        put_field(&f, request, i);
    }
    if (f.err) {
        return f.err;
    }
    *ret_len = meta_end(meta, f.len);
    return 0;
}

/* The name is a row's text, where that has no `*`; else it begins or ends like it. */
static bool is_like(struct span name, const char *row)
{
    size_t len = strlen(row);
    bool has_start = row[0] != '*';
    bool has_end = row[len - 1] != '*';
    struct span fixed = span_of(row + !has_start, len - !has_start - !has_end);
    if (name.len < fixed.len || (has_start && has_end && name.len > fixed.len)) {
        return false;
    }
    size_t at = has_start ? 0 : name.len - fixed.len;
    return span_same_nocase(span_of(name.data + at, fixed.len), fixed);
}

static bool is_forbidden(struct span name)
{
    static const char *const rows[] = {
#define FORBIDDEN(name) name,
#include "service/forbidden.def"
#undef FORBIDDEN
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (is_like(name, rows[i])) {
            return true;
        }
    }
    return false;
}

/* `Status: 404` or `Status: 404 Not Found`; 0 for anything else. */
static int status_of(struct span value)
{
    bool is_long = value.len > 3 && value.data[3] != ' ';
    if (value.len < 3 || is_long) {
        return 0;
    }
    int status = 0;
    for (size_t i = 0; i < 3; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return 0;
        }
        status = status * 10 + (value.data[i] - '0');
    }
    return status >= 200 && status <= 599 ? status : 0;
}

/* Of Status and Content-Type, which a reply has once, the last one counts: `type` holds its line.
 */
static int take(struct guest_reply *reply, struct buf *type, const struct meta_header *header,
                struct msg *msg)
{
    if (span_equals_nocase(header->name, "Status")) {
        reply->status = status_of(header->value);
        return reply->status ? 0
                             : fail(msg, ERR_ARGUMENT,
                                    "the guest set Status to `%.*s`, which is not 200 to 599",
                                    header->value.len > 40 ? 40 : (int)header->value.len,
                                    (const char *)header->value.data);
    }
    if (is_forbidden(header->name)) {
        return 0;
    }
    bool is_type = span_equals_nocase(header->name, "Content-Type");
    if (is_type) {
        buf_clear(type);
    }
    if (http_put_field(is_type ? type : &reply->lines, header->name, header->value)) {
        return fail(msg, ERR_ARGUMENT, "the guest set the header `%.*s` to what is no field value",
                    header->name.len > 40 ? 40 : (int)header->name.len,
                    (const char *)header->name.data);
    }
    return 0;
}

int guest_reply_read(struct span meta, struct guest_reply *reply, struct msg *msg)
{
    *reply = (struct guest_reply){0};
    buf_init(&reply->lines, LINES_BYTES_MAX);
    struct buf type;
    buf_init(&type, LINES_BYTES_MAX);
    struct meta_header header;
    int err = 0;
    int more;
    while (!err && (more = meta_next(&meta, &header, msg)) != 0) {
        err = more < 0 ? more : take(reply, &type, &header, msg);
    }
    reply->has_type = type.len > 0;
    buf_put(&reply->lines, type.data, type.len);
    buf_deinit(&type);
    return err;
}

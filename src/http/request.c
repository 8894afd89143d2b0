/* request.c - what a handler can ask of a request */
/* SPDX-License-Identifier: MIT */
#include "http/internal.h"

struct span http_method(const struct http_request *r)
{
    return r->method;
}

bool http_method_is(const struct http_request *r, const char *method)
{
    return span_equals_string(r->method, method);
}

struct span http_path(const struct http_request *r)
{
    return r->path;
}

struct span http_query(const struct http_request *r)
{
    return r->query;
}

struct span http_host(const struct http_request *r)
{
    return r->host;
}

int http_minor_version(const struct http_request *r)
{
    return r->minor;
}

size_t http_fields_count(const struct http_request *r)
{
    return r->fields_count;
}

struct http_field http_field_at(const struct http_request *r, size_t index)
{
    check(index < r->fields_count);
    return r->fields[index];
}

bool http_field(const struct http_request *r, const char *name, struct span *ret_value)
{
    for (size_t i = 0; i < r->fields_count; i++) {
        if (span_equals_nocase(r->fields[i].name, name)) {
            *ret_value = r->fields[i].value;
            return true;
        }
    }
    return false;
}

size_t http_field_repeats(const struct http_request *r, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < r->fields_count; i++) {
        count += span_equals_nocase(r->fields[i].name, name);
    }
    return count;
}

bool http_has_body(const struct http_request *r)
{
    return r->is_chunked || r->length > 0;
}

void http_accept_body(struct http_request *r, uint64_t bytes_max)
{
    r->body_max = bytes_max;
}

void http_set_user(struct http_request *r, void *user)
{
    r->user = user;
}

void *http_user(const struct http_request *r)
{
    return r->user;
}

const char *http_peer(const struct http_request *r)
{
    struct conn *c = r->conn;
    if (!c->peer_text[0]) {
        os_address_format(&c->peer, c->peer_text);
    }
    return c->peer_text;
}

bool http_peer_is_loopback(const struct http_request *r)
{
    return os_address_is_loopback(&r->conn->peer);
}

uint64_t http_started_ns(const struct http_request *r)
{
    return r->started_ns;
}

uint64_t http_body_received(const struct http_request *r)
{
    return r->received;
}

int http_status(const struct http_request *r)
{
    return r->status;
}

uint64_t http_body_sent(const struct http_request *r)
{
    return r->sent;
}

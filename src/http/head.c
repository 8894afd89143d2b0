/* head.c - the request line and header fields: everything that is refused before a handler sees it
 */
/* SPDX-License-Identifier: MIT */
/* The head is looked at twice. The scan here works on raw lines as they come and is the strict
 * one: it takes CRLF only, knows no folding, and finds the fields. llhttp then reads the whole
 * head for the framing of the body; it is told POST for a method, since it refuses methods that
 * it does not know and treats some that it does specially. */
#include "http/internal.h"

#include <stdarg.h>
#include <stdio.h>

/* The method, two spaces and the version: what a request line holds beside its target. */
enum { LINE_BESIDE_TARGET = HTTP_METHOD_LEN_MAX + 12 };

static const struct limit target_limit = {414, "the request target", "bytes"};
static const struct limit head_limit = {431, "the request's head", "bytes"};
static const struct limit fields_limit = {431, "the request's head", "fields"};

int refuse(struct conn *c, int status, const char *type, const char *format, ...)
{
    c->refusal = (struct refusal){.status = status, .type = type};
    va_list args;
    va_start(args, format);
    vsnprintf(c->refusal.detail, sizeof c->refusal.detail, format, args);
    va_end(args);
    return ERR_ARGUMENT;
}

int refuse_over(struct conn *c, const struct limit *limit, uint64_t max, uint64_t value)
{
    unsigned long long most = max;
    unsigned long long has = value;
    refuse(c, limit->status, "too-large", "%s has come to %llu %s, over its limit of %llu",
           limit->what, has, limit->unit, most);
    snprintf(c->refusal.members, sizeof c->refusal.members, "\"limit\":%llu,\"value\":%llu", most,
             has);
    return ERR_ARGUMENT;
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool has_prefix_nocase(struct span text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && span_equals_nocase(span_of(text.data, len), prefix);
}

/* How much of a client's text a refusal shows. */
static int shown(struct span text)
{
    return text.len < 60 ? (int)text.len : 60;
}

/* What follows a host: nothing, or a colon and digits, of which there may be none (RFC
 * 3986, 3.2.3).
 */
static bool is_port(struct span rest)
{
    if (rest.len > 0 && rest.data[0] != ':') {
        return false;
    }
    uint32_t port = 0;
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.data[i] < '0' || rest.data[i] > '9') {
            return false;
        }
        port = port * 10 + (rest.data[i] - '0');
        if (port > UINT16_MAX) {
            return false;
        }
    }
    return true;
}

/* The length of the host that an authority begins with, an IPv6 address with its brackets; 0 where
 * there is none. */
static size_t host_len(struct span text)
{
    bool is_v6 = text.len > 0 && text.data[0] == '[';
    struct span rest = text;
    size_t len = span_cut(&rest, is_v6 ? ']' : ':').len;
    return !is_v6 ? len : rest.data ? len + 1 : 0;
}

/* An authority without user information: a host, loosely, which is not empty, and its port. */
static bool is_authority(struct span text)
{
    size_t len = host_len(text);
    if (len == 0 || !is_port(span_of(text.data + len, text.len - len))) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!is_alnum(c) && (c == 0 || !strchr("-._~%:[]!$&'()*+,;=", c))) {
            return false;
        }
    }
    return true;
}

/* ---- the request line ---- */

static void split_path(struct http_request *r, struct span rest)
{
    r->path = span_cut(&rest, '?');
    r->query = rest;
    if (r->path.len == 0) {
        r->path = span_of_string("/");
    }
}

static int read_absolute(struct conn *c, struct span rest)
{
    size_t len = 0;
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?') {
        len++;
    }
    struct http_request *r = &c->request;
    r->host = span_of(rest.data, len);
    if (!is_authority(r->host)) {
        return refuse(c, 400, "bad-target",
                      "the target's `%.*s` is not a host and, if any, a port up to 65535",
                      shown(r->host), (const char *)r->host.data);
    }
    split_path(r, span_of(rest.data + len, rest.len - len));
    return 0;
}

static int read_target(struct conn *c)
{
    struct http_request *r = &c->request;
    struct span target = r->target;
    size_t limit = c->server->options.target_bytes_max;
    if (target.len > limit) {
        return refuse_over(c, &target_limit, limit, target.len);
    }
    for (size_t i = 0; i < target.len; i++) {
        if (target.data[i] <= ' ' || target.data[i] >= 0x7f || target.data[i] == '#') {
            return refuse(c, 400, "bad-target",
                          "the request target holds byte 0x%02x at %zu; it must be percent-encoded",
                          target.data[i], i);
        }
    }
    if (has_prefix_nocase(target, "http://")) {
        return read_absolute(c, span_of(target.data + 7, target.len - 7));
    }
    if (has_prefix_nocase(target, "https://")) {
        return read_absolute(c, span_of(target.data + 8, target.len - 8));
    }
    bool is_star = span_equals_string(target, "*") && http_method_is(r, "OPTIONS");
    if (!is_star && (target.len == 0 || target.data[0] != '/')) {
        return refuse(c, 400, "bad-target", "the request target does not start with '/'");
    }
    split_path(r, target);
    return 0;
}

static int refuse_version(struct conn *c)
{
    return refuse(c, 400, "bad-request-line", "the request line does not end in an HTTP version");
}

static int refuse_method(struct conn *c, struct span method)
{
    return refuse(c, 501, "unknown-method", "the method `%.*s` is not implemented", shown(method),
                  (const char *)method.data);
}

static int read_version(struct conn *c, struct span version)
{
    if (version.len != 8 || memcmp(version.data, "HTTP/", 5) != 0 || version.data[5] < '0' ||
        version.data[5] > '9' || version.data[6] != '.' || version.data[7] < '0' ||
        version.data[7] > '9') {
        return refuse_version(c);
    }
    if (version.data[5] != '1' || version.data[7] > '1') {
        return refuse(c, 505, "bad-version", "HTTP/%c.%c is not spoken here; HTTP/1.1 and 1.0 are",
                      version.data[5], version.data[7]);
    }
    c->request.minor = version.data[7] - '0';
    return 0;
}

static int read_request_line(struct conn *c, struct span line)
{
    struct http_request *r = &c->request;
    struct span rest = line;
    struct span method = span_cut(&rest, ' ');
    struct span target = span_cut(&rest, ' ');
    if (!span_is_token(method)) {
        return refuse(c, 400, "bad-request-line", "the request line does not start with a method");
    }
    r->target = target;
    int err = read_version(c, rest);
    if (err) {
        return err;
    }
    if (method.len > HTTP_METHOD_LEN_MAX || span_equals_string(method, "CONNECT")) {
        return refuse_method(c, method);
    }
    r->method = method;
    return read_target(c);
}

/* ---- the fields ---- */

static int read_field(struct conn *c, struct span line)
{
    struct http_request *r = &c->request;
    if (line.data[0] == ' ' || line.data[0] == '\t') {
        return refuse(c, 400, "bad-field", "a header field is folded over two lines");
    }
    struct span rest = line;
    struct span name = span_cut(&rest, ':');
    if (!rest.data || !span_is_token(name)) {
        return refuse(c, 400, "bad-field", "header line %zu is not \"name: value\"",
                      r->fields_count + 1);
    }
    if (r->fields_count >= c->server->options.fields_count_max) {
        return refuse_over(c, &fields_limit, c->server->options.fields_count_max,
                           r->fields_count + 1);
    }
    r->fields[r->fields_count++] = (struct http_field){.name = name, .value = span_trim(rest)};
    return 0;
}

static int check_host(struct conn *c)
{
    struct http_request *r = &c->request;
    size_t count = http_field_repeats(r, "Host");
    if (count > 1 || (count == 0 && r->minor > 0)) {
        return refuse(c, 400, "bad-host", "the request has %zu Host fields; it must have one",
                      count);
    }
    struct span host = {0};
    if (http_field(r, "Host", &host) && !is_authority(host)) {
        return refuse(c, 400, "bad-host",
                      "the Host field `%.*s` is not a host and, if any, a port up to 65535",
                      shown(host), (const char *)host.data);
    }
    if (r->host.len == 0) {
        r->host = host;
    }
    return 0;
}

/* ERR_ARGUMENT for what is no number, ERR_TOO_BIG for one that 64 bits do not hold. */
static int read_decimal(struct span text, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool is_over = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t digit = (uint8_t)(text.data[i] - '0');
        if (digit > 9) {
            return ERR_ARGUMENT;
        }
        is_over |= __builtin_mul_overflow(value, 10, &value);
        is_over |= __builtin_add_overflow(value, digit, &value);
    }
    *ret_value = value;
    return text.len == 0 ? ERR_ARGUMENT : is_over ? ERR_TOO_BIG : 0;
}

static int read_length(struct conn *c, struct span text)
{
    int err = read_decimal(text, &c->request.length);
    if (err == ERR_TOO_BIG) {
        return refuse(c, 413, "too-large",
                      "the Content-Length `%.*s` is over every limit: 64 bits do not hold it",
                      text.len < 40 ? (int)text.len : 40, (const char *)text.data);
    }
    if (err) {
        return refuse(c, 400, "bad-framing", "the Content-Length is not a decimal number");
    }
    c->request.has_length = true;
    return 0;
}

static int check_coding(struct conn *c, struct span coding)
{
    struct http_request *r = &c->request;
    if (r->minor == 0) {
        return refuse(c, 400, "bad-framing", "HTTP/1.0 has no Transfer-Encoding");
    }
    if (http_field_repeats(r, "Transfer-Encoding") > 1) {
        return refuse(c, 400, "bad-framing", "the request has two Transfer-Encoding fields");
    }
    if (!span_equals_nocase(coding, "chunked")) {
        return refuse(c, 501, "unknown-coding",
                      "the Transfer-Encoding `%.*s` is not spoken here, only chunked is",
                      shown(coding), (const char *)coding.data);
    }
    r->is_chunked = true;
    return 0;
}

static int check_framing(struct conn *c)
{
    struct http_request *r = &c->request;
    size_t lengths_count = http_field_repeats(r, "Content-Length");
    struct span value;
    bool has_coding = http_field(r, "Transfer-Encoding", &value);
    if (has_coding && lengths_count > 0) {
        return refuse(c, 400, "bad-framing",
                      "the request has both a Content-Length and a Transfer-Encoding");
    }
    if (has_coding) {
        return check_coding(c, value);
    }
    if (lengths_count > 1) {
        return refuse(c, 400, "bad-framing", "the request has %zu Content-Length fields",
                      lengths_count);
    }
    return http_field(r, "Content-Length", &value) ? read_length(c, value) : 0;
}

static bool list_has(struct span list, const char *word)
{
    while (list.data) {
        if (span_equals_nocase(span_trim(span_cut(&list, ',')), word)) {
            return true;
        }
    }
    return false;
}

static int check_connection(struct conn *c)
{
    struct http_request *r = &c->request;
    bool closes = false;
    bool keeps = r->minor > 0;
    for (size_t i = 0; i < r->fields_count; i++) {
        if (span_equals_nocase(r->fields[i].name, "Connection")) {
            closes |= list_has(r->fields[i].value, "close");
            keeps |= list_has(r->fields[i].value, "keep-alive");
        }
    }
    r->keeps_alive = keeps && !closes;
    struct span expect;
    if (r->minor > 0 && http_field(r, "Expect", &expect)) {
        if (http_field_repeats(r, "Expect") > 1) {
            return refuse(c, 417, "bad-expectation", "the request has two Expect fields");
        }
        if (!span_equals_nocase(expect, "100-continue")) {
            return refuse(c, 417, "bad-expectation",
                          "the Expect `%.*s` is unknown here, only 100-continue is known",
                          shown(expect), (const char *)expect.data);
        }
        r->expects_continue = true;
    }
    return 0;
}

/* ---- llhttp's turn ---- */

const char *malformed_text(llhttp_errno_t error, const char *fallback)
{
    switch (error) {
#define MALFORMED(name, text) \
    case HPE_##name:          \
        return text;
#include "http/malformed.def"
#undef MALFORMED
    default:
        return fallback;
    }
}

static int on_headers_complete(llhttp_t *parser)
{
    parser->upgrade = 0; /* Upgrade is ignored: what follows is this request's body */
    return HPE_PAUSED;
}

static int check_with_llhttp(struct conn *c, struct span head)
{
    static const llhttp_settings_t settings = {.on_headers_complete = on_headers_complete};
    size_t method_len = c->request.method.len;
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    llhttp_errno_t error = llhttp_execute(&c->parser, "POST", 4);
    if (error == HPE_OK) {
        error =
            llhttp_execute(&c->parser, (const char *)head.data + method_len, head.len - method_len);
    }
    if (error != HPE_PAUSED) {
        return refuse(c, 400, "bad-request", "%s",
                      malformed_text(error, "the request's head is not what HTTP/1.1 has"));
    }
    llhttp_resume(&c->parser);
    return 0;
}

static int check_head(struct conn *c, struct span head)
{
    int err = check_host(c);
    if (!err) {
        err = check_framing(c);
    }
    if (!err) {
        err = check_with_llhttp(c, head);
    }
    return err ? err : check_connection(c);
}

/* ---- the raw lines ---- */

static int check_line(struct conn *c, struct span line)
{
    for (size_t i = 0; i < line.len; i++) {
        uint8_t byte = line.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return refuse(c, 400, "bad-request", "the request's head holds the control byte 0x%02x",
                          byte);
        }
    }
    return 0;
}

/* A request line that is too long before its end has come: which part of it is. */
static int refuse_long_line(struct conn *c)
{
    struct span rest = span_of(c->in, c->in_len);
    struct span method = span_cut(&rest, ' ');
    struct span target = span_cut(&rest, ' ');
    size_t limit = c->server->options.target_bytes_max;
    if (method.len > HTTP_METHOD_LEN_MAX) {
        return refuse_method(c, method);
    }
    return target.len > limit ? refuse_over(c, &target_limit, limit, target.len)
                              : refuse_version(c);
}

/* What can be said of a head whose end has not come. */
static int check_partial(struct conn *c)
{
    const struct http_options *o = &c->server->options;
    if (c->in_len > 0 && !span_is_token(span_of(c->in, 1)) && c->in[0] != '\r') {
        return refuse(c, 400, "bad-request-line", "the request line does not start with a method");
    }
    if (c->line_at == 0 && c->in_len > o->target_bytes_max + LINE_BESIDE_TARGET) {
        return refuse_long_line(c);
    }
    if (c->in_len > o->head_bytes_max) {
        return refuse_over(c, &head_limit, o->head_bytes_max, c->in_len);
    }
    return 0;
}

static int read_line(struct conn *c, struct span line)
{
    int err = check_line(c, line);
    if (err) {
        return err;
    }
    return c->line_at == 0 ? read_request_line(c, line) : read_field(c, line);
}

/* RFC 9112, 2.2: one empty line before a request is forgiven; old clients send it after a body. */
static void skip_empty_line(struct conn *c)
{
    if (!c->request.is_after_empty_line && c->line_at == 0 && c->in_len >= 2 &&
        memcmp(c->in, "\r\n", 2) == 0) {
        c->request.is_after_empty_line = true;
        c->in_len -= 2;
        memmove(c->in, c->in + 2, c->in_len);
    }
}

int head_parse(struct conn *c)
{
    skip_empty_line(c);
    while (c->line_at < c->in_len) {
        uint8_t *start = c->in + c->line_at;
        uint8_t *end = memchr(start, '\n', c->in_len - c->line_at);
        if (!end) {
            break;
        }
        size_t next = (size_t)(end - c->in) + 1;
        if (next > c->server->options.head_bytes_max) {
            return refuse_over(c, &head_limit, c->server->options.head_bytes_max, next);
        }
        if (end == start || end[-1] != '\r') {
            return refuse(c, 400, "bad-request", "a line of the request's head ends without CR");
        }
        struct span line = span_of(start, (size_t)(end - start) - 1);
        if (line.len == 0 && c->line_at > 0) {
            c->head_len = next;
            int err = check_head(c, span_of(c->in, next));
            return err ? err : 1;
        }
        int err = read_line(c, line);
        if (err) {
            return err;
        }
        c->line_at = next;
    }
    return check_partial(c);
}

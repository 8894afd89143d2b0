/* body.c - the bytes after a head: llhttp takes the chunks apart, a scan checks their framing */
/* SPDX-License-Identifier: MIT */
#include "http/internal.h"

const struct limit body_limit = {413, "the request's body", "bytes"};

/* Bytes around the data of chunks: llhttp lets a line end without CR and a trailer go without a
 * name, so each byte that is not data is looked at here too. */
static int check_framing_bytes(struct conn *c, const char *end)
{
    uint8_t last = c->framing_last;
    for (const char *at = c->framing_at; at < end; at++) {
        uint8_t byte = (uint8_t)*at;
        bool is_control =
            (byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n') || byte == 0x7f;
        bool is_nameless = last == '\n' && (byte == ':' || byte == ' ' || byte == '\t');
        if (is_control) {
            return refuse(c, 400, "bad-chunk",
                          "a line around a chunk holds the control byte 0x%02x", byte);
        }
        if (is_nameless) {
            return refuse(c, 400, "bad-chunk",
                          "a field behind the last chunk has no name, or is folded over two lines");
        }
        if ((byte == '\n') != (last == '\r')) {
            return refuse(c, 400, "bad-chunk", "%s", malformed_text(HPE_CR_EXPECTED, ""));
        }
        last = byte;
    }
    c->framing_last = last;
    c->framing_at = end;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct conn *c = parser->data;
    struct http_request *r = &c->request;
    if (check_framing_bytes(c, at)) {
        return HPE_USER;
    }
    c->framing_at = at + len;
    c->framing_last = 0;
    if (len > r->body_max - r->received) {
        refuse_over(c, &body_limit, r->body_max, r->received + len);
        return HPE_USER;
    }
    r->received += len;
    if (c->server->handler.on_body) {
        c->server->handler.on_body(c->server->handler.context, r, span_of(at, len));
    }
    return r->is_answered ? HPE_USER : 0;
}

static int on_message_complete(llhttp_t *parser UNUSED)
{
    return HPE_PAUSED;
}

/* Chunks of one byte with long extensions would keep us busy for nothing. */
static int check_overhead(struct conn *c)
{
    struct http_request *r = &c->request;
    uint64_t overhead = r->raw_received - r->received;
    if (overhead > c->server->options.head_bytes_max + r->received * 8) {
        return refuse(c, 400, "bad-chunk", "the chunks are mostly framing");
    }
    return 0;
}

int body_feed(struct conn *c)
{
    static const llhttp_settings_t settings = {.on_body = on_body,
                                               .on_message_complete = on_message_complete};
    const char *start = (const char *)c->in + c->head_len;
    size_t len = c->in_len - c->head_len;
    if (len == 0) {
        return 0;
    }
    c->parser.settings = (void *)&settings;
    c->parser.data = c;
    c->framing_at = start;
    c->refusal.status = 0;
    llhttp_errno_t error = llhttp_execute(&c->parser, start, len);
    if (c->request.is_answered) {
        return 0;
    }
    if (c->refusal.status) {
        return ERR_ARGUMENT;
    }
    if (error != HPE_OK && error != HPE_PAUSED) {
        return refuse(c, 400, "bad-chunk", "%s",
                      malformed_text(error, "a chunk is not what HTTP/1.1 has"));
    }
    const char *end = error == HPE_PAUSED ? llhttp_get_error_pos(&c->parser) : start + len;
    size_t used = (size_t)(end - start);
    c->request.raw_received += used;
    if (check_framing_bytes(c, end) || check_overhead(c)) {
        return ERR_ARGUMENT;
    }
    c->in_len -= used;
    memmove(c->in + c->head_len, c->in + c->head_len + used, len - used);
    return error == HPE_PAUSED;
}

/* client.c - requests by libcurl, and what their failures mean */
/* SPDX-License-Identifier: MIT */
#include "cmd/client.h"
#include "base/limits.h"
#include "cmd/command.h"
#include "cmd/printable.h"
#include "cmd/progress.h"
#include "os/clock.h"
#include "os/command.h"
#include "os/given.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>

enum {
    URL_SIZE = REMEMBER_SERVER_SIZE + 8192,
    CONNECT_MS = 10000,
    FIELDS_BYTES_MAX = 256 << 10,
    TEXT_BYTES_MAX = 64 << 20, /* the longest list of ROMs */
};

static const struct hint {
    int status;
    const char *text;
} hints[] = {
#define HINT(status, text) {status, text},
#include "cmd/hint.def"
#undef HINT
};

/* ---- who and what */

static int take_id(const char *option, const char *text, char ret_id[ID_TEXT_LEN + 1],
                   struct msg *msg)
{
    struct id id;
    if (!id_parse(span_of_string(text), &id)) {
        return fail(msg, ERR_USAGE, "--%s: `%.60s` is not an id; `mote ls` lists them", option,
                    text);
    }
    id_format(&id, ret_id);
    return 0;
}

/* `host:port` is http://host:port; no slash at the end. */
static int take_server(const char *text, char ret_server[REMEMBER_SERVER_SIZE], struct msg *msg)
{
    const char *scheme = strstr(text, "://") ? "" : "http://";
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '/') {
        len--;
    }
    int all = len == 0
                  ? -1
                  : snprintf(ret_server, REMEMBER_SERVER_SIZE, "%s%.*s", scheme, (int)len, text);
    if (all < 0 || all >= REMEMBER_SERVER_SIZE || strpbrk(ret_server, " \t\r\n?#")) {
        return fail(msg, ERR_USAGE, "--server: `%.60s` is not like http://" DEFAULT_ADDRESS, text);
    }
    return 0;
}

static int choose(struct client *c, const struct client_options *options, struct msg *msg)
{
    struct remembered *now = &c->now;
    const char *remembered = now->server[0] ? now->server : "http://" DEFAULT_ADDRESS;
    char server[REMEMBER_SERVER_SIZE] = "";
    char rom[ID_TEXT_LEN + 1];
    int err = take_server(options->server ? options->server : remembered, server, msg);
    if (!err && strcmp(server, now->server) != 0) {
        *now = (struct remembered){.server = ""};
        memcpy(now->server, server, sizeof server);
    }
    if (!err && options->rom) {
        err = take_id("rom", options->rom, rom, msg);
        if (!err && strcmp(rom, now->rom) != 0) {
            memcpy(now->rom, rom, sizeof rom);
            now->ram[0] = 0;
        }
    }
    return !err && options->ram ? take_id("ram", options->ram, now->ram, msg) : err;
}

int client_open(struct client *c, const struct client_options *options, struct msg *msg)
{
    int err = remember_load(&c->before, msg);
    if (err) {
        return err;
    }
    c->now = c->before;
    c->timeout_ms = options->timeout_ms;
    err = choose(c, options, msg);
    if (err) {
        return err;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return fail(msg, ERR_NO_MEMORY, "libcurl cannot start");
    }
    c->curl = curl_easy_init();
    return c->curl ? 0 : fail(msg, ERR_NO_MEMORY, "libcurl cannot start");
}

int client_parse_what(const char *what, bool *ret_is_ram, struct msg *msg)
{
    *ret_is_ram = strcmp(what, "ram") == 0;
    return *ret_is_ram || strcmp(what, "rom") == 0
               ? 0
               : fail(msg, ERR_USAGE, "`%.60s` is neither rom nor ram; --rom and --ram take ids",
                      what);
}

int client_path(const struct client *c, bool has_ram, char ret_path[CLIENT_PATH_SIZE],
                struct msg *msg)
{
    if (!c->now.rom[0]) {
        return fail(msg, ERR_USAGE,
                    "no ROM of %s is remembered: `mote put FILE` uploads one, --rom ID names one",
                    c->now.server);
    }
    if (has_ram && !c->now.ram[0]) {
        return fail(msg, ERR_USAGE,
                    "no session of this ROM is remembered: `mote post` starts one, --ram ID names "
                    "one");
    }
    snprintf(ret_path, CLIENT_PATH_SIZE, "/mcu/%s%s%s", c->now.rom, has_ram ? "/" : "",
             has_ram ? c->now.ram : "");
    return 0;
}

/* ---- bodies */

int client_body_open(const char *path, struct client_body *ret_body, struct msg *msg)
{
    struct os_given given;
    struct msg why = {{0}};
    bool is_stdin = !path || strcmp(path, "-") == 0;
    if (is_stdin && os_is_terminal(0)) {
        fputs("mote: the input is what you type; Ctrl-D ends it\n", stderr);
    }
    int err = is_stdin ? os_given_adopt(0, &given, &why)
                       : os_given_open(path, OS_GIVEN_READ, &given, &why);
    if (err) {
        return fail(msg, err, "%.150s: %s", is_stdin ? "standard input" : path, why.text);
    }
    FILE *file = is_stdin ? stdin : fdopen(given.fd, "rb");
    if (!file) {
        os_given_close(&given);
        return fail(msg, ERR_NO_MEMORY, "%.150s: out of memory", path);
    }
    long begin = given.is_regular ? ftell(file) : 0; /* a shell may have read a part of it */
    bool has_size = given.is_regular && begin >= 0 && given.size >= (uint64_t)begin;
    *ret_body = (struct client_body){
        .file = file,
        .size = has_size ? given.size - (uint64_t)begin : 0,
        .has_size = has_size,
    };
    return 0;
}

void client_body_close(struct client_body *body)
{
    if (body->file && body->file != stdin) {
        fclose(body->file);
    }
    body->file = NULL;
}

/* ---- replies */

bool client_field(const struct client_reply *reply, const char *name, struct span *ret_value)
{
    const char *at = (const char *)reply->fields.data;
    const char *end = at + reply->fields.len;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        const char *next = line_end ? line_end + 1 : end;
        const char *colon = memchr(at, ':', (size_t)(next - at));
        if (colon && span_equals_nocase(span_of(at, (size_t)(colon - at)), name)) {
            const char *from = colon + 1;
            const char *to = next;
            while (from < to && (*from == ' ' || *from == '\t')) {
                from++;
            }
            while (to > from && strchr(" \t\r\n", to[-1])) {
                to--;
            }
            *ret_value = span_of(from, (size_t)(to - from));
            return true;
        }
        at = next;
    }
    return false;
}

bool client_has_out(const struct client_reply *reply)
{
    struct span halt;
    struct span committed;
    return client_field(reply, "Mcu-Halt", &halt) && !span_equals_string(halt, "fault") &&
           client_field(reply, "Mcu-Committed", &committed) && span_equals_string(committed, "yes");
}

static bool is_good(const struct client_reply *reply)
{
    return reply->status / 100 == 2 || client_has_out(reply);
}

void client_reply_deinit(struct client_reply *reply)
{
    buf_deinit(&reply->fields);
    buf_deinit(&reply->text);
}

/* ---- libcurl's callbacks */

struct exchange {
    const struct client_request *request;
    struct client_reply *reply;
    struct progress progress;
    CURL *curl;
    uint64_t timeout_ns;
    uint64_t moved_ns; /* when something was last sent, or read to be sent, or came */
    curl_off_t moved;
    bool is_overdue;
};

static size_t read_body(char *to, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    struct client_body *body = x->request->body;
    size_t len = fread(to, 1, size * count, body->file);
    x->moved_ns = os_now_ns(); /* whoever feeds a pipe may take as long as he likes */
    if (len == 0 && ferror(body->file)) {
        body->failed = errno;
        return CURL_READFUNC_ABORT;
    }
    body->sent += len;
    if (len == 0 && body->has_size && body->sent < body->size) {
        body->is_short = true;
        return CURL_READFUNC_ABORT;
    }
    return len;
}

static size_t take_field(char *data, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    size_t len = size * count;
    if (len > 5 && memcmp(data, "HTTP/", 5) == 0) {
        long status = 0;
        curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
        x->reply->status = (int)status;
        buf_clear(&x->reply->fields); /* a 100 went before */
        return len;
    }
    buf_put(&x->reply->fields, data, len);
    return x->reply->fields.failed ? 0 : len;
}

static FILE *sink_file(struct client_sink *sink)
{
    if (!sink->file && sink->path && os_replace_begin(sink->path, &sink->place, &sink->why) == 0) {
        sink->file = fdopen(sink->place.fd, "w");
    }
    return sink->file;
}

static size_t take_bytes(char *data, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    struct client_sink *sink = x->request->sink;
    size_t len = size * count;
    if (!sink || !is_good(x->reply)) {
        buf_put(&x->reply->text, data, len);
        return x->reply->text.failed ? 0 : len;
    }
    FILE *file = sink_file(sink);
    if (!file || fwrite(data, 1, len, file) != len) {
        sink->failed = errno;
        return 0;
    }
    return len;
}

/* Called about once a second, whatever happens. */
static int watch(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                 curl_off_t up)
{
    struct exchange *x = context;
    uint64_t now = os_now_ns();
    (void)down_total;
    if (up > 0 && x->progress.name) {
        progress_show(&x->progress, (uint64_t)up, (uint64_t)up_total);
    }
    if (down + up != x->moved) {
        x->moved = down + up;
        x->moved_ns = now;
    }
    x->is_overdue = now - x->moved_ns >= x->timeout_ns;
    return x->is_overdue;
}

/* ---- one request */

static void set_body(struct exchange *x)
{
    CURL *curl = x->curl;
    const struct client_request *request = x->request;
    struct client_body *body = request->body;
    if (body) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, x);
        curl_off_t size = body->has_size ? (curl_off_t)body->size : (curl_off_t)-1;
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, size);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_up(struct exchange *x, const char *url, struct curl_slist *fields)
{
    CURL *curl = x->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* a server on loopback is behind no proxy */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    uint64_t connect_ms = x->timeout_ns / 1000000;
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(connect_ms < CONNECT_MS ? connect_ms : CONNECT_MS));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "mote");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    if (x->request->progress && os_is_terminal(2)) {
        x->progress.name = x->request->progress;
    }
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, x);
    set_body(x);
}

/* What broke on this side of the connection; 0: nothing did. */
static int explain_own(const struct exchange *x, CURLcode code, struct msg *msg)
{
    const struct client_sink *sink = x->request->sink;
    const struct client_body *body = x->request->body;
    if (body && body->failed) {
        return fail(msg, ERR_BAD_FILE, "the input: %s", strerror(body->failed));
    }
    if (body && body->is_short) {
        return fail(msg, ERR_BAD_FILE,
                    "the input was cut while it was sent: %llu of its %llu bytes were there",
                    (unsigned long long)body->sent, (unsigned long long)body->size);
    }
    if (sink && sink->why.text[0]) {
        return fail(msg, ERR_FULL, "%s", sink->why.text);
    }
    if (sink && sink->failed) {
        return fail(msg, ERR_FULL, "%.200s: %s", sink->path ? sink->path : "standard output",
                    strerror(sink->failed));
    }
    if (code == CURLE_WRITE_ERROR || code == CURLE_OUT_OF_MEMORY) {
        return fail(msg, ERR_NO_MEMORY, "the reply is too long, or memory too short for it");
    }
    return 0;
}

/* libcurl has one code for a scheme that it does not know and for a reply that is no HTTP; only
 * for the second anything was sent. */
static bool is_no_http(const struct exchange *x, CURLcode code)
{
    long sent = 0;
    curl_easy_getinfo(x->curl, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0 && (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY);
}

/* What libcurl says, with what to do. */
static int explain_transfer(struct client *c, const struct exchange *x, CURLcode code,
                            struct msg *msg)
{
    int err = explain_own(x, code, msg);
    if (err) {
        return err;
    }
    bool is_strange = is_no_http(x, code);
    if (!is_strange && (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)) {
        return fail(msg, ERR_USAGE, "--server: `%.100s` is not like http://" DEFAULT_ADDRESS,
                    c->now.server);
    }
    c->bad_status = CLIENT_EXIT_NO_SERVER;
    if (x->is_overdue) {
        return fail(msg, ERR_TIMEOUT,
                    "%.150s: nothing came for %llu ms; --timeout TIME waits longer", c->now.server,
                    (unsigned long long)c->timeout_ms);
    }
    if (is_strange) {
        return fail(msg, ERR_CLOSED, "%.150s: what answers there does not speak HTTP",
                    c->now.server);
    }
    if (x->reply->status) {
        return fail(msg, ERR_CLOSED,
                    "%.150s: the connection broke off (%s); what came is not whole", c->now.server,
                    curl_easy_strerror(code));
    }
    return fail(msg, ERR_CLOSED,
                "%.150s: nobody answers (%s). `mote serve` starts a server, --server URL names "
                "another",
                c->now.server, curl_easy_strerror(code));
}

static int explain_refusal(struct client *c, const struct client_reply *reply, struct msg *msg)
{
    char detail[sizeof msg->text - 140];
    const char *hint = NULL;
    json_t *problem = json_loadb((const char *)reply->text.data, reply->text.len, 0, NULL);
    const char *words = json_string_value(json_object_get(problem, "detail"));
    snprintf(detail, sizeof detail, "%s", words ? words : "the server gave no reason");
    json_decref(problem);
    make_printable(detail);
    for (size_t i = 0; i < ARRAY_COUNT(hints); i++) {
        hint = hints[i].status == reply->status ? hints[i].text : hint;
    }
    c->bad_status = CLIENT_EXIT_REFUSED;
    return fail(msg, ERR_CONFLICT, "%d: %s%s%s", reply->status, detail, hint ? "; " : "",
                hint ? hint : "");
}

static int add_fields(const struct client_request *request, struct curl_slist **ret_fields)
{
    struct curl_slist *all = NULL;
    for (size_t i = 0; request->fields && i < request->fields->count; i++) {
        struct curl_slist *more = curl_slist_append(all, request->fields->items[i]);
        if (!more) {
            curl_slist_free_all(all);
            return ERR_NO_MEMORY;
        }
        all = more;
    }
    *ret_fields = all;
    return 0;
}

/* A good reply without bytes makes its file too. */
static int flush_sink(struct client_sink *sink, struct msg *msg)
{
    FILE *file = sink_file(sink);
    if (!file && sink->why.text[0]) {
        return fail(msg, ERR_FULL, "%s", sink->why.text);
    }
    return !file || fflush(file)
               ? fail(msg, ERR_FULL, "%.200s: %s", sink->path ? sink->path : "standard output",
                      strerror(errno))
               : 0;
}

/* Puts a whole reply in its file's place, and takes away what is a part of one. */
static int finish_sink(struct client_sink *sink, int err, struct msg *msg)
{
    err = err ? err : flush_sink(sink, msg);
    if (!sink->path || !sink->file) {
        return err;
    }
    if (fclose(sink->file) && !err) {
        err = fail(msg, ERR_FULL, "%.200s: %s", sink->path, strerror(errno));
    }
    sink->file = NULL;
    int failed = os_replace_end(&sink->place, !err, msg);
    return err ? err : failed;
}

int client_call(struct client *c, const struct client_request *request,
                struct client_reply *ret_reply, struct msg *msg)
{
    char url[URL_SIZE];
    struct curl_slist *fields = NULL;
    struct exchange x = {.request = request,
                         .reply = ret_reply,
                         .curl = c->curl,
                         .timeout_ns = c->timeout_ms * 1000000,
                         .moved_ns = os_now_ns()};
    *ret_reply = (struct client_reply){.status = 0};
    buf_init(&ret_reply->fields, FIELDS_BYTES_MAX);
    buf_init(&ret_reply->text, TEXT_BYTES_MAX);
    int len = snprintf(url, sizeof url, "%s%s", c->now.server, request->path);
    if (len < 0 || (size_t)len >= sizeof url) {
        return fail(msg, ERR_USAGE, "the path and query are longer than %zu bytes", sizeof url);
    }
    int err = add_fields(request, &fields);
    if (err) {
        return fail(msg, err, "out of memory");
    }
    set_up(&x, url, fields);
    CURLcode code = curl_easy_perform(c->curl);
    progress_end(&x.progress);
    curl_slist_free_all(fields);
    if (code != CURLE_OK) {
        err = explain_transfer(c, &x, code, msg);
    } else if (!is_good(ret_reply)) {
        err = explain_refusal(c, ret_reply, msg);
    }
    return request->sink ? finish_sink(request->sink, err, msg) : err;
}

int client_doubt(const struct client *c, const char *how, struct msg *msg)
{
    return fail(msg, ERR_CORRUPT, "%.150s answers %s: is it a Mote server?", c->now.server, how);
}

int client_close(struct client *c, int err, struct msg *msg)
{
    curl_easy_cleanup(c->curl);
    if (c->curl) {
        curl_global_cleanup();
    }
    if (!err && memcmp(&c->before, &c->now, sizeof c->now) != 0) {
        err = remember_save(&c->now, msg);
    }
    int status = command_end(c->program, err, msg);
    if (err && c->bad_status) {
        return c->bad_status;
    }
    return status ? status : c->good_status;
}

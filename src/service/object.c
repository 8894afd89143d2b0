/* object.c - ROMs and RAM images put, read, listed and removed; the plain pages */
/* SPDX-License-Identifier: MIT */
#include "service/internal.h"

#include "os/clock.h"
#include "os/map.h"
#include "os/process.h"
#include "os/socket.h"
#include "service/browser.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(IN_SIZE <= OBJECT_BYTES_MAX && RAM_SIZE <= OBJECT_BYTES_MAX,
              "the store takes what a request or a run may bring");

static const char front_page[] =
    "Mote runs small RISC-V programs, each in a microcontroller of its own, over HTTP.\n"
    "\n"
    "Store a program (ELF, Intel HEX, S-record, UF2, or raw bytes for 0x20000000); the cookies\n"
    "remember it:\n"
    "  curl -b jar -c jar -T program.elf -X PUT http://HOST/mcu\n"
    "Run it; the body is its input, the reply its output:\n"
    "  curl -b jar -c jar --data-binary @input http://HOST/mcu\n"
    "Run it again: it goes on with the RAM that the last run left. -i shows what it took.\n"
    "\n"
    "What there is (\"not built yet\" is answered with 501):\n"
#define ROUTE(handler, method, path, answers, text) "  " #method " " path "\n      " text "\n"
#include "service/route.def"
#undef ROUTE
    "{rom} and {ram} are in the cookies, {run} is the Mcu-Run of a run's reply.\n";

static void reply_text(struct request *request, const char *type, struct span text)
{
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    buf_print(&lines, "Content-Type: %s\r\n", type);
    struct http_body body = http_body_borrowed(text);
    request_reply(request, 200, &lines, &body);
    buf_deinit(&lines);
}

/* ---- lists */

static void put_rom_members(struct buf *json, const struct rom_info *rom)
{
    char hash[ETAG_SIZE];
    etag_of_rom(rom, hash);
    buf_print(json,
              "\"id\":\"%s\",\"size\":%llu,\"sha256\":\"%s\",\"format\":\"%s\",\"created_ms\":%llu",
              id_text(&rom->id).text, (unsigned long long)rom->size, hash, rom->format,
              (unsigned long long)rom->created_ms);
}

static bool visit_rom(void *context, const struct rom_info *rom)
{
    struct buf *json = context;
    buf_puts(json, json->len > 1 ? ",\n{" : "{");
    put_rom_members(json, rom);
    buf_puts(json, "}");
    return !json->failed;
}

static bool visit_ram(void *context, const struct ram_info *ram)
{
    struct buf *json = context;
    char version[VERSION_TEXT_SIZE];
    version_format(&ram->version, version);
    buf_puts(json, json->len > 1 ? ",\n{" : "{");
    buf_print(json, "\"id\":\"%s\"", id_text(&ram->id).text);
    if (ram->has_rom) {
        buf_print(json, ",\"rom\":\"%s\"", id_text(&ram->rom).text);
    }
    buf_print(json, ",\"version\":\"%s\",\"size\":%llu,\"created_ms\":%llu,\"used_ms\":%llu}",
              version, (unsigned long long)ram->size, (unsigned long long)ram->created_ms,
              (unsigned long long)ram->used_ms);
    return !json->failed;
}

/* The field by which a proxy says that the request is somebody else's; NULL: there is none. */
static const char *find_proxy(const struct http_request *http)
{
    static const char *const names[] = {
#define PROXY(name) name,
#include "service/proxy.def"
#undef PROXY
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (http_field_repeats(http, names[i]) > 0) {
            return names[i];
        }
    }
    return NULL;
}

/* The ids of a list are rights, so they are for those who are on this machine themselves. A proxy
 * is here too, but whoever it speaks for is not; one that adds no field looks like a local user,
 * since a stranger may send any Host: --no-lists is for those. */
static void refuse_list(struct request *request)
{
    struct http_request *http = request->http;
    struct span host = http_host(http);
    const char *proxy = find_proxy(http);
    char why[160];
    if (request->service->options.no_lists) {
        request_fail(request, 403, "no-lists", "this server gives no lists, as --no-lists says");
        return;
    }
    if (!http_peer_is_loopback(http)) {
        snprintf(why, sizeof why, "came from %s", http_peer(http));
    } else if (proxy) {
        snprintf(why, sizeof why, "came through a proxy, as its field %s says", proxy);
    } else if (!browser_is_our_host(host, NULL)) {
        snprintf(why, sizeof why, "was for the Host `%.*s`, which is not this machine's own name",
                 host.len < 60 ? (int)host.len : 60, (const char *)host.data);
    } else {
        return;
    }
    char detail[240];
    snprintf(detail, sizeof detail,
             "without tokens, lists go to loopback only, and this request %s", why);
    request_fail(request, 403, "not-local", detail);
}

/* On a thread of the store: a list of all may take longer than others can wait. */
static void list_work(void *context)
{
    struct request *request = context;
    struct store *store = request->service->store;
    struct buf *json = &request->json;
    bool is_roms = request->route->handler == HANDLER_list_roms;
    buf_puts(json, "[");
    int err = is_roms ? blob_list(store, visit_rom, json) : ram_list(store, visit_ram, json);
    buf_puts(json, "]\n");
    request->err = err ? err : json->failed ? ERR_NO_MEMORY : 0;
}

static void end_job(struct request *request)
{
    request->is_busy = false;
    request_release(request);
}

static void list_done(void *context)
{
    struct request *request = context;
    if (request->err) {
        request_fail_err(request, request->err, NULL);
        end_job(request);
        return;
    }
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    buf_puts(&lines, "Content-Type: application/json\r\n");
    struct http_body body = http_body_owned(buf_span(&request->json), free, request->json.data);
    request->json = (struct buf){0}; /* the reply's now */
    request_reply(request, 200, &lines, &body);
    buf_deinit(&lines);
    end_job(request);
}

static void get_past_run(struct request *request)
{
    const struct console *run =
        consoles_find(&request->service->consoles, &request->ids.first, os_now_ns());
    if (!run) {
        request_fail(request, 404, "no-run", "nothing of this run is kept");
    } else if (request->route->handler == HANDLER_get_run) {
        reply_text(request, "application/json", buf_span(&run->report));
    } else {
        reply_text(request, "text/plain; charset=utf-8", span_of(run->bytes, run->len));
    }
}

/* ---- heads */

/* Reads the query of a PUT, which has no key but, for a ROM, `format`. Whatever else stands there
 * would be ignored where it was meant to change what is stored. */
static int read_query(const struct request *request, struct span *format, struct msg *msg)
{
    struct span rest = http_query(request->http);
    bool is_rom = request->route->handler == HANDLER_put_rom;
    bool has_format = false;
    while (rest.data) {
        struct span value = span_cut(&rest, '&');
        struct span key = span_cut(&value, '=');
        int shown = key.len < 60 ? (int)key.len : 60;
        if (key.len == 0 && value.len == 0) {
            continue;
        }
        if (!is_rom || !span_equals_string(key, "format")) {
            return fail(msg, ERR_ARGUMENT, "the query's key `%.*s` is unknown: %s", shown,
                        (const char *)key.data,
                        is_rom ? "a PUT of a ROM has format" : "a PUT of a session has none");
        }
        if (has_format) {
            return fail(msg, ERR_ARGUMENT, "the query's key format is there twice");
        }
        has_format = true;
        *format = value;
    }
    return 0;
}

/* `auto, elf, ... or raw`: what a format may be. */
static const char format_words[] = "auto"
#define IMAGE_FORMAT(name, word, text, begins) ", " #word
#include "machine/image.def"
#undef IMAGE_FORMAT
    ;

static int read_format(struct span text, enum image_format *ret_format, struct msg *msg)
{
    int shown = text.len < 60 ? (int)text.len : 60;
    return image_format_parse(text, ret_format)
               ? 0
               : fail(msg, ERR_ARGUMENT, "the image format `%.*s` is unknown: it is one of %s",
                      shown, (const char *)text.data, format_words);
}

static bool put_head(struct request *request)
{
    struct msg msg = {0};
    struct span format = span_of_string("auto");
    if (read_query(request, &format, &msg)) {
        request_fail(request, 400, "query", msg.text);
        return false;
    }
    if (read_format(format, &request->format, &msg)) {
        request_fail(request, 400, "format", msg.text);
        return false;
    }
    if (request->ids.has_first) {
        request->rom = request->ids.first;
        return true;
    }
    int err = store_make_id(&request->rom);
    if (err) {
        request_fail_err(request, err, NULL);
    }
    return !err;
}

bool object_head(struct request *request)
{
    switch (request->route->handler) {
    case HANDLER_put_rom:
    case HANDLER_put_ram:
        return put_head(request);
    case HANDLER_front_page:
        reply_text(request, "text/plain; charset=utf-8", span_of_string(front_page));
        return false;
    case HANDLER_healthz:
        reply_text(request, "text/plain; charset=utf-8", span_of_string("ok\n"));
        return false;
    case HANDLER_list_roms:
    case HANDLER_list_rams:
        refuse_list(request);
        return false;
    case HANDLER_get_rom:
        get_rom(request);
        return false;
    case HANDLER_get_ram:
        get_ram(request);
        return false;
    case HANDLER_get_run:
    case HANDLER_get_console:
        get_past_run(request);
        return false;
    case HANDLER_delete_rom:
        request->rom = request->ids.first;
        return false; /* it goes on once it is known that no body follows */
    default:
        return false;
    }
}

/* ---- writing, on a thread of the store */

static int seal_body(struct request *request)
{
    int err = request->body_fd < 0 ? os_memfd("body", IN_SIZE, &request->body_fd) : 0;
    return err ? err : os_seal(request->body_fd);
}

static int parse_image(struct request *request, struct image *image)
{
    void *base = NULL;
    size_t size = request->body_len;
    int err = size > 0 ? os_reserve(size, &base) : 0;
    err = err || size == 0 ? err : os_map_file(base, size, request->body_fd, 0, OS_READ);
    err = err ? err : image_parse(span_of(base, size), request->format, image, &request->msg);
    os_unmap(base, size); /* the format and the entry are all that is looked at from here on */
    if (!err) {
        image_deinit(image);
    }
    return err;
}

static void put_rom_work(void *context)
{
    struct request *request = context;
    struct image image;
    int err = seal_body(request);
    err = err ? err : parse_image(request, &image);
    if (!err) {
        request->entry = image.entry;
        struct blob_put put = {
            .id = request->rom,
            .fd = request->body_fd,
            .size = request->body_len,
            .format = image_format_text(image.format),
            .now_ms = os_wall_ms(),
        };
        err = blob_put(request->service->store, &put, &request->rom_info, &request->msg);
    }
    request->err = err;
}

static void put_rom_done(void *context)
{
    struct request *request = context;
    if (request->err < 0) {
        request_fail_err(request, request->err, &request->msg);
        session_leave(request);
        return;
    }
    struct buf lines;
    struct buf json;
    buf_init(&lines, LINES_MAX);
    buf_init(&json, JSON_BYTES_MAX);
    buf_print(&lines, "Content-Type: application/json\r\nLocation: /mcu/%s\r\n",
              id_text(&request->rom).text);
    etag_of_rom(&request->rom_info, request->sending.etag);
    if (!request->ids.has_first) {
        cookie_put(&lines, "rom", &request->rom);
        cookie_put(&lines, "ram", NULL);
    }
    buf_puts(&json, "{");
    put_rom_members(&json, &request->rom_info);
    buf_print(&json, ",\"entry\":%u}\n", request->entry);
    struct http_body body = http_body_borrowed(buf_span(&json));
    request_reply(request, request->err == 1 ? 201 : 200, &lines, &body);
    buf_deinit(&lines);
    buf_deinit(&json);
    session_leave(request);
}

static void delete_rom_work(void *context)
{
    struct request *request = context;
    request->err = blob_remove(request->service->store, &request->rom, NULL, &request->msg);
}

static void put_ram_work(void *context)
{
    struct request *request = context;
    int err = seal_body(request);
    if (!err) {
        struct ram_put put = {
            .id = request->ids.second,
            .fd = request->body_fd,
            .size = request->body_len,
            .now_ms = os_wall_ms(),
        };
        err = ram_put(request->service->store, &put, &request->ram_info, &request->msg);
    }
    request->err = err;
}

static void put_ram_done(void *context)
{
    struct request *request = context;
    if (request->err < 0) {
        request_fail_err(request, request->err, &request->msg);
    } else {
        struct buf lines;
        buf_init(&lines, LINES_MAX);
        buf_print(&lines, "Location: /mcu/%s/%s\r\n", id_text(&request->ids.first).text,
                  id_text(&request->ids.second).text);
        etag_of_ram(&request->ram_info, request->sending.etag);
        buf_print(&lines, "Mcu-Ram-Version: %s\r\n", request->sending.etag);
        struct http_body body = http_body_borrowed(span_of(NULL, 0));
        request_reply(request, request->err == 1 ? 201 : 200, &lines, &body);
        buf_deinit(&lines);
    }
    session_leave(request);
}

static void delete_ram_work(void *context)
{
    struct request *request = context;
    request->err = ram_remove(request->service->store, &request->ids.second, NULL, &request->msg);
}

static void delete_done(void *context)
{
    struct request *request = context;
    if (request->err) {
        request_fail_err(request, request->err, &request->msg);
    } else {
        struct buf lines;
        buf_init(&lines, LINES_MAX);
        request_reply(request, 204, &lines, &(struct http_body){0});
        buf_deinit(&lines);
    }
    session_leave(request);
}

/* ---- turns: whoever changes a ROM or session does so alone, so that a condition still holds when
 * the change is made */

static bool is_of_ram(const struct request *request)
{
    return request->route->handler == HANDLER_put_ram ||
           request->route->handler == HANDLER_delete_ram;
}

/* The entity tag of what the path names; ERR_NOT_FOUND where nothing is there. */
static int current_etag(struct request *request, char ret_etag[ETAG_SIZE])
{
    struct store *store = request->service->store;
    struct blob_lease blob;
    struct ram_lease ram;
    int err = is_of_ram(request) ? ram_load(store, &request->ids.second, &ram, &request->msg)
                                 : blob_get(store, &request->rom, &blob, &request->msg);
    if (err) {
        return err;
    }
    if (is_of_ram(request)) {
        etag_of_ram(&ram.info, ret_etag);
        ram_release(store, &ram);
    } else {
        etag_of_rom(&blob.rom, ret_etag);
        blob_release(store, &blob);
    }
    return 0;
}

/* Whether it was answered because of its If-Match or If-None-Match. */
static bool refuse_change(struct request *request)
{
    if (!has_condition(request->http)) {
        return false;
    }
    char etag[ETAG_SIZE];
    int err = current_etag(request, etag);
    if (err && err != ERR_NOT_FOUND) {
        request_fail_err(request, err, &request->msg);
        return true;
    }
    return refuse_condition(request, err ? NULL : etag);
}

void object_turn(struct request *request)
{
    static const struct {
        void (*work)(void *);
        void (*done)(void *);
    } changes[HANDLER_COUNT] = {
        [HANDLER_put_rom] = {put_rom_work, put_rom_done},
        [HANDLER_put_ram] = {put_ram_work, put_ram_done},
        [HANDLER_delete_rom] = {delete_rom_work, delete_done},
        [HANDLER_delete_ram] = {delete_ram_work, delete_done},
    };
    bool stands = request->purpose == PURPOSE_REMOVE;
    if (!stands && (!request->http || refuse_change(request))) {
        session_leave(request);
        return;
    }
    request->phase = PHASE_COMMITTING;
    enum handler handler = request->route->handler;
    request_job(request, changes[handler].work, changes[handler].done);
}

/* ROMs wait in the same table as sessions, by an id that no session can have: of a version that is
 * none. */
static struct id turn_of_rom(const struct id *rom)
{
    struct id id = *rom;
    id.bytes[6] ^= 0xf0;
    return id;
}

/* A DELETE of a session stops the run under way, but not where it asks which version is there: that
 * run may change it. */
static void enter(struct request *request)
{
    struct id rom = turn_of_rom(&request->rom);
    const struct id *id = is_of_ram(request) ? &request->ids.second : &rom;
    if (request->route->handler == HANDLER_delete_ram && !has_condition(request->http)) {
        session_enter_to_remove(request, id);
    } else {
        session_enter(request, id);
    }
}

void object_complete(struct request *request)
{
    switch (request->route->handler) {
    case HANDLER_list_roms:
    case HANDLER_list_rams:
        request_job(request, list_work, list_done);
        return;
    case HANDLER_put_rom:
    case HANDLER_put_ram:
    case HANDLER_delete_rom:
    case HANDLER_delete_ram:
        request->purpose = PURPOSE_CHANGE;
        enter(request);
        return;
    default:
        return;
    }
}

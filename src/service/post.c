/* post.c - one run, from its request to its commit and reply */
/* SPDX-License-Identifier: MIT */
#include "service/internal.h"

#include "os/clock.h"
#include "os/error.h"
#include "os/process.h"
#include "os/random.h"
#include "service/dirty.h"
#include "service/guest.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the head: what needs no body */

/* Shows the bad value of a field and says what it may be; false. */
static bool refuse_field(struct request *request, const char *name, const char *may_be,
                         struct span value)
{
    char detail[200];
    snprintf(detail, sizeof detail, "%s is %s, but here `%.*s`", name, may_be,
             value.len < 40 ? (int)value.len : 40, (const char *)value.data);
    request_fail(request, 400, "bad-header", detail);
    return false;
}

/* Reads a field that lowers a cap; true where it is absent or good. */
static bool read_cap(struct request *request, const char *name, uint64_t *cap)
{
    struct span text;
    if (!http_field(request->http, name, &text)) {
        return true;
    }
    uint64_t value = 0;
    bool is_good = text.len > 0 && text.len <= 18 && http_field_repeats(request->http, name) == 1;
    for (size_t i = 0; i < text.len && is_good; i++) {
        is_good = text.data[i] >= '0' && text.data[i] <= '9';
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (!is_good || value == 0) {
        return refuse_field(request, name, "one whole number of 1 to 18 digits and not zero", text);
    }
    *cap = value < *cap ? value : *cap;
    return true;
}

static bool read_ephemeral(struct request *request)
{
    static const char name[] = "Mcu-Ephemeral";
    struct span text;
    if (!http_field(request->http, name, &text)) {
        return true;
    }
    request->is_ephemeral = span_equals_nocase(text, "true");
    return request->is_ephemeral || span_equals_nocase(text, "false") ||
           refuse_field(request, name, "`true` or `false`", text);
}

/* Reads a hexadecimal number, whose last digits go to the first of the seed's bytes. */
static bool parse_seed(struct span text, uint8_t ret_seed[SEED_SIZE])
{
    memset(ret_seed, 0, SEED_SIZE);
    for (size_t i = 0; i < text.len && text.len <= 2 * SEED_SIZE; i++) {
        int digit = hex_digit(text.data[text.len - 1 - i]);
        if (digit < 0) {
            return false;
        }
        ret_seed[i / 2] |= (uint8_t)(i % 2 ? digit << 4 : digit);
    }
    return text.len > 0 && text.len <= 2 * SEED_SIZE;
}

static bool read_seed(struct request *request)
{
    static const char name[] = "Mcu-Seed";
    struct span text;
    if (!http_field(request->http, name, &text)) {
        return true;
    }
    request->has_seed = true;
    if (!span_equals_nocase(text, "random")) {
        return parse_seed(text, request->seed) ||
               refuse_field(request, name, "1 to 32 hexadecimal digits, or `random`", text);
    }
    int err = os_random(request->seed, SEED_SIZE);
    if (err) {
        request_fail_err(request, err, NULL);
    }
    return !err;
}

static bool rom_exists(struct request *request)
{
    struct store *store = request->service->store;
    struct msg msg = {0};
    struct blob_lease lease;
    int err = blob_get(store, &request->rom, &lease, &msg);
    if (err) {
        request_fail_err(request, err, &msg);
        return false;
    }
    blob_release(store, &lease);
    return true;
}

static int ram_exists(struct request *request, const struct id *id, struct msg *msg)
{
    struct store *store = request->service->store;
    if (session_is_known(request->service, id)) {
        return 0;
    }
    struct ram_lease lease;
    int err = ram_load(store, id, &lease, msg);
    if (!err) {
        ram_release(store, &lease);
    }
    return err;
}

/* Which session: the path's, else the cookie's where it belongs to this ROM and is still there,
 * else a new one. */
static bool choose_ram(struct request *request)
{
    const struct cookies *cookies = &request->cookies;
    struct msg msg = {0};
    if (request->ids.has_second) {
        request->ram = request->ids.second;
        int err = ram_exists(request, &request->ram, &msg);
        if (err) {
            request_fail_err(request, err, &msg);
        }
        return !err;
    }
    bool is_ours = cookies->has_ram && cookies->has_rom && id_equals(&cookies->rom, &request->rom);
    if (is_ours) {
        int err = ram_exists(request, &cookies->ram, &msg);
        if (err && err != ERR_NOT_FOUND) {
            request_fail_err(request, err, &msg);
            return false;
        }
        request->ram = cookies->ram;
        if (!err) {
            return true;
        }
    }
    request->is_new = true;
    int err = store_make_id(&request->ram);
    if (err) {
        request_fail_err(request, err, NULL);
    }
    return !err;
}

bool post_head(struct request *request)
{
    const struct service_options *options = &request->service->options;
    request->purpose = PURPOSE_RUN;
    request->cycles_max = options->max_cycles;
    uint64_t max_ms = options->max_ms;
    if (!read_cap(request, "Mcu-Max-Cycles", &request->cycles_max) ||
        !read_cap(request, "Mcu-Max-Ms", &max_ms) || !read_ephemeral(request) ||
        !read_seed(request)) {
        return false;
    }
    request->time_max_ns = max_ms * 1000000u;
    if (!request->ids.has_first && !request->cookies.has_rom) {
        request_fail(request, 404, "no-rom", "neither the path nor a cookie names a ROM");
        return false;
    }
    request->rom = request->ids.has_first ? request->ids.first : request->cookies.rom;
    return rom_exists(request) && choose_ram(request);
}

void post_complete(struct request *request)
{
    session_enter(request, &request->ram);
}

/* ---- a worker */

static void start_run(struct request *request);

static void give_worker_back(struct request *request)
{
    request->service->workers_busy -= request->has_worker;
    request->has_worker = false;
}

/* Keeps what GET /runs/{run} and its console tell. */
static void keep_run(struct request *request)
{
    struct console console = {.run = request->run_id, .len = request->result.console_len};
    console.bytes = malloc(console.len ? console.len : 1);
    if (!console.bytes ||
        os_memfd_read(request->fds[RUN_FD_CONSOLE], console.bytes, console.len, 0)) {
        console.len = 0;
    }
    buf_init(&console.report, JSON_BYTES_MAX);
    report_run(request, &console.report);
    consoles_put(&request->service->consoles, &console, os_now_ns());
}

/* Ends a request that has its session's turn; it must have been answered, or its client gone. */
static void end(struct request *request)
{
    struct service *service = request->service;
    if (request->has_result) {
        keep_run(request);
    }
    request_drop_run(request);
    give_worker_back(request);
    session_leave(request);
    post_next(service);
}

static void no_worker(void *context)
{
    struct request *request = context;
    queue_take(&request->service->workers, request);
    char detail[120];
    snprintf(detail, sizeof detail, "no worker became free for the %llu ms that queue-ms allows",
             (unsigned long long)request->service->options.queue_ms);
    request_fail(request, 429, "queue-timeout", detail);
    end(request);
}

void post_turn(struct request *request)
{
    struct service *service = request->service;
    const struct service_options *options = &service->options;
    if (!request->http) {
        end(request);
        return;
    }
    /* Not past those who wait: one session's queue would keep the others from their turns. */
    if (service->workers_busy < options->workers && !service->workers.first) {
        start_run(request);
        return;
    }
    request->timer = (struct os_timer){.on_due = no_worker, .context = request};
    uint64_t due = request->queued_ns + options->queue_ms * 1000000u;
    if (service->workers.count >= options->waiting_max ||
        os_timer_start(service->poll, &request->timer, due)) {
        char detail[120];
        snprintf(detail, sizeof detail,
                 "%llu runs wait for a worker already, of the %llu that --waiting allows",
                 (unsigned long long)service->workers.count,
                 (unsigned long long)options->waiting_max);
        request_fail(request, 503, "busy", detail);
        end(request);
        return;
    }
    queue_put(&service->workers, request);
    request->phase = PHASE_WORKER;
}

/* A run that cannot start ends at once and leaves its worker to the next. */
void post_next(struct service *service)
{
    if (service->is_starting) {
        return;
    }
    service->is_starting = true;
    while (service->workers.first && service->workers_busy < service->options.workers) {
        struct request *request = service->workers.first;
        queue_take(&request->service->workers, request);
        start_run(request);
    }
    service->is_starting = false;
}

void post_abort(struct request *request)
{
    if (request->phase == PHASE_WORKER) {
        queue_take(&request->service->workers, request);
        request_fail(request, 409, "removed", "the session was removed while this waited");
        end(request);
    } else if (request->phase == PHASE_RUNNING) {
        runner_cancel(request->run);
    }
}

/* ---- the run */

static int lease(struct request *request)
{
    struct store *store = request->service->store;
    int err = blob_get(store, &request->rom, &request->blob, &request->msg);
    if (err) {
        return err;
    }
    request->has_blob = true;
    if (request->is_new) {
        return 0;
    }
    err = ram_load(store, &request->ram, &request->base, &request->msg);
    request->has_base = !err;
    return err;
}

/* A condition is about the resource of the path: where that is no session, about the ROM. */
static bool refuse_run(struct request *request)
{
    char etag[ETAG_SIZE];
    if (request->ids.has_second) {
        etag_of_ram(&request->base.info, etag);
    } else {
        etag_of_rom(&request->blob.rom, etag);
    }
    return refuse_condition(request, etag);
}

static int make_files(struct request *request)
{
    int *fds = request->fds;
    int err = os_memfd("out", OUT_SIZE, &fds[RUN_FD_OUT]);
    err = err ? err : os_memfd("meta", META_SIZE, &fds[RUN_FD_META]);
    err = err ? err : os_memfd("delta", DELTA_BYTES, &fds[RUN_FD_DELTA]);
    err = err ? err : os_memfd("console", CONSOLE_BYTES_MAX, &fds[RUN_FD_CONSOLE]);
    if (!err && request->body_fd < 0) {
        err = os_memfd("body", IN_SIZE, &request->body_fd);
    }
    err = err ? err : os_seal(request->body_fd);
    if (err) {
        return os_fail(&request->msg, err, "the memory files of a run cannot be made");
    }
    fds[RUN_FD_IN] = request->body_fd;
    fds[RUN_FD_IMAGE] = request->blob.fd;
    fds[RUN_FD_RAM] = request->has_base ? request->base.fd : -1;
    return 0;
}

static int write_meta(struct request *request, uint32_t *ret_len)
{
    uint8_t *meta = calloc(1, META_REQUEST_MAX);
    if (!meta) {
        return ERR_NO_MEMORY;
    }
    int err = guest_request(request->http, request->body_len, meta, ret_len, &request->msg);
    if (!err) {
        err = os_memfd_write(request->fds[RUN_FD_META], span_of(meta, *ret_len), 0);
    }
    free(meta);
    return err;
}

static void run_done(void *context, int err, const struct run_result *result);

static int try_start(struct request *request)
{
    uint32_t meta_len = 0;
    int err = make_files(request);
    err = err ? err : write_meta(request, &meta_len);
    err = err ? err : store_make_id(&request->run_id);
    if (err) {
        return err;
    }
    enum image_format format;
    if (!image_format_parse(span_of_string(request->blob.rom.format), &format)) {
        format = IMAGE_AUTO; /* a word that another version has written */
    }
    struct run_request run = {
        .order =
            {
                .cycles_max = request->cycles_max,
                .time_max_ns = request->time_max_ns,
                .image_bytes = request->blob.rom.size,
                .ram_bytes = request->has_base ? request->base.info.size : 0,
                .in_len = (uint32_t)request->body_len,
                .meta_len = meta_len,
                .format = format,
                .boot = request->has_base ? BOOT_WARM : BOOT_COLD,
            },
        .done = run_done,
        .context = request,
    };
    memcpy(run.order.seed, request->seed, sizeof run.order.seed);
    memcpy(run.fds, request->fds, sizeof run.fds);
    err = runner_start(request->service->runner, &run, &request->run);
    if (err == ERR_CLOSED) {
        return fail(&request->msg, ERR_BUSY,
                    "the process that starts runs has died; another takes "
                    "its place");
    }
    return err ? os_fail(&request->msg, err, "the run cannot be ordered") : 0;
}

static void start_run(struct request *request)
{
    request->started_ns = os_now_ns();
    int err = lease(request);
    if (!err && refuse_run(request)) {
        end(request);
        return;
    }
    err = err ? err : try_start(request);
    if (err) {
        int status = err == ERR_TOO_BIG ? 431 : err_http_status(err);
        const char *words = request->msg.text[0] ? request->msg.text : err_text(err);
        request_fail(request, status, NULL, words);
        end(request);
        return;
    }
    request->phase = PHASE_RUNNING;
    request->has_run = true;
    request->has_worker = true;
    request->service->workers_busy++;
}

/* ---- its end */

/* Copies the guest's headers out of META; a reply that is none makes the run a fault. */
static int read_guest_reply(struct request *request)
{
    uint8_t *meta = malloc(META_REPLY_MAX);
    if (!meta) {
        return ERR_NO_MEMORY;
    }
    struct guest_reply reply = {0};
    int err =
        os_memfd_read(request->fds[RUN_FD_META], meta, request->result.meta_len, META_REPLY_AT);
    if (!err && guest_reply_read(span_of(meta, request->result.meta_len), &reply, &request->msg)) {
        request->result.stop.halt = HALT_FAULT;
        request->has_bad_headers = true;
        buf_clear(&reply.lines);
    }
    request->guest_lines = reply.lines;
    request->guest_status = reply.status;
    request->has_guest_type = reply.has_type;
    free(meta);
    return err;
}

static int status_of(const struct request *request)
{
    const struct stop *stop = &request->result.stop;
    switch (stop->halt) {
    case HALT_CYCLES:
    case HALT_TIME:
        return 504;
    case HALT_FAULT:
        return 502;
    case HALT_POWER_DOWN:
    case HALT_SLEEP:
    case HALT_QUIT: /* nobody sits at a server's console */
        break;
    }
    int fallback = stop->exit_code ? 502 : 200;
    return request->guest_status ? request->guest_status : fallback;
}

static void reply_out(struct request *request)
{
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    report_fields(request, &lines);
    buf_put(&lines, request->guest_lines.data, request->guest_lines.len);
    if (!request->has_guest_type) {
        buf_puts(&lines, "Content-Type: application/octet-stream\r\n");
    }
    if (request->is_new && request->is_committed) {
        cookie_put(&lines, "rom", &request->rom);
        cookie_put(&lines, "ram", &request->ram);
    }
    struct http_body body = http_body_borrowed(span_of(NULL, 0));
    if (request->result.out_len > 0) {
        body = http_body_file(request->fds[RUN_FD_OUT], 0, request->result.out_len);
        request->fds[RUN_FD_OUT] = -1;
    }
    request_reply(request, status_of(request), &lines, &body);
    buf_deinit(&lines);
}

static void commit_work(void *context)
{
    struct request *request = context;
    int err = os_seal(request->fds[RUN_FD_DELTA]);
    /* Its child has it mapped, which no honest one does, and is not quite dead yet. */
    err = err == ERR_BUSY ? ERR_CLOSED : err;
    err = err ? err : dirty_read_marks(request->fds[RUN_FD_DELTA], request->marks);
    if (!err) {
        struct ram_commit commit = {
            .id = request->ram,
            .base = request->has_base ? &request->base : NULL,
            .rom = request->rom,
            .now_ms = os_wall_ms(),
            .pages_fd = request->fds[RUN_FD_DELTA],
            .dirty = request->marks,
            .pages_count = RAM_PAGES,
        };
        err = ram_commit(request->service->store, &commit, &request->ram_info, &request->msg);
    }
    request->err = err;
}

/* The run happened, but what it left could not be kept: OUT must not be seen either. */
static void refuse_uncommitted(struct request *request)
{
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    report_fields(request, &lines);
    int status = err_http_status(request->err);
    request_problem(request,
                    &(struct http_problem){
                        .status = status,
                        .type = problem_type(status),
                        .detail = request->msg.text[0] ? request->msg.text : err_text(request->err),
                        .fields = buf_span(&lines),
                    });
    buf_deinit(&lines);
}

static void run_failed(struct request *request, int err)
{
    if (request->is_removed) {
        request_fail(request, 409, "removed", "the session was removed while this ran");
    } else if (err == ERR_CLOSED || err == ERR_TIMEOUT) {
        char detail[120];
        snprintf(detail, sizeof detail, "%s; %s",
                 err == ERR_CLOSED ? "the process of the run died"
                                   : "the run did not stop at its time cap and was killed",
                 report_unkept(request));
        request_fail(request, 503, "worker-died", detail);
    } else {
        request_fail_err(request, err, &request->result.msg);
    }
}

static void commit_done(void *context)
{
    struct request *request = context;
    request->committed_ns = os_now_ns();
    request->is_committed = request->err == 0;
    if (request->err == ERR_CLOSED) {
        run_failed(request, request->err);
    } else if (request->err) {
        refuse_uncommitted(request);
    } else {
        reply_out(request);
    }
    end(request);
}

static void commit(struct request *request)
{
    request->phase = PHASE_COMMITTING;
    request->marks = malloc(RAM_PAGES);
    if (!request->marks) {
        request->err = ERR_NO_MEMORY;
        commit_done(request);
        return;
    }
    request_job(request, commit_work, commit_done);
}

/* What the run left in memory counts from here on: OUT until its client has read it, the changed
 * pages until they are committed. Where there is no room for the pages they stay under the bound of
 * the workers: no other run takes this one's place before they are gone. */
static int count_memory(struct request *request)
{
    struct service *service = request->service;
    uint64_t out = 0;
    uint64_t delta = 0;
    int err = os_memfd_used(request->fds[RUN_FD_OUT], &out);
    err = err ? err : os_memfd_used(request->fds[RUN_FD_DELTA], &delta);
    if (err) {
        return os_fail(&request->msg, err, "what the run left cannot be looked at");
    }
    if (!memory_take(service, out)) {
        return memory_fail(service, &request->msg);
    }
    request->reply_bytes += out;
    if (memory_take(service, delta)) {
        request->delta_bytes = delta;
        give_worker_back(request);
    }
    return 0;
}

static void drop_file(struct request *request, enum run_fd which)
{
    os_close(request->fds[which]);
    request->fds[which] = -1;
}

static void run_over(struct request *request, int err)
{
    request_drop_body(request);
    err = err ? err : read_guest_reply(request);
    drop_file(request, RUN_FD_META);
    if (err || request->is_removed) {
        run_failed(request, err);
        end(request);
    } else if (!request->http) {
        end(request);
    } else if ((request->err = count_memory(request))) {
        refuse_uncommitted(request);
        end(request);
    } else if (request->result.stop.halt == HALT_FAULT) {
        report_fault(request);
        end(request);
    } else if (request->is_ephemeral) {
        reply_out(request);
        end(request);
    } else {
        commit(request);
    }
}

static void run_done(void *context, int err, const struct run_result *result)
{
    struct request *request = context;
    struct service *service = request->service;
    request->run = NULL;
    request->phase = PHASE_COMMITTING;
    request->done_ns = os_now_ns();
    request->result = *result;
    request->has_result = !err;
    run_over(request, err);
    post_next(service);
}

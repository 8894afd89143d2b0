/* report.c - the header fields of a run's reply, and the report of a fault */
/* SPDX-License-Identifier: MIT */
#include "service/internal.h"

#include "os/clock.h"
#include "service/accept.h"

#include <stdio.h>

static double ms_between(uint64_t from, uint64_t to)
{
    return from && to > from ? (double)(to - from) / 1e6 : 0.0;
}

struct timing {
    double queue_ms;
    double setup_ms;
    double run_ms;
    double commit_ms;
};

static struct timing timing_of(const struct request *request)
{
    double run_ms = (double)request->result.run_ns / 1e6;
    double all_ms = ms_between(request->started_ns, request->done_ns);
    return (struct timing){
        .queue_ms = ms_between(request->queued_ns, request->started_ns),
        .setup_ms = all_ms > run_ms ? all_ms - run_ms : 0.0,
        .run_ms = run_ms,
        .commit_ms = ms_between(request->done_ns, request->committed_ns),
    };
}

static void put_seed(const struct request *request, struct buf *text)
{
    for (size_t i = SEED_SIZE; i > 0; i--) {
        buf_print(text, "%02x", request->seed[i - 1]);
    }
}

void report_fields(const struct request *request, struct buf *lines)
{
    const struct stop *stop = &request->result.stop;
    buf_print(lines, "Mcu-Halt: %s\r\n", halt_text(stop->halt));
    if (stop->halt == HALT_POWER_DOWN) {
        buf_print(lines, "Mcu-Exit-Code: %u\r\n", stop->exit_code);
    }
    buf_print(lines, "Mcu-Cycles: %llu\r\nMcu-Instructions: %llu\r\n",
              (unsigned long long)stop->cycles, (unsigned long long)stop->instructions);
    buf_print(lines, "Mcu-Rom: %s\r\nMcu-Run: %s\r\n", id_text(&request->rom).text,
              id_text(&request->run_id).text);
    if (!request->is_new || request->is_committed) {
        char version[VERSION_TEXT_SIZE];
        version_format(request->is_committed ? &request->ram_info.version
                                             : &request->base.info.version,
                       version);
        buf_print(lines, "Mcu-Ram: %s\r\nMcu-Ram-Version: %s\r\n", id_text(&request->ram).text,
                  version);
    }
    if (request->has_seed) {
        buf_puts(lines, "Mcu-Seed: ");
        put_seed(request, lines);
        buf_puts(lines, "\r\n");
    }
    buf_print(lines, "Mcu-Committed: %s\r\n", request->is_committed ? "yes" : "no");
    struct timing t = timing_of(request);
    buf_print(lines,
              "Server-Timing: queue;dur=%.3f, setup;dur=%.3f, run;dur=%.3f, commit;dur=%.3f\r\n",
              t.queue_ms, t.setup_ms, t.run_ms, t.commit_ms);
}

static void put_frame(struct buf *json, const struct run_frame *frame)
{
    buf_print(json, "{\"address\":\"0x%08x\"", frame->address);
    if (frame->name[0]) {
        buf_puts(json, ",\"symbol\":\"");
        buf_put_json(json, span_of_string(frame->name));
        buf_print(json, "\",\"offset\":%u", frame->offset);
    }
    buf_puts(json, "}");
}

static void put_counts(const struct stop *stop, struct buf *json)
{
    buf_print(json, "\"cycles\":%llu,\"instructions\":%llu", (unsigned long long)stop->cycles,
              (unsigned long long)stop->instructions);
}

static void put_cause(const struct request *request, struct buf *json)
{
    const struct run_result *result = &request->result;
    const struct stop *stop = &result->stop;
    if (request->has_bad_headers) {
        buf_puts(json, "\"cause\":\"reply headers\"");
        return;
    }
    buf_print(json,
              "\"cause\":\"%s\",\"mcause\":%u,\"pc\":\"0x%08x\",\"address\":\"0x%08x\","
              "\"place\":\"%s\",\"registers\":{",
              machine_cause_text(stop->mcause), stop->mcause, stop->mepc, stop->mtval,
              machine_place_text(stop->profile, stop->mtval));
    for (int i = 1; i < 32; i++) {
        buf_print(json, "%s\"x%d\":\"0x%08x\"", i > 1 ? "," : "", i, stop->x[i]);
    }
    buf_puts(json, "},\"backtrace\":[");
    for (uint32_t i = 0; i < result->frames_count; i++) {
        buf_puts(json, i > 0 ? "," : "");
        put_frame(json, &result->frames[i]);
    }
    buf_puts(json, "]");
}

const char *report_unkept(const struct request *request)
{
    return request->is_new ? "no session was made" : "the session is unchanged";
}

static void put_detail(const struct request *request, struct buf *text)
{
    const struct run_result *result = &request->result;
    const struct stop *stop = &result->stop;
    if (request->has_bad_headers) {
        buf_puts(text, request->msg.text);
        return;
    }
    buf_print(text, "%s at pc 0x%08x", machine_cause_text(stop->mcause), stop->mepc);
    if (result->frames_count > 0 && result->frames[0].name[0]) {
        buf_print(text, " (%s+%u)", result->frames[0].name, result->frames[0].offset);
    }
    char mtval[MTVAL_TEXT_MAX];
    machine_mtval_text(stop, mtval);
    buf_print(text, ", %s, after %llu cycles; %s", mtval, (unsigned long long)stop->cycles,
              report_unkept(request));
}

static int quality_of(const struct http_request *http, const char *type)
{
    struct accept accept = {0};
    for (size_t i = 0; i < http_fields_count(http); i++) {
        struct http_field field = http_field_at(http, i);
        if (span_equals_nocase(field.name, "Accept")) {
            accept_read(&accept, field.value, type);
        }
    }
    return accept_quality(&accept);
}

/* A report is for whoever does not say that OUT is dearer to them. */
static bool wants_bytes(const struct request *request)
{
    return quality_of(request->http, "application/octet-stream") >
           quality_of(request->http, "application/problem+json");
}

static void reply_bytes(struct request *request, struct buf *lines)
{
    struct http_body body = http_body_borrowed(span_of(NULL, 0));
    if (request->result.out_len > 0) {
        body = http_body_file(request->fds[RUN_FD_OUT], 0, request->result.out_len);
        request->fds[RUN_FD_OUT] = -1;
    }
    buf_puts(lines, "Content-Type: application/octet-stream\r\n");
    request_reply(request, 502, lines, &body);
}

void report_fault(struct request *request)
{
    struct buf lines;
    struct buf detail;
    struct buf members;
    buf_init(&lines, LINES_MAX);
    buf_init(&detail, LINES_MAX);
    buf_init(&members, LINES_MAX);
    report_fields(request, &lines);
    put_detail(request, &detail);
    put_counts(&request->result.stop, &members);
    buf_puts(&members, ",");
    put_cause(request, &members);
    buf_put(&detail, "", 1);
    buf_put(&members, "", 1);
    if (detail.failed || members.failed || lines.failed) {
        request_fail_err(request, ERR_NO_MEMORY, NULL);
    } else if (wants_bytes(request)) {
        reply_bytes(request, &lines);
    } else {
        request_problem(request, &(struct http_problem){.status = 502,
                                                        .type = "fault",
                                                        .detail = (const char *)detail.data,
                                                        .members = (const char *)members.data,
                                                        .fields = buf_span(&lines)});
    }
    buf_deinit(&lines);
    buf_deinit(&detail);
    buf_deinit(&members);
}

static const char *truth(bool is_true)
{
    return is_true ? "true" : "false";
}

static void put_text(struct buf *json, const char *name, const char *text)
{
    buf_print(json, ",\"%s\":\"", name);
    buf_put_json(json, span_of_string(text));
    buf_puts(json, "\"");
}

static void put_fault(const struct request *request, struct buf *json)
{
    struct buf detail;
    buf_init(&detail, LINES_MAX);
    put_detail(request, &detail);
    buf_put(&detail, "", 1);
    buf_puts(json, ",\"fault\":{");
    put_cause(request, json);
    put_text(json, "detail", detail.failed ? "" : (const char *)detail.data);
    buf_puts(json, "}");
    buf_deinit(&detail);
}

/* Whoever is told of a run gets no right to its ROM and session: they are as short as in the log.
 */
void report_run(const struct request *request, struct buf *json)
{
    const struct run_result *result = &request->result;
    const struct stop *stop = &result->stop;
    struct timing t = timing_of(request);
    buf_print(json, "{\"run\":\"%s\",\"rom\":\"%.8s\"", id_text(&request->run_id).text,
              id_text(&request->rom).text);
    if (!request->is_new || request->is_committed) {
        buf_print(json, ",\"ram\":\"%.8s\"", id_text(&request->ram).text);
    }
    put_text(json, "halt", halt_text(stop->halt));
    if (stop->halt == HALT_POWER_DOWN) {
        buf_print(json, ",\"exit_code\":%u", stop->exit_code);
    }
    buf_puts(json, ",");
    put_counts(stop, json);
    buf_print(json, ",\"out_bytes\":%u,\"console_bytes\":%u,\"committed\":%s,\"ephemeral\":%s",
              result->out_len, result->console_len, truth(request->is_committed),
              truth(request->is_ephemeral));
    if (request->has_seed) {
        buf_puts(json, ",\"seed\":\"");
        put_seed(request, json);
        buf_puts(json, "\"");
    }
    buf_print(json,
              ",\"ended_ms\":%llu,\"queue_ms\":%.3f,\"setup_ms\":%.3f,\"run_ms\":%.3f,"
              "\"commit_ms\":%.3f",
              (unsigned long long)os_wall_ms(), t.queue_ms, t.setup_ms, t.run_ms, t.commit_ms);
    if (stop->halt == HALT_FAULT) {
        put_fault(request, json);
    }
    if (request->err) {
        put_text(json, "error", request->msg.text[0] ? request->msg.text : err_text(request->err));
    }
    buf_puts(json, "}\n");
}

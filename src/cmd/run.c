/* run.c - one run of a machine for a command, from options to exit status */
/* SPDX-License-Identifier: MIT */
#include "cmd/run.h"
#include "cmd/cgi.h"
#include "cmd/gdb_serve.h"
#include "cmd/look.h"
#include "cmd/printable.h"
#include "cmd/run_files.h"
#include "isa/isa.h"
#include "machine/backtrace.h"
#include "machine/meta.h"
#include "os/bus.h"
#include "os/map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static const int exits[] = {
#define HALT(name, text, word, exit) [HALT_##name] = (exit),
#include "machine/halt.def"
#undef HALT
};

static void put_console(void *context, struct span bytes)
{
    struct run *r = context;
    uint64_t max = r->options->console_max;
    uint64_t room = r->console_len < max ? max - r->console_len : 0;
    fwrite(bytes.data, 1, bytes.len < room ? bytes.len : (size_t)room,
           r->files[RUN_CONSOLE].stream);
    r->console_len += bytes.len;
}

/* The last line of a console that was cut stands where the rest would. */
static void close_console(const struct run *r)
{
    FILE *to = r->files[RUN_CONSOLE].stream;
    if (r->console_len > r->options->console_max) {
        fprintf(to,
                "\n%s: console cut at %" PRIu64 " of %" PRIu64 " bytes: --console-max raises it\n",
                r->program, r->options->console_max, r->console_len);
    }
    fflush(to);
}

static void name_text(struct run *r, enum run_role role, const char *label, const char *path)
{
    struct run_file *f = &r->files[role];
    *f = (struct run_file){.label = label, .path = path, .mode = OS_GIVEN_TEXT};
}

static bool is_typed_into(const struct run *r)
{
    return r->options->console && strcmp(r->options->console, "tty") == 0;
}

static void name_texts(struct run *r)
{
    const struct run_options *o = r->options;
    name_text(r, RUN_CONSOLE, "--console", is_typed_into(r) ? NULL : o->console);
    name_text(r, RUN_TRACE, "--trace", o->trace && o->trace[0] ? o->trace : NULL);
    name_text(r, RUN_PROFILE, "--profile", o->profile && o->profile[0] ? o->profile : NULL);
    name_text(r, RUN_COVERAGE, "--coverage", o->coverage);
    name_text(r, RUN_HEADERS, "--headers", o->headers);
    name_text(r, RUN_STATS, "--stats-file", o->stats_file);
    name_text(r, RUN_RECORD, "--record", o->record);
    r->files[RUN_REPLAY] =
        (struct run_file){.label = "--replay", .path = o->replay, .mode = OS_GIVEN_READ};
    r->files[RUN_CONSOLE_IN] =
        (struct run_file){.label = "--console-in", .path = o->console_in, .mode = OS_GIVEN_READ};
    r->files[RUN_CONSOLE].stream = is_typed_into(r) ? stdout : o->console ? NULL : stderr;
    r->files[RUN_TRACE].stream = o->trace && !o->trace[0] ? stderr : NULL;
    r->files[RUN_PROFILE].stream = o->profile && !o->profile[0] ? stderr : NULL;
}

static int make_machine(struct run *r, struct msg *msg)
{
    const struct machine_config config = {
        .profile = r->profile,
        .buttons = r->options->buttons,
        .cycles_max = r->options->max_cycles,
        .time_max_ns = r->options->max_ms * 1000000,
        .tohost = r->options->tohost ? r->options->tohost : r->image.tohost,
        .folder = run_given_folder(&r->given),
        .command_line = buf_span(&r->given.command_line),
        .epoch = r->options->epoch,
        .console = put_console,
        .console_context = r,
        .input = is_typed_into(r) || r->options->replay ? &r->typed.input : NULL,
    };
    int err = config.tohost
                  ? machine_check_tohost(machine_profile(r->profile)->windows, config.tohost, msg)
                  : 0;
    if (err) {
        return err;
    }
    err = machine_create(&config, &r->machine);
    return err ? fail(msg, err, "the machine cannot be set up: %s", err_text(err)) : 0;
}

static int read_image(struct run *r, struct msg *msg)
{
    struct msg why = {{0}};
    int err = run_files_view_rom(r, msg);
    if (err) {
        return err;
    }
    err = image_parse_for(r->profile, span_of(r->rom_view, r->rom_len),
                          r->options->raw ? IMAGE_RAW : IMAGE_AUTO, &r->image, &why);
    return err ? fail(msg, err, "%s %s: %s", r->files[RUN_ROM].label, r->files[RUN_ROM].path,
                      why.text)
               : 0;
}

static int fill_meta(struct run *r, struct msg *msg)
{
    uint32_t len = 0;
    if (!r->options->cgi) {
        return 0;
    }
    struct msg why;
    int err = cgi_fill(environ, machine_window(r->machine, WINDOW_META), &len, &why);
    if (err) { /* no image or file is at fault, but what this program was called with */
        return fail(msg, ERR_USAGE, "--cgi: %s", why.text);
    }
    machine_set_meta_len(r->machine, len);
    return 0;
}

static int read_record(struct run *r, struct msg *msg)
{
    const struct run_file *f = &r->files[RUN_REPLAY];
    struct msg why;
    int err = run_files_view(r, RUN_REPLAY, msg);
    if (err || !f->path) {
        return err;
    }
    err = typed_init_replay(&r->typed, f->view, &why);
    return err ? fail(msg, err, "%s %s: %s", f->label, f->path, why.text) : 0;
}

/* The terminal is taken over once nothing can be refused any more. */
static int begin_typing(struct run *r, struct msg *msg)
{
    struct msg why;
    r->typed.record = r->files[RUN_RECORD].stream;
    r->typed.console = r->files[RUN_CONSOLE].stream;
    int err = is_typed_into(r) ? typed_init_live(&r->typed, &why) : 0;
    return err ? fail(msg, err, "--console=tty: %s", why.text) : 0;
}

/* Whatever can be refused comes before the first change of a file. */
static int set_up(struct run *r, struct msg *msg)
{
    uint32_t in_len = 0;
    int err = read_image(r, msg);
    err = err ? err : look_prepare(r, msg);
    err = err ? err : make_machine(r, msg);
    err = err ? err : run_files_take_inputs(r, &in_len, msg);
    err = err ? err : run_files_view(r, RUN_CONSOLE_IN, msg);
    err = err ? err : read_record(r, msg);
    err = err ? err : machine_load(r->machine, &r->image, run_files_rom_fd(r), msg);
    err = err ? err : fill_meta(r, msg);
    err = err ? err : run_files_make(r, msg);
    if (err) {
        return err;
    }
    machine_set_boot(r->machine, r->is_warm ? BOOT_WARM : BOOT_COLD);
    machine_set_in_len(r->machine, in_len);
    machine_set_console_in(r->machine, r->files[RUN_CONSOLE_IN].view);
    machine_reset(r->machine);
    return 0;
}

/* The reply's headers as lines to `to`, NULL: only looks whether all of them are headers. */
static int walk_headers(struct run *r, FILE *to, struct msg *msg)
{
    const uint8_t *reply = machine_window(r->machine, WINDOW_META) + META_REPLY_AT;
    struct span rest = span_of(reply, machine_meta_reply_len(r->machine));
    struct meta_header header;
    int more;
    while ((more = meta_next(&rest, &header, msg)) > 0) {
        if (to) {
            fprintf(to, "%.*s: %.*s\n", (int)header.name.len, (const char *)header.name.data,
                    (int)header.value.len, (const char *)header.value.data);
        }
    }
    return more;
}

/* What is no header is a fault of the guest (http-api.md), wanted by --headers or not; then, and
 * where a trap ended the run before, there may be half a list, of which nothing is written. */
static void take_headers(struct run *r)
{
    struct msg why;
    if (walk_headers(r, NULL, &why) == 0) {
        UNUSED int none_is_bad = walk_headers(r, r->files[RUN_HEADERS].stream, NULL);
    } else if (r->stop.halt != HALT_FAULT) {
        r->stop.halt = HALT_FAULT;
        r->stop.exit_code = 0;
        snprintf(r->bad_header, sizeof r->bad_header, "%s", why.text);
    }
}

static const char *fault_words(const struct run *r)
{
    if (r->stop.halt != HALT_FAULT) {
        return "";
    }
    return r->bad_header[0] ? r->bad_header : machine_cause_text(r->stop.mcause);
}

static void print_stats(const struct run *r, FILE *to)
{
#define STAT(key, format, value, text) fprintf(to, key "=" format "\n", value);
#include "cmd/stats.def"
#undef STAT
}

static void print_place(const struct run *r, const struct backtrace *trace, uint32_t index)
{
    struct span name;
    uint32_t offset;
    fprintf(stderr, "0x%08" PRIx32, trace->pcs[index]);
    if (backtrace_symbol(&r->image, trace, index, &name, &offset)) {
        fprintf(stderr, " (%.*s+0x%" PRIx32 ")", (int)name.len, (const char *)name.data, offset);
    }
}

/* Where the fault is, and a line for each function that waits for the one before. */
static void explain_fault(const struct run *r)
{
    char mtval[MTVAL_TEXT_MAX];
    struct backtrace trace = {.count = 0};
    fprintf(stderr, "%s: fault: %s", r->program, fault_words(r));
    if (!r->bad_header[0]) {
        backtrace_take(r->machine, &r->image, &r->stop, &trace);
        fputs(" at pc ", stderr);
        print_place(r, &trace, 0);
        machine_mtval_text(&r->stop, mtval);
        fprintf(stderr, ", %s", mtval);
    }
    fprintf(stderr, ", after %" PRIu64 " cycles\n", r->stop.cycles);
    for (uint32_t i = 1; i < trace.count; i++) {
        fputs("  called from ", stderr);
        print_place(r, &trace, i);
        fputc('\n', stderr);
    }
}

/* A run that the guest did not end itself is said, whether statistics are wanted or not. */
static void explain(const struct run *r)
{
    switch (r->stop.halt) {
    case HALT_CYCLES:
        fprintf(stderr, "%s: stopped at the cycle cap of %" PRIu64 ": --max-cycles raises it\n",
                r->program, r->options->max_cycles);
        break;
    case HALT_TIME:
        fprintf(stderr, "%s: stopped at the wall-clock cap of %" PRIu64 " ms: --max-ms raises it\n",
                r->program, r->options->max_ms);
        break;
    case HALT_FAULT:
        explain_fault(r);
        break;
    default:
        break;
    }
}

static int debug(struct run *r, struct msg *msg)
{
    struct gdb_serve_options options = {
        .program = r->program, .start = r->start_debugger, .context = r->debugger};
    int err = gdb_parse_port(r->options->gdb, &options.port, msg);
    return err ? err : gdb_serve(r->machine, &options, &r->stop, msg);
}

static int execute(struct run *r, struct msg *msg)
{
    if (r->options->gdb) {
        return debug(r, msg);
    }
    look_run(r);
    return 0;
}

static int check_record(struct run *r, struct msg *msg)
{
    const struct run_file *f = &r->files[RUN_REPLAY];
    struct msg why;
    int err = typed_check(&r->typed, &why);
    return err ? fail(msg, err, "%s %s: %s", f->label, f->path, why.text) : 0;
}

struct job {
    struct run *run;
    struct msg *msg;
};

/* Everything that touches a mapped file. */
static int guarded(void *context)
{
    struct job *job = context;
    struct run *r = job->run;
    int err = set_up(r, job->msg);
    err = err ? err : begin_typing(r, job->msg);
    if (err) {
        return err;
    }
    err = execute(r, job->msg);
    close_console(r);
    typed_restore(&r->typed);
    if (err) {
        return err;
    }
    take_headers(r);
    explain(r);
    if (r->options->stats) {
        print_stats(r, stderr);
    }
    if (r->files[RUN_STATS].stream) {
        print_stats(r, r->files[RUN_STATS].stream);
    }
    err = run_files_send_out(r, job->msg);
    err = err ? err : look_report(r, job->msg);
    return err ? err : check_record(r, job->msg);
}

static int close_text(struct run_file *f, struct msg *msg)
{
    if (!f->stream || f->stream == stderr || f->stream == stdout) {
        return 0;
    }
    int failed = ferror(f->stream);
    failed |= fclose(f->stream);
    return failed ? fail(msg, ERR_FULL, "%s %s: %s", f->label, f->path, strerror(errno)) : 0;
}

static int close_texts(struct run *r, struct msg *msg)
{
    int first = 0;
    for (struct run_file *f = r->files + RUN_WINDOWS; f < r->files + RUN_TEXTS; f++) {
        int err = close_text(f, first ? NULL : msg);
        first = first ? first : err;
    }
    return first;
}

int run_exit_status(const struct run *r)
{
    int status = exits[r->stop.halt];
    if (status >= 0) {
        return status;
    }
    uint32_t code = r->stop.exit_code;
    return code < RUN_GUEST_CODE_MAX ? (int)code : RUN_GUEST_CODE_MAX;
}

static int check_profile(struct run *r, struct msg *msg)
{
    static const char words[] =
#define PROFILE(name, word, is_fitted, has_devices, is_bare, text) " " word
#include "abi/machine.def"
#undef PROFILE
        ;
    const char *machine = r->options->machine;
    return !machine || machine_profile_named(machine, &r->profile)
               ? 0
               : fail(msg, ERR_USAGE, "--machine %.40s: there is no such profile; there are:%s",
                      machine, words);
}

/* The first option given that devices or META must be there for, NULL for none. */
static const char *needs(const struct run *r, const struct profile_row *profile)
{
    const struct run_options *o = r->options;
    const struct {
        const char *name;
        bool is_given;
        bool is_there;
    } rows[] = {
        {"cgi", o->cgi, profile->windows[WINDOW_META].size > 0},
        {"headers", o->headers, profile->windows[WINDOW_META].size > 0},
        {"console-in", o->console_in, profile->has_devices},
        {"console=tty", is_typed_into(r), profile->has_devices},
        {"replay", o->replay, profile->has_devices},
        {"buttons", o->buttons, profile->has_devices},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].is_given && !rows[i].is_there) {
            return rows[i].name;
        }
    }
    return NULL;
}

static int check_console(const struct run *r, struct msg *msg)
{
    const struct run_options *o = r->options;
    bool is_typed = is_typed_into(r);
    if (o->gdb && (is_typed || o->replay)) {
        return fail(msg, ERR_USAGE,
                    "--%s: what a debugger can take back cannot be typed into; use --console-in",
                    is_typed ? "console=tty" : "replay");
    }
    if (is_typed && r->is_out_to_stdout) {
        return fail(msg, ERR_USAGE,
                    "--console=tty: standard input and output are IN and OUT; use rv32im");
    }
    if (o->console_in && (is_typed || o->replay)) {
        return fail(msg, ERR_USAGE, "--console-in with --%s: only one of them can be received",
                    is_typed ? "console=tty" : "replay");
    }
    if (o->replay && is_typed) {
        return fail(msg, ERR_USAGE, "--replay with --console=tty: it types by itself");
    }
    if (o->record && !is_typed && !o->replay) {
        return fail(msg, ERR_USAGE, "--record: nothing is typed without --console=tty");
    }
    return 0;
}

/* What the options need of the machine, and of each other. */
static int check_options(struct run *r, struct msg *msg)
{
    int err = check_profile(r, msg);
    if (err) {
        return err;
    }
    const struct profile_row *profile = machine_profile(r->profile);
    const char *needing = needs(r, profile);
    if (needing) {
        return fail(msg, ERR_USAGE, "--%s: --machine %s has no META window and no devices", needing,
                    profile->name);
    }
    const struct run_options *o = r->options;
    const char *look = o->trace      ? "trace"
                       : o->profile  ? "profile"
                       : o->coverage ? "coverage"
                                     : NULL;
    if (o->gdb && look) {
        return fail(msg, ERR_USAGE, "--%s and --gdb both step through the run: give one", look);
    }
    uint16_t port;
    err = r->options->gdb ? gdb_parse_port(r->options->gdb, &port, msg) : 0;
    return err ? err : check_console(r, msg);
}

static int run_all(struct run *r, struct msg *msg)
{
    /* Whole lines, so that a guest's console is not a system call a character. */
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    name_texts(r);
    int err = os_check_page_size(msg);
    err = err ? err : check_options(r, msg);
    err = err ? err : run_given_init(&r->given, r->options, msg);
    err = err ? err : run_files_open(r, msg);
    if (err) {
        return err;
    }
    struct job job = {r, msg};
    const void *lost = NULL;
    err = os_bus_guard(guarded, &job, &lost);
    if (lost) {
        return run_files_lost(r, lost, msg);
    }
    err = err ? err : close_texts(r, msg);
    return err ? err : option_printed(msg); /* the console, and why the run ended */
}

int run_go(struct run *r)
{
    struct msg msg = {{0}};
    int err = run_all(r, &msg);
    int status = err ? err_exit_status(err) : run_exit_status(r);
    typed_restore(&r->typed);
    if (err) {
        fflush(NULL);
        print_failure(r->program, &msg);
    }
    look_end(r);
    machine_destroy(r->machine);
    image_deinit(&r->image);
    run_given_deinit(&r->given);
    run_files_close(r);
    typed_deinit(&r->typed);
    return status;
}

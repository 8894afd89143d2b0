/* look.c - puts those who look on beside a run */
/* SPDX-License-Identifier: MIT */
#include "cmd/look.h"

int look_prepare(struct run *r, struct msg *msg)
{
    const struct run_options *o = r->options;
    if (o->trace_only.count > 0 && !o->trace) {
        return fail(msg, ERR_USAGE, "--trace-only is about --trace, which is not given");
    }
    int err = trace_choose(&r->trace, &o->trace_only, &r->image, msg);
    if (!err && o->profile) {
        err = costs_create(&r->image, &r->costs);
        err = err ? fail(msg, err, "--profile: no room for its tables: %s", err_text(err)) : 0;
    }
    return err || !o->coverage ? err : coverage_create(&r->image, &r->coverage, msg);
}

static void add(struct step_options *options, void (*see)(void *, const struct step *),
                void *context)
{
    check(options->watchers_count < STEP_WATCHERS_MAX);
    options->watchers[options->watchers_count++] = (struct watcher){see, context};
}

void look_run(struct run *r)
{
    struct step_options options = {.entry = r->image.entry};
    r->trace.to = r->files[RUN_TRACE].stream;
    if (r->trace.to) {
        add(&options, trace_see, &r->trace);
    }
    if (r->costs) {
        add(&options, costs_see, r->costs);
    }
    if (r->coverage) {
        add(&options, coverage_see, r->coverage);
    }
    if (options.watchers_count == 0) {
        machine_run(r->machine, &r->stop);
        return;
    }
    step_run(r->machine, &options, &r->stop);
    if (r->trace.to) {
        trace_end(&r->trace, &r->stop);
    }
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text);
    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static int report_profile(struct run *r, struct msg *msg)
{
    FILE *to = r->files[RUN_PROFILE].stream;
    int err = costs_close(r->costs, msg);
    if (err) {
        return err;
    }
    return ends_in(r->options->profile, ".svg") ? costs_print_flames(r->costs, to, msg)
                                                : costs_print_table(r->costs, to, msg);
}

int look_report(struct run *r, struct msg *msg)
{
    int err = r->costs ? report_profile(r, msg) : 0;
    if (!err && r->coverage) {
        err = coverage_write(r->coverage, r->files[RUN_COVERAGE].stream, msg);
    }
    return err;
}

void look_end(struct run *r)
{
    costs_destroy(r->costs);
    coverage_destroy(r->coverage);
    r->costs = NULL;
    r->coverage = NULL;
}

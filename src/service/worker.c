/* worker.c - the child of one run: maps its windows, puts the walls up, runs the guest, reports */
/* SPDX-License-Identifier: MIT */
#include "service/worker.h"

#include "os/clock.h"
#include "os/map.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "service/dirty.h"

struct worker {
    const struct run_order *order;
    const int *fds;
    uint8_t *console;
    uint32_t console_len;
    struct image image;
    struct machine *machine;
    struct run_result result;
};

/* Maps a whole file somewhere: read only and private, or shared and writable. */
static int map_whole(int fd, uint64_t size, bool is_shared, uint8_t **ret_base)
{
    void *base = NULL;
    int err = os_reserve(size, &base);
    if (!err) {
        err = os_map_file(base, size, fd, 0, is_shared ? OS_READ | OS_WRITE | OS_SHARED : OS_READ);
    }
    if (!err) {
        *ret_base = base;
    }
    return err;
}

/* Keeps the first CONSOLE_BYTES_MAX bytes; a guest that says more is cut, not stopped. */
static void console_put(void *context, struct span bytes)
{
    struct worker *w = context;
    size_t room = CONSOLE_BYTES_MAX - w->console_len;
    size_t len = bytes.len < room ? bytes.len : room;
    memcpy(w->console + w->console_len, bytes.data, len);
    w->console_len += (uint32_t)len;
}

static int map_image(struct worker *w)
{
    const struct run_order *order = w->order;
    struct msg *msg = &w->result.msg;
    uint8_t *bytes = NULL;
    int err = order->image_bytes > 0
                  ? map_whole(w->fds[RUN_FD_IMAGE], order->image_bytes, false, &bytes)
                  : 0;
    if (err) {
        return fail(msg, err, "the image cannot be mapped");
    }
    return image_parse(span_of(bytes, order->image_bytes), order->format, &w->image, msg);
}

static int map_windows(struct worker *w)
{
    const struct run_order *order = w->order;
    struct msg *msg = &w->result.msg;
    struct machine *m = w->machine;
    int err = 0;
    if (order->in_len > 0) {
        err = machine_map_file(
            m, WINDOW_IN, &(struct window_file){w->fds[RUN_FD_IN], order->in_len, MAP_PRIVATE_COPY},
            msg);
    }
    if (!err && w->fds[RUN_FD_RAM] >= 0 && order->ram_bytes > 0) {
        err = machine_map_file(
            m, WINDOW_RAM,
            &(struct window_file){w->fds[RUN_FD_RAM], order->ram_bytes, MAP_PRIVATE_COPY}, msg);
    }
    err = err ? err
              : machine_map_file(m, WINDOW_OUT,
                                 &(struct window_file){w->fds[RUN_FD_OUT], OUT_SIZE, MAP_IN_PLACE},
                                 msg);
    return err ? err
               : machine_map_file(
                     m, WINDOW_META,
                     &(struct window_file){w->fds[RUN_FD_META], META_SIZE, MAP_IN_PLACE}, msg);
}

static int set_up(struct worker *w)
{
    const struct run_order *order = w->order;
    struct msg *msg = &w->result.msg;
    int err = map_whole(w->fds[RUN_FD_CONSOLE], CONSOLE_BYTES_MAX, true, &w->console);
    err = err ? fail(msg, err, "the console cannot be mapped") : map_image(w);
    if (err) {
        return err;
    }
    struct machine_config config = {
        .cycles_max = order->cycles_max,
        .time_max_ns = order->time_max_ns,
        .boot = order->boot,
        .tohost = w->image.tohost,
        .console = console_put,
        .console_context = w,
    };
    memcpy(config.seed, order->seed, sizeof config.seed);
    err = machine_create(&config, &w->machine);
    if (err) {
        return fail(msg, err, "the machine cannot be made: %s", err_text(err));
    }
    err = map_windows(w);
    err = err ? err : machine_load(w->machine, &w->image, w->fds[RUN_FD_IMAGE], msg);
    if (!err) {
        machine_set_in_len(w->machine, order->in_len);
        machine_set_meta_len(w->machine, order->meta_len);
        machine_reset(w->machine);
    }
    return err;
}

static void take_frames(struct worker *w)
{
    struct run_result *result = &w->result;
    struct backtrace trace;
    backtrace_take(w->machine, &w->image, &result->stop, &trace);
    for (uint32_t i = 0; i < trace.count; i++) {
        struct run_frame *frame = &result->frames[i];
        struct span name;
        uint32_t offset = 0;
        frame->address = trace.pcs[i];
        if (backtrace_symbol(&w->image, &trace, i, &name, &offset)) {
            size_t len = name.len < SYMBOL_BYTES_MAX - 1 ? name.len : SYMBOL_BYTES_MAX - 1;
            memcpy(frame->name, name.data, len);
            frame->offset = offset;
        }
    }
    result->frames_count = trace.count;
}

static int send_result(const struct worker *w)
{
    return os_send_fds(w->fds[RUN_FD_SOCKET], span_of(&w->result, sizeof w->result), NULL, 0);
}

static int run(struct worker *w)
{
    struct run_result *result = &w->result;
    uint64_t started = os_now_ns();
    machine_run(w->machine, &result->stop);
    result->run_ns = os_now_ns() - started;
    result->out_len = machine_out_len(w->machine);
    result->meta_len = machine_meta_reply_len(w->machine);
    result->console_len = w->console_len;
    int err = 0;
    if (result->stop.halt == HALT_FAULT) {
        result->frames_follow = 1;
        err = send_result(w);
        result->frames_follow = 0;
        take_frames(w);
        return err;
    }
    err = dirty_write(w->fds[RUN_FD_DELTA], machine_ram_dirty(w->machine),
                      machine_window(w->machine, WINDOW_RAM));
    return err ? fail(&result->msg, err, "the changed pages cannot be handed over") : 0;
}

int worker_confine(void)
{
    /* A machine maps 40 GiB, 580 MiB of them for writing, and a decoded image takes 64 MiB. */
    static const struct os_walls walls = {
        .file_bytes_max = DELTA_BYTES,
        .memory_bytes_max = MiB(704),
        .mapped_bytes_max = GiB(48),
    };
    return os_confine(&walls);
}

void worker_main(const struct run_order *order, const int fds[RUN_FDS_MAX])
{
    os_keep_only(fds, RUN_FDS_MAX);
    struct worker w = {.order = order, .fds = fds};
    struct run_result *result = &w.result;
    result->err = worker_confine();
    if (result->err) {
        result->err = fail(&result->msg, result->err, "this system refuses the walls of a run");
    }
    result->err = result->err ? result->err : set_up(&w);
    result->err = result->err ? result->err : run(&w);
    int err = send_result(&w);
    os_exit(err ? 1 : 0);
}

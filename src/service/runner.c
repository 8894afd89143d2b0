/* runner.c - one child for each run: born by the zygote, watched by socket, pidfd and timer */
/* SPDX-License-Identifier: MIT */
#include "service/runner.h"

#include "os/clock.h"
#include "os/process.h"

#include <stdlib.h>

/* Orders that the zygote has not answered: so few that neither side's socket is ever full, or the
 * two would wait for each other. */
enum { ORDERS_MAX = 16 };

struct run_list {
    struct run *first;
    struct run *last;
    size_t count;
};

struct runner {
    struct os_poll *poll;
    struct runner_options options;
    struct os_watch watch;   /* of the zygote's socket: births, in the order of their orders */
    struct run_list ordered; /* but not born yet */
    struct run_list waiting; /* to be ordered */
    bool is_new; /* the zygote is another one's successor and has not said yet that its walls stand
                  */
    bool is_lost;
};

struct run {
    struct runner *runner;
    struct run_request request;
    struct os_watch watch;
    struct os_timer timer;
    int socket;
    /* The child's end of the socket. We keep it until the birth message has come, when its place
     * is for the pidfd: a child that we cannot kill would be lost. */
    int child_socket;
    int pidfd; /* -1 until the birth message */
    bool is_born;
    bool has_stop; /* `result` is sound and stands, should no other come */
    bool has_end;  /* it sent its result or died; `end` says which */
    int end;
    bool is_cancelled;
    bool is_late;
    struct run_result result;
    struct run *next; /* in one of the runner's lists */
};

static void list_put(struct run_list *list, struct run *run)
{
    *(list->last ? &list->last->next : &list->first) = run;
    list->last = run;
    list->count++;
}

/* Takes the first run away; NULL where there is none. */
static struct run *list_take(struct run_list *list)
{
    struct run *run = list->first;
    if (run) {
        list->first = run->next;
        list->last = list->first ? list->last : NULL;
        list->count--;
        run->next = NULL;
    }
    return run;
}

static void drop_child_socket(struct run *run)
{
    os_close(run->child_socket);
    run->child_socket = -1;
}

static void finish(struct run *run, int err);

/* ERR_BUSY: it has to wait for a birth, after which order_waiting tries again. */
static int send_order(struct run *run)
{
    struct runner *runner = run->runner;
    if (runner->ordered.count >= ORDERS_MAX) {
        return ERR_BUSY;
    }
    int fds[RUN_FDS_MAX];
    memcpy(fds, run->request.fds, sizeof fds);
    fds[RUN_FD_SOCKET] = run->child_socket;
    size_t count = fds[RUN_FD_RAM] < 0 ? RUN_FD_RAM : RUN_FDS_MAX;
    int err = os_send_fds(runner->options.zygote_socket,
                          span_of(&run->request.order, sizeof run->request.order), fds, count);
    return err == ERR_BUSY && !runner->ordered.first ? ERR_FULL : err;
}

static void order_waiting(struct runner *runner)
{
    struct run *run;
    while ((run = runner->waiting.first)) {
        int err = send_order(run);
        if (err == ERR_BUSY) {
            return;
        }
        list_take(&runner->waiting);
        if (err) {
            finish(run, err);
        } else {
            list_put(&runner->ordered, run);
        }
    }
}

static void overdue(void *context)
{
    struct run *run = context;
    run->is_late = true;
    os_kill(run->pidfd);
}

static int be_born(struct run *run, const struct run_birth *birth, int pidfd)
{
    run->is_born = true;
    run->pidfd = pidfd;
    if (birth->err) {
        return birth->err;
    }
    if (run->is_cancelled) {
        os_kill(pidfd);
    }
    struct runner *runner = run->runner;
    uint64_t limit_ns = run->request.order.time_max_ns + runner->options.kill_after_ns;
    run->timer = (struct os_timer){.on_due = overdue, .context = run};
    return os_timer_start(runner->poll, &run->timer, os_now_ns() + limit_ns);
}

/* One that fails before it was of use would fail again. */
static int replace_zygote(struct runner *runner)
{
    int socket = -1;
    int err = runner->is_new ? ERR_CLOSED : zygote_start_again(&socket);
    if (err) {
        return err;
    }
    runner->watch.fd = socket;
    err = os_set_nonblocking(socket);
    err = err ? err : os_watch_start(runner->poll, &runner->watch);
    if (err) {
        os_close(socket);
        return err;
    }
    runner->options.zygote_socket = socket;
    runner->is_new = true;
    return 0;
}

/* The runs that were ordered but not born end here; those that were born die with their parent, as
 * their sockets will tell. */
static void lose_zygote(struct runner *runner)
{
    os_watch_stop(runner->poll, &runner->watch);
    os_close(runner->options.zygote_socket);
    runner->options.zygote_socket = -1;
    struct run_list unborn[] = {runner->ordered, runner->waiting};
    runner->ordered = (struct run_list){0};
    runner->waiting = (struct run_list){0};
    runner->is_lost = replace_zygote(runner) != 0;
    (runner->is_lost ? runner->options.on_lost
                     : runner->options.on_restart)(runner->options.context);
    for (size_t i = 0; i < ARRAY_COUNT(unborn); i++) {
        struct run *run;
        while ((run = list_take(&unborn[i]))) {
            finish(run, ERR_CLOSED);
        }
    }
}

static void zygote_event(void *context, uint32_t events)
{
    UNUSED uint32_t ignored = events;
    struct runner *runner = context;
    struct run *run = runner->ordered.first;
    if (run && !runner->is_new) {
        drop_child_socket(run);
    }
    struct run_birth birth;
    struct os_message came;
    int err = os_recv_fds(runner->options.zygote_socket, &birth, sizeof birth, &came);
    if (err == ERR_BUSY) {
        return;
    }
    bool is_whole = !err && came.len == sizeof birth;
    if (is_whole && runner->is_new && birth.err == 0) {
        runner->is_new = false;
        os_reap(); /* the one before closed its socket a moment before its end */
        return;
    }
    /* A child without a pidfd, which we could not kill, dies with its zygote. */
    if (!is_whole || runner->is_new || !run || (birth.err == 0 && came.fds[0] < 0)) {
        lose_zygote(runner);
        return;
    }
    for (size_t i = 1; i < OS_FDS_MAX; i++) {
        os_close(came.fds[i]);
    }
    list_take(&runner->ordered);
    err = be_born(run, &birth, came.fds[0]);
    if (err) {
        finish(run, err);
    } else if (run->has_end) {
        finish(run, run->end);
    }
    order_waiting(runner);
}

int runner_create(struct os_poll *poll, const struct runner_options *options,
                  struct runner **ret_runner)
{
    struct runner *runner = calloc(1, sizeof *runner);
    if (!runner) {
        return ERR_NO_MEMORY;
    }
    runner->poll = poll;
    runner->options = *options;
    runner->watch = (struct os_watch){.fd = options->zygote_socket,
                                      .events = OS_READABLE,
                                      .on_event = zygote_event,
                                      .context = runner};
    int err = os_set_nonblocking(options->zygote_socket);
    err = err ? err : os_watch_start(poll, &runner->watch);
    if (err) {
        os_close(options->zygote_socket);
        free(runner);
        return err;
    }
    *ret_runner = runner;
    return 0;
}

void runner_destroy(struct runner *runner)
{
    if (runner) {
        if (!runner->is_lost) {
            os_watch_stop(runner->poll, &runner->watch);
        }
        os_close(runner->options.zygote_socket);
        free(runner);
    }
}

static void finish(struct run *run, int err)
{
    struct runner *runner = run->runner;
    if (run->pidfd >= 0) {
        os_kill(run->pidfd);
        os_close(run->pidfd);
    }
    os_timer_stop(runner->poll, &run->timer);
    if (!run->has_end) {
        os_watch_stop(runner->poll, &run->watch);
    }
    os_close(run->socket);
    drop_child_socket(run);
    if (err == ERR_CLOSED && run->is_late) {
        err = ERR_TIMEOUT;
    }
    run->request.done(run->request.context, err, &run->result);
    free(run);
}

/* Why a run may fail: only what an honest child can meet, or a stranger would pick the reply's
 * status and say that the session had gone. Not ERR_IO: an error of the server's (500) is the
 * server's to tell, and a child that meets one counts as died. */
static bool is_error_of_run(int err)
{
    static const int errors[] = {0,        ERR_BAD_IMAGE, ERR_TOO_BIG, ERR_NO_MEMORY,
                                 ERR_FULL, ERR_NOT_BUILT};
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++) {
        if (errors[i] == err) {
            return true;
        }
    }
    return false;
}

/* Ends the text within its array and takes away what could steer a terminal. */
static void clean_text(char *text, size_t size)
{
    text[size - 1] = '\0';
    for (char *c = text; *c; c++) {
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
    }
}

/* What a child says is data from a stranger: cut to its bounds, or refused. */
static bool is_sound(struct run_result *result)
{
    clean_text(result->msg.text, sizeof result->msg.text);
    for (size_t i = 0; i < BACKTRACE_FRAMES_MAX; i++) {
        clean_text(result->frames[i].name, SYMBOL_BYTES_MAX);
    }
    return is_error_of_run(result->err) && (unsigned)result->stop.halt <= HALT_FAULT &&
           result->stop.halt != HALT_QUIT && result->stop.profile == PROFILE_VIRT &&
           result->out_len <= OUT_SIZE && result->meta_len <= META_REPLY_MAX &&
           result->console_len <= CONSOLE_BYTES_MAX && result->frames_count <= BACKTRACE_FRAMES_MAX;
}

/* Takes the child's message; 1: it was a sound result, 0: there was none, or why the run is over.
 */
static int take_result(struct run *run)
{
    struct run_result result;
    struct os_message came;
    int err = os_recv_fds(run->socket, &result, sizeof result, &came);
    if (err) {
        return err == ERR_BUSY ? 0 : ERR_CLOSED;
    }
    for (size_t i = 0; i < OS_FDS_MAX; i++) {
        os_close(came.fds[i]);
    }
    if (came.len != sizeof result || !is_sound(&result)) {
        return ERR_CLOSED;
    }
    run->result = result;
    return 1;
}

static void run_event(void *context, uint32_t events)
{
    UNUSED uint32_t ignored = events;
    struct run *run = context;
    int taken = take_result(run);
    if (taken == 0) {
        return;
    }
    if (taken > 0 && run->result.frames_follow && !run->has_stop) {
        run->has_stop = true;
        return;
    }
    bool is_over = (taken > 0 || run->has_stop) && !run->is_cancelled;
    run->end = is_over ? run->result.err : ERR_CLOSED;
    run->has_end = true;
    os_watch_stop(run->runner->poll, &run->watch);
    if (run->is_born) {
        finish(run, run->end);
    }
}

static int give_up(struct run *run, const int ends[2], int err)
{
    os_close(ends[0]);
    os_close(ends[1]);
    free(run);
    return err;
}

int runner_start(struct runner *runner, const struct run_request *request, struct run **ret_run)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run) {
        return ERR_NO_MEMORY;
    }
    int ends[2] = {-1, -1};
    int err = os_message_pair(ends);
    if (err) {
        free(run);
        return err;
    }
    *run = (struct run){.runner = runner,
                        .request = *request,
                        .socket = ends[0],
                        .child_socket = ends[1],
                        .pidfd = -1};
    run->watch = (struct os_watch){
        .fd = ends[0], .events = OS_READABLE, .on_event = run_event, .context = run};
    err = os_set_nonblocking(ends[0]);
    err = err ? err : os_watch_start(runner->poll, &run->watch);
    if (err) {
        return give_up(run, ends, err);
    }
    err = send_order(run);
    if (err && err != ERR_BUSY) {
        os_watch_stop(runner->poll, &run->watch);
        return give_up(run, ends, err);
    }
    list_put(err ? &runner->waiting : &runner->ordered, run);
    *ret_run = run;
    return 0;
}

void runner_cancel(struct run *run)
{
    run->is_cancelled = true;
    if (run->pidfd >= 0) {
        os_kill(run->pidfd);
    }
}

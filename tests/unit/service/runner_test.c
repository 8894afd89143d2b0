/* runner_test.c - a child that lies to the server, with the test in the zygote's place */
/* SPDX-License-Identifier: MIT */
#include "service/runner.h"

#include "os/process.h"
#include "test.h"

#include <sys/resource.h>
#include <unistd.h>

/* More than the sockets to and from a zygote hold. */
enum { BURST = 1000 };

struct world {
    struct os_poll *poll;
    struct runner *runner;
    int zygote;           /* our end */
    bool is_child_killed; /* after it has said one result */
    bool is_done;
    size_t done_count;
    int err;
    struct run_result result;
};

static void on_done(void *context, int err, const struct run_result *result)
{
    struct world *w = context;
    w->is_done = true;
    w->done_count++;
    w->err = err;
    w->result = *result;
}

static void on_lost(void *context UNUSED)
{
}

static void start(struct world *w)
{
    int ends[2];
    *w = (struct world){.zygote = -1};
    assert_int_equal(os_message_pair(ends), 0);
    assert_int_equal(os_poll_create(&w->poll), 0);
    const struct runner_options options = {.zygote_socket = ends[0],
                                           .kill_after_ns = 1000000000,
                                           .on_lost = on_lost,
                                           .on_restart = on_lost,
                                           .context = w};
    assert_int_equal(runner_create(w->poll, &options, &w->runner), 0);
    w->zygote = ends[1];
}

static void stop(struct world *w)
{
    runner_destroy(w->runner);
    os_poll_destroy(w->poll);
    os_close(w->zygote);
}

/* Takes an order, lets a process be born that only waits, and answers as `said`. */
static void be_child(struct world *w, const struct run_result *said)
{
    struct run_order order;
    struct os_message message;
    assert_int_equal(os_recv_fds(w->zygote, &order, sizeof order, &message), 0);
    int pidfd = -1;
    if (os_fork(&pidfd) == 0) {
        pause();
    }
    struct run_birth birth = {0};
    assert_int_equal(os_send_fds(w->zygote, span_of(&birth, sizeof birth), &pidfd, 1), 0);
    assert_int_equal(os_send_fds(message.fds[RUN_FD_SOCKET], span_of(said, sizeof *said), NULL, 0),
                     0);
    if (w->is_child_killed) {
        os_kill(pidfd);
    }
    os_close(pidfd);
    for (size_t i = 0; i < OS_FDS_MAX; i++) {
        os_close(message.fds[i]);
    }
}

/* Runs once, with a child that says `said`; what the server made of it is in `w`. */
static void run(struct world *w, const struct run_result *said)
{
    struct run_request request = {
        .order = {.time_max_ns = 60000000000u}, .done = on_done, .context = w};
    for (int i = 0; i < RUN_FDS_MAX; i++) {
        assert_int_equal(i == RUN_FD_SOCKET ? 0 : os_memfd("x", 4096, &request.fds[i]), 0);
    }
    struct run *started = NULL;
    w->is_done = false;
    assert_int_equal(runner_start(w->runner, &request, &started), 0);
    be_child(w, said);
    for (int i = 0; i < 100 && !w->is_done; i++) {
        assert_int_equal(os_poll_once(w->poll, 100000000), 0);
    }
    assert_true(w->is_done);
    for (int i = 0; i < RUN_FDS_MAX; i++) {
        os_close(i == RUN_FD_SOCKET ? -1 : request.fds[i]);
    }
}

TEST(runner, passes_an_honest_result_on)
{
    struct world w;
    start(&w);
    run(&w, &(struct run_result){.out_len = 5, .stop = {.halt = HALT_POWER_DOWN}});
    assert_int_equal(w.err, 0);
    assert_int_equal(w.result.out_len, 5);
    run(&w, &(struct run_result){.err = ERR_BAD_IMAGE, .msg = {"segment 2 is too long"}});
    assert_int_equal(w.err, ERR_BAD_IMAGE);
    assert_string_equal(w.result.msg.text, "segment 2 is too long");
    stop(&w);
}

TEST(runner, lets_a_fault_stand_whose_child_dies_over_its_back_trace)
{
    struct world w;
    start(&w);
    w.is_child_killed = true;
    run(&w, &(struct run_result){.out_len = 5, .stop = {.halt = HALT_FAULT}, .frames_follow = 1});
    assert_int_equal(w.err, 0);
    assert_int_equal(w.result.stop.halt, HALT_FAULT);
    run(&w, &(struct run_result){.err = ERR_TIMEOUT, .frames_follow = 1});
    assert_int_equal(w.err, ERR_CLOSED);
    stop(&w);
}

TEST(runner, takes_no_status_from_a_child_that_a_run_cannot_have)
{
    static const int errors[] = {1,         -1,          ERR_NOT_FOUND, ERR_CONFLICT,
                                 ERR_QUOTA, ERR_TIMEOUT, ERR_IO};
    struct world w;
    start(&w);
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++) {
        run(&w, &(struct run_result){.err = errors[i], .msg = {"the session was removed"}});
        assert_int_equal(w.err, ERR_CLOSED);
        assert_string_equal(w.result.msg.text, "");
    }
    stop(&w);
}

TEST(runner, takes_no_lengths_beyond_the_windows)
{
    struct world w;
    start(&w);
    run(&w, &(struct run_result){.out_len = OUT_SIZE + 1});
    assert_int_equal(w.err, ERR_CLOSED);
    run(&w, &(struct run_result){.meta_len = META_REPLY_MAX + 1});
    assert_int_equal(w.err, ERR_CLOSED);
    run(&w, &(struct run_result){.console_len = CONSOLE_BYTES_MAX + 1});
    assert_int_equal(w.err, ERR_CLOSED);
    run(&w, &(struct run_result){.frames_count = BACKTRACE_FRAMES_MAX + 1});
    assert_int_equal(w.err, ERR_CLOSED);
    run(&w, &(struct run_result){.stop = {.halt = (enum halt)99}});
    assert_int_equal(w.err, ERR_CLOSED);
    run(&w, &(struct run_result){.stop = {.halt = HALT_QUIT}});
    assert_int_equal(w.err, ERR_CLOSED);
    run(&w, &(struct run_result){.stop = {.profile = PROFILE_CLASSIC}});
    assert_int_equal(w.err, ERR_CLOSED);
    run(&w, &(struct run_result){.stop = {.profile = (enum profile)99}});
    assert_int_equal(w.err, ERR_CLOSED);
    stop(&w);
}

TEST(runner, lets_no_text_of_a_child_steer_a_terminal_or_run_on)
{
    struct world w;
    start(&w);
    struct run_result said = {.err = ERR_FULL, .msg = {"\x1b[2J\r\nall is lost"}};
    memset(said.frames[0].name, 'x', sizeof said.frames[0].name);
    said.frames[BACKTRACE_FRAMES_MAX - 1] = (struct run_frame){.name = "f\x7f\n"};
    run(&w, &said);
    assert_int_equal(w.err, ERR_FULL);
    assert_string_equal(w.result.msg.text, "?[2J??all is lost");
    assert_int_equal(strlen(w.result.frames[0].name), SYMBOL_BYTES_MAX - 1);
    assert_string_equal(w.result.frames[BACKTRACE_FRAMES_MAX - 1].name, "f??");
    stop(&w);
}

/* Answers the next order as a zygote that cannot fork; false where there is none. */
static bool refuse_order(struct world *w)
{
    struct run_order order;
    struct os_message message;
    if (os_recv_fds(w->zygote, &order, sizeof order, &message)) {
        return false;
    }
    for (size_t i = 0; i < OS_FDS_MAX; i++) {
        os_close(message.fds[i]);
    }
    struct run_birth birth = {.err = ERR_NO_MEMORY};
    return os_send_fds(w->zygote, span_of(&birth, sizeof birth), NULL, 0) == 0;
}

TEST(runner, never_waits_for_a_zygote_that_is_behind)
{
    struct world w;
    start(&w);
    assert_int_equal(os_set_nonblocking(w.zygote), 0);
    assert_true(os_allow_files(4 * BURST) >= 4 * BURST);
    int fd = -1;
    assert_int_equal(os_memfd("x", 4096, &fd), 0);
    struct run_request request = {.done = on_done, .context = &w};
    for (int i = 0; i < RUN_FDS_MAX; i++) {
        request.fds[i] = fd;
    }
    alarm(20); /* a run that waits here waits for ever */
    for (int i = 0; i < BURST; i++) {
        struct run *started = NULL;
        assert_int_equal(runner_start(w.runner, &request, &started), 0);
    }
    while (refuse_order(&w)) {
        assert_int_equal(os_poll_once(w.poll, 100000000), 0);
    }
    alarm(0);
    assert_int_equal(w.done_count, BURST);
    assert_int_equal(w.err, ERR_NO_MEMORY);
    os_close(fd);
    stop(&w);
}

TEST(runner, has_a_place_for_the_descriptor_of_a_child_that_is_born)
{
    struct world w;
    start(&w);
    struct run_request request = {
        .order = {.time_max_ns = 60000000000u}, .done = on_done, .context = &w};
    for (int i = 0; i < RUN_FDS_MAX; i++) {
        request.fds[i] = STDERR_FILENO;
    }
    struct run *started = NULL;
    assert_int_equal(runner_start(w.runner, &request, &started), 0);
    be_child(&w, &(struct run_result){.out_len = 5, .stop = {.halt = HALT_POWER_DOWN}});
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, before.rlim_max}), 0);
    int taken[64];
    size_t count = 0;
    while ((taken[count] = dup(STDERR_FILENO)) >= 0) {
        count++;
    }
    for (int i = 0; i < 100 && !w.is_done; i++) {
        assert_int_equal(os_poll_once(w.poll, 100000000), 0);
    }
    assert_true(w.is_done);
    assert_int_equal(w.err, 0);
    while (count > 0) {
        os_close(taken[--count]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    stop(&w);
}

/* Else nobody could kill it, and it would count no longer. */
TEST(runner, gives_up_a_zygote_whose_child_came_without_a_descriptor)
{
    struct world w;
    start(&w);
    struct run_request request = {.done = on_done, .context = &w};
    for (int i = 0; i < RUN_FDS_MAX; i++) {
        request.fds[i] = STDERR_FILENO;
    }
    struct run *started = NULL;
    assert_int_equal(runner_start(w.runner, &request, &started), 0);
    struct run_birth birth = {0};
    assert_int_equal(os_send_fds(w.zygote, span_of(&birth, sizeof birth), NULL, 0), 0);
    /* No place for another zygote's socket: it would be this program anew. */
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
    assert_int_equal(os_poll_once(w.poll, 100000000), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(w.err, ERR_CLOSED);
    struct os_message message;
    char byte;
    assert_int_equal(os_set_nonblocking(w.zygote), 0);
    assert_int_equal(os_recv_fds(w.zygote, &byte, sizeof byte, &message), ERR_ARGUMENT);
    assert_int_equal(os_recv_fds(w.zygote, &byte, sizeof byte, &message), 0);
    assert_int_equal(message.len, 0);
    stop(&w);
}

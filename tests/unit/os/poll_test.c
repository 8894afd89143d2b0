/* poll_test.c - the loop's order of things: timers, watches that go away, posts, signals */
/* SPDX-License-Identifier: MIT */
#include "base/span.h"
#include "os/clock.h"
#include "os/poll.h"
#include "os/socket.h"

#include "test.h"

#include <pthread.h>
#include <signal.h>

enum { TIMERS_COUNT = 200 };

struct seen {
    struct os_poll *poll;
    uint64_t last_due_ns;
    int fired_count;
    struct os_watch watches[2];
    int events_count;
    int posts_count;
};

struct one {
    struct seen *seen;
    struct os_timer timer;
};

static void note_order(void *context)
{
    struct one *one = context;
    assert_true(one->timer.due_ns >= one->seen->last_due_ns);
    assert_int_equal(one->timer.place, 0);
    one->seen->last_due_ns = one->timer.due_ns;
    one->seen->fired_count++;
}

TEST(timer, fires_in_order_unless_stopped)
{
    struct seen seen = {0};
    static struct one ones[TIMERS_COUNT];
    assert_int_equal(os_poll_create(&seen.poll), 0);
    uint64_t now = os_now_ns();
    for (uint64_t i = 0; i < TIMERS_COUNT; i++) {
        ones[i] = (struct one){&seen, {.on_due = note_order, .context = &ones[i]}};
        uint64_t due = now - 1000 + i * 7919 % 1000;
        assert_int_equal(os_timer_start(seen.poll, &ones[i].timer, due), 0);
    }
    for (int i = 0; i < TIMERS_COUNT; i += 3) {
        os_timer_stop(seen.poll, &ones[i].timer);
        os_timer_stop(seen.poll, &ones[i].timer);
    }
    /* Moved to the end of the world: it does not fire. */
    assert_int_equal(os_timer_start(seen.poll, &ones[1].timer, now + 3600000000000u), 0);
    assert_int_equal(os_poll_once(seen.poll, 0), 0);
    assert_int_equal(seen.fired_count, TIMERS_COUNT - (TIMERS_COUNT + 2) / 3 - 1);
    os_poll_destroy(seen.poll);
}

static void stop_both(void *context, uint32_t events)
{
    struct seen *seen = context;
    assert_true(events & OS_READABLE);
    seen->events_count++;
    os_watch_stop(seen->poll, &seen->watches[0]);
    os_watch_stop(seen->poll, &seen->watches[1]);
}

TEST(watch, that_is_stopped_by_another_gets_no_event_of_the_same_turn)
{
    struct seen seen = {0};
    int a[2];
    int b[2];
    assert_int_equal(os_poll_create(&seen.poll), 0);
    assert_int_equal(os_socket_pair(a), 0);
    assert_int_equal(os_socket_pair(b), 0);
    struct span x = span_of_string("x");
    assert_int_equal(os_socket_send(a[1], x, span_of(NULL, 0), false), 1);
    assert_int_equal(os_socket_send(b[1], x, span_of(NULL, 0), false), 1);
    seen.watches[0] = (struct os_watch){a[0], OS_READABLE, stop_both, &seen};
    seen.watches[1] = (struct os_watch){b[0], OS_READABLE, stop_both, &seen};
    assert_int_equal(os_watch_start(seen.poll, &seen.watches[0]), 0);
    assert_int_equal(os_watch_start(seen.poll, &seen.watches[1]), 0);
    assert_int_equal(os_poll_once(seen.poll, 0), 0);
    assert_int_equal(seen.events_count, 1);
    for (int i = 0; i < 2; i++) {
        os_close(a[i]);
        os_close(b[i]);
    }
    os_poll_destroy(seen.poll);
}

static void note_post(void *context)
{
    struct seen *seen = context;
    if (++seen->posts_count == 2) {
        os_poll_stop(seen->poll);
    }
}

static void *post_twice(void *context)
{
    struct seen *seen = context;
    static struct os_post posts[2];
    for (int i = 0; i < 2; i++) {
        posts[i] = (struct os_post){.run = note_post, .context = seen};
        os_poll_post(seen->poll, &posts[i]);
    }
    return NULL;
}

TEST(post, from_another_thread_runs_on_the_loop)
{
    struct seen seen = {0};
    pthread_t thread;
    assert_int_equal(os_poll_create(&seen.poll), 0);
    assert_int_equal(pthread_create(&thread, NULL, post_twice, &seen), 0);
    assert_int_equal(os_poll_run(seen.poll), 0);
    assert_int_equal(seen.posts_count, 2);
    pthread_join(thread, NULL);
    os_poll_destroy(seen.poll);
}

TEST(signals, come_one_by_one)
{
    int fd;
    int wanted[] = {SIGUSR1, SIGUSR2};
    assert_int_equal(os_signals_open(wanted, 2, &fd), 0);
    assert_int_equal(os_signals_next(fd), 0);
    raise(SIGUSR2);
    assert_int_equal(os_signals_next(fd), SIGUSR2);
    assert_int_equal(os_signals_next(fd), 0);
    os_close(fd);
}

static void check_address(const char *text, const char *back, bool is_loopback)
{
    struct os_address address;
    struct msg msg;
    char out[OS_ADDRESS_TEXT_MAX];
    assert_int_equal(os_address_parse(text, &address, &msg), 0);
    os_address_format(&address, out);
    assert_string_equal(out, back);
    assert_int_equal(os_address_is_loopback(&address), is_loopback);
}

TEST(address, reads_and_writes_both_families)
{
    struct os_address address;
    struct msg msg;
    check_address("127.0.0.1:80", "127.0.0.1:80", true);
    check_address("127.9.9.9:0", "127.9.9.9:0", true);
    check_address("0.0.0.0:8080", "0.0.0.0:8080", false);
    check_address("[::1]:65535", "[::1]:65535", true);
    check_address("[::]:1", "[::]:1", false);
    check_address("[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1", true);
    static const char *const bad[] = {"", "80", ":80", "127.0.0.1", "127.0.0.1:", "[::1]", "[]:80"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_int_equal(os_address_parse(bad[i], &address, &msg), ERR_ARGUMENT);
    }
}

/* poll.c - the event loop over epoll(7), eventfd(2) and signalfd(2) */
/* SPDX-License-Identifier: MIT */
#include "os/poll.h"

#include "os/clock.h"
#include "os/error.h"
#include "os/socket.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { BATCH_MAX = 64 };

struct os_poll {
    int fd;
    bool is_stopped;
    uint64_t now_ns;
    struct os_timer **heap; /* binary, earliest first; place i is heap[i - 1] */
    size_t heap_count;
    size_t heap_size;
    struct epoll_event batch[BATCH_MAX];
    int batch_at;
    int batch_count;
    struct os_watch wake; /* the eventfd that a post writes to */
    pthread_mutex_t mutex;
    struct os_post *first_post; /* under mutex, as is the next */
    struct os_post **last_post;
};

static void run_posts(void *context, uint32_t events UNUSED)
{
    struct os_poll *poll = context;
    uint64_t count;
    ssize_t got = read(poll->wake.fd, &count, sizeof count);
    check(got == sizeof count || errno == EAGAIN);
    pthread_mutex_lock(&poll->mutex);
    struct os_post *post = poll->first_post;
    poll->first_post = NULL;
    poll->last_post = &poll->first_post;
    pthread_mutex_unlock(&poll->mutex);
    while (post) {
        struct os_post *next = post->next;
        post->run(post->context);
        post = next;
    }
}

int os_poll_create(struct os_poll **ret_poll)
{
    struct os_poll *poll = calloc(1, sizeof *poll);
    if (!poll) {
        return ERR_NO_MEMORY;
    }
    poll->last_post = &poll->first_post;
    pthread_mutex_init(&poll->mutex, NULL);
    poll->fd = epoll_create1(EPOLL_CLOEXEC);
    poll->wake = (struct os_watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                   .events = OS_READABLE,
                                   .on_event = run_posts,
                                   .context = poll};
    if (poll->fd < 0 || poll->wake.fd < 0 || os_watch_start(poll, &poll->wake)) {
        int err = os_error(errno);
        os_poll_destroy(poll);
        return err;
    }
    poll->now_ns = os_now_ns();
    *ret_poll = poll;
    return 0;
}

void os_poll_destroy(struct os_poll *poll)
{
    if (!poll) {
        return;
    }
    os_close(poll->wake.fd);
    os_close(poll->fd);
    pthread_mutex_destroy(&poll->mutex);
    free(poll->heap);
    free(poll);
}

static int wait_ms(const struct os_poll *poll, uint64_t timeout_ns)
{
    uint64_t now = os_now_ns();
    if (poll->heap_count > 0) {
        uint64_t due = poll->heap[0]->due_ns;
        uint64_t left = due > now ? due - now : 0;
        timeout_ns = left < timeout_ns ? left : timeout_ns;
    }
    /* Rounded up: waking a moment too early would spin. */
    uint64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return ms > 3600000 ? 3600000 : (int)ms;
}

static uint32_t events_of(uint32_t flags)
{
    return (flags & EPOLLIN ? OS_READABLE : 0) | (flags & EPOLLOUT ? OS_WRITABLE : 0) |
           (flags & EPOLLRDHUP ? OS_HALF_CLOSED : 0) |
           (flags & (EPOLLERR | EPOLLHUP) ? OS_BROKEN : 0);
}

int os_poll_once(struct os_poll *poll, uint64_t timeout_ns)
{
    int count = epoll_wait(poll->fd, poll->batch, BATCH_MAX, wait_ms(poll, timeout_ns));
    if (count < 0 && errno != EINTR) {
        return ERR_IO;
    }
    poll->now_ns = os_now_ns();
    poll->batch_count = count < 0 ? 0 : count;
    for (poll->batch_at = 0; poll->batch_at < poll->batch_count; poll->batch_at++) {
        struct os_watch *watch = poll->batch[poll->batch_at].data.ptr;
        if (watch) {
            watch->on_event(watch->context, events_of(poll->batch[poll->batch_at].events));
        }
    }
    poll->batch_count = 0;
    /* A timer that is started again by its own callback waits for the next turn. */
    uint64_t now = poll->now_ns;
    for (size_t i = poll->heap_count; i > 0 && poll->heap_count > 0; i--) {
        struct os_timer *timer = poll->heap[0];
        if (timer->due_ns > now) {
            break;
        }
        os_timer_stop(poll, timer);
        timer->on_due(timer->context);
    }
    return 0;
}

int os_poll_run(struct os_poll *poll)
{
    poll->is_stopped = false;
    while (!poll->is_stopped) {
        int err = os_poll_once(poll, UINT64_MAX);
        if (err) {
            return err;
        }
    }
    return 0;
}

void os_poll_stop(struct os_poll *poll)
{
    poll->is_stopped = true;
}

uint64_t os_poll_now(const struct os_poll *poll)
{
    return poll->now_ns;
}

static struct epoll_event event_of(struct os_watch *watch)
{
    uint32_t events = watch->events;
    return (struct epoll_event){
        .events = (events & OS_READABLE ? (uint32_t)EPOLLIN : 0) |
                  (events & OS_WRITABLE ? (uint32_t)EPOLLOUT : 0) |
                  (events & OS_HALF_CLOSED ? (uint32_t)EPOLLRDHUP : 0),
        .data.ptr = watch,
    };
}

int os_watch_start(struct os_poll *poll, struct os_watch *watch)
{
    struct epoll_event event = event_of(watch);
    if (epoll_ctl(poll->fd, EPOLL_CTL_ADD, watch->fd, &event)) {
        return errno == ENOSPC ? ERR_NO_MEMORY : os_error(errno);
    }
    return 0;
}

void os_watch_change(struct os_poll *poll, struct os_watch *watch, uint32_t events)
{
    if (watch->events == events) {
        return;
    }
    watch->events = events;
    struct epoll_event event = event_of(watch);
    check(epoll_ctl(poll->fd, EPOLL_CTL_MOD, watch->fd, &event) == 0);
}

void os_watch_stop(struct os_poll *poll, struct os_watch *watch)
{
    epoll_ctl(poll->fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = poll->batch_at; i < poll->batch_count; i++) {
        if (poll->batch[i].data.ptr == watch) {
            poll->batch[i].data.ptr = NULL;
        }
    }
}

static void put(struct os_poll *poll, size_t place, struct os_timer *timer)
{
    poll->heap[place - 1] = timer;
    timer->place = place;
}

/* Finds `timer` its place, starting from the free one `place`: up first, then down. */
static void settle(struct os_poll *poll, size_t place, struct os_timer *timer)
{
    while (place > 1 && poll->heap[place / 2 - 1]->due_ns > timer->due_ns) {
        put(poll, place, poll->heap[place / 2 - 1]);
        place /= 2;
    }
    for (;;) {
        size_t child = place * 2;
        if (child < poll->heap_count && poll->heap[child]->due_ns < poll->heap[child - 1]->due_ns) {
            child++;
        }
        if (child > poll->heap_count || poll->heap[child - 1]->due_ns >= timer->due_ns) {
            break;
        }
        put(poll, place, poll->heap[child - 1]);
        place = child;
    }
    put(poll, place, timer);
}

int os_timer_start(struct os_poll *poll, struct os_timer *timer, uint64_t due_ns)
{
    if (timer->place == 0) {
        if (poll->heap_count == poll->heap_size) {
            size_t size = poll->heap_size ? poll->heap_size * 2 : 64;
            struct os_timer **heap = realloc(poll->heap, size * sizeof *heap);
            if (!heap) {
                return ERR_NO_MEMORY;
            }
            poll->heap = heap;
            poll->heap_size = size;
        }
        timer->place = ++poll->heap_count;
    }
    timer->due_ns = due_ns;
    settle(poll, timer->place, timer);
    return 0;
}

void os_timer_stop(struct os_poll *poll, struct os_timer *timer)
{
    size_t place = timer->place;
    if (place == 0) {
        return;
    }
    timer->place = 0;
    struct os_timer *last = poll->heap[--poll->heap_count];
    if (last != timer) {
        settle(poll, place, last);
    }
}

void os_poll_post(struct os_poll *poll, struct os_post *post)
{
    post->next = NULL;
    pthread_mutex_lock(&poll->mutex);
    *poll->last_post = post;
    poll->last_post = &post->next;
    pthread_mutex_unlock(&poll->mutex);
    uint64_t one = 1;
    ssize_t put_bytes = write(poll->wake.fd, &one, sizeof one);
    check(put_bytes == sizeof one || errno == EAGAIN);
}

int os_signals_open(const int *signals, size_t count, int *ret_fd)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) {
        sigaddset(&set, signals[i]);
    }
    if (pthread_sigmask(SIG_BLOCK, &set, NULL)) {
        return ERR_IO;
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return os_error(errno);
    }
    *ret_fd = fd;
    return 0;
}

int os_signals_next(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void os_ignore_broken_pipes(void)
{
    signal(SIGPIPE, SIG_IGN);
}

/* poll.h - the event loop: descriptors, timers, posts from other threads, signals */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_poll_create -> os_watch_start / os_timer_start ... -> os_poll_run -> os_poll_stop
 * (from a callback) -> os_poll_destroy. Watches and timers are the caller's storage, zeroed, and
 * must be stopped before they go away; stopping in any callback is safe, its own included.
 * One thread runs a loop and does everything with it; only os_poll_post is for other threads. */

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_poll;

MUST_CHECK int os_poll_create(struct os_poll **ret_poll);
/* NULL is accepted. Posts that have not run are forgotten. */
void os_poll_destroy(struct os_poll *poll);
/* Runs callbacks until os_poll_stop. */
MUST_CHECK int os_poll_run(struct os_poll *poll);
/* Waits at most `timeout_ns` (0: not at all) for something to happen and runs its callbacks. */
MUST_CHECK int os_poll_once(struct os_poll *poll, uint64_t timeout_ns);
void os_poll_stop(struct os_poll *poll);
/* os_now_ns() as of the last wake-up, for free. */
uint64_t os_poll_now(const struct os_poll *poll);

/* ---- descriptors ----------------------------------------------------------------------------- */

enum os_event {
    OS_READABLE = 1,
    OS_WRITABLE = 2,
    OS_HALF_CLOSED = 4, /* the peer of a stream socket sends no more */
    OS_BROKEN = 8,      /* error or both directions closed; comes unasked */
};

struct os_watch {
    int fd; /* borrowed */
    uint32_t events;
    void (*on_event)(void *context, uint32_t events);
    void *context;
};

/* Fill in fd, events, on_event and context, then start. Events repeat while they hold. */
MUST_CHECK int os_watch_start(struct os_poll *poll, struct os_watch *watch);
/* Asks for other events from now on; no system call where they are the same. */
void os_watch_change(struct os_poll *poll, struct os_watch *watch, uint32_t events);
/* To be called before the descriptor is closed. */
void os_watch_stop(struct os_poll *poll, struct os_watch *watch);

/* ---- timers ---------------------------------------------------------------------------------- */

struct os_timer {
    uint64_t due_ns; /* os_now_ns time */
    size_t place;    /* in the loop's heap, from 1; 0 while not running */
    void (*on_due)(void *context);
    void *context;
};

/* Fill in on_due and context, then start; starting again moves it. Fires once. */
MUST_CHECK int os_timer_start(struct os_poll *poll, struct os_timer *timer, uint64_t due_ns);
/* A timer that is not running is accepted. */
void os_timer_stop(struct os_poll *poll, struct os_timer *timer);

/* ---- other threads, signals -------------------------------------------------------------------
 */

struct os_post {
    void (*run)(void *context);
    void *context;
    struct os_post *next;
};

/* From any thread: has `post` run on the loop's thread, in order. Keeps it until it runs. */
void os_poll_post(struct os_poll *poll, struct os_post *post);

/* Blocks these signals in this thread (do it before threads are made: they inherit) and returns a
 * descriptor that is readable when one has come; to be closed with os_close. */
MUST_CHECK int os_signals_open(const int *signals, size_t count, int *ret_fd);
/* The next signal that came, 0 for none. */
int os_signals_next(int fd);
void os_ignore_broken_pipes(void);

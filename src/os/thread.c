/* thread.c - threads and monitors over pthread(7) */
/* SPDX-License-Identifier: MIT */
#include "os/thread.h"

#include <pthread.h>
#include <stdlib.h>

struct os_monitor {
    pthread_mutex_t mutex;
    pthread_cond_t bell;
};

struct os_thread {
    pthread_t thread;
    void (*main)(void *context);
    void *context;
};

int os_monitor_create(struct os_monitor **ret_monitor)
{
    struct os_monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor) {
        return ERR_NO_MEMORY;
    }
    if (pthread_mutex_init(&monitor->mutex, NULL)) {
        free(monitor);
        return ERR_NO_MEMORY;
    }
    if (pthread_cond_init(&monitor->bell, NULL)) {
        pthread_mutex_destroy(&monitor->mutex);
        free(monitor);
        return ERR_NO_MEMORY;
    }
    *ret_monitor = monitor;
    return 0;
}

void os_monitor_destroy(struct os_monitor *monitor)
{
    if (monitor) {
        pthread_cond_destroy(&monitor->bell);
        pthread_mutex_destroy(&monitor->mutex);
        free(monitor);
    }
}

void os_monitor_enter(struct os_monitor *monitor)
{
    check(pthread_mutex_lock(&monitor->mutex) == 0);
}

void os_monitor_leave(struct os_monitor *monitor)
{
    check(pthread_mutex_unlock(&monitor->mutex) == 0);
}

void os_monitor_wait(struct os_monitor *monitor)
{
    check(pthread_cond_wait(&monitor->bell, &monitor->mutex) == 0);
}

void os_monitor_ring(struct os_monitor *monitor)
{
    check(pthread_cond_broadcast(&monitor->bell) == 0);
}

static void *start(void *argument)
{
    struct os_thread *thread = argument;
    thread->main(thread->context);
    return NULL;
}

int os_thread_start(void (*main)(void *context), void *context, struct os_thread **ret_thread)
{
    struct os_thread *thread = calloc(1, sizeof *thread);
    if (!thread) {
        return ERR_NO_MEMORY;
    }
    thread->main = main;
    thread->context = context;
    if (pthread_create(&thread->thread, NULL, start, thread)) {
        free(thread);
        return ERR_NO_MEMORY;
    }
    *ret_thread = thread;
    return 0;
}

void os_thread_join(struct os_thread *thread)
{
    if (thread) {
        pthread_join(thread->thread, NULL);
        free(thread);
    }
}

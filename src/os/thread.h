/* thread.h - threads, and the lock with a bell that they share */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_monitor_create -> os_thread_start ... -> os_thread_join -> os_monitor_destroy. */
#include "base/err.h"

struct os_monitor;
struct os_thread;

MUST_CHECK int os_monitor_create(struct os_monitor **ret_monitor);
/* NULL is accepted. */
void os_monitor_destroy(struct os_monitor *monitor);
void os_monitor_enter(struct os_monitor *monitor);
void os_monitor_leave(struct os_monitor *monitor);
/* Inside: leaves, waits for a bell, enters again. May return without one: look again. */
void os_monitor_wait(struct os_monitor *monitor);
/* Inside: wakes everybody who waits. */
void os_monitor_ring(struct os_monitor *monitor);

/* Runs `main(context)` on a thread of its own. Returns owned, until joined. */
MUST_CHECK int os_thread_start(void (*main)(void *context), void *context,
                               struct os_thread **ret_thread);
/* Waits until it has returned; NULL is accepted. */
void os_thread_join(struct os_thread *thread);

/* service.h - `mote serve`: ROMs, RAM sessions and runs over HTTP */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: zygote_start (worker.h) -> os_poll_create -> service_create ->
 * service_listen -> os_poll_run -> service_settle -> service_destroy. service_stop, from the loop,
 * ends it gracefully: the loop stops when the last run has committed and the last reply is sent, or
 * the drain bound has passed. */
#include "base/defaults.h"
#include "base/err.h"
#include "os/poll.h"

/* The values of option.def. */
struct service_options {
#define OPTION_FIELD_TEXT  const char *
#define OPTION_FIELD_COUNT uint64_t
#define OPTION_FIELD_MS    uint64_t
#define OPTION_FIELD_FLAG  bool
#define OPTION(kind, field, name, letter, argument, fallback, min, max, text) \
    OPTION_FIELD_##kind field;
#include "service/option.def"
#undef OPTION
#undef OPTION_FIELD_TEXT
#undef OPTION_FIELD_COUNT
#undef OPTION_FIELD_MS
#undef OPTION_FIELD_FLAG
};

struct service;

/* Opens the store and starts the threads. Options and their strings are kept; takes the socket.
 * Refuses, before anything is made, an address to listen on that is none, or beyond loopback
 * without the option that asks for it in so many words. Returns owned. */
MUST_CHECK int service_create(struct os_poll *poll, const struct service_options *options,
                              int zygote_socket, struct service **ret_service, struct msg *msg);
/* Listens where the options say. */
MUST_CHECK int service_listen(struct service *service, int *ret_port, struct msg *msg);
/* Stops accepting and drains; a second call stops at once. */
void service_stop(struct service *service);
/* After os_poll_run: lets the store's threads finish what they do for clients that have gone, until
 * the drain bound passes or service_stop is called again. */
void service_settle(struct service *service);
/* Ends what is still under way and closes the store; 0, or why the service had to stop. ERR_TIMEOUT
 * where the store's threads or runs have not ended after STOP_GRACE_MS: nothing is freed then,
 * since they go on using it and the loop, and the process has to end (os_exit). */
int service_destroy(struct service *service);

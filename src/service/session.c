/* session.c - one request at a time for each session, the others in order */
/* SPDX-License-Identifier: MIT */
#include "service/internal.h"

#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>

static struct session **place_of(struct service *service, const struct id *id)
{
    struct session **place = &service->sessions[id->bytes[0]];
    while (*place && !id_equals(&(*place)->id, id)) {
        place = &(*place)->next;
    }
    return place;
}

bool session_is_known(const struct service *service, const struct id *id)
{
    for (const struct session *s = service->sessions[id->bytes[0]]; s; s = s->next) {
        if (id_equals(&s->id, id)) {
            return true;
        }
    }
    return false;
}

static struct session *find_or_make(struct service *service, const struct id *id)
{
    struct session **place = place_of(service, id);
    if (!*place) {
        *place = calloc(1, sizeof **place);
        if (*place) {
            (*place)->id = *id;
        }
    }
    return *place;
}

static void enqueue(struct session *session, struct request *request)
{
    queue_put(&session->waiting, request);
    request->phase = PHASE_QUEUED;
}

/* Gives turns until one lasts: a request may end within its turn, and calls this again then. The
 * session goes where nobody is left. */
static void give_turns(struct session *session, struct service *service)
{
    if (session->is_giving) {
        return;
    }
    session->is_giving = true;
    while (!session->active && session->waiting.first) {
        struct request *request = session->waiting.first;
        queue_take(&session->waiting, request);
        session->active = request;
        session_turn(request);
    }
    session->is_giving = false;
    if (!session->active) {
        struct session **place = place_of(service, &session->id);
        check(*place == session);
        *place = session->next;
        free(session);
    }
}

/* Ends the wait of a queued request with an answer. */
static void turn_away(struct request *request, int status, const char *type, const char *detail)
{
    queue_take(&request->session->waiting, request);
    request_fail(request, status, type, detail);
    request->is_busy = false;
    request_release(request);
}

static void overdue(void *context)
{
    struct request *request = context;
    char detail[160];
    snprintf(detail, sizeof detail, "the session was busy for the %llu ms that queue-ms allows",
             (unsigned long long)request->service->options.queue_ms);
    turn_away(request, 429, "queue-timeout", detail);
}

static int join(struct request *request, const struct id *id)
{
    request->is_busy = true;
    request->queued_ns = os_now_ns();
    request->phase = PHASE_TURN;
    request->session = find_or_make(request->service, id);
    if (!request->session) {
        request_fail_err(request, ERR_NO_MEMORY, NULL);
        request->is_busy = false;
        request_release(request);
        return ERR_NO_MEMORY;
    }
    return 0;
}

static int start_timer(struct request *request)
{
    struct service *service = request->service;
    request->timer = (struct os_timer){.on_due = overdue, .context = request};
    return os_timer_start(service->poll, &request->timer,
                          request->queued_ns + service->options.queue_ms * 1000000u);
}

void session_enter(struct request *request, const struct id *id)
{
    if (join(request, id)) {
        return;
    }
    struct session *session = request->session;
    uint64_t max = request->service->options.queue_max;
    if (!session->active) {
        enqueue(session, request);
        give_turns(session, request->service);
        return;
    }
    if (session->waiting.count >= max || start_timer(request)) {
        char detail[120];
        snprintf(detail, sizeof detail,
                 "%llu requests wait for this session already, of the %llu that --queue allows",
                 (unsigned long long)session->waiting.count, (unsigned long long)max);
        request_fail(request, 429, "queue-full", detail);
        request->is_busy = false;
        request_release(request);
        return;
    }
    enqueue(session, request);
}

void session_enter_to_remove(struct request *request, const struct id *id)
{
    if (join(request, id)) {
        return;
    }
    struct session *session = request->session;
    request->purpose = PURPOSE_REMOVE;
    while (session->waiting.first) {
        turn_away(session->waiting.first, 409, "removed",
                  "the session was removed while this waited");
    }
    enqueue(session, request);
    if (!session->active) {
        give_turns(session, request->service);
    } else if (session->active->purpose == PURPOSE_RUN) {
        session->active->is_removed = true;
        post_abort(session->active);
    }
}

void session_leave(struct request *request)
{
    struct session *session = request->session;
    struct service *service = request->service;
    check(session->active == request);
    session->active = NULL;
    request->session = NULL;
    request->is_busy = false;
    request_release(request);
    give_turns(session, service);
}

void session_quit(struct request *request)
{
    queue_take(&request->session->waiting, request);
    request->session = NULL;
    request->is_busy = false;
}

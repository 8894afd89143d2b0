/* queue.c - requests that wait, in order; any of them may leave */
/* SPDX-License-Identifier: MIT */
#include "service/internal.h"

void queue_put(struct queue *queue, struct request *request)
{
    if (queue->last) {
        queue->last->next = request;
    } else {
        queue->first = request;
    }
    queue->last = request;
    queue->count++;
}

void queue_take(struct queue *queue, struct request *request)
{
    struct request *before = NULL;
    struct request *at = queue->first;
    while (at && at != request) {
        before = at;
        at = at->next;
    }
    check(at);
    if (before) {
        before->next = request->next;
    } else {
        queue->first = request->next;
    }
    queue->last = queue->last == request ? before : queue->last;
    queue->count--;
    request->next = NULL;
    request->phase = PHASE_TURN;
    os_timer_stop(request->service->poll, &request->timer);
}

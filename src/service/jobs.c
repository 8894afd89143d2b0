/* jobs.c - one queue, some threads, completions posted to the loop */
/* SPDX-License-Identifier: MIT */
#include "service/jobs.h"

#include "os/thread.h"

#include <stdlib.h>

enum { THREADS_MAX = 64 };

struct jobs {
    struct os_poll *poll;
    struct os_monitor *monitor; /* guards the queue and is_ending */
    struct job *first;
    struct job *last;
    bool is_ending;
    size_t pending; /* the loop's */
    struct os_thread *threads[THREADS_MAX];
    unsigned threads_count;
};

static void complete(void *context)
{
    struct job *job = context;
    job->jobs->pending--;
    job->done(job->context);
}

static struct job *take(struct jobs *jobs)
{
    os_monitor_enter(jobs->monitor);
    while (!jobs->first && !jobs->is_ending) {
        os_monitor_wait(jobs->monitor);
    }
    struct job *job = jobs->first;
    if (job) {
        jobs->first = job->next;
        jobs->last = jobs->first ? jobs->last : NULL;
    }
    os_monitor_leave(jobs->monitor);
    return job;
}

static void thread_main(void *context)
{
    struct jobs *jobs = context;
    for (struct job *job = take(jobs); job; job = take(jobs)) {
        job->work(job->context);
        job->post = (struct os_post){.run = complete, .context = job};
        os_poll_post(jobs->poll, &job->post);
    }
}

int jobs_create(struct os_poll *poll, unsigned threads, struct jobs **ret_jobs)
{
    check(threads > 0 && threads <= THREADS_MAX);
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs) {
        return ERR_NO_MEMORY;
    }
    jobs->poll = poll;
    int err = os_monitor_create(&jobs->monitor);
    while (!err && jobs->threads_count < threads) {
        err = os_thread_start(thread_main, jobs, &jobs->threads[jobs->threads_count]);
        jobs->threads_count += err ? 0 : 1;
    }
    if (err) {
        jobs_destroy(jobs);
        return err;
    }
    *ret_jobs = jobs;
    return 0;
}

void jobs_submit(struct jobs *jobs, struct job *job)
{
    job->jobs = jobs;
    job->next = NULL;
    jobs->pending++;
    os_monitor_enter(jobs->monitor);
    if (jobs->last) {
        jobs->last->next = job;
    } else {
        jobs->first = job;
    }
    jobs->last = job;
    os_monitor_ring(jobs->monitor);
    os_monitor_leave(jobs->monitor);
}

size_t jobs_pending(const struct jobs *jobs)
{
    return jobs->pending;
}

void jobs_destroy(struct jobs *jobs)
{
    if (!jobs) {
        return;
    }
    if (jobs->monitor) {
        os_monitor_enter(jobs->monitor);
        jobs->is_ending = true;
        os_monitor_ring(jobs->monitor);
        os_monitor_leave(jobs->monitor);
    }
    for (unsigned i = 0; i < jobs->threads_count; i++) {
        os_thread_join(jobs->threads[i]);
    }
    os_monitor_destroy(jobs->monitor);
    free(jobs);
}

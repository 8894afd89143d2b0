/* jobs_test.c - work leaves the loop and comes back to it */
/* SPDX-License-Identifier: MIT */
#include "service/jobs.h"
#include "test.h"

#include <pthread.h>

enum { JOBS = 40 };

struct task {
    struct job job;
    struct os_poll *poll;
    size_t *done_count;
    pthread_t loop;
    int worked;
    int done;
};

static void work(void *context)
{
    struct task *task = context;
    task->worked += !pthread_equal(pthread_self(), task->loop);
}

static void done(void *context)
{
    struct task *task = context;
    task->done += task->worked && pthread_equal(pthread_self(), task->loop);
    if (++*task->done_count == JOBS) {
        os_poll_stop(task->poll);
    }
}

TEST(jobs, run_elsewhere_and_complete_on_the_loop)
{
    static struct task tasks[JOBS];
    struct os_poll *poll = NULL;
    struct jobs *jobs = NULL;
    size_t done_count = 0;
    assert_int_equal(os_poll_create(&poll), 0);
    assert_int_equal(jobs_create(poll, 3, &jobs), 0);
    for (size_t i = 0; i < JOBS; i++) {
        tasks[i] = (struct task){.poll = poll, .done_count = &done_count, .loop = pthread_self()};
        tasks[i].job = (struct job){.work = work, .done = done, .context = &tasks[i]};
        jobs_submit(jobs, &tasks[i].job);
    }
    assert_int_equal(jobs_pending(jobs), JOBS);
    assert_int_equal(os_poll_run(poll), 0);
    assert_int_equal(jobs_pending(jobs), 0);
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(tasks[i].worked, 1);
        assert_int_equal(tasks[i].done, 1);
    }
    jobs_destroy(jobs);
    os_poll_destroy(poll);
}

TEST(jobs, end_without_any)
{
    struct os_poll *poll = NULL;
    struct jobs *jobs = NULL;
    assert_int_equal(os_poll_create(&poll), 0);
    assert_int_equal(jobs_create(poll, 1, &jobs), 0);
    jobs_destroy(jobs);
    jobs_destroy(NULL);
    os_poll_destroy(poll);
}

/* jobs.h - threads for what would stall the event loop: syncs, hashing, parsing of uploads */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: jobs_create -> jobs_submit ... -> run the loop until jobs_pending is 0 ->
 * jobs_destroy. All but the `work` functions belongs to the thread of the loop. */
#include "os/poll.h"

struct jobs;

/* The caller's storage, untouched by others until `done` runs. */
struct job {
    void (*work)(void *context); /* on one of the threads */
    void (*done)(void *context); /* on the loop's thread, after it */
    void *context;
    struct job *next;
    struct jobs *jobs;
    struct os_post post;
};

MUST_CHECK int jobs_create(struct os_poll *poll, unsigned threads, struct jobs **ret_jobs);
void jobs_submit(struct jobs *jobs, struct job *job);
/* Jobs whose `done` has not run. */
size_t jobs_pending(const struct jobs *jobs);
/* Ends the threads once they are idle; NULL is accepted. */
void jobs_destroy(struct jobs *jobs);

/* Work shared out over threads: the only module that includes omp.h.
 *
 * One level of parallelism: items (tiles) run side by side, and whatever runs inside an item sees
 * OpenMP limited to one thread. Items are handed out in rising order from one counter; they finish
 * in any order, so code that needs an order restores it later (the journal does). */
#ifndef HLRP_SCHED_H
#define HLRP_SCHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/util.h"

/* ---- cancel ---- */

/* A request to stop. Zero-initialise. Both calls may be made from any thread, and from a signal
 * handler: the flag is a lock-free atomic. A request is never taken back. */
typedef struct hlrp_cancel {
    atomic_int requested;
} hlrp_cancel;

void hlrp_cancel_request(hlrp_cancel *cancel);
bool hlrp_cancel_requested(const hlrp_cancel *cancel); /* NULL: never */

/* ---- the parallel loop ---- */

/* What hlrp_sched_run calls. Every callback but `item` may be NULL. */
typedef struct hlrp_sched_job {
    void *ctx; /* first argument of every callback; borrowed, shared by all threads */

    /* Once on each thread (0 … threads−1) before any item runs anywhere: puts the thread's own
     * state (workspace, slide handle) in *state. On failure *state goes to thread_end as it is. */
    hlrp_status (*thread_begin)(void *ctx, int thread, void **state, hlrp_error *err);

    /* One item, on any thread. `state` is that thread's. */
    hlrp_status (*item)(void *ctx, void *state, int64_t index, hlrp_error *err);

    /* Once on each thread that called thread_begin, whether it failed or not. */
    void (*thread_end)(void *ctx, int thread, void *state);

    /* After each finished item, never from two threads at once: `done` rises from 1 by 1. Keep it
     * short, the other threads wait for it. */
    void (*progress)(void *ctx, int64_t done);

    const hlrp_cancel *cancel; /* NULL: cannot be cancelled */
} hlrp_sched_job;

/* Runs items 0 … count−1 on at most `threads` threads (never more than count; fewer than 1 counts
 * as 1) and returns when all have stopped.
 *
 * The first failure and a cancel stop the handing out; items already begun run to their end. The
 * error returned is that of the lowest failing index: indices are handed out in order, so the
 * lowest one that can fail has always begun, and the choice does not depend on timing. A failing
 * thread_begin (lowest thread first) counts before any item, and then no item runs. Otherwise
 * HLRP_E_INTERRUPTED where a cancel left items undone, else HLRP_OK (also for count 0, where no
 * callback is called). */
hlrp_status hlrp_sched_run(const hlrp_sched_job *job, int threads, int64_t count, hlrp_error *err);

/* Calls fn(ctx) on the calling thread with OpenMP limited to one thread inside, as within an item:
 * oneDNN primitives must be created the way they will run. Returns what fn returns. */
hlrp_status hlrp_sched_single(hlrp_status (*fn)(void *ctx, hlrp_error *err), void *ctx,
                              hlrp_error *err);

/* ---- how many threads ---- */

/* What the environment grants. Texts may be NULL (unset); numbers ≤ 0 are unknown. */
typedef struct hlrp_sched_grant {
    const char *omp_num_threads;     /* OMP_NUM_THREADS; of a list the first number counts */
    const char *slurm_cpus_per_task; /* SLURM_CPUS_PER_TASK */
    int affinity;                    /* processors this process may run on */
    double quota;                    /* processors' worth of time its control group may use */
} hlrp_sched_grant;

/* OMP_NUM_THREADS where it is a number ≥ 1 (the user's word), else the least of what is known of
 * the others, the quota rounded up; at least 1. Malformed texts count as unset. */
int hlrp_sched_pick_threads(const hlrp_sched_grant *grant);

/* The same from this process's environment, affinity mask and control group (version 1 or 2). */
int hlrp_sched_default_threads(void);

/* Processors' worth of time that the control groups named in `self` (text of /proc/self/cgroup)
 * and their parents allow, read below `root` (/sys/fs/cgroup); 0 where there is no limit. */
double hlrp_sched_cgroup_quota(const char *root, const char *self);

/* ---- progress ---- */

/* One line that says how far the work is. Not thread-safe: call it from job.progress. */
typedef struct hlrp_progress {
    const char *label; /* what is being worked on; borrowed */
    const char *unit;  /* plural: "tiles"; borrowed */
    int64_t total;     /* items in all */
    int64_t before;    /* items an earlier run had done: they count as done, not for the rate */
    bool terminal;     /* a bar that redraws itself, at most five times a second; else plain lines,
                          at most one a minute and a last one */
    int columns;       /* of the terminal; the label is cut so that a bar fits; 0: never cut */
    void (*write)(void *ctx, const char *text); /* gets control characters and newline as needed */
    void *ctx;
    double started, shown; /* seconds; set by start and update */
    int64_t done;
    int width; /* of the bar line last drawn, bytes; set by update */
} hlrp_progress;

/* Set label, unit, total, before, terminal, write and ctx first. `now` is hlrp_seconds() or, in a
 * test, any rising number. `done` counts from `before` upwards. finish writes the last line. */
void hlrp_progress_start(hlrp_progress *p, double now);
void hlrp_progress_update(hlrp_progress *p, int64_t done, double now);
void hlrp_progress_finish(hlrp_progress *p, double now);

/* Items per second since the start, 0 where nothing was done or no time has passed; and the
 * seconds that are left at that rate, negative where unknown. */
double hlrp_progress_rate(const hlrp_progress *p, double now);
double hlrp_progress_eta(const hlrp_progress *p, double now);

/* The line at `now`, without control characters or newline, cut to size: with a bar where
 * p->terminal. Pure. Returns buf. */
const char *hlrp_progress_line(const hlrp_progress *p, double now, char *buf, size_t size);

/* "0:07", "12:34", "3:07:00", "2 d 5 h" in buf; "--:--" for a negative or non-finite number. */
const char *hlrp_progress_duration(double seconds, char *buf, size_t size);

#endif

/* The parallel loop. One OpenMP region per run; every thread draws the next index from one atomic
 * counter. The counter, the lowest failure and the number of done items are all that threads share.
 */
#include "sched/sched.h"

#include <omp.h>
#include <string.h>

void hlrp_cancel_request(hlrp_cancel *cancel) {
    atomic_store(&cancel->requested, 1);
}

bool hlrp_cancel_requested(const hlrp_cancel *cancel) {
    return cancel && atomic_load(&cancel->requested) != 0;
}

typedef struct run {
    const hlrp_sched_job *job;
    int64_t count;
    atomic_llong next;  /* the index to be handed out */
    atomic_bool failed; /* stop handing out */
    omp_lock_t lock;    /* guards what follows */
    int64_t done;       /* items finished well */
    int64_t worst;    /* lowest failing index; thread_begin of thread t counts as t − INT32_MAX */
    hlrp_error error; /* that one's */
    hlrp_status status;
} run;

/* Keeps the failure with the lowest index. */
static void note_failure(run *r, int64_t index, hlrp_status status, const hlrp_error *error) {
    atomic_store(&r->failed, true);
    omp_set_lock(&r->lock);
    if (r->status == HLRP_OK || index < r->worst) {
        r->status = status;
        r->worst = index;
        r->error = *error;
    }
    omp_unset_lock(&r->lock);
}

static void note_done(run *r) {
    omp_set_lock(&r->lock);
    r->done++;
    if (r->job->progress)
        r->job->progress(r->job->ctx, r->done);
    omp_unset_lock(&r->lock);
}

static void begin_thread(run *r, int thread, void **state) {
    hlrp_error error = {0};
    if (!r->job->thread_begin)
        return;
    hlrp_status status = r->job->thread_begin(r->job->ctx, thread, state, &error);
    if (status != HLRP_OK)
        note_failure(r, (int64_t)thread - INT32_MAX, status, &error);
}

static void work(run *r, void *state) {
    while (!atomic_load(&r->failed) && !hlrp_cancel_requested(r->job->cancel)) {
        int64_t index = atomic_fetch_add(&r->next, 1);
        if (index >= r->count)
            return;
        hlrp_error error = {0};
        hlrp_status status = r->job->item(r->job->ctx, state, index, &error);
        if (status == HLRP_OK)
            note_done(r);
        else
            note_failure(r, index, status, &error);
    }
}

static hlrp_status outcome(const run *r, hlrp_error *err) {
    if (r->status != HLRP_OK) {
        *err = r->error;
        return r->status;
    }
    if (r->done < r->count)
        return hlrp_fail(err, HLRP_E_INTERRUPTED, NULL, "run it again to finish",
                         "interrupted after %lld of %lld items", (long long)r->done,
                         (long long)r->count);
    return HLRP_OK;
}

hlrp_status hlrp_sched_run(const hlrp_sched_job *job, int threads, int64_t count, hlrp_error *err) {
    if (count <= 0)
        return HLRP_OK;
    run r = {.job = job, .count = count};
    omp_init_lock(&r.lock);
    int team = (int)HLRP_MIN((int64_t)HLRP_MAX(threads, 1), count);
#pragma omp parallel num_threads(team) default(none) shared(r, job)
    {
        void *state = NULL;
        int thread = omp_get_thread_num();
        omp_set_num_threads(1); /* of this thread, until the region ends */
        begin_thread(&r, thread, &state);
#pragma omp barrier
        work(&r, state);
        if (job->thread_end)
            job->thread_end(job->ctx, thread, state);
    }
    omp_destroy_lock(&r.lock);
    return outcome(&r, err);
}

hlrp_status hlrp_sched_single(hlrp_status (*fn)(void *ctx, hlrp_error *err), void *ctx,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    /* A team of one: the setting holds inside only, the caller's own is untouched. */
#pragma omp parallel num_threads(1) default(none) shared(status, fn, ctx, err)
    {
        omp_set_num_threads(1);
        status = fn(ctx, err);
    }
    return status;
}

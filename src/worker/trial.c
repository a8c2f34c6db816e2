#include "worker/trial.h"

#include <stdlib.h>

#include "worker/worker.h"

/* What is measured: enough for a steady number, not more than a person waits for. */
enum { ROUNDS = 3, ENOUGH_SECONDS = 2 };

typedef struct trial {
    const hlrp_network *net;
    int threads;
    _Atomic int64_t forward, back; /* nanoseconds */
    _Atomic int64_t batches;
} trial;

static hlrp_status back(hlrp_worker *w, hlrp_error *err) {
    const hlrp_lrp_watch watch = {.account = w->account};
    const hlrp_targets *targets = &w->net->targets;
    const int64_t passes = targets->predicted ? 1 : targets->planes;
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0; status == HLRP_OK && !w->net->forward_only && i < passes; i++)
        status = hlrp_lrp_relevance(w->lrp, w->start, NULL, &watch, w->relevance, err);
    return status;
}

/* A way forward and back with empty tiles: the arithmetic is the same for all. */
static hlrp_status pass(trial *t, hlrp_worker *w, hlrp_error *err) {
    const double began = hlrp_seconds();
    hlrp_status status = hlrp_lrp_forward(w->lrp, w->input, err);
    const double turned = hlrp_seconds();
    if (status == HLRP_OK)
        status = back(w, err);
    t->forward += (int64_t)((turned - began) * 1e9);
    t->back += (int64_t)((hlrp_seconds() - turned) * 1e9);
    t->batches++;
    return status;
}

static hlrp_status trial_begin(void *ctx, int thread, void **state, hlrp_error *err) {
    (void)thread;
    const trial *t = ctx;
    trial first = {.net = t->net};
    hlrp_worker *w = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, "worker", err));
    *state = w; /* trial_end frees it, also where this fails half-way */
    HLRP_TRY(hlrp_worker_open(w, t->net, err));
    status = pass(&first, w, err); /* it touches the memory, and does not count */
out:
    return status;
}

static hlrp_status trial_item(void *ctx, void *state, int64_t index, hlrp_error *err) {
    trial *t = ctx;
    if (index >= t->threads &&
        t->forward + t->back > (int64_t)ENOUGH_SECONDS * t->threads * 1000000000)
        return HLRP_OK;
    return pass(t, state, err);
}

static void trial_end(void *ctx, int thread, void *state) {
    (void)ctx;
    (void)thread;
    if (state)
        hlrp_worker_close(state);
    free(state);
}

hlrp_status hlrp_worker_trial(const hlrp_network *net, int threads, const hlrp_cancel *cancel,
                              hlrp_trial *out, hlrp_error *err) {
    trial t = {.net = net, .threads = threads};
    const hlrp_sched_job job = {.ctx = &t,
                                .thread_begin = trial_begin,
                                .item = trial_item,
                                .thread_end = trial_end,
                                .cancel = cancel};
    const hlrp_status status = hlrp_sched_run(&job, threads, (int64_t)ROUNDS * threads, err);
    if (status == HLRP_OK)
        *out = (hlrp_trial){(double)t.forward / 1e9 / (double)t.batches,
                            (double)t.back / 1e9 / (double)t.batches};
    return status;
}

/* One micro-batch of tiles that are explained one by one: read, forward, gate, relevance, journal. */
#include "pipelines/tile_job.h"

#include <math.h>

#include "pipelines/tile_worker.h"
#include "run/batches.h"

/* Logits, probabilities and the gate. An unreadable tile has neither. */
static hlrp_status take_forward(const hlrp_tile_job *job, const float *logits, hlrp_sample *s,
                                hlrp_error *err) {
    const hlrp_network *net = job->net;
    if (s->record.status == HLRP_RECORD_UNREADABLE)
        return HLRP_OK;
    hlrp_probabilities(net->probability, logits, net->outputs, s->probability);
    hlrp_probabilities(HLRP_PROBABILITY_NONE, logits, net->outputs, s->logits);
    if (net->gate >= 0 && s->probability[net->gate] < net->config->gate.probability)
        s->record.status = HLRP_RECORD_GATED;
    for (int64_t k = 0; k < net->outputs; k++)
        if (!isfinite(logits[k]))
            return hlrp_fail(err, HLRP_E_INPUT, hlrp_slide_name(job->survey->slide),
                             "check model.scale, mean and std, and the network itself",
                             "the network's logits for tile %lld are not finite",
                             (long long)s->number);
    return HLRP_OK;
}

static void put_off(hlrp_tile_worker *w, int64_t count) {
    int64_t passed = 0;
    for (int64_t i = 0; i < count; i++)
        passed += w->samples[i].record.status == HLRP_RECORD_EXPLAINED;
    if (!hlrp_batches_put_off(passed, count))
        return;
    for (int64_t i = 0; i < count; i++)
        if (w->samples[i].record.status == HLRP_RECORD_EXPLAINED)
            w->samples[i].record.status = HLRP_RECORD_FORWARD;
}

/* The plane that pass `pass` explains for a sample; -1: none. With `predicted` one pass explains
 * every sample's own class. */
static int64_t plane_of(const hlrp_network *net, const hlrp_sample *s, int64_t pass) {
    if (s->record.status != HLRP_RECORD_EXPLAINED)
        return -1;
    return net->targets.predicted ? hlrp_predicted(s->probability, net->classes) : pass;
}

/* One way back for the whole micro-batch; samples that this pass does not explain start at 0. */
static hlrp_status explain_pass(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t count,
                                int64_t pass, hlrp_error *err) {
    const hlrp_network *net = job->net;
    bool any = false;
    hlrp_status status = HLRP_OK;
    hlrp_worker_clear_starts(&w->net);
    for (int64_t i = 0; i < count; i++) {
        hlrp_sample *s = &w->samples[i];
        const int64_t plane = plane_of(net, s, pass);
        if (plane < 0)
            continue;
        s->start[plane] = hlrp_worker_start(&w->net, i, net->targets.classes[plane]);
        any = true;
    }
    if (!any)
        return HLRP_OK;
    const hlrp_lrp_watch watch = {.account = w->net.account};
    HLRP_TRY(
        hlrp_lrp_relevance(w->net.lrp, w->net.start, w->net.slope, &watch, w->net.relevance, err));
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_RELEVANCE);
    for (int64_t i = 0; status == HLRP_OK && i < count; i++) {
        const int64_t plane = plane_of(net, &w->samples[i], pass);
        if (plane >= 0)
            status = hlrp_tile_worker_keep(job, w, i, plane, err);
    }
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_KEEP);
out:
    return status;
}

hlrp_status hlrp_tile_job_item(void *ctx, void *state, int64_t index, hlrp_error *err) {
    const hlrp_tile_job *job = ctx;
    const hlrp_network *net = job->net;
    hlrp_tile_worker *w = state;
    const int64_t first = index * net->batch;
    const int64_t count = HLRP_MIN(net->batch, job->place_count - first);
    const int64_t passes = net->targets.predicted ? 1 : net->targets.planes;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_worker_forward(job, w, first, count, err));
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(take_forward(job, hlrp_worker_logits(&w->net, i), &w->samples[i], err));
    if (job->gate)
        put_off(w, count);
    for (int64_t pass = 0; pass < passes; pass++)
        HLRP_TRY(explain_pass(job, w, count, pass, err));
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(hlrp_tile_worker_append(job, &w->samples[i], err));
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_KEEP);
out:
    return status;
}

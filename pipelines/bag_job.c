/* One micro-batch of tiles of a bag: forward to features; and once the head has said how much each tile
 * speaks for the slide's score, back from there to pixels. */
#include <math.h>
#include <string.h>

#include "pipelines/tile_job.h"
#include "pipelines/tile_worker.h"

static int64_t count_of(const hlrp_tile_job *job, int64_t first) {
    return HLRP_MIN(job->explained->batch, job->place_count - first);
}

/* ---- to features ---- */

static hlrp_status keep_features(const hlrp_tile_job *job, const hlrp_sample *s,
                                 const float *features, hlrp_error *err) {
    const bool readable = s->record.status != HLRP_RECORD_UNREADABLE;
    const double nothing = 0;
    const float none[2] = {0, 0};
    const hlrp_record record = {.tile = s->record.tile,
                                .status = s->record.status,
                                .start = &nothing,
                                .sum = &nothing,
                                .outside = &nothing,
                                .abs = &nothing,
                                .logit = none,
                                .probability = none,
                                .features = readable ? features : NULL};
    hlrp_status status = HLRP_OK;
    for (int64_t k = 0; readable && k < job->net->outputs; k++)
        if (!isfinite(features[k]))
            return hlrp_fail(err, HLRP_E_INPUT, hlrp_slide_name(job->survey->slide),
                             "check model.scale, mean and std, and the encoder itself",
                             "the features of tile %lld are not finite", (long long)s->number);
    HLRP_TRY(hlrp_lock_check(job->lock, err));
    status = hlrp_journal_append(job->journal, &record, err);
out:
    return status;
}

hlrp_status hlrp_bag_job_features(void *ctx, void *state, int64_t index, hlrp_error *err) {
    const hlrp_tile_job *job = ctx;
    hlrp_tile_worker *w = state;
    const int64_t first = index * job->explained->batch, count = count_of(job, first);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_worker_forward(job, w, first, count, err));
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(keep_features(job, &w->samples[i], hlrp_worker_logits(&w->net, i), err));
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_KEEP);
out:
    return status;
}

/* ---- evenly over each tile ---- */

/* Relevance that the head gave the tile. A tile that is in no bag has none. */
static double relevance_of(const hlrp_tile_job *job, int64_t tile, int64_t plane) {
    return job->score->relevance[tile * job->explained->targets.planes + plane];
}

static hlrp_status spread_tile(const hlrp_tile_job *job, hlrp_tile_worker *w, hlrp_sample *s,
                               int64_t tile, hlrp_error *err) {
    const bool member = hlrp_slide_score_member(job->score, tile) >= 0;
    hlrp_status status = HLRP_OK;
    hlrp_sample_begin(job, s, tile, member ? HLRP_RECORD_EXPLAINED : HLRP_RECORD_UNREADABLE);
    for (int64_t plane = 0; member && plane < job->explained->targets.planes; plane++) {
        if (!hlrp_slide_score_explains(job->score, plane))
            continue;
        s->start[plane] = relevance_of(job, tile, plane);
        HLRP_TRY(hlrp_tile_worker_spread(job, w, s, plane, s->start[plane], err));
    }
out:
    return status;
}

hlrp_status hlrp_bag_job_spread(void *ctx, void *state, int64_t index, hlrp_error *err) {
    const hlrp_tile_job *job = ctx;
    hlrp_tile_worker *w = state;
    const int64_t first = index * job->explained->batch, count = count_of(job, first);
    hlrp_status status = HLRP_OK;
    w->mark = hlrp_cpu_seconds();
    for (int64_t i = 0; i < count; i++) {
        HLRP_TRY(spread_tile(job, w, &w->samples[0], job->places[first + i], err));
        HLRP_TRY(hlrp_tile_worker_append(job, &w->samples[0], err));
    }
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_KEEP);
out:
    return status;
}

/* ---- back to pixels ---- */

/* The features' relevance of all samples for a plane becomes the encoder's start. */
static hlrp_status start_plane(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t count,
                               int64_t plane, hlrp_error *err) {
    const hlrp_slide_score *score = job->score;
    hlrp_status status = HLRP_OK;
    hlrp_worker_clear_starts(&w->net);
    for (int64_t i = 0; i < count; i++) {
        hlrp_sample *s = &w->samples[i];
        const int64_t tile = s->record.tile;
        if (s->record.status == HLRP_RECORD_UNREADABLE)
            continue;
        s->start[plane] = relevance_of(job, tile, plane);
        HLRP_TRY(hlrp_slide_score_features(score, plane, hlrp_slide_score_member(score, tile),
                                           w->net.start + i * score->width, err));
    }
out:
    return status;
}

static hlrp_status explain_plane(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t count,
                                 int64_t plane, hlrp_error *err) {
    const hlrp_lrp_watch watch = {.account = w->net.account};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(start_plane(job, w, count, plane, err));
    HLRP_TRY(hlrp_lrp_relevance(w->net.lrp, w->net.start, NULL, &watch, w->net.relevance, err));
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_RELEVANCE);
    for (int64_t i = 0; i < count; i++)
        if (w->samples[i].record.status != HLRP_RECORD_UNREADABLE)
            HLRP_TRY(hlrp_tile_worker_keep(job, w, i, plane, err));
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_KEEP);
out:
    return status;
}

hlrp_status hlrp_bag_job_back(void *ctx, void *state, int64_t index, hlrp_error *err) {
    const hlrp_tile_job *job = ctx;
    hlrp_tile_worker *w = state;
    const int64_t first = index * job->explained->batch, count = count_of(job, first);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_worker_forward(job, w, first, count, err));
    for (int64_t plane = 0; plane < job->explained->targets.planes; plane++)
        if (hlrp_slide_score_explains(job->score, plane))
            HLRP_TRY(explain_plane(job, w, count, plane, err));
    for (int64_t i = 0; i < count;
         i++) { /* what can no longer be read keeps what the head gave it */
        if (w->samples[i].record.status == HLRP_RECORD_UNREADABLE)
            HLRP_TRY(spread_tile(job, w, &w->samples[i], job->places[first + i], err));
        HLRP_TRY(hlrp_tile_worker_append(job, &w->samples[i], err));
    }
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_KEEP);
out:
    return status;
}

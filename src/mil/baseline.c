/* What relevance is compared with (xMIL, Hense et al. 2024): the score of each tile as a bag of its own, the
 * change of the score where the tile is left out, and gradient × input. */
#include <stdlib.h>
#include <string.h>

#include "mil/internal.h"
#include "mil/score_internal.h"

/* ---- gradient × input ---- */

typedef struct gradient {
    const hlrp_score_job *job;
    hlrp_slide_score *score;
    hlrp_head head;
    double *sums;
} gradient;

static hlrp_status open_gradient(gradient *g, hlrp_error *err) {
    hlrp_slide_score *s = g->score;
    hlrp_config *own = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_head_config(s->head->config, NULL, &own, err));
    HLRP_TRY(hlrp_bag_set_text(&own->lrp.composite, "gradient-x-input", err));
    own->lrp.bias = HLRP_CONFIG_BIAS_AUTO;
    own->lrp.attention = HLRP_CONFIG_PRODUCT_AUTO;
    return hlrp_head_open(&g->head, own, s->instances, s->width, NULL, err);
out:
    hlrp_config_free(own);
    return status;
}

static hlrp_status run_gradient(void *ctx, hlrp_error *err) {
    gradient *g = ctx;
    hlrp_slide_score *s = g->score;
    const int64_t column = hlrp_score_column(s, HLRP_SCORE_GRADIENT);
    const hlrp_targets *targets = &s->head->targets;
    double start = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&g->sums, 2 * s->instances, sizeof *g->sums, "a bag", err));
    HLRP_TRY(open_gradient(g, err));
    HLRP_TRY(hlrp_score_read(g->job, s, g->head.worker.input, err));
    HLRP_TRY(hlrp_head_forward(&g->head, err));
    for (int64_t k = 0; k < targets->planes; k++) {
        if (!hlrp_slide_score_explains(s, k))
            continue;
        HLRP_TRY(hlrp_head_back(&g->head, targets->classes[k], &start, err));
        hlrp_head_sums(&g->head, g->sums, g->sums + s->instances);
        for (int64_t i = 0; i < s->instances; i++)
            s->scores[s->members[i] * s->score_count + column + k] = (float)g->sums[i];
    }
out:
    hlrp_head_close(&g->head);
    free(g->sums);
    return status;
}

/* ---- other bags of the same tiles ---- */

/* One score per tile: of the tile alone, or of all others. */
typedef struct others {
    const hlrp_score_job *job;
    hlrp_slide_score *score;
    hlrp_head head;  /* for bags of the size that is asked, shared by all threads */
    float *features; /* [N][D] */
    bool drop;
    int64_t column;
} others;

static hlrp_status open_others(void *ctx, hlrp_error *err) {
    others *o = ctx;
    hlrp_config *own = NULL;
    const hlrp_slide_score *s = o->score;
    const hlrp_status status = hlrp_head_config(s->head->config, NULL, &own, err);
    return status == HLRP_OK ? hlrp_head_open(&o->head, own, o->drop ? s->instances - 1 : 1,
                                              s->width, NULL, err)
                             : status;
}

static hlrp_status begin(void *ctx, int thread, void **state, hlrp_error *err) {
    (void)thread;
    const others *o = ctx;
    hlrp_worker *w = NULL;
    const hlrp_status status = hlrp_calloc(&w, 1, sizeof *w, "a bag", err);
    *state = w;
    return status == HLRP_OK ? hlrp_worker_open(w, o->head.net, err) : status;
}

static void end(void *ctx, int thread, void *state) {
    (void)ctx;
    (void)thread;
    if (state)
        hlrp_worker_close(state);
    free(state);
}

static void fill(const others *o, int64_t i, float *input) {
    const int64_t width = o->score->width;
    const size_t row = (size_t)width * sizeof *input;
    if (!o->drop) {
        memcpy(input, o->features + i * width, row);
        return;
    }
    memcpy(input, o->features, (size_t)i * row);
    memcpy(input + i * width, o->features + (i + 1) * width,
           (size_t)(o->score->instances - 1 - i) * row);
}

static hlrp_status item(void *ctx, void *state, int64_t i, hlrp_error *err) {
    const others *o = ctx;
    const hlrp_slide_score *s = o->score;
    hlrp_worker *w = state;
    float *to = s->scores + s->members[i] * s->score_count + o->column;
    hlrp_status status = HLRP_OK;
    fill(o, i, w->input);
    HLRP_TRY(hlrp_lrp_forward(w->lrp, w->input, err));
    hlrp_probabilities(HLRP_PROBABILITY_NONE, hlrp_worker_logits(w, 0), s->head->outputs, to);
    for (int64_t c = 0; o->drop && c < s->head->classes; c++)
        to[c] = s->logit[c] - to[c];
out:
    return status;
}

/* Of a bag of one tile nothing is left without it. */
static hlrp_status run_others(const hlrp_score_job *job, hlrp_slide_score *s, bool drop,
                              float *features, hlrp_error *err) {
    others o = {.job = job, .score = s, .features = features, .drop = drop};
    const hlrp_sched_job work = {.ctx = &o,
                                 .thread_begin = begin,
                                 .item = item,
                                 .thread_end = end,
                                 .cancel = job->cancel};
    hlrp_status status = HLRP_OK;
    if (s->widths[drop ? HLRP_SCORE_DROP : HLRP_SCORE_SINGLE] == 0 || (drop && s->instances < 2))
        return HLRP_OK;
    o.column = hlrp_score_column(s, drop ? HLRP_SCORE_DROP : HLRP_SCORE_SINGLE);
    HLRP_TRY(hlrp_sched_single(open_others, &o, err));
    status = hlrp_sched_run(&work, job->threads, s->instances, err);
out:
    hlrp_head_close(&o.head);
    return status;
}

hlrp_status hlrp_score_baselines(const hlrp_score_job *job, hlrp_slide_score *s, hlrp_error *err) {
    gradient g = {.job = job, .score = s};
    float *features = NULL;
    hlrp_status status = HLRP_OK;
    if (s->widths[HLRP_SCORE_GRADIENT] > 0)
        HLRP_TRY(hlrp_sched_single(run_gradient, &g, err));
    if (s->widths[HLRP_SCORE_SINGLE] + s->widths[HLRP_SCORE_DROP] == 0)
        goto out;
    HLRP_TRY(hlrp_calloc(&features, s->instances * s->width, sizeof *features, "features", err));
    HLRP_TRY(hlrp_score_read(job, s, features, err));
    HLRP_TRY(run_others(job, s, false, features, err));
    status = run_others(job, s, true, features, err);
out:
    free(features);
    return status;
}

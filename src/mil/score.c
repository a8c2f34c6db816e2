#include "mil/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mil/score_internal.h"
#include "sched/sched.h"
#include "worker/account.h"

/* ---- memory ---- */

static void fill_nan(double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        values[i] = NAN;
}

static hlrp_status make_room(hlrp_slide_score *s, hlrp_error *err) {
    const int64_t planes = s->head->targets.planes, classes = s->head->classes;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&s->members, s->tiles, sizeof *s->members, "a bag", err));
    HLRP_TRY(hlrp_calloc(&s->logit, classes, sizeof *s->logit, "a bag", err));
    HLRP_TRY(hlrp_calloc(&s->probability, classes, sizeof *s->probability, "a bag", err));
    HLRP_TRY(hlrp_calloc(&s->start, planes, sizeof *s->start, "a bag", err));
    HLRP_TRY(hlrp_calloc(&s->taken, planes * HLRP_ACCOUNT_FIELDS, sizeof *s->taken, "a bag", err));
    HLRP_TRY(hlrp_calloc(&s->relevance, s->tiles * planes, sizeof *s->relevance, "a bag", err));
    HLRP_TRY(hlrp_calloc(&s->to_pixels, s->tiles, sizeof *s->to_pixels, "a bag", err));
    HLRP_TRY(hlrp_calloc(&s->layers, hlrp_account_count(s->head), sizeof *s->layers, "a bag", err));
    fill_nan(s->start, planes);
    fill_nan(s->relevance, s->tiles * planes);
out:
    return status;
}

void hlrp_slide_score_free(hlrp_slide_score *s) {
    if (!s)
        return;
    void *const all[] = {s->members,   s->logit,  s->probability, s->start,    s->taken,
                         s->relevance, s->layers, s->scores,      s->to_pixels};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
    if (s->spool >= 0)
        close(s->spool);
    free(s);
}

bool hlrp_slide_score_explains(const hlrp_slide_score *s, int64_t plane) {
    return !isnan(s->start[plane]);
}

int64_t hlrp_slide_score_member(const hlrp_slide_score *s, int64_t tile) {
    int64_t low = 0, high = s->instances;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (s->members[middle] < tile)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->instances && s->members[low] == tile ? low : -1;
}

int64_t hlrp_score_column(const hlrp_slide_score *s, hlrp_score_kind kind) {
    int64_t column = 0;
    for (int k = 0; k < (int)kind; k++)
        column += s->widths[k];
    return column;
}

/* ---- the features ---- */

static hlrp_status find_members(const hlrp_score_job *job, hlrp_slide_score *s, hlrp_error *err) {
    const hlrp_feature_source *f = job->source;
    for (int64_t t = 0; t < s->tiles; t++)
        if (f->has(f->ctx, t))
            s->members[s->instances++] = t;
    if (s->instances > 0)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_INPUT, job->slide, "check the slide for damage",
                     "no tile has features");
}

/* Instances that are neighbors on the slide's list are read together. */
static hlrp_status read_features(void *ctx, int64_t first, int64_t count, float *values,
                                 hlrp_error *err) {
    const hlrp_scoring *m = ctx;
    const hlrp_feature_source *f = m->job->source;
    const int64_t *members = m->score->members + first;
    int64_t together = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(m->job->go_on(m->job->ctx, err));
    for (int64_t i = 0; status == HLRP_OK && i < count; i += together) {
        for (together = 1; i + together < count; together++)
            if (members[i + together] != members[i] + together)
                break;
        status = f->read(f->ctx, members[i], together, values + i * m->score->width, err);
    }
out:
    return status;
}

hlrp_head_features hlrp_scoring_features(hlrp_scoring *m) {
    return (hlrp_head_features){read_features, m};
}

/* ---- the head ---- */

/* The scores that have a column: now that the head's branches are known. */
static hlrp_status make_scores(hlrp_scoring *m, hlrp_error *err) {
    hlrp_slide_score *s = m->score;
    const hlrp_mil *mil = m->job->mil;
    const bool attention = mil->baselines & HLRP_MIL_ATTENTION;
    if (attention && m->head.branches == 0)
        hlrp_logf(
            m->job->log, HLRP_LOG_WARN,
            "%s: the head has no attention: it sums tiles up by no weights that a plane could "
            "show",
            m->job->slide);
    s->widths[HLRP_SCORE_ATTENTION] = attention ? m->head.branches : 0;
    s->widths[HLRP_SCORE_SINGLE] = mil->baselines & HLRP_MIL_SINGLE ? s->head->classes : 0;
    s->widths[HLRP_SCORE_DROP] = mil->baselines & HLRP_MIL_DROP ? s->head->classes : 0;
    s->widths[HLRP_SCORE_GRADIENT] =
        mil->baselines & HLRP_MIL_GRADIENT ? s->head->targets.planes : 0;
    s->score_count = hlrp_score_column(s, HLRP_SCORE_KINDS);
    const hlrp_status status =
        hlrp_calloc(&s->scores, s->tiles * s->score_count, sizeof *s->scores, "scores", err);
    for (int64_t i = 0; status == HLRP_OK && i < s->tiles * s->score_count; i++)
        s->scores[i] = NAN;
    return status;
}

static hlrp_status take_attention(hlrp_scoring *m, hlrp_error *err) {
    hlrp_slide_score *s = m->score;
    const int64_t width = s->widths[HLRP_SCORE_ATTENTION];
    float *weights = NULL;
    hlrp_status status = HLRP_OK;
    if (width == 0)
        return HLRP_OK;
    HLRP_TRY(hlrp_calloc(&weights, s->instances * width, sizeof *weights, "attention", err));
    HLRP_TRY(hlrp_head_attention(&m->head, weights, err));
    for (int64_t i = 0; i < s->instances; i++)
        memcpy(s->scores + s->members[i] * s->score_count, weights + i * width,
               (size_t)width * sizeof *weights);
out:
    free(weights);
    return status;
}

/* What the nodes took of one plane's relevance, and what they passed on, to the sums over all planes. */
static void take_account(hlrp_scoring *m, int64_t plane) {
    double *taken = m->score->taken + plane * HLRP_ACCOUNT_FIELDS;
    for (int64_t i = 0; i < hlrp_account_count(m->head.net); i++) {
        taken[i % HLRP_ACCOUNT_FIELDS] += m->head.layers[i];
        m->score->layers[i] += m->head.layers[i];
    }
}

static hlrp_status spool_relevance(void *ctx, int64_t first, int64_t count, const float *values,
                                   hlrp_error *err) {
    const hlrp_scoring *m = ctx;
    return m->score->spool < 0
               ? HLRP_OK
               : hlrp_score_spool_write(m->score, m->plane, first, count, values, err);
}

static hlrp_status explain_plane(hlrp_scoring *m, hlrp_error *err) {
    hlrp_slide_score *s = m->score;
    const int64_t planes = s->head->targets.planes, plane = m->plane;
    const hlrp_head_features features = hlrp_scoring_features(m);
    const hlrp_head_relevance relevance = {spool_relevance, m, m->sums, m->magnitudes};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_head_back(&m->head, &features, s->head->targets.classes[plane], &relevance,
                            &s->start[plane], err));
    for (int64_t i = 0; i < s->instances; i++) {
        if (!isfinite(m->sums[i]))
            HLRP_TRY(hlrp_fail(err, HLRP_E_INPUT, m->job->slide,
                               "try another composite, such as cp",
                               "the relevance of its tiles is not finite"));
        s->relevance[s->members[i] * planes + plane] = m->sums[i];
    }
    take_account(m, plane);
out:
    return status;
}

static hlrp_status explain_planes(hlrp_scoring *m, hlrp_error *err) {
    const hlrp_targets *targets = &m->score->head->targets;
    const int64_t predicted = hlrp_predicted(m->score->probability, m->score->head->classes);
    hlrp_status status = HLRP_OK;
    for (m->plane = 0; status == HLRP_OK && m->plane < targets->planes; m->plane++)
        if (!targets->predicted || targets->classes[m->plane] == predicted)
            status = explain_plane(m, err);
    return status;
}

/* Forward and back over the whole bag. */
static hlrp_status run_head(void *ctx, hlrp_error *err) {
    hlrp_scoring *m = ctx;
    hlrp_slide_score *s = m->score;
    const hlrp_head_features features = hlrp_scoring_features(m);
    hlrp_config *own = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_head_config(s->head->config, NULL, &own, err));
    HLRP_TRY(hlrp_head_open(&m->head, own, s->instances, s->width, m->job->log, err));
    HLRP_TRY(make_scores(m, err));
    HLRP_TRY(hlrp_head_forward(&m->head, &features, err));
    const float *logits = hlrp_head_logits(&m->head);
    hlrp_probabilities(HLRP_PROBABILITY_NONE, logits, s->head->outputs, s->logit);
    hlrp_probabilities(s->head->probability, logits, s->head->outputs, s->probability);
    HLRP_TRY(take_attention(m, err));
    HLRP_TRY(explain_planes(m, err));
    HLRP_TRY(hlrp_scoring_others(m, err));
    hlrp_head_close(&m->head);
    status = hlrp_scoring_gradient(m, err);
out:
    hlrp_head_close(&m->head);
    return status;
}

hlrp_status hlrp_slide_score_make(const hlrp_score_job *job, hlrp_slide_score **out,
                                  hlrp_error *err) {
    hlrp_slide_score *s = NULL;
    hlrp_scoring m = {.job = job};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&s, 1, sizeof *s, "a bag", err));
    s->head = job->mil->head;
    s->tiles = job->tiles;
    s->width = job->width;
    s->spool = -1;
    HLRP_TRY(make_room(s, err));
    HLRP_TRY(find_members(job, s, err));
    if (job->mil->pixels.share > 0)
        HLRP_TRY(hlrp_score_spool_open(job->folder, &s->spool, err));
    HLRP_TRY(hlrp_calloc(&m.sums, 2 * s->instances, sizeof *m.sums, "a bag", err));
    m.magnitudes = m.sums + s->instances;
    m.score = s;
    HLRP_TRY(hlrp_sched_single(run_head, &m, err));
    HLRP_TRY(hlrp_score_choose(&job->mil->pixels, s, err));
    *out = s;
    s = NULL;
out:
    free(m.sums);
    hlrp_slide_score_free(s);
    return status;
}

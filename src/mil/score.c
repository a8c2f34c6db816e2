#include "mil/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mil/score_internal.h"
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
    HLRP_TRY(hlrp_calloc(&s->taken, planes, sizeof *s->taken, "a bag", err));
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
    void *const all[] = {s->members,   s->logit,  s->probability, s->start, s->taken,
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

hlrp_status hlrp_score_read(const hlrp_score_job *job, const hlrp_slide_score *s, float *values,
                            hlrp_error *err) {
    enum { AT_ONCE = 1024 };
    const hlrp_feature_source *f = job->source;
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0; status == HLRP_OK && i < s->instances; i += count) {
        const int64_t first = s->members[i];
        for (count = 1; count < AT_ONCE && i + count < s->instances; count++)
            if (s->members[i + count] != first + count)
                break;
        HLRP_TRY(job->go_on(job->ctx, err));
        status = f->read(f->ctx, first, count, values + i * s->width, err);
    }
out:
    return status;
}

/* ---- the head ---- */

typedef struct making {
    const hlrp_score_job *job;
    hlrp_slide_score *score;
    hlrp_head head;
} making;

/* The scores that have a column: now that the head's branches are known. */
static hlrp_status make_scores(making *m, hlrp_error *err) {
    hlrp_slide_score *s = m->score;
    const hlrp_mil *mil = m->job->mil;
    const bool attention = mil->baselines & HLRP_MIL_ATTENTION;
    if (attention && m->head.branches == 0)
        hlrp_logf(m->job->log, HLRP_LOG_WARN,
                  "%s: the head has no attention: it sums tiles up by no weights that a plane could "
                  "show",
                  m->job->slide);
    s->widths[HLRP_SCORE_ATTENTION] = attention ? m->head.branches : 0;
    s->widths[HLRP_SCORE_SINGLE] = mil->baselines & HLRP_MIL_SINGLE ? s->head->classes : 0;
    s->widths[HLRP_SCORE_DROP] = mil->baselines & HLRP_MIL_DROP ? s->head->classes : 0;
    s->widths[HLRP_SCORE_GRADIENT] = mil->baselines & HLRP_MIL_GRADIENT ? s->head->targets.planes : 0;
    s->score_count = hlrp_score_column(s, HLRP_SCORE_KINDS);
    const hlrp_status status =
        hlrp_calloc(&s->scores, s->tiles * s->score_count, sizeof *s->scores, "scores", err);
    for (int64_t i = 0; status == HLRP_OK && i < s->tiles * s->score_count; i++)
        s->scores[i] = NAN;
    return status;
}

static hlrp_status take_attention(making *m, hlrp_error *err) {
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
static void take_account(making *m, int64_t plane) {
    hlrp_score_account *taken = &m->score->taken[plane];
    for (int node = 0; node < m->head.net->graph->node_count; node++) {
        const hlrp_account *a = &m->head.worker.account[node];
        taken->bias += a->bias;
        taken->stabilizer += a->stabilizer;
        taken->constant += a->constant;
        taken->normalization += a->normalization;
    }
    hlrp_account_add(&m->head.worker, 0, m->score->layers);
}

static hlrp_status explain_plane(making *m, int64_t plane, double *sums, double *magnitudes,
                                 hlrp_error *err) {
    hlrp_slide_score *s = m->score;
    const int64_t planes = s->head->targets.planes;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(m->job->go_on(m->job->ctx, err));
    HLRP_TRY(hlrp_head_back(&m->head, s->head->targets.classes[plane], &s->start[plane], err));
    const double all = hlrp_head_sums(&m->head, sums, magnitudes);
    if (!isfinite(all))
        HLRP_TRY(hlrp_fail(err, HLRP_E_INPUT, m->job->slide, "try another composite, such as cp",
                           "the relevance of its tiles is not finite"));
    for (int64_t i = 0; i < s->instances; i++)
        s->relevance[s->members[i] * planes + plane] = sums[i];
    take_account(m, plane);
    if (s->spool >= 0)
        status = hlrp_score_spool_write(s, plane, m->head.worker.relevance, err);
out:
    return status;
}

static hlrp_status explain_planes(making *m, hlrp_error *err) {
    hlrp_slide_score *s = m->score;
    const hlrp_targets *targets = &s->head->targets;
    const int64_t predicted = hlrp_predicted(s->probability, s->head->classes);
    double *sums = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&sums, 2 * s->instances, sizeof *sums, "a bag", err));
    for (int64_t k = 0; k < targets->planes; k++)
        if (!targets->predicted || targets->classes[k] == predicted)
            HLRP_TRY(explain_plane(m, k, sums, sums + s->instances, err));
out:
    free(sums);
    return status;
}

/* Forward and back over the whole bag. */
static hlrp_status run_head(void *ctx, hlrp_error *err) {
    making *m = ctx;
    hlrp_slide_score *s = m->score;
    const hlrp_score_job *job = m->job;
    hlrp_config *own = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_head_config(s->head->config, NULL, &own, err));
    HLRP_TRY(hlrp_head_open(&m->head, own, s->instances, s->width, job->log, err));
    HLRP_TRY(make_scores(m, err));
    HLRP_TRY(hlrp_score_read(job, s, m->head.worker.input, err));
    HLRP_TRY(hlrp_head_forward(&m->head, err));
    const float *logits = hlrp_worker_logits(&m->head.worker, 0);
    hlrp_probabilities(HLRP_PROBABILITY_NONE, logits, s->head->outputs, s->logit);
    hlrp_probabilities(s->head->probability, logits, s->head->outputs, s->probability);
    HLRP_TRY(take_attention(m, err));
    status = explain_planes(m, err);
out:
    hlrp_head_close(&m->head);
    return status;
}

hlrp_status hlrp_slide_score_make(const hlrp_score_job *job, hlrp_slide_score **out,
                                  hlrp_error *err) {
    hlrp_slide_score *s = NULL;
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
    making m = {.job = job, .score = s};
    HLRP_TRY(hlrp_sched_single(run_head, &m, err));
    HLRP_TRY(hlrp_score_baselines(job, s, err));
    HLRP_TRY(hlrp_score_choose(&job->mil->pixels, s, err));
    *out = s;
    s = NULL;
out:
    hlrp_slide_score_free(s);
    return status;
}

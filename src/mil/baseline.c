/* What relevance is compared with (xMIL, Hense et al. 2024): the score of each tile as a bag of its own, the
 * change of the score where the tile is left out, and gradient × input. */
#include "mil/internal.h"
#include "mil/score_internal.h"

/* ---- other bags of the same tiles ---- */

/* A bag that is one tile, or all but one; and the head for bags of that size. */
typedef struct others {
    hlrp_scoring *scoring;
    hlrp_score_kind kind;
    hlrp_head head;
    bool
        alike; /* it is parted as the head of all tiles: what that one made of each is taken over */
    int64_t tile; /* which */
} others;

static hlrp_status read_others(void *ctx, int64_t first, int64_t count, float *values,
                               hlrp_error *err) {
    const others *o = ctx;
    const hlrp_head_features all = hlrp_scoring_features(o->scoring);
    const int64_t width = o->head.width, end = first + count;
    const int64_t before = HLRP_MIN(HLRP_MAX(o->tile - first, 0), count);
    hlrp_status status = HLRP_OK;
    if (o->kind == HLRP_SCORE_SINGLE)
        return all.read(all.ctx, o->tile, 1, values, err);
    if (before > 0)
        HLRP_TRY(all.read(all.ctx, first, before, values, err));
    if (first + before < end)
        status =
            all.read(all.ctx, first + before + 1, count - before, values + before * width, err);
out:
    return status;
}

/* From one bag without a tile to the next only the place changes that the missing tile leaves to the one
 * before it. */
static void copy_others(others *o) {
    const hlrp_head *all = &o->scoring->head;
    const int64_t n = all->instances, i = o->tile;
    if (o->kind == HLRP_SCORE_SINGLE)
        hlrp_head_copy(&o->head, 0, all, i, 1);
    else if (i == 0)
        hlrp_head_copy(&o->head, 0, all, 1, n - 1);
    else
        hlrp_head_copy(&o->head, i - 1, all, i - 1, 1);
}

static hlrp_status score_tile(others *o, hlrp_error *err) {
    const hlrp_slide_score *s = o->scoring->score;
    const hlrp_head_features features = {read_others, o};
    float *to = s->scores + s->members[o->tile] * s->score_count + hlrp_score_column(s, o->kind);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(o->scoring->job->go_on(o->scoring->job->ctx, err));
    if (o->alike)
        copy_others(o);
    HLRP_TRY(o->alike ? hlrp_head_forward_rest(&o->head, err)
                      : hlrp_head_forward(&o->head, &features, err));
    hlrp_probabilities(HLRP_PROBABILITY_NONE, hlrp_head_logits(&o->head), s->head->outputs, to);
    for (int64_t c = 0; o->kind == HLRP_SCORE_DROP && c < s->head->classes; c++)
        to[c] = s->logit[c] - to[c];
out:
    return status;
}

static hlrp_status score_tiles(hlrp_scoring *m, hlrp_score_kind kind, hlrp_error *err) {
    const hlrp_slide_score *s = m->score;
    const int64_t size = kind == HLRP_SCORE_SINGLE ? 1 : s->instances - 1;
    others o = {.scoring = m, .kind = kind};
    hlrp_config *own = NULL;
    hlrp_status status = HLRP_OK;
    if (s->widths[kind] == 0 || size == 0) /* without its only tile there is no bag */
        return HLRP_OK;
    HLRP_TRY(hlrp_head_config(s->head->config, NULL, &own, err));
    HLRP_TRY(hlrp_head_open(&o.head, own, size, s->width, NULL, err));
    o.alike = hlrp_head_is_parted_as(&o.head, &m->head);
    for (; status == HLRP_OK && o.tile < s->instances; o.tile++)
        status = score_tile(&o, err);
out:
    hlrp_head_close(&o.head);
    return status;
}

hlrp_status hlrp_scoring_others(hlrp_scoring *m, hlrp_error *err) {
    const hlrp_status status = score_tiles(m, HLRP_SCORE_SINGLE, err);
    return status == HLRP_OK ? score_tiles(m, HLRP_SCORE_DROP, err) : status;
}

/* ---- gradient × input ---- */

static hlrp_status open_gradient(hlrp_scoring *m, hlrp_error *err) {
    const hlrp_slide_score *s = m->score;
    hlrp_config *own = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_head_config(s->head->config, "one", &own, err));
    own->lrp.bias = HLRP_CONFIG_BIAS_AUTO;
    own->lrp.attention = HLRP_CONFIG_PRODUCT_AUTO;
    HLRP_TRY(hlrp_bag_set_text(&own->lrp.composite, "gradient-x-input", err));
    return hlrp_head_open(&m->head, own, s->instances, s->width, NULL, err);
out:
    hlrp_config_free(own);
    return status;
}

hlrp_status hlrp_scoring_gradient(hlrp_scoring *m, hlrp_error *err) {
    hlrp_slide_score *s = m->score;
    const int64_t column = hlrp_score_column(s, HLRP_SCORE_GRADIENT);
    const hlrp_targets *targets = &s->head->targets;
    const hlrp_head_features features = hlrp_scoring_features(m);
    const hlrp_head_relevance sums = {.sums = m->sums, .magnitudes = m->magnitudes};
    double start = 0;
    hlrp_status status = HLRP_OK;
    if (s->widths[HLRP_SCORE_GRADIENT] == 0)
        return HLRP_OK;
    HLRP_TRY(open_gradient(m, err));
    HLRP_TRY(hlrp_head_forward(&m->head, &features, err));
    for (int64_t k = 0; k < targets->planes; k++) {
        if (!hlrp_slide_score_explains(s, k))
            continue;
        HLRP_TRY(hlrp_head_back(&m->head, &features, targets->classes[k], &sums, &start, err));
        for (int64_t i = 0; i < s->instances; i++)
            s->scores[s->members[i] * s->score_count + column + k] = (float)m->sums[i];
    }
out:
    return status;
}

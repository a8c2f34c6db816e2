/* Parts of a slide's score. */
#ifndef HLRP_MIL_SCORE_INTERNAL_H
#define HLRP_MIL_SCORE_INTERNAL_H

#include "mil/head.h"
#include "mil/score.h"

/* A score in the making. */
typedef struct hlrp_scoring {
    const hlrp_score_job *job;
    hlrp_slide_score *score;
    hlrp_head head;
    double *sums, *magnitudes; /* [N], of one plane */
    int64_t plane;             /* that is explained */
} hlrp_scoring;

/* The bag's features, for its head. */
hlrp_head_features hlrp_scoring_features(hlrp_scoring *m);

/* Column of scores [T][M] where a kind begins. */
int64_t hlrp_score_column(const hlrp_slide_score *s, hlrp_score_kind kind);

/* The scores of [mil] baselines but attention (baseline.c): those of other bags of the same tiles, while
 * the head stands that has seen all of them; and gradient × input. */
hlrp_status hlrp_scoring_others(hlrp_scoring *m, hlrp_error *err);
hlrp_status hlrp_scoring_gradient(hlrp_scoring *m, hlrp_error *err);

/* Which tiles go to pixels: mil.pixels (choose.c). */
hlrp_status hlrp_score_choose(const hlrp_mil_pixels *pixels, hlrp_slide_score *s, hlrp_error *err);

/* The file of features' relevance, which nobody else sees (spool.c). */
hlrp_status hlrp_score_spool_open(const char *folder, int *spool, hlrp_error *err);
hlrp_status hlrp_score_spool_write(const hlrp_slide_score *s, int64_t plane, int64_t first,
                                   int64_t count, const float *rho, hlrp_error *err);

#endif

/* Parts of a slide's score. */
#ifndef HLRP_MIL_SCORE_INTERNAL_H
#define HLRP_MIL_SCORE_INTERNAL_H

#include "mil/head.h"
#include "mil/score.h"

/* The bag's features, into values [N][D]. */
hlrp_status hlrp_score_read(const hlrp_score_job *job, const hlrp_slide_score *s, float *values,
                            hlrp_error *err);

/* Column of scores [T][M] where a kind begins. */
int64_t hlrp_score_column(const hlrp_slide_score *s, hlrp_score_kind kind);

/* The scores of [mil] baselines but attention, which comes with the head's own run (baseline.c). */
hlrp_status hlrp_score_baselines(const hlrp_score_job *job, hlrp_slide_score *s, hlrp_error *err);

/* Which tiles go to pixels: mil.pixels (choose.c). */
hlrp_status hlrp_score_choose(const hlrp_mil_pixels *pixels, hlrp_slide_score *s, hlrp_error *err);

/* The file of features' relevance, which nobody else sees (spool.c). */
hlrp_status hlrp_score_spool_open(const char *folder, int *spool, hlrp_error *err);
hlrp_status hlrp_score_spool_write(const hlrp_slide_score *s, int64_t plane, const float *rho,
                                   hlrp_error *err);

#endif

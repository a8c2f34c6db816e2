/* Whether the map agrees with the network: relevance that starts below zero, because the network speaks
 * against the class, should not add up to a map that speaks for it. Rules that hand a part of the
 * relevance to biases do not promise that; so it is measured. */
#ifndef HLRP_STORE_AGREEMENT_H
#define HLRP_STORE_AGREEMENT_H

#include "store/store.h"

/* 1: the start and the sum of the map have the same sign; −1: they differ; 0: one of them is 0, or not
 * known because nothing was explained. */
int hlrp_agrees(double start, double sum);

/* Σ|relevance| / |start|: what the map shows for each unit that was to be explained. NaN for a start of
 * 0 and where nothing was explained. */
double hlrp_over_start(double start, double magnitude);

/* Figures over tiles. With several explained classes a tile counts once for each. */
typedef struct hlrp_agreement {
    int64_t compared, differ; /* tiles where hlrp_agrees is not 0; of them, those where it is −1 */
    /* The same for the compared tiles whose |start| is not below its 10th percentile: where the
     * network is undecided, either sign may be right. */
    int64_t clear, clear_differ;
    double over_start;                /* median of hlrp_over_start; NaN where none are compared */
    int64_t against, turned_for;      /* start < 0; of them, the map sums up to > 0 */
    int64_t in_favor, turned_against; /* start > 0; of them, the map sums up to < 0 */
} hlrp_agreement;

/* Whether people have to be told not to trust the map's signs: over 1 % of the clear tiles differ, or
 * the median of Σ|relevance| / |start| is over 20, so that most of the map cancels out. */
bool hlrp_agreement_differs(const hlrp_agreement *a);
bool hlrp_agreement_cancels(const hlrp_agreement *a);

/* differ / compared; NaN where none are compared. */
double hlrp_agreement_share(const hlrp_agreement *a);

/* Measuring several results as one, in passes (percentiles are exact, and memory does not grow with the
 * number of tiles):
 *
 *     hlrp_agreement_begin(&m, err);
 *     for (int pass = 0; pass < HLRP_AGREEMENT_PASSES; pass++) {
 *         for (each result) hlrp_agreement_add(m, result, plane, err);
 *         hlrp_agreement_next_pass(m);
 *     }
 *     hlrp_agreement_end(m, &figures); */
enum { HLRP_AGREEMENT_PASSES = 3 };
typedef struct hlrp_agreement_measure hlrp_agreement_measure;

hlrp_status hlrp_agreement_begin(hlrp_agreement_measure **out, hlrp_error *err);
/* The tiles of one plane, or of all where `plane` is −1. A result of an earlier version, which has no
 * such numbers, adds nothing. */
hlrp_status hlrp_agreement_add(hlrp_agreement_measure *m, hlrp_result *result, int64_t plane,
                               hlrp_error *err);
void hlrp_agreement_next_pass(hlrp_agreement_measure *m);
void hlrp_agreement_end(const hlrp_agreement_measure *m, hlrp_agreement *out);
void hlrp_agreement_free(hlrp_agreement_measure *m); /* NULL is fine */

/* All passes over one result. */
hlrp_status hlrp_agreement_of(hlrp_result *result, int64_t plane, hlrp_agreement *out,
                              hlrp_error *err);

#endif

/* Private to src/sink: what a report tells of a slide with one score of all its tiles. */
#ifndef HLRP_REPORT_BAG_H
#define HLRP_REPORT_BAG_H

#include "sink/report_numbers.h"
#include "store/bag_score.h"

/* What the head says of a tile for the shown class: its part of the score, and each kind of score; NaN
 * where it is not known. */
typedef struct hlrp_bag_values {
    int64_t tiles;
    double *relevance;                /* [tiles] */
    double *scores[HLRP_SCORE_KINDS]; /* [tiles]; NULL: none for the class */
    /* 1: the most; equal values share the mean of their ranks. NaN of tiles in no bag; NULL without attention */
    double *relevance_rank, *attention_rank;
} hlrp_bag_values;

/* Zero-initialise. */
typedef struct hlrp_report_bag {
    hlrp_bag_score score;
    hlrp_bag_values values;
    hlrp_report_best in_favor, against; /* that have most of the score, for and against the class */
    /* More attention than relevance, by over a tenth of all ranks; the reverse */
    hlrp_report_best attended, overlooked;
    double rank_correlation; /* Spearman's, of attention and relevance */
} hlrp_report_bag;

/* Of a result that is a bag's. Free also where this fails. */
hlrp_status hlrp_report_bag_count(const hlrp_sink_input *in, hlrp_report_bag *out, hlrp_error *err);
void hlrp_report_bag_free(hlrp_report_bag *bag);

/* ---- parts of the fragment ---- */

/* The slide's class and the score of each. */
void hlrp_report_bag_verdict(const hlrp_report_input *in, const hlrp_report_bag *bag, hlrp_str *s);
/* Where the shown class's score went: the head, the encoder, pixels and tiles. */
hlrp_status hlrp_report_bag_account(const hlrp_report_input *in, hlrp_str *s, hlrp_error *err);
/* Tiles that decide, and those on which attention and relevance differ. */
hlrp_status hlrp_report_bag_tiles(const hlrp_report_input *in, const hlrp_report_bag *bag,
                                  hlrp_str *s, hlrp_error *err);

#endif

/* Private to src/sink: the numbers that a slide's fragment tells. */
#ifndef HLRP_REPORT_NUMBERS_H
#define HLRP_REPORT_NUMBERS_H

#include "sink/report.h"
#include "store/agreement.h"

#define HLRP_REPORT_BINS 20
#define HLRP_REPORT_TOP 6

/* What the shown class got: map pixels that were explained, relevance for and against (≤ 0). */
typedef struct hlrp_report_sums {
    double pixels, plus, minus;
} hlrp_report_sums;

typedef struct hlrp_report_tile {
    int64_t number;
    double x, y, width, height; /* level-0 frame */
    double probability, relevance;
    double key; /* the best has the most of it */
} hlrp_report_tile;

/* The best tiles, best first; they do not overlap. */
typedef struct hlrp_report_best {
    hlrp_report_tile tiles[HLRP_REPORT_TOP];
    int count;
} hlrp_report_best;

/* Puts a tile among the best. One that overlaps a better one stays out; those that it beats and overlaps
 * go. */
void hlrp_report_offer(hlrp_report_best *best, const hlrp_report_tile *tile);

typedef struct hlrp_report_numbers {
    hlrp_report_sums all, by_kind[HLRP_GROUND_MOST];
    int64_t of_class; /* the shown plane as an index of the classes; −1: none */
    int64_t explained, gated, unreadable;
    int64_t predicted;                   /* tiles that predict the shown class */
    int64_t with_probability;            /* tiles that have one */
    double mean_probability;             /* NaN without tiles */
    int64_t histogram[HLRP_REPORT_BINS]; /* of the shown class' probability, 0…1 */
    double start, arrived, outside;      /* of the shown plane, summed over explained tiles */
    hlrp_agreement agreement;            /* of the shown plane */
    /* Tiles whose start does not have the sign that fits their prediction: they predict the shown
     * class with a start < 0, or another one with a start > 0. */
    int64_t against_yet_predicted, in_favor_yet_not;
    hlrp_report_best top; /* by relevance */
} hlrp_report_numbers;

hlrp_status hlrp_report_count(const hlrp_sink_input *in, const hlrp_ground *ground,
                              hlrp_report_numbers *out, hlrp_error *err);

/* How much more relevance for the class an area of kind k gets than the same area of kinds that are
 * not suspect; 0 where the kind has none, NaN where there is nothing to compare with. */
double hlrp_report_excess(const hlrp_ground *ground, const hlrp_report_numbers *n, int64_t kind);

/* Whether the network looks where it should not: a suspect kind with over 5 % of the relevance for
 * or against, and over 4 times as much of it per area as other ground. */
bool hlrp_report_accuses(const hlrp_ground *ground, const hlrp_report_numbers *n, int64_t kind);

#endif

/* The record's tiles in batches, for the tables. */
#ifndef HLRP_SINK_TILES_H
#define HLRP_SINK_TILES_H

#include "store/store.h"

/* Tiles [first, first+count). Doubles as read; widths C (classes) and K (planes). */
typedef struct hlrp_tiles {
    const hlrp_result_info *info;
    int64_t first, count;
    double *x, *y, *width, *height, *status; /* [count] */
    double *logit, *probability;             /* [count][C] */
    double *start, *sum, *outside;           /* [count][K] */
    double *abs,
        *agrees; /* [count][K]: Σ|relevance|, and 1, −1 or 0 as hlrp_agrees has it; NaN and 0
                             in a record of an earlier version */
    /* [count][K]: sums of the map's positive and of its negative values, over the map pixels whose
     * middle lies in the frame; NaN where none is known */
    double *plus, *minus;
    double *scores[HLRP_SCORE_KINDS]; /* of a bag: [count][width of the kind]; NULL where it is 0 */
    float *rows;                      /* of the map */
    int64_t row_room;
} hlrp_tiles;

#define HLRP_TILES_BATCH 2048

/* Room for a batch; free with hlrp_tiles_free, also after a failure. */
hlrp_status hlrp_tiles_init(hlrp_tiles *tiles, const hlrp_result *result, hlrp_error *err);
void hlrp_tiles_free(hlrp_tiles *tiles);

/* Reads the batch from tile `first`. */
hlrp_status hlrp_tiles_read(hlrp_tiles *tiles, hlrp_result *result, int64_t first, hlrp_error *err);

/* "explained", "gated" or "unreadable"; static. */
const char *hlrp_tiles_status(const hlrp_tiles *tiles, int64_t i);

/* The class with the highest probability, −1 where there is none (unreadable, or of a bag). */
int64_t hlrp_tiles_predicted(const hlrp_tiles *tiles, int64_t i);

/* Score m of a bag's tile, named by hlrp_score_name. */
double hlrp_tiles_score(const hlrp_tiles *tiles, int64_t i, int64_t m);

/* Relevance per mm² of the tile's frame. */
double hlrp_tiles_density(const hlrp_tiles *tiles, int64_t i, int64_t plane);

/* hlrp_over_start; NaN where unknown. */
double hlrp_tiles_over_start(const hlrp_tiles *tiles, int64_t i, int64_t plane);

#endif

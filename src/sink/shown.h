/* The map as pictures show it: calmed, row by row. */
#ifndef HLRP_SHOWN_H
#define HLRP_SHOWN_H

#include "store/store.h"

typedef struct hlrp_shown hlrp_shown;

/* One plane (one that the record has) of /relevance, each value the mean of the finite ones around
 * it under a Gaussian of `smoothing` map pixels (its standard deviation; cut at three of them); NaN
 * stays NaN. Strided layers leave a grain of opposite signs within single nuclei, which the mean
 * takes out and which no eye can read; sums stay what they are. 0: the record's own values.
 * Memory: map width × (a chunk's height + the rows asked for + 6 × smoothing). The result must
 * outlive it. */
hlrp_status hlrp_shown_new(hlrp_result *result, int64_t plane, double smoothing, hlrp_shown **out,
                           hlrp_error *err);
void hlrp_shown_free(hlrp_shown *shown); /* NULL is fine */

/* Rows [y0, y0+rows) to values [rows][map width]. Asked for from the top, the record is read once.
 */
hlrp_status hlrp_shown_read(hlrp_shown *shown, int64_t y0, int64_t rows, float *values,
                            hlrp_error *err);

#endif

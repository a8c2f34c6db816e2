/* The display limit: an exact percentile of |values|, in two passes and 1.5 MB, whatever their
 * number. A float's magnitude sorts like its 31 low bits: the first pass counts the upper 15 of
 * them, the second the lower 16 of the values that share the upper bits of the two wanted ranks. */
#ifndef HLRP_LIMIT_H
#define HLRP_LIMIT_H

#include "util/util.h"

typedef struct hlrp_limit hlrp_limit;

/* percentile in 0 … 100 (HLRP_E_CONFIG else). The caller frees *out. */
hlrp_status hlrp_limit_new(double percentile, hlrp_limit **out, hlrp_error *err);
void hlrp_limit_free(hlrp_limit *limit); /* NULL is fine */

/* Pass 1: all values, in any pieces and order; NaN and infinities are skipped. Several slides may
 * be added: then it is a percentile of them all. */
void hlrp_limit_add(hlrp_limit *limit, const float *values, int64_t count);

/* Ends pass 1; the same values are then to be added once more. */
void hlrp_limit_second_pass(hlrp_limit *limit);

/* After the second pass: the value at rank percentile/100 · (n − 1) of the sorted |values|, linear
 * between neighbors; 0 without values. */
double hlrp_limit_value(const hlrp_limit *limit);

/* The limit of values that are all there at once. */
hlrp_status hlrp_limit_of(const float *values, int64_t count, double percentile, double *out,
                          hlrp_error *err);

#endif

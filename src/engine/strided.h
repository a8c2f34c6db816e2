/* Copies between arrays whose axes lie in memory as they will: what transposes, cuts, repeats and sums
 * over axes come to. */
#ifndef HLRP_STRIDED_H
#define HLRP_STRIDED_H

#include "tensor/tensor.h"

/* A box of elements: where it begins in either array, and how far neighbours lie apart along each axis,
 * in floats (0: one element stands for all). */
typedef struct hlrp_strided {
    hlrp_dims box;
    int64_t from, to;
    int64_t from_step[HLRP_MAX_RANK], to_step[HLRP_MAX_RANK];
} hlrp_strided;

/* How far neighbours of a row-major array lie apart along each axis. */
void hlrp_row_steps(const hlrp_dims *dims, int64_t *step);
/* The same box the other way. */
hlrp_strided hlrp_strided_turned(const hlrp_strided *s);

void hlrp_strided_copy(const hlrp_strided *s, const float *from, float *to);
/* to += from */
void hlrp_strided_add(const hlrp_strided *s, const float *from, float *to);

#endif

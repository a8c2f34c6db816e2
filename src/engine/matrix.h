/* Products of two computed matrices, row-major. */
#ifndef HLRP_MATRIX_H
#define HLRP_MATRIX_H

#include "util/util.h"

/* c [rows, columns] = a' b', where a' is a [rows, inner] or the transpose of a [inner, rows], and b'
 * likewise [inner, columns]. Called with OpenMP limited to one thread, as everything here. */
typedef struct hlrp_matrix_product {
    int64_t rows, inner, columns;
    bool turn_a, turn_b; /* a, b as they lie are the transposes */
} hlrp_matrix_product;

hlrp_status hlrp_multiply_matrices(const hlrp_matrix_product *p, const float *a, const float *b,
                                   float *c, hlrp_error *err);

#endif

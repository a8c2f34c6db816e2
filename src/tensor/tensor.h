/* Dense arrays, row-major. Activations and weights are float32; shapes inside networks are int64.
 */
#ifndef HLRP_TENSOR_H
#define HLRP_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "util/util.h"

#define HLRP_MAX_RANK 8

typedef struct hlrp_dims {
    int rank; /* 0: a scalar */
    int64_t d[HLRP_MAX_RANK];
} hlrp_dims;

typedef enum hlrp_dtype { HLRP_F32, HLRP_I64 } hlrp_dtype;

typedef struct hlrp_tensor {
    hlrp_dims dims;
    hlrp_dtype dtype;
    float *f;   /* HLRP_F32, 64-byte aligned, owned */
    int64_t *i; /* HLRP_I64, owned */
} hlrp_tensor;

/* Product of the extents; HLRP_E_MEMORY where one is negative or the product exceeds 2^40. */
hlrp_status hlrp_dims_count(const hlrp_dims *dims, int64_t *count, hlrp_error *err);
bool hlrp_dims_equal(const hlrp_dims *a, const hlrp_dims *b);
/* "1x3x224x224" into buf; returns buf. */
const char *hlrp_dims_text(const hlrp_dims *dims, char *buf, size_t size);

/* Zero-filled. */
hlrp_status hlrp_tensor_new(const hlrp_dims *dims, hlrp_dtype dtype, hlrp_tensor **out,
                            hlrp_error *err);
hlrp_status hlrp_tensor_copy(const hlrp_tensor *from, hlrp_tensor **out, hlrp_error *err);
int64_t hlrp_tensor_count(const hlrp_tensor *t);
void hlrp_tensor_free(hlrp_tensor *t); /* NULL is fine */

#endif

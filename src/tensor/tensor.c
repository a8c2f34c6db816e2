#include "tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* Far above any activation of a tile, far below where a byte count could overflow. */
#define MAX_COUNT (INT64_C(1) << 40)

hlrp_status hlrp_dims_count(const hlrp_dims *dims, int64_t *count, hlrp_error *err) {
    int64_t product = 1;
    bool fits = dims->rank >= 0 && dims->rank <= HLRP_MAX_RANK;
    bool empty = false;
    for (int k = 0; fits && k < dims->rank; k++) {
        fits = dims->d[k] >= 0 && dims->d[k] <= MAX_COUNT;
        empty = empty || dims->d[k] == 0;
    }
    /* Extents of 0 are left out: what multiplies some of the extents must not overflow either. */
    for (int k = 0; fits && k < dims->rank; k++)
        fits = hlrp_mul_size(product, HLRP_MAX(dims->d[k], 1), &product) && product <= MAX_COUNT;
    if (!fits) {
        char text[96];
        *count = 0;
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, "check the shapes of the network and its input",
                         "a tensor cannot have the shape %s",
                         hlrp_dims_text(dims, text, sizeof text));
    }
    *count = empty ? 0 : product;
    return HLRP_OK;
}

bool hlrp_dims_equal(const hlrp_dims *a, const hlrp_dims *b) {
    if (a->rank != b->rank)
        return false;
    for (int k = 0; k < a->rank; k++)
        if (a->d[k] != b->d[k])
            return false;
    return true;
}

const char *hlrp_dims_text(const hlrp_dims *dims, char *buf, size_t size) {
    size_t used = 0;
    if (size == 0)
        return buf;
    snprintf(buf, size, "%s", dims->rank == 0 ? "scalar" : "");
    for (int k = 0; k < dims->rank && k < HLRP_MAX_RANK && used < size; k++) {
        int n =
            snprintf(buf + used, size - used, "%s%lld", k > 0 ? "x" : "", (long long)dims->d[k]);
        used += n > 0 ? (size_t)n : 0;
    }
    return buf;
}

hlrp_status hlrp_tensor_new(const hlrp_dims *dims, hlrp_dtype dtype, hlrp_tensor **out,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *t = NULL;
    int64_t count = 0;

    *out = NULL;
    HLRP_TRY(hlrp_dims_count(dims, &count, err));
    HLRP_TRY(hlrp_calloc(&t, 1, sizeof *t, "a tensor", err));
    t->dims = *dims;
    t->dtype = dtype;
    if (dtype == HLRP_F32)
        HLRP_TRY(hlrp_calloc_aligned(&t->f, count, sizeof *t->f, "a tensor", err));
    else
        HLRP_TRY(hlrp_calloc_aligned(&t->i, count, sizeof *t->i, "a tensor", err));
    *out = t;
    t = NULL;

out:
    hlrp_tensor_free(t);
    return status;
}

hlrp_status hlrp_tensor_copy(const hlrp_tensor *from, hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = hlrp_tensor_new(&from->dims, from->dtype, out, err);
    if (status != HLRP_OK)
        return status;
    size_t n = (size_t)hlrp_tensor_count(from);
    if (from->dtype == HLRP_F32)
        memcpy((*out)->f, from->f, n * sizeof *from->f);
    else
        memcpy((*out)->i, from->i, n * sizeof *from->i);
    return HLRP_OK;
}

int64_t hlrp_tensor_count(const hlrp_tensor *t) {
    int64_t n = 1; /* hlrp_tensor_new has checked the product */
    for (int k = 0; k < t->dims.rank; k++)
        n *= t->dims.d[k];
    return n;
}

void hlrp_tensor_free(hlrp_tensor *t) {
    if (!t)
        return;
    free(t->f);
    free(t->i);
    free(t);
}

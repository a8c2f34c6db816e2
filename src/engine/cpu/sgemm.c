/* Fully connected layers on oneDNN's matrix product: plain matrices, one copy of the weights for both
 * directions, borrowed. Products of computed matrices go the same way. */
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#include "engine/cpu/dnnl_library.h"
#include "engine/kernel.h"
#include "engine/matrix.h"

typedef struct product {
    hlrp_kernel kernel;
    bool forward;
    int64_t rows, inputs, outputs;
    bool
        alike; /* the rows are one sample's: their number is that of the network, however it runs */
    const float *weights; /* [outputs, inputs] */
} product;

/* Rows that one call of sgemm takes. The kernels without AVX-512 work on six rows at a time and add
 * the one or two that remain in another order; up to four are always added alike. */
static int64_t rows_alike(int64_t n) {
    enum { ALIKE = 4 };
    return hlrp_dnnl_has_isa(dnnl_cpu_isa_avx512_core) ? n : HLRP_MIN(n, ALIKE);
}

static dnnl_status_t multiply(const product *m, const float *bias, int64_t rows, const float *in,
                              float *out) {
    const int64_t i = m->inputs, o = m->outputs;
    if (!m->forward)
        return dnnl_sgemm('N', 'N', rows, i, o, 1, in, o, m->weights, i, 0, out, i);
    for (int64_t row = 0; bias && row < rows; row++)
        memcpy(out + row * o, bias, (size_t)o * sizeof *out);
    return dnnl_sgemm('N', 'T', rows, o, i, 1, in, i, m->weights, i, bias ? 1 : 0, out, o);
}

static hlrp_status run(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                       const float *in, float *out, hlrp_error *err) {
    const product *m = (const product *)kernel;
    const int64_t n = m->rows, rows = m->alike ? n : rows_alike(n);
    const int64_t taken = m->forward ? m->inputs : m->outputs;
    const int64_t given = m->forward ? m->outputs : m->inputs;
    dnnl_status_t status = dnnl_success;
    (void)stream;
    if (hlrp_memory_left(HLRP_DNNL_ROOM, "a matrix product", err) != HLRP_OK)
        return HLRP_E_MEMORY;
    for (int64_t next = 0; status == dnnl_success && next < n; next += rows) {
        const int64_t first = HLRP_MIN(next, n - rows); /* the last call is as tall as the others */
        status = multiply(m, bias, rows, in + first * taken, out + first * given);
    }
    return status == dnnl_success ? HLRP_OK : hlrp_dnnl_failed("a matrix product", status, err);
}

static bool can(const hlrp_backend *backend, const hlrp_linear_spec *spec) {
    (void)backend;
    return spec->gemm;
}

static hlrp_status make(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                        hlrp_kernel **out, hlrp_error *err) {
    product *m = NULL;
    (void)backend;
    const hlrp_status status = hlrp_calloc(&m, 1, sizeof *m, "linear map", err);
    if (status != HLRP_OK)
        return status;
    *m = (product){.kernel.ops = &hlrp_kernel_sgemm,
                   .forward = forward,
                   .rows = spec->src.n * spec->src.h,
                   .alike = spec->src.rows,
                   .inputs = spec->src.c,
                   .outputs = spec->dst.c,
                   .weights = spec->weights};
    *out = &m->kernel;
    return HLRP_OK;
}

static void free_product(hlrp_kernel *kernel) {
    free(kernel);
}

const hlrp_kernel_ops hlrp_kernel_sgemm = {
    .name = "sgemm", .can = can, .make = make, .run = run, .free = free_product};

hlrp_status hlrp_multiply_matrices(const hlrp_matrix_product *p, const float *a, const float *b,
                                   float *c, hlrp_error *err) {
    if (hlrp_memory_left(HLRP_DNNL_ROOM, "a matrix product", err) != HLRP_OK)
        return HLRP_E_MEMORY;
    const dnnl_status_t status = dnnl_sgemm(
        p->turn_a ? 'T' : 'N', p->turn_b ? 'T' : 'N', p->rows, p->columns, p->inner, 1, a,
        p->turn_a ? p->rows : p->inner, b, p->turn_b ? p->inner : p->columns, 0, c, p->columns);
    return status == dnnl_success ? HLRP_OK : hlrp_dnnl_failed("a matrix product", status, err);
}

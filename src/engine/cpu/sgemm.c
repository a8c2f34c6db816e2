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
    int64_t called; /* rows that one call takes; more than there are: the last one is repeated */
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

static int64_t taken(const product *m) {
    return m->forward ? m->inputs : m->outputs;
}

static int64_t given(const product *m) {
    return m->forward ? m->outputs : m->inputs;
}

static int64_t scratch(const hlrp_kernel *kernel) {
    const product *m = (const product *)kernel;
    return m->called > m->rows ? m->called * (m->inputs + m->outputs) * (int64_t)sizeof(float) : 0;
}

/* One call of more rows than there are. */
static dnnl_status_t multiply_few(const product *m, hlrp_stream *stream, const float *bias,
                                  const float *in, float *out) {
    const size_t row = (size_t)taken(m) * sizeof *in;
    float *x = (float *)(void *)stream->scratch, *y = x + m->called * taken(m);
    for (int64_t i = 0; i < m->called; i++)
        memcpy(x + i * taken(m), in + HLRP_MIN(i, m->rows - 1) * taken(m), row);
    const dnnl_status_t status = multiply(m, bias, m->called, x, y);
    memcpy(out, y, (size_t)(m->rows * given(m)) * sizeof *out);
    return status;
}

static hlrp_status run(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                       const float *in, float *out, hlrp_error *err) {
    const product *m = (const product *)kernel;
    const int64_t n = m->rows, rows = m->called;
    dnnl_status_t status = dnnl_success;
    if (hlrp_memory_left(HLRP_DNNL_ROOM, "a matrix product", err) != HLRP_OK)
        return HLRP_E_MEMORY;
    if (scratch(kernel) > (stream ? stream->bytes : 0))
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, NULL,
                         "a stream has too little scratch memory");
    if (rows > n)
        status = multiply_few(m, stream, bias, in, out);
    for (int64_t next = 0; status == dnnl_success && rows <= n && next < n; next += rows) {
        const int64_t first = HLRP_MIN(next, n - rows); /* the last call is as tall as the others */
        status = multiply(m, bias, rows, in + first * taken(m), out + first * given(m));
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
    const int64_t rows = spec->src.n * spec->src.h;
    const hlrp_status status = hlrp_calloc(&m, 1, sizeof *m, "linear map", err);
    if (status != HLRP_OK)
        return status;
    *m = (product){.kernel.ops = &hlrp_kernel_sgemm,
                   .forward = forward,
                   .rows = rows,
                   /* rows of one sample are as many as the network has, however it runs */
                   .called = spec->src.rows ? rows : rows_alike(HLRP_MAX(rows, backend->samples)),
                   .inputs = spec->src.c,
                   .outputs = spec->dst.c,
                   .weights = spec->weights};
    *out = &m->kernel;
    return HLRP_OK;
}

static void free_product(hlrp_kernel *kernel) {
    free(kernel);
}

const hlrp_kernel_ops hlrp_kernel_sgemm = {.name = "sgemm",
                                           .can = can,
                                           .make = make,
                                           .run = run,
                                           .scratch = scratch,
                                           .free = free_product};

hlrp_status hlrp_multiply_matrices(const hlrp_matrix_product *p, const float *a, const float *b,
                                   float *c, hlrp_error *err) {
    if (hlrp_memory_left(HLRP_DNNL_ROOM, "a matrix product", err) != HLRP_OK)
        return HLRP_E_MEMORY;
    const dnnl_status_t status = dnnl_sgemm(
        p->turn_a ? 'T' : 'N', p->turn_b ? 'T' : 'N', p->rows, p->columns, p->inner, 1, a,
        p->turn_a ? p->rows : p->inner, b, p->turn_b ? p->inner : p->columns, 0, c, p->columns);
    return status == dnnl_success ? HLRP_OK : hlrp_dnnl_failed("a matrix product", status, err);
}

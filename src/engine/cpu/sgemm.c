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
    int64_t sample; /* rows of one sample */
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

/* ---- rows and columns of zeros ---- */

/* Relevance of tokens is often nothing: behind the last attention only the class token has any, and
 * queries and keys have none where attention is constant. What is skipped depends on the sample's own
 * numbers alone, and so do its bits. */
enum { MANY_ROWS = 64, COLUMNS = 384 };

static bool all_zero(int64_t count, const float *x) {
    int64_t i = 0;
    while (i < count && x[i] == 0)
        i++;
    return i == count;
}

static bool columns_zero(int64_t rows, int64_t columns, int64_t step, const float *x) {
    for (int64_t row = 0; row < rows; row++)
        if (!all_zero(columns, x + row * step))
            return false;
    return true;
}

/* From the first to the last row that is not 0. */
typedef struct range {
    int64_t from, to;
} range;

static range rows_with_some(int64_t rows, int64_t columns, const float *x) {
    range r = {0, rows};
    while (r.from < r.to && all_zero(columns, x + r.from * columns))
        r.from++;
    while (r.to > r.from && all_zero(columns, x + (r.to - 1) * columns))
        r.to--;
    return r;
}

/* out = in·W over columns of `in` piece by piece, always the same ones; those of zeros add nothing. */
static dnnl_status_t add_pieces(const product *m, int64_t rows, const float *in, float *out) {
    const int64_t i = m->inputs, o = m->outputs;
    dnnl_status_t status = dnnl_success;
    float kept = 0;
    for (int64_t from = 0; status == dnnl_success && from < o; from += COLUMNS) {
        const int64_t columns = HLRP_MIN(COLUMNS, o - from);
        if (columns_zero(rows, columns, o, in + from))
            continue;
        status = dnnl_sgemm('N', 'N', rows, i, columns, 1, in + from, o, m->weights + from * i, i,
                            kept, out, i);
        kept = 1;
    }
    if (kept == 0)
        memset(out, 0, (size_t)(rows * i) * sizeof *out);
    return status;
}

/* One sample of many rows. */
static dnnl_status_t multiply_some(const product *m, const float *bias, const float *in,
                                   float *out) {
    const range r = rows_with_some(m->sample, taken(m), in);
    for (int64_t row = 0; row < m->sample; row++) {
        const bool some = row >= r.from && row < r.to;
        if (!some && bias)
            memcpy(out + row * given(m), bias, (size_t)given(m) * sizeof *out);
        else if (!some)
            memset(out + row * given(m), 0, (size_t)given(m) * sizeof *out);
    }
    if (r.from == r.to)
        return dnnl_success;
    in += r.from * taken(m);
    out += r.from * given(m);
    return m->forward ? multiply(m, bias, r.to - r.from, in, out)
                      : add_pieces(m, r.to - r.from, in, out);
}

static hlrp_status run(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                       const float *in, float *out, hlrp_error *err) {
    const product *m = (const product *)kernel;
    const bool some = m->alike && m->sample >= MANY_ROWS;
    const int64_t n = m->rows, rows = some ? m->sample : m->called;
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
        status = some ? multiply_some(m, bias, in + first * taken(m), out + first * given(m))
                      : multiply(m, bias, rows, in + first * taken(m), out + first * given(m));
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
                   .sample = spec->src.h,
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

/* Convolutions and fully connected layers as they are defined, in plain C, for any layout: where nothing
 * else is there, and beside every other kernel in tests. Sums are float64, in the order of channels,
 * rows and columns. */
#include <stdlib.h>
#include <string.h>

#include "engine/kernel.h"
#include "engine/window.h"

typedef struct plain {
    hlrp_kernel kernel;
    bool forward;
    hlrp_linear_spec spec; /* without weights and bias */
    float *weights;        /* [O, I/g, kh, kw] */
} plain;

/* A fully connected layer is a convolution of one tap over one pixel. */
static hlrp_window window_of(const hlrp_linear_spec *s) {
    const hlrp_window one = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    return s->gemm ? one : s->window;
}

static int64_t weight_count(const hlrp_linear_spec *s) {
    const hlrp_window w = window_of(s);
    return s->dst.c * (s->src.c / s->group) * w.kernel[0] * w.kernel[1];
}

static const float *taps_of(const plain *m, int64_t o, int64_t i) {
    const hlrp_window *w = &m->spec.window;
    return m->weights + (o * (m->spec.src.c / m->spec.group) + i) * w->kernel[0] * w->kernel[1];
}

/* One pixel of one channel of z, without its bias. */
static double sum_at(const plain *m, const float *x, int64_t n, int64_t o, int64_t row,
                     int64_t column) {
    const hlrp_layout *l = &m->spec.src;
    const hlrp_window *w = &m->spec.window;
    const hlrp_span v = hlrp_span_at(w, 0, l->h, row), u = hlrp_span_at(w, 1, l->w, column);
    const int64_t inputs = l->c / m->spec.group,
                  first = o / (m->spec.dst.c / m->spec.group) * inputs;
    double sum = 0;
    for (int64_t i = 0; i < inputs; i++) {
        const float *taps = taps_of(m, o, i), *in = x + hlrp_layout_offset(l, n, first + i);
        for (int64_t a = v.from; a < v.to; a++)
            for (int64_t b = u.from; b < u.to; b++)
                sum += (double)taps[a * w->kernel[1] + b] *
                       in[((v.start + a * v.step) * l->w + u.start + b * u.step) * l->lanes];
    }
    return sum;
}

static void forward(const plain *m, const float *bias, const float *x, float *z) {
    const hlrp_layout *l = &m->spec.dst;
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t o = 0; o < l->c; o++) {
            float *to = z + hlrp_layout_offset(l, n, o);
            for (int64_t p = 0; p < l->h * l->w; p++)
                to[p * l->lanes] =
                    (float)(sum_at(m, x, n, o, p / l->w, p % l->w) + (bias ? (double)bias[o] : 0));
        }
}

/* The outputs along an axis that see pixel i by tap k: one, or none (-1). */
static int64_t output_of(const hlrp_window *w, int axis, int64_t i, int64_t k, int64_t extent) {
    const int64_t at = i + w->pad_lo[axis] - k * w->dilation[axis];
    return at >= 0 && at % w->stride[axis] == 0 && at / w->stride[axis] < extent
               ? at / w->stride[axis]
               : -1;
}

/* One pixel of one channel of c. */
static double back_at(const plain *m, const float *s, int64_t n, int64_t channel, int64_t row,
                      int64_t column) {
    const hlrp_layout *l = &m->spec.dst;
    const hlrp_window *w = &m->spec.window;
    const int64_t inputs = m->spec.src.c / m->spec.group, outputs = l->c / m->spec.group;
    const int64_t first = channel / inputs * outputs;
    double sum = 0;
    for (int64_t o = first; o < first + outputs; o++) {
        const float *taps = taps_of(m, o, channel % inputs),
                    *from = s + hlrp_layout_offset(l, n, o);
        for (int64_t t = 0; t < w->kernel[0] * w->kernel[1]; t++) {
            const int64_t y = output_of(w, 0, row, t / w->kernel[1], l->h);
            const int64_t x = output_of(w, 1, column, t % w->kernel[1], l->w);
            if (y >= 0 && x >= 0)
                sum += (double)taps[t] * from[(y * l->w + x) * l->lanes];
        }
    }
    return sum;
}

static void adjoint(const plain *m, const float *s, float *c) {
    const hlrp_layout *l = &m->spec.src;
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t k = 0; k < l->c; k++) {
            float *to = c + hlrp_layout_offset(l, n, k);
            for (int64_t p = 0; p < l->h * l->w; p++)
                to[p * l->lanes] = (float)back_at(m, s, n, k, p / l->w, p % l->w);
        }
}

static hlrp_status run(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                       const float *in, float *out, hlrp_error *err) {
    const plain *m = (const plain *)kernel;
    const hlrp_layout *given = m->forward ? &m->spec.dst : &m->spec.src;
    (void)stream;
    (void)err;
    if (given->c % given->lanes != 0)
        memset(out, 0, (size_t)hlrp_layout_count(given) * sizeof *out);
    if (m->forward)
        forward(m, bias, in, out);
    else
        adjoint(m, in, out);
    return HLRP_OK;
}

static bool can(const hlrp_backend *backend, const hlrp_linear_spec *spec) {
    (void)backend;
    (void)spec;
    return true;
}

static void free_plain(hlrp_kernel *kernel) {
    plain *m = (plain *)kernel;
    free(m->weights);
    free(m);
}

static hlrp_status make(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                        hlrp_kernel **out, hlrp_error *err) {
    plain *m = NULL;
    const int64_t count = weight_count(spec);
    hlrp_status status = HLRP_OK;
    (void)backend;
    HLRP_TRY(hlrp_calloc(&m, 1, sizeof *m, "linear map", err));
    HLRP_TRY(hlrp_calloc(&m->weights, count, sizeof *m->weights, "linear map", err));
    memcpy(m->weights, spec->weights, (size_t)count * sizeof *m->weights);
    m->kernel.ops = &hlrp_kernel_plain;
    m->forward = forward;
    m->spec = *spec;
    m->spec.window = window_of(spec);
    m->spec.weights = m->spec.bias = NULL;
    *out = &m->kernel;
    return HLRP_OK;
out:
    free(m);
    return status;
}

const hlrp_kernel_ops hlrp_kernel_plain = {
    .name = "plain", .can = can, .make = make, .run = run, .free = free_plain};

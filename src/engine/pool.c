#include <float.h>
#include <string.h>

#include "engine/kernels.h"
#include "engine/window.h"
#include "util/vector.h"

/* Windows that begin inside the picture see a pixel, those that begin behind it do not. Those that begin
 * before it see one unless their taps jump over it; where they do comes again after `step` windows. */
static bool all_see(const hlrp_window *win, int axis, int64_t extent, int64_t outputs) {
    const int64_t stride = win->stride[axis], step = win->dilation[axis];
    const int64_t before = (win->pad_lo[axis] + stride - 1) / stride; /* windows */
    if ((outputs - 1) * stride - win->pad_lo[axis] >= extent)
        return false;
    for (int64_t o = 0; o < HLRP_MIN(HLRP_MIN(before, step), outputs); o++) {
        const hlrp_span s = hlrp_span_at(win, axis, extent, o);
        if (s.from >= s.to)
            return false;
    }
    return true;
}

bool hlrp_windows_see(const hlrp_window *win, const hlrp_layout *x, const hlrp_layout *y) {
    return all_see(win, 0, x->h, y->h) && all_see(win, 1, x->w, y->w);
}

/* What an average divides by along one axis: taps before the end of the explicit padding. */
static int64_t divisor(const hlrp_window *w, int axis, int64_t extent, hlrp_span s) {
    const int64_t end = extent + w->pad_hi[axis];
    if (!w->count_pad)
        return s.to - s.from;
    return end > s.start ? HLRP_MIN((end - s.start - 1) / s.step + 1, w->kernel[axis]) : 0;
}

/* One channel block [h][w][lanes] of each operand, and the layouts' geometry. */
typedef struct plane {
    int64_t h, w, oh, ow;
    int lanes;
} plane;

static plane plane_of(const hlrp_layout *x, const hlrp_layout *y) {
    return (plane){x->h, x->w, y->h, y->w, x->lanes};
}

HLRP_VECTOR
static void max_window(const plane *p, hlrp_span v, hlrp_span u, const float *x, float *y,
                       int32_t *arg) {
    const int lanes = p->lanes;
    for (int l = 0; l < lanes; l++) {
        y[l] = -FLT_MAX;
        arg[l] = (int32_t)((v.start + v.from * v.step) * p->w + u.start + u.from * u.step);
    }
    for (int64_t i = v.from; i < v.to; i++)
        for (int64_t j = u.from; j < u.to; j++) {
            const int32_t pixel = (int32_t)((v.start + i * v.step) * p->w + u.start + j * u.step);
            const float *in = x + (int64_t)pixel * lanes;
#pragma omp simd
            for (int l = 0; l < lanes; l++) {
                const int more = in[l] > y[l];
                y[l] = more ? in[l] : y[l];
                arg[l] = more ? pixel : arg[l];
            }
        }
}

void hlrp_maxpool(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const hlrp_window *win,
                  const float *x, float *y, int32_t *arg) {
    const plane p = plane_of(x_layout, y_layout);
    const int64_t planes = x_layout->n * hlrp_layout_blocks(x_layout);
    for (int64_t k = 0; k < planes; k++, x += p.h * p.w * p.lanes)
        for (int64_t i = 0; i < p.oh; i++) {
            const hlrp_span v = hlrp_span_at(win, 0, p.h, i);
            for (int64_t j = 0; j < p.ow; j++, y += p.lanes, arg += p.lanes)
                max_window(&p, v, hlrp_span_at(win, 1, p.w, j), x, y, arg);
        }
}

void hlrp_maxpool_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                          const int32_t *arg, const float *s, float *c) {
    const plane p = plane_of(x_layout, y_layout);
    const int64_t planes = x_layout->n * hlrp_layout_blocks(x_layout);
    memset(c, 0, (size_t)hlrp_layout_count(x_layout) * sizeof *c);
    for (int64_t k = 0; k < planes; k++, c += p.h * p.w * p.lanes)
        for (int64_t o = 0; o < p.oh * p.ow; o++, s += p.lanes, arg += p.lanes)
            for (int l = 0; l < p.lanes; l++)
                c[(int64_t)arg[l] * p.lanes + l] += s[l];
}

/* Divided by the count, not multiplied by its inverse: the mean of equal values is that value, so
 * that a maximum taken over means has the ties it ought to have. */
HLRP_VECTOR
static void mean_window(const plane *p, hlrp_span v, hlrp_span u, float count, const float *x,
                        float *y) {
    const int lanes = p->lanes;
    for (int l = 0; l < lanes; l++)
        y[l] = 0;
    for (int64_t i = v.from; i < v.to; i++)
        for (int64_t j = u.from; j < u.to; j++) {
            const float *in = x + ((v.start + i * v.step) * p->w + u.start + j * u.step) * lanes;
#pragma omp simd
            for (int l = 0; l < lanes; l++)
                y[l] += in[l];
        }
    for (int l = 0; l < lanes; l++)
        y[l] /= count;
}

HLRP_VECTOR
static void spread_window(const plane *p, hlrp_span v, hlrp_span u, float count, const float *s,
                          float *c) {
    const int lanes = p->lanes;
    for (int64_t i = v.from; i < v.to; i++)
        for (int64_t j = u.from; j < u.to; j++) {
            float *out = c + ((v.start + i * v.step) * p->w + u.start + j * u.step) * lanes;
#pragma omp simd
            for (int l = 0; l < lanes; l++)
                out[l] += s[l] / count;
        }
}

static float count_of(const hlrp_window *win, const plane *p, hlrp_span v, hlrp_span u) {
    const int64_t count = divisor(win, 0, p->h, v) * divisor(win, 1, p->w, u);
    return count > 0 ? (float)count : 1.0f;
}

void hlrp_avgpool(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const hlrp_window *win,
                  const float *x, float *y) {
    const plane p = plane_of(x_layout, y_layout);
    const int64_t planes = x_layout->n * hlrp_layout_blocks(x_layout);
    for (int64_t k = 0; k < planes; k++, x += p.h * p.w * p.lanes)
        for (int64_t i = 0; i < p.oh; i++) {
            const hlrp_span v = hlrp_span_at(win, 0, p.h, i);
            for (int64_t j = 0; j < p.ow; j++, y += p.lanes) {
                const hlrp_span u = hlrp_span_at(win, 1, p.w, j);
                mean_window(&p, v, u, count_of(win, &p, v, u), x, y);
            }
        }
}

void hlrp_avgpool_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                          const hlrp_window *win, const float *s, float *c) {
    const plane p = plane_of(x_layout, y_layout);
    const int64_t planes = x_layout->n * hlrp_layout_blocks(x_layout);
    memset(c, 0, (size_t)hlrp_layout_count(x_layout) * sizeof *c);
    for (int64_t k = 0; k < planes; k++, c += p.h * p.w * p.lanes)
        for (int64_t i = 0; i < p.oh; i++) {
            const hlrp_span v = hlrp_span_at(win, 0, p.h, i);
            for (int64_t j = 0; j < p.ow; j++, s += p.lanes) {
                const hlrp_span u = hlrp_span_at(win, 1, p.w, j);
                spread_window(&p, v, u, count_of(win, &p, v, u), s, c);
            }
        }
}

void hlrp_global_avgpool(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const float *x,
                         float *y) {
    const int64_t pixels = x_layout->h * x_layout->w;
    memset(y, 0, (size_t)hlrp_layout_count(y_layout) * sizeof *y);
    for (int64_t n = 0; n < x_layout->n; n++)
        for (int64_t ch = 0; ch < x_layout->c; ch++) {
            const float *in = x + hlrp_layout_offset(x_layout, n, ch);
            double sum = 0; /* a float sum over 112² pixels would cost three digits */
            for (int64_t p = 0; p < pixels; p++)
                sum += in[p * x_layout->lanes];
            y[hlrp_layout_offset(y_layout, n, ch)] = (float)(sum / (double)pixels);
        }
}

void hlrp_global_avgpool_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                                 const float *s, float *c) {
    const int64_t pixels = x_layout->h * x_layout->w;
    memset(c, 0, (size_t)hlrp_layout_count(x_layout) * sizeof *c);
    for (int64_t n = 0; n < x_layout->n; n++)
        for (int64_t ch = 0; ch < x_layout->c; ch++) {
            const float share = s[hlrp_layout_offset(y_layout, n, ch)] / (float)pixels;
            float *out = c + hlrp_layout_offset(x_layout, n, ch);
            for (int64_t p = 0; p < pixels; p++)
                out[p * x_layout->lanes] = share;
        }
}

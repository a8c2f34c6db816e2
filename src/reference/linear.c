#include <string.h>

#include "reference/reference.h"

/* The pixel that tap k of a window's axis sees from output o; it may lie outside. */
static int64_t seen(const hlrp_window *w, int axis, int64_t o, int64_t k) {
    return o * w->stride[axis] - w->pad_lo[axis] + k * w->dilation[axis];
}

/* One plane of y, one plane of x and the kernel between them: y += Kx, or x += Kᵀy. */
static void correlate(const hlrp_ref_conv *v, const double *kernel, const double *from, double *to,
                      bool adjoint) {
    const hlrp_window *win = v->window;
    for (int64_t i = 0; i < win->kernel[0]; i++)
        for (int64_t j = 0; j < win->kernel[1]; j++)
            for (int64_t oy = 0; oy < v->y.h; oy++) {
                const int64_t iy = seen(win, 0, oy, i);
                if (iy < 0 || iy >= v->x.h)
                    continue;
                for (int64_t ox = 0; ox < v->y.w; ox++) {
                    const int64_t ix = seen(win, 1, ox, j);
                    if (ix < 0 || ix >= v->x.w)
                        continue;
                    const int64_t at_x = iy * v->x.w + ix, at_y = oy * v->y.w + ox;
                    if (adjoint)
                        to[at_x] += kernel[i * win->kernel[1] + j] * from[at_y];
                    else
                        to[at_y] += kernel[i * win->kernel[1] + j] * from[at_x];
                }
            }
}

/* All pairs of planes that a convolution connects. */
static void each_pair(const hlrp_ref_conv *v, const double *w, const double *from, double *to,
                      bool adjoint) {
    const int64_t inputs = v->x.c / v->group, outputs = v->y.c / v->group;
    const int64_t taps = v->window->kernel[0] * v->window->kernel[1];
    const int64_t px = v->x.h * v->x.w, py = v->y.h * v->y.w;
    for (int64_t n = 0; n < v->x.n; n++)
        for (int64_t o = 0; o < v->y.c; o++)
            for (int64_t i = 0; i < inputs; i++) {
                const int64_t plane_x = n * v->x.c + o / outputs * inputs + i;
                const int64_t plane_y = n * v->y.c + o;
                const double *kernel = w + (o * inputs + i) * taps;
                if (adjoint)
                    correlate(v, kernel, from + plane_y * py, to + plane_x * px, true);
                else
                    correlate(v, kernel, from + plane_x * px, to + plane_y * py, false);
            }
}

void hlrp_ref_conv_forward(const hlrp_ref_conv *conv, const double *x, const double *w,
                           const double *b, double *y) {
    const int64_t pixels = conv->y.h * conv->y.w;
    for (int64_t i = 0; i < hlrp_ref_count(conv->y); i++)
        y[i] = b ? b[i / pixels % conv->y.c] : 0;
    each_pair(conv, w, x, y, false);
}

void hlrp_ref_conv_adjoint(const hlrp_ref_conv *conv, const double *s, const double *w, double *c) {
    memset(c, 0, (size_t)hlrp_ref_count(conv->x) * sizeof *c);
    each_pair(conv, w, s, c, true);
}

void hlrp_ref_gemm_forward(int64_t n, int64_t in, int64_t out, const double *x, const double *w,
                           const double *b, double *y) {
    for (int64_t k = 0; k < n; k++)
        for (int64_t o = 0; o < out; o++) {
            double sum = b ? b[o] : 0;
            for (int64_t i = 0; i < in; i++)
                sum += w[o * in + i] * x[k * in + i];
            y[k * out + o] = sum;
        }
}

void hlrp_ref_gemm_adjoint(int64_t n, int64_t in, int64_t out, const double *s, const double *w,
                           double *c) {
    memset(c, 0, (size_t)(n * in) * sizeof *c);
    for (int64_t k = 0; k < n; k++)
        for (int64_t o = 0; o < out; o++)
            for (int64_t i = 0; i < in; i++)
                c[k * in + i] += w[o * in + i] * s[k * out + o];
}

#include <string.h>

#include "reference/reference.h"

/* One window of one plane: its corner, and which pixels it sees. */
typedef struct place {
    const hlrp_window *win;
    hlrp_ref_shape xs;
    int64_t oy, ox;
} place;

/* The pixel that tap (i, j) sees, −1 outside the picture. */
static int64_t pixel(const place *p, int64_t i, int64_t j) {
    const hlrp_window *w = p->win;
    const int64_t y = p->oy * w->stride[0] - w->pad_lo[0] + i * w->dilation[0];
    const int64_t x = p->ox * w->stride[1] - w->pad_lo[1] + j * w->dilation[1];
    return y < 0 || y >= p->xs.h || x < 0 || x >= p->xs.w ? -1 : y * p->xs.w + x;
}

/* Whether tap (i, j) counts in a mean: pixels do, and with count_pad the explicit padding. */
static bool counts(const place *p, int64_t i, int64_t j) {
    const hlrp_window *w = p->win;
    if (pixel(p, i, j) >= 0)
        return true;
    const int64_t y = p->oy * w->stride[0] - w->pad_lo[0] + i * w->dilation[0];
    const int64_t x = p->ox * w->stride[1] - w->pad_lo[1] + j * w->dilation[1];
    return w->count_pad && y < p->xs.h + w->pad_hi[0] && x < p->xs.w + w->pad_hi[1];
}

static int64_t first_maximum(const place *p, const double *x) {
    int64_t best = -1;
    for (int64_t i = 0; i < p->win->kernel[0]; i++)
        for (int64_t j = 0; j < p->win->kernel[1]; j++) {
            const int64_t at = pixel(p, i, j);
            if (at >= 0 && (best < 0 || x[at] > x[best]))
                best = at;
        }
    return best;
}

void hlrp_ref_maxpool(hlrp_ref_shape xs, hlrp_ref_shape ys, const hlrp_window *win, const double *x,
                      double *y, int64_t *arg) {
    for (int64_t k = 0; k < ys.n * ys.c; k++, x += xs.h * xs.w)
        for (int64_t oy = 0; oy < ys.h; oy++)
            for (int64_t ox = 0; ox < ys.w; ox++, y++, arg++) {
                const place p = {win, xs, oy, ox};
                *arg = first_maximum(&p, x);
                *y = *arg >= 0 ? x[*arg] : 0;
            }
}

void hlrp_ref_maxpool_adjoint(hlrp_ref_shape xs, hlrp_ref_shape ys, const int64_t *arg,
                              const double *s, double *c) {
    memset(c, 0, (size_t)hlrp_ref_count(xs) * sizeof *c);
    for (int64_t k = 0; k < ys.n * ys.c; k++, c += xs.h * xs.w)
        for (int64_t o = 0; o < ys.h * ys.w; o++, s++, arg++)
            if (*arg >= 0)
                c[*arg] += *s;
}

/* y = mean of x over the window, or c += s's share to each pixel. */
static void mean(const place *p, const double *x, double *y, const double *s, double *c) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < p->win->kernel[0]; i++)
        for (int64_t j = 0; j < p->win->kernel[1]; j++) {
            count += counts(p, i, j);
            if (x && pixel(p, i, j) >= 0)
                sum += x[pixel(p, i, j)];
        }
    if (x)
        *y = count > 0 ? sum / (double)count : 0;
    for (int64_t i = 0; c && i < p->win->kernel[0]; i++)
        for (int64_t j = 0; j < p->win->kernel[1]; j++)
            if (pixel(p, i, j) >= 0)
                c[pixel(p, i, j)] += *s / (double)count;
}

void hlrp_ref_avgpool(hlrp_ref_shape xs, hlrp_ref_shape ys, const hlrp_window *win, const double *x,
                      double *y) {
    for (int64_t k = 0; k < ys.n * ys.c; k++, x += xs.h * xs.w)
        for (int64_t oy = 0; oy < ys.h; oy++)
            for (int64_t ox = 0; ox < ys.w; ox++, y++) {
                const place p = {win, xs, oy, ox};
                mean(&p, x, y, NULL, NULL);
            }
}

void hlrp_ref_avgpool_adjoint(hlrp_ref_shape xs, hlrp_ref_shape ys, const hlrp_window *win,
                              const double *s, double *c) {
    memset(c, 0, (size_t)hlrp_ref_count(xs) * sizeof *c);
    for (int64_t k = 0; k < ys.n * ys.c; k++, c += xs.h * xs.w)
        for (int64_t oy = 0; oy < ys.h; oy++)
            for (int64_t ox = 0; ox < ys.w; ox++, s++) {
                const place p = {win, xs, oy, ox};
                mean(&p, NULL, NULL, s, c);
            }
}

void hlrp_ref_global_avgpool(hlrp_ref_shape xs, const double *x, double *y) {
    const int64_t pixels = xs.h * xs.w;
    for (int64_t k = 0; k < xs.n * xs.c; k++) {
        double sum = 0;
        for (int64_t p = 0; p < pixels; p++)
            sum += x[k * pixels + p];
        y[k] = sum / (double)pixels;
    }
}

void hlrp_ref_global_avgpool_adjoint(hlrp_ref_shape xs, const double *s, double *c) {
    const int64_t pixels = xs.h * xs.w;
    for (int64_t i = 0; i < hlrp_ref_count(xs); i++)
        c[i] = s[i / pixels] / (double)pixels;
}

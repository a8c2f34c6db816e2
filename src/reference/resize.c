/* Pictures made larger or smaller, after ONNX's Resize: an output pixel's coordinate is taken back to the
 * input, and the input is read there, by the nearest pixel or between the two neighbours on either axis. */
#include "op/resize.h"

#include <math.h>

#include "reference/rows.h"

static double coordinate(const hlrp_node *n, double scale, double i, double in, double out) {
    switch ((hlrp_resize_frame)n->ints.d[HLRP_RESIZE_FRAME]) {
    case HLRP_FRAME_TORCH_HALF_PIXEL:
        return out > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case HLRP_FRAME_CORNERS:
        return out > 1 && scale * in > 1 ? i * (in - 1) / (scale * in - 1) : 0;
    case HLRP_FRAME_ASYMMETRIC:
        return i / scale;
    case HLRP_FRAME_HALF_PIXEL:
        break;
    }
    return (i + 0.5) / scale - 0.5;
}

static double nearest(const hlrp_node *n, double at) {
    switch ((hlrp_resize_nearest)n->ints.d[HLRP_RESIZE_NEAREST]) {
    case HLRP_NEAREST_ROUND_UP:
        return floor(at + 0.5);
    case HLRP_NEAREST_FLOOR:
        return floor(at);
    case HLRP_NEAREST_CEIL:
        return ceil(at);
    case HLRP_NEAREST_ROUND_DOWN:
        break;
    }
    return ceil(at - 0.5);
}

/* How much pixel j of the input counts in pixel i of the output, along one axis: 0 = H, 1 = W. Outside
 * of the input stands its outermost pixel. */
static double weight(const hlrp_node *n, int axis, const hlrp_dims *in, const hlrp_dims *out,
                     int64_t i, int64_t j) {
    const double from = (double)in->d[2 + axis], to = (double)out->d[2 + axis];
    const double given = (double)(axis == 0 ? n->lo : n->hi);
    const double at = coordinate(n, given > 0 ? given : to / from, (double)i, from, to);
    if (n->ints.d[HLRP_RESIZE_MODE] == HLRP_RESIZE_BY_NEAREST)
        return fmin(fmax(nearest(n, at), 0), from - 1) == (double)j ? 1 : 0;
    return fmax(0, 1 - fabs(fmin(fmax(at, 0), from - 1) - (double)j));
}

/* A pixel of the output, and one of the input that counts in it. */
typedef struct tap {
    int64_t to, from;
    double weight;
} tap;

/* y += Mx, or x += Mᵀy, by one tap of every plane. */
static void apply(const hlrp_dims *in, const hlrp_dims *out, const tap *t, const double *src,
                  double *dst, bool adjoint) {
    const int64_t small = in->d[2] * in->d[3], large = out->d[2] * out->d[3];
    for (int64_t k = 0; k < in->d[0] * in->d[1]; k++) {
        const int64_t x = k * small + t->from, y = k * large + t->to;
        dst[adjoint ? x : y] += t->weight * src[adjoint ? y : x];
    }
}

/* The taps of one row of the output in one row of the input, which counts v in it. */
static void apply_row(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out, int64_t row,
                      int64_t from, const double *src, double *dst, bool adjoint) {
    const double v = weight(n, 0, in, out, row, from);
    for (int64_t i = 0; v != 0 && i < out->d[3]; i++)
        for (int64_t j = 0; j < in->d[3]; j++) {
            const tap t = {row * out->d[3] + i, from * in->d[3] + j,
                           v * weight(n, 1, in, out, i, j)};
            if (t.weight != 0)
                apply(in, out, &t, src, dst, adjoint);
        }
}

static void apply_all(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out,
                      const double *src, double *dst, bool adjoint) {
    for (int64_t row = 0; row < out->d[2]; row++)
        for (int64_t from = 0; from < in->d[2]; from++)
            apply_row(n, in, out, row, from, src, dst, adjoint);
}

void hlrp_ref_resize(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out, const double *x,
                     double *y) {
    for (int64_t i = 0; i < hlrp_ref_dims_count(out); i++)
        y[i] = 0;
    apply_all(n, in, out, x, y, false);
}

void hlrp_ref_resize_adjoint(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out,
                             const double *s, double *c) {
    apply_all(n, in, out, s, c, true);
}

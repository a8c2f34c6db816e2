/* Operators on single elements, and those that only move values. */
#include <string.h>

#include "reference/reference.h"

hlrp_ref_shape hlrp_ref_shape_of(const hlrp_dims *dims) {
    int64_t w = 1; /* and what lies beyond, in files that are not of pictures */
    for (int k = 3; k < dims->rank; k++)
        w *= dims->d[k];
    return (hlrp_ref_shape){.n = dims->rank > 0 ? dims->d[0] : 1,
                            .c = dims->rank > 1 ? dims->d[1] : 1,
                            .h = dims->rank > 2 ? dims->d[2] : 1,
                            .w = w};
}

int64_t hlrp_ref_count(hlrp_ref_shape s) {
    return s.n * s.c * s.h * s.w;
}

void hlrp_ref_affine(hlrp_ref_shape shape, const double *x, const double *scale,
                     const double *shift, double *y) {
    for (int64_t i = 0; i < hlrp_ref_count(shape); i++) {
        const int64_t c = i / (shape.h * shape.w) % shape.c;
        y[i] = scale[c] * x[i] + shift[c];
    }
}

void hlrp_ref_relu(int64_t count, const double *x, double *y) {
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] > 0 ? x[i] : 0;
}

void hlrp_ref_leaky_relu(int64_t count, const double *x, double alpha, double *y) {
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] >= 0 ? x[i] : alpha * x[i];
}

void hlrp_ref_clip(int64_t count, const double *x, double lo, double hi, double *y) {
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] < lo ? lo : x[i] > hi ? hi : x[i];
}

void hlrp_ref_concat_part(hlrp_ref_shape whole, double *y, hlrp_ref_shape part, const double *x,
                          int64_t at) {
    const int64_t pixels = whole.h * whole.w;
    for (int64_t n = 0; n < part.n; n++)
        memcpy(y + (n * whole.c + at) * pixels, x + n * part.c * pixels,
               (size_t)(part.c * pixels) * sizeof *y);
}

void hlrp_ref_split_part(hlrp_ref_shape whole, const double *y, hlrp_ref_shape part, double *x,
                         int64_t at) {
    const int64_t pixels = whole.h * whole.w;
    for (int64_t n = 0; n < part.n; n++)
        memcpy(x + n * part.c * pixels, y + (n * whole.c + at) * pixels,
               (size_t)(part.c * pixels) * sizeof *x);
}

/* to(y, x) = from(y + dy, x + dx) where that lies inside, else 0. */
static void move(hlrp_ref_shape from, const double *src, hlrp_ref_shape to, double *dst, int64_t dy,
                 int64_t dx) {
    for (int64_t k = 0; k < to.n * to.c; k++)
        for (int64_t y = 0; y < to.h; y++)
            for (int64_t x = 0; x < to.w; x++, dst++) {
                const int64_t fy = y + dy, fx = x + dx;
                const bool inside = fy >= 0 && fy < from.h && fx >= 0 && fx < from.w;
                *dst = inside ? src[(k * from.h + fy) * from.w + fx] : 0;
            }
}

void hlrp_ref_pad(hlrp_ref_shape xs, hlrp_ref_shape ys, const int64_t lo[2], const double *x,
                  double *y) {
    move(xs, x, ys, y, -lo[0], -lo[1]);
}

void hlrp_ref_pad_adjoint(hlrp_ref_shape xs, hlrp_ref_shape ys, const int64_t lo[2],
                          const double *s, double *c) {
    move(ys, s, xs, c, lo[0], lo[1]);
}

/* Where element i of the part stands in the whole. */
static int64_t place_of(const hlrp_dims *whole, const hlrp_dims *part, const hlrp_dims *from,
                        int64_t i) {
    int64_t at = 0, stride = 1;
    for (int k = whole->rank - 1; k >= 0; k--) {
        at += (from->d[k] + i % part->d[k]) * stride;
        i /= part->d[k];
        stride *= whole->d[k];
    }
    return at;
}

static int64_t count_of(const hlrp_dims *d) {
    int64_t count = 1;
    for (int k = 0; k < d->rank; k++)
        count *= d->d[k];
    return count;
}

void hlrp_ref_slice(const hlrp_dims *xs, const hlrp_dims *ys, const hlrp_dims *from,
                    const double *x, double *y) {
    for (int64_t i = 0; i < count_of(ys); i++)
        y[i] = x[place_of(xs, ys, from, i)];
}

void hlrp_ref_slice_adjoint(const hlrp_dims *xs, const hlrp_dims *ys, const hlrp_dims *from,
                            const double *s, double *c) {
    memset(c, 0, (size_t)count_of(xs) * sizeof *c);
    for (int64_t i = 0; i < count_of(ys); i++)
        c[place_of(xs, ys, from, i)] = s[i];
}

/* The channel of y that channel c of x becomes. */
static int64_t shuffled(hlrp_ref_shape shape, int64_t group, int64_t c) {
    const int64_t each = shape.c / group, g = c / each, k = c % each;
    return k * group + g;
}

void hlrp_ref_shuffle(hlrp_ref_shape shape, int64_t group, const double *x, double *y) {
    const int64_t pixels = shape.h * shape.w;
    for (int64_t i = 0; i < shape.n * shape.c; i++)
        memcpy(y + (i / shape.c * shape.c + shuffled(shape, group, i % shape.c)) * pixels,
               x + i * pixels, (size_t)pixels * sizeof *y);
}

void hlrp_ref_shuffle_adjoint(hlrp_ref_shape shape, int64_t group, const double *s, double *c) {
    const int64_t pixels = shape.h * shape.w;
    for (int64_t i = 0; i < shape.n * shape.c; i++)
        memcpy(c + i * pixels,
               s + (i / shape.c * shape.c + shuffled(shape, group, i % shape.c)) * pixels,
               (size_t)pixels * sizeof *c);
}

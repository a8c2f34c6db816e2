/* Relevance that no contribution can claim, given evenly to what an output sees. */
#include <string.h>

#include "engine/kernels.h"
#include "engine/window.h"

/* Geometry of one channel, and the room for the sums of a group of them. */
typedef struct field {
    const hlrp_layout *x, *y;
    const hlrp_window *win;
    float *out; /* [y.h][y.w]: what the group's outputs have to give, each pixel's share by then */
    float *in;  /* [x.h][x.w]: what each input of the group gets */
} field;

int64_t hlrp_spread_room(const hlrp_layout *x, const hlrp_layout *y) {
    return x->h * x->w + y->h * y->w;
}

static void add_channel(const hlrp_layout *l, const float *values, int64_t n, int64_t c,
                        float *plane) {
    const float *from = values + hlrp_layout_offset(l, n, c);
    for (int64_t p = 0; p < l->h * l->w; p++)
        plane[p] += from[p * l->lanes];
}

/* Every pixel of the window gets the same; a window that sees padding only gives to all pixels. */
static void spread_pixel(const field *f, int64_t i, int64_t j, float r) {
    const hlrp_span v = hlrp_span_at(f->win, 0, f->x->h, i);
    const hlrp_span u = hlrp_span_at(f->win, 1, f->x->w, j);
    const int64_t count = (v.to - v.from) * (u.to - u.from), pixels = f->x->h * f->x->w;
    for (int64_t p = 0; count == 0 && p < pixels; p++)
        f->in[p] += r / (float)pixels;
    for (int64_t a = v.from; a < v.to; a++)
        for (int64_t b = u.from; b < u.to; b++)
            f->in[(v.start + a * v.step) * f->x->w + u.start + b * u.step] += r / (float)count;
}

static void spread_group(const field *f, int64_t n, int64_t group, int64_t groups, const float *r,
                         float *c) {
    const int64_t inputs = f->x->c / groups, outputs = f->y->c / groups;
    memset(f->out, 0, (size_t)(f->y->h * f->y->w) * sizeof *f->out);
    memset(f->in, 0, (size_t)(f->x->h * f->x->w) * sizeof *f->in);
    for (int64_t k = 0; k < outputs; k++)
        add_channel(f->y, r, n, group * outputs + k, f->out);
    for (int64_t i = 0; i < f->y->h; i++)
        for (int64_t j = 0; j < f->y->w; j++)
            if (f->out[i * f->y->w + j] != 0)
                spread_pixel(f, i, j, f->out[i * f->y->w + j] / (float)inputs);
    for (int64_t k = 0; k < inputs; k++) {
        float *to = c + hlrp_layout_offset(f->x, n, group * inputs + k);
        for (int64_t p = 0; p < f->x->h * f->x->w; p++)
            to[p * f->x->lanes] += f->in[p];
    }
}

void hlrp_spread(const hlrp_layout *x, const hlrp_layout *y, const hlrp_window *win, int64_t groups,
                 const float *r, float *c, float *room) {
    const field f = {.x = x, .y = y, .win = win, .out = room, .in = room + y->h * y->w};
    for (int64_t n = 0; n < x->n; n++)
        for (int64_t g = 0; g < groups; g++)
            spread_group(&f, n, g, groups, r, c);
}

/* The nearest of `extent` pixels to place i − lo. */
static int64_t nearest(int64_t i, int64_t lo, int64_t extent) {
    return HLRP_MAX(0, HLRP_MIN(i - lo, extent - 1));
}

void hlrp_pad_fold(const hlrp_layout *x, const hlrp_layout *y, const int64_t lo[2], const float *r,
                   float *c) {
    memset(c, 0, (size_t)hlrp_layout_count(x) * sizeof *c);
    for (int64_t n = 0; n < x->n; n++)
        for (int64_t ch = 0; ch < x->c; ch++) {
            const float *from = r + hlrp_layout_offset(y, n, ch);
            float *to = c + hlrp_layout_offset(x, n, ch);
            for (int64_t i = 0; i < y->h; i++)
                for (int64_t j = 0; j < y->w; j++)
                    to[(nearest(i, lo[0], x->h) * x->w + nearest(j, lo[1], x->w)) * x->lanes] +=
                        from[(i * y->w + j) * y->lanes];
        }
}

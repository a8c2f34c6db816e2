#include <string.h>

#include "engine/kernels.h"

static void copy_channel(const hlrp_layout *from, const float *src, int64_t from_c,
                         const hlrp_layout *to, float *dst, int64_t to_c) {
    const int64_t pixels = from->h * from->w;
    for (int64_t n = 0; n < from->n; n++) {
        const float *in = src + hlrp_layout_offset(from, n, from_c);
        float *out = dst + hlrp_layout_offset(to, n, to_c);
        for (int64_t p = 0; p < pixels; p++)
            out[p * to->lanes] = in[p * from->lanes];
    }
}

/* Whole blocks can be copied as they are where the part starts and ends on block borders. */
static bool aligned(const hlrp_layout *whole, const hlrp_layout *part, int64_t at) {
    return whole->lanes == part->lanes && at % part->lanes == 0 && part->c % part->lanes == 0;
}

void hlrp_concat_part(const hlrp_layout *whole, float *y, const hlrp_layout *part, const float *x,
                      int64_t at) {
    if (!aligned(whole, part, at)) {
        for (int64_t c = 0; c < part->c; c++)
            copy_channel(part, x, c, whole, y, at + c);
        return;
    }
    const int64_t run = hlrp_layout_sample(part);
    for (int64_t n = 0; n < part->n; n++)
        memcpy(y + hlrp_layout_offset(whole, n, at), x + n * run, (size_t)run * sizeof *y);
}

void hlrp_split_part(const hlrp_layout *whole, const float *y, const hlrp_layout *part, float *x,
                     int64_t at) {
    if (!aligned(whole, part, at)) {
        memset(x, 0, (size_t)hlrp_layout_count(part) * sizeof *x);
        for (int64_t c = 0; c < part->c; c++)
            copy_channel(whole, y, at + c, part, x, c);
        return;
    }
    const int64_t run = hlrp_layout_sample(part);
    for (int64_t n = 0; n < part->n; n++)
        memcpy(x + n * run, y + hlrp_layout_offset(whole, n, at), (size_t)run * sizeof *x);
}

/* Copies the rectangle that both frames share: to(y, x) = from(y + dy, x + dx); the rest is 0. */
static void shift(const hlrp_layout *from, const float *src, const hlrp_layout *to, float *dst,
                  int64_t dy, int64_t dx) {
    const int64_t planes = from->n * hlrp_layout_blocks(from), lanes = from->lanes;
    const int64_t y0 = HLRP_MAX(0, -dy), y1 = HLRP_MIN(to->h, from->h - dy);
    const int64_t x0 = HLRP_MAX(0, -dx), x1 = HLRP_MIN(to->w, from->w - dx);
    memset(dst, 0, (size_t)hlrp_layout_count(to) * sizeof *dst);
    if (x1 <= x0)
        return;
    for (int64_t k = 0; k < planes; k++)
        for (int64_t y = y0; y < y1; y++)
            memcpy(dst + ((k * to->h + y) * to->w + x0) * lanes,
                   src + ((k * from->h + y + dy) * from->w + x0 + dx) * lanes,
                   (size_t)((x1 - x0) * lanes) * sizeof *dst);
}

void hlrp_pad(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const int64_t lo[2],
              const float *x, float *y) {
    shift(x_layout, x, y_layout, y, -lo[0], -lo[1]);
}

void hlrp_pad_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const int64_t lo[2],
                      const float *s, float *c) {
    shift(y_layout, s, x_layout, c, lo[0], lo[1]);
}

/* A picture of one channel, or of all channels of a block, among others. */
typedef struct picture {
    float *at;
    int64_t row, pixel; /* floats from one to the next */
} picture;

static picture picture_of(const hlrp_layout *l, const float *values, int64_t n, int64_t c,
                          int64_t y, int64_t x) {
    return (picture){.at =
                         (float *)values + hlrp_layout_offset(l, n, c) + (y * l->w + x) * l->lanes,
                     .row = l->w * l->lanes,
                     .pixel = l->lanes};
}

/* run: floats of a pixel; those of whole blocks lie in one piece along a row. */
static void copy_picture(picture from, picture to, int64_t h, int64_t w, int64_t run) {
    for (int64_t y = 0; y < h; y++) {
        const float *in = from.at + y * from.row;
        float *out = to.at + y * to.row;
        if (run == from.pixel && run == to.pixel)
            memcpy(out, in, (size_t)(w * run) * sizeof *out);
        else
            for (int64_t x = 0; x < w; x++)
                out[x * to.pixel] = in[x * from.pixel];
    }
}

/* The part's channels in whole blocks where they are such in both, else one by one. */
static void move_part(const hlrp_layout *whole, float *all, const hlrp_layout *part, float *some,
                      const int64_t from[3], bool out) {
    const bool same = whole->lanes == part->lanes && from[0] % part->lanes == 0;
    for (int64_t n = 0; n < part->n; n++)
        for (int64_t c = 0, run; c < part->c; c += run) {
            run = same && c + part->lanes <= part->c ? part->lanes : 1;
            const picture a = picture_of(whole, all, n, from[0] + c, from[1], from[2]);
            const picture b = picture_of(part, some, n, c, 0, 0);
            copy_picture(out ? a : b, out ? b : a, part->h, part->w, run);
        }
}

void hlrp_slice(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const int64_t from[3],
                const float *x, float *y) {
    if (y_layout->c % y_layout->lanes != 0)
        memset(y, 0, (size_t)hlrp_layout_count(y_layout) * sizeof *y);
    move_part(x_layout, (float *)x, y_layout, y, from, true);
}

void hlrp_slice_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                        const int64_t from[3], const float *s, float *c) {
    memset(c, 0, (size_t)hlrp_layout_count(x_layout) * sizeof *c);
    move_part(x_layout, c, y_layout, (float *)s, from, false);
}

void hlrp_shuffle(const hlrp_layout *l, int64_t group, const float *x, float *y) {
    const int64_t per_group = l->c / group;
    if (l->c % l->lanes != 0)
        memset(y, 0, (size_t)hlrp_layout_count(l) * sizeof *y);
    for (int64_t c = 0; c < l->c; c++)
        copy_channel(l, x, c, l, y, c % per_group * group + c / per_group);
}

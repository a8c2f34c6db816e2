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

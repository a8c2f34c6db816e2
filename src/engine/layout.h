/* How a value lies in memory: [n][ceil(c/lanes)][h][w][lanes] float32.
 *
 * Pictures [N,C,H,W]: lanes = 1 is plain NCHW; lanes = 8 or 16 is the channel-blocked layout that
 * convolutions run fastest in. Channels past c in the last block are padding: every kernel here keeps
 * them 0, and element-wise code may run over them (0 stays 0).
 *
 * Rows, of any rank: the axes in their order, row-major. The last axis is c, what lies between it and
 * the samples is h, w = 1, and lanes = c: so a kernel that works by channels works along the last axis.
 * A value [N,F] has c = F, h = w = 1, lanes = 1, and lies the same either way. */
#ifndef HLRP_LAYOUT_H
#define HLRP_LAYOUT_H

#include <stdint.h>

#include "util/util.h"

typedef struct hlrp_layout {
    int64_t n, c, h, w;
    int lanes;
    bool rows; /* its plain order is the one it lies in */
} hlrp_layout;

static inline int64_t hlrp_layout_blocks(const hlrp_layout *l) {
    return (l->c + l->lanes - 1) / l->lanes;
}

/* Floats of one sample, padding included. */
static inline int64_t hlrp_layout_sample(const hlrp_layout *l) {
    return hlrp_layout_blocks(l) * l->lanes * l->h * l->w;
}

/* Floats of all samples, padding included. */
static inline int64_t hlrp_layout_count(const hlrp_layout *l) {
    return l->n * hlrp_layout_sample(l);
}

/* Offset of (n, c, 0, 0); pixel p = y·w + x is p·lanes further. */
static inline int64_t hlrp_layout_offset(const hlrp_layout *l, int64_t n, int64_t c) {
    return n * hlrp_layout_sample(l) + c / l->lanes * l->h * l->w * l->lanes + c % l->lanes;
}

/* The same value in the order of its axes. */
static inline hlrp_layout hlrp_layout_plain(const hlrp_layout *l) {
    return (hlrp_layout){l->n, l->c, l->h, l->w, l->rows ? l->lanes : 1, l->rows};
}

/* Copies between two layouts of the same n, c, h, w; writes 0 into the padding of `to`. */
void hlrp_repack(const hlrp_layout *from, const float *src, const hlrp_layout *to, float *dst);

#endif

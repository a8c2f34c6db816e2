/* The parameter-free operators, forward and adjoint side by side, on any layout (layout.h).
 * "adjoint" is the transpose of the operator's derivative, applied to s: what relevance needs.
 * Outputs are written, not added to. Pointers are 64-byte aligned and do not overlap. */
#ifndef HLRP_KERNELS_H
#define HLRP_KERNELS_H

#include "engine/layout.h"
#include "graph/graph.h"

/* Positive part into y; padding stays 0. */
void hlrp_relu(int64_t count, const float *x, float *y);
void hlrp_leaky_relu(int64_t count, const float *x, float alpha, float *y);
/* lo ≤ 0 ≤ hi is not required: padding channels are written 0. */
void hlrp_clip(const hlrp_layout *l, const float *x, float lo, float hi, float *y);
void hlrp_add(int64_t count, const float *x, float *y); /* y += x */
/* Zeroes the channels past c in every last block. */
void hlrp_clear_padding(const hlrp_layout *l, float *y);
/* y = scale·x + shift, per channel. */
void hlrp_affine(const hlrp_layout *l, const float *x, const float *scale, const float *shift,
                 float *y);

/* Whether every window sees a pixel: with dilation, taps can jump over a small picture from padding
 * to padding. Pools of other windows must not be run. */
bool hlrp_windows_see(const hlrp_window *win, const hlrp_layout *x, const hlrp_layout *y);

/* Windows of x [n,c,h,w] → y; the same lanes. arg: for each y, the pixel y·w + x of x that is the
 * maximum (a tie: the first in row-major order); hlrp_layout_count(y) of them. */
void hlrp_maxpool(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const hlrp_window *win,
                  const float *x, float *y, int32_t *arg);
void hlrp_maxpool_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                          const int32_t *arg, const float *s, float *c);

/* Mean over the window's pixels; with count_pad the explicit padding counts as zeros, what ceil
 * mode adds beyond it never does (as PyTorch and onnxruntime have it). */
void hlrp_avgpool(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const hlrp_window *win,
                  const float *x, float *y);
void hlrp_avgpool_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                          const hlrp_window *win, const float *s, float *c);

/* Mean over all pixels; y has h = w = 1 and any lanes. */
void hlrp_global_avgpool(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const float *x,
                         float *y);
void hlrp_global_avgpool_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                                 const float *s, float *c);

/* Channels of `part` stand in `whole` from channel `at` on: copied in (concat) or out (split).
 * concat leaves other channels alone. */
void hlrp_concat_part(const hlrp_layout *whole, float *y, const hlrp_layout *part, const float *x,
                      int64_t at);
void hlrp_split_part(const hlrp_layout *whole, const float *y, const hlrp_layout *part, float *x,
                     int64_t at);

/* Zero padding of H and W by lo on the upper left (negative crops), and its adjoint. */
void hlrp_pad(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const int64_t lo[2],
              const float *x, float *y);
void hlrp_pad_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const int64_t lo[2],
                      const float *s, float *c);

/* The same where no relevance may be lost: what fell on padding goes to the nearest pixel. */
void hlrp_pad_fold(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const int64_t lo[2],
                   const float *r, float *c);

/* c += each r shared out evenly over the inputs that its output sees: all channels of its group, the
 * pixels of its window (the flat rule of Bach et al. 2015). groups = channels for pools. room: floats
 * of scratch, hlrp_spread_room of them. */
int64_t hlrp_spread_room(const hlrp_layout *x, const hlrp_layout *y);
void hlrp_spread(const hlrp_layout *x, const hlrp_layout *y, const hlrp_window *win, int64_t groups,
                 const float *r, float *c, float *room);

/* y = the part of x that begins at channel, row and column `from`, and its adjoint. Of [N,F]
 * values, whose h and w are 1, the same. */
void hlrp_slice(const hlrp_layout *x_layout, const hlrp_layout *y_layout, const int64_t from[3],
                const float *x, float *y);
void hlrp_slice_adjoint(const hlrp_layout *x_layout, const hlrp_layout *y_layout,
                        const int64_t from[3], const float *s, float *c);

/* Channel i·(c/group) + j of x is channel j·group + i of y; both have this layout. The adjoint is
 * the shuffle by c/group. */
void hlrp_shuffle(const hlrp_layout *l, int64_t group, const float *x, float *y);

#endif

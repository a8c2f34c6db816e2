/* The yardstick: every operator computed naively in float64 on plain NCHW arrays, in the order its
 * definition is written, forward and adjoint side by side. For tests and for comparing a network
 * before and after it was rewritten; never on the way of a run.
 *
 * "adjoint" is the transpose of the operator's derivative, applied to s. Outputs are written, not
 * added to. Definitions: the ONNX operator pages. */
#ifndef HLRP_REFERENCE_H
#define HLRP_REFERENCE_H

#include "op/op.h"

/* A value's extents; a value [N,F] has c = F and h = w = 1. */
typedef struct hlrp_ref_shape {
    int64_t n, c, h, w;
} hlrp_ref_shape;

hlrp_ref_shape hlrp_ref_shape_of(const hlrp_dims *dims);
int64_t hlrp_ref_count(hlrp_ref_shape s);

/* ---- linear maps ---- */

/* A convolution with explicit pads, from x to y. */
typedef struct hlrp_ref_conv {
    hlrp_ref_shape x, y;
    const hlrp_window *window;
    int64_t group;
} hlrp_ref_conv;

/* x → y = Wx + b; W [O,I/group,kh,kw], b [O] or NULL. */
void hlrp_ref_conv_forward(const hlrp_ref_conv *conv, const double *x, const double *w,
                           const double *b, double *y);
/* s, shaped as y → c = Wᵀs, shaped as x. */
void hlrp_ref_conv_adjoint(const hlrp_ref_conv *conv, const double *s, const double *w, double *c);

/* x [n,in] → y [n,out] = xWᵀ + b; W [out,in], b [out] or NULL. */
void hlrp_ref_gemm_forward(int64_t n, int64_t in, int64_t out, const double *x, const double *w,
                           const double *b, double *y);
void hlrp_ref_gemm_adjoint(int64_t n, int64_t in, int64_t out, const double *s, const double *w,
                           double *c);

/* ---- element by element ---- */

/* y = scale·x + shift by channel. */
void hlrp_ref_affine(hlrp_ref_shape shape, const double *x, const double *scale,
                     const double *shift, double *y);
void hlrp_ref_relu(int64_t count, const double *x, double *y);
void hlrp_ref_leaky_relu(int64_t count, const double *x, double alpha, double *y);
void hlrp_ref_clip(int64_t count, const double *x, double lo, double hi, double *y);

/* ---- pools ---- */

/* arg: for each y, the pixel y·w + x of its plane that is the maximum (a tie: the first in
 * row-major order); −1 and y = 0 where the window sees padding only. */
void hlrp_ref_maxpool(hlrp_ref_shape xs, hlrp_ref_shape ys, const hlrp_window *win, const double *x,
                      double *y, int64_t *arg);
void hlrp_ref_maxpool_adjoint(hlrp_ref_shape xs, hlrp_ref_shape ys, const int64_t *arg,
                              const double *s, double *c);
/* Mean over the window's pixels; with count_pad the explicit padding counts as zeros, what ceil
 * mode adds beyond it never does. */
void hlrp_ref_avgpool(hlrp_ref_shape xs, hlrp_ref_shape ys, const hlrp_window *win, const double *x,
                      double *y);
void hlrp_ref_avgpool_adjoint(hlrp_ref_shape xs, hlrp_ref_shape ys, const hlrp_window *win,
                              const double *s, double *c);
/* xs → [n,c,1,1]. */
void hlrp_ref_global_avgpool(hlrp_ref_shape xs, const double *x, double *y);
void hlrp_ref_global_avgpool_adjoint(hlrp_ref_shape xs, const double *s, double *c);

/* ---- movement ---- */

/* The channels of part stand in whole from channel `at` on: copied in, or out. */
void hlrp_ref_concat_part(hlrp_ref_shape whole, double *y, hlrp_ref_shape part, const double *x,
                          int64_t at);
void hlrp_ref_split_part(hlrp_ref_shape whole, const double *y, hlrp_ref_shape part, double *x,
                         int64_t at);
/* lo zeros above and on the left (negative crops). */
void hlrp_ref_pad(hlrp_ref_shape xs, hlrp_ref_shape ys, const int64_t lo[2], const double *x,
                  double *y);
void hlrp_ref_pad_adjoint(hlrp_ref_shape xs, hlrp_ref_shape ys, const int64_t lo[2],
                          const double *s, double *c);
/* The part of x, of any rank, that begins at these indices. */
void hlrp_ref_slice(const hlrp_dims *xs, const hlrp_dims *ys, const hlrp_dims *from,
                    const double *x, double *y);
void hlrp_ref_slice_adjoint(const hlrp_dims *xs, const hlrp_dims *ys, const hlrp_dims *from,
                            const double *s, double *c);
/* Channels as [group, c/group] → [c/group, group]. */
void hlrp_ref_shuffle(hlrp_ref_shape shape, int64_t group, const double *x, double *y);
void hlrp_ref_shuffle_adjoint(hlrp_ref_shape shape, int64_t group, const double *s, double *c);

/* ---- whole graphs ---- */

/* All values of one forward pass, float32 constants among them. */
typedef struct hlrp_ref_values hlrp_ref_values;

/* Runs any graph that is inferred for the input's dims, canonical or not. input: one double per
 * element of the graph's input. HLRP_E_MODEL names a node without a forward meaning here; integer
 * values are left to shape inference. */
hlrp_status hlrp_ref_forward(const hlrp_graph *g, const double *input, hlrp_ref_values **out,
                             hlrp_error *err);
void hlrp_ref_values_free(hlrp_ref_values *values);
/* One double per element; borrowed. NULL for integers, absent values (id −1) and values that no
 * node computed. */
const double *hlrp_ref_value(const hlrp_ref_values *values, int value);
/* Positions of the maxima of a MAXPOOL node; borrowed, NULL for others. */
const int64_t *hlrp_ref_argmax(const hlrp_ref_values *values, int node);

/* The graph's output for a float32 input, rounded to float32, in *output (the caller's): for
 * comparing graphs. ctx is not looked at. */
hlrp_status hlrp_ref_logits(void *ctx, const hlrp_graph *g, const hlrp_tensor *input,
                            hlrp_tensor **output, hlrp_error *err);

#endif

/* Operators of any rank on plain arrays, forward and adjoint side by side, as the ONNX pages define
 * them. "adjoint" is the transpose of the derivative, applied to s; what it gives is added to c, so that
 * inputs that are broadcast, or read twice, collect. */
#ifndef HLRP_REFERENCE_ROWS_H
#define HLRP_REFERENCE_ROWS_H

#include "reference/index.h"

/* y = A B over the last two axes, for every place along the others, which broadcast. */
typedef struct hlrp_ref_product {
    const hlrp_dims *a, *b, *y;
} hlrp_ref_product;
void hlrp_ref_matmul(const hlrp_ref_product *p, const double *a, const double *b, double *y);
/* To factor 0: s Bᵀ; to factor 1: Aᵀ s. other: the value of the other factor. */
void hlrp_ref_matmul_adjoint(const hlrp_ref_product *p, int factor, const double *other,
                             const double *s, double *c);

/* Sum, mean, maximum or length over axes. arg: for a maximum, the element that it is, the first of
 * several. */
void hlrp_ref_reduce(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out, const double *x,
                     double *y, int64_t *arg);
/* Of sums and means. */
void hlrp_ref_reduce_adjoint(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out,
                             const double *s, double *c);

void hlrp_ref_resize(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out, const double *x,
                     double *y);
void hlrp_ref_resize_adjoint(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out,
                             const double *s, double *c);

/* ---- normalization: of a layer, of groups of channels, of instances, by the root mean square ---- */

/* y = g(x − μ)/σ + b; without a mean μ = 0. g, b: NULL where they are absent. */
void hlrp_ref_normalize(const hlrp_node *n, const hlrp_dims *dims, const double *x, const double *g,
                        const double *b, double *y);
/* Numbers of the set that element i is in: their mean (0 where none is taken off) and their σ. */
void hlrp_ref_moments(const hlrp_node *n, const hlrp_dims *dims, const double *x, int64_t i,
                      double *mean, double *sigma);
/* x / (bias + alpha/size·Σ x²)^beta over neighbouring channels. */
void hlrp_ref_local_response(const hlrp_node *n, const hlrp_dims *dims, const double *x, double *y);
/* Its denominator's base at element i. */
double hlrp_ref_local_sum(const hlrp_node *n, const hlrp_dims *dims, const double *x, int64_t i);
/* The channels, both included, that the sum of channel c goes over. */
void hlrp_ref_local_channels(const hlrp_node *n, const hlrp_dims *dims, int64_t c, int64_t *from,
                             int64_t *to);

/* ---- element by element ---- */

/* A function of one number, and its slope. NULL: the operator is none. */
typedef double (*hlrp_ref_function)(const hlrp_node *n, double x);
hlrp_ref_function hlrp_ref_value_of(const hlrp_operator *op);
hlrp_ref_function hlrp_ref_slope_of(const hlrp_operator *op);

/* The slope below 0 that a PRELU has at element i, which is one for each channel: axis 1 of [N,C] and
 * of pictures, else the last. */
double hlrp_ref_prelu_slope(const hlrp_dims *x, const hlrp_dims *slopes, const double *slope,
                            int64_t i);

#endif

/* Functions of one number, element by element: smooth activations, and the arithmetic that exporters
 * write them and norms out with. Relevance passes; by the gradient it is multiplied by the slope.
 * Source: Ali et al. (2022) and Achtibat et al. (2024), for activations; for the others what arrives is
 * handed to their only input. */
#include <math.h>

#include "engine/elementary.h"
#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"
#include "util/vector.h"

static const double root_half = 0.70710678118654752440;  /* √½ */
static const double of_density = 0.39894228040143267794; /* 1/√(2π) */
static const double of_tanh = 0.79788456080286535588;    /* √(2/π) */
static const double of_cube = 0.044715;

static inline float softplus_of(float x) {
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

/* ---- the functions and their slopes; n: the node's parameters ---- */

#define VALUE(name) static inline float name##_value(const hlrp_node *n, float x)
#define SLOPE(name) static inline float name##_slope(const hlrp_node *n, float x)

VALUE(sigmoid) {
    (void)n;
    return (float)hlrp_wide_sigmoid((double)x);
}

SLOPE(sigmoid) {
    (void)n;
    return (float)(hlrp_wide_sigmoid((double)x) * hlrp_wide_sigmoid(-(double)x));
}

VALUE(tanh) {
    (void)n;
    return (float)hlrp_wide_tanh((double)x);
}

SLOPE(tanh) {
    (void)n;
    const double t = hlrp_wide_tanh((double)x);
    return (float)(1 - t * t);
}

VALUE(erf) {
    (void)n;
    return (float)hlrp_wide_erf((double)x);
}

SLOPE(erf) {
    (void)n;
    return (float)(2 * root_half * of_tanh * hlrp_wide_exp(-(double)x * (double)x));
}

/* alpha·x + lo between 0 and 1 */
VALUE(hard_sigmoid) {
    const float v = n->alpha * x + n->lo;
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

SLOPE(hard_sigmoid) {
    const float v = n->alpha * x + n->lo;
    return v > 0 && v < 1 ? n->alpha : 0;
}

VALUE(hard_swish) {
    (void)n;
    return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
}

SLOPE(hard_swish) {
    (void)n;
    return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
}

VALUE(gelu) {
    (void)n;
    return (float)(0.5 * (double)x * (1 + hlrp_wide_erf((double)x * root_half)));
}

SLOPE(gelu) {
    (void)n;
    const double v = (double)x;
    return (float)(0.5 * (1 + hlrp_wide_erf(v * root_half)) +
                   v * of_density * hlrp_wide_exp(-0.5 * v * v));
}

VALUE(gelu_tanh) {
    (void)n;
    const double v = (double)x;
    return (float)(0.5 * v * (1 + hlrp_wide_tanh(of_tanh * (v + of_cube * v * v * v))));
}

SLOPE(gelu_tanh) {
    (void)n;
    const double v = (double)x, t = hlrp_wide_tanh(of_tanh * (v + of_cube * v * v * v));
    return (float)(0.5 * (1 + t) + 0.5 * v * (1 - t * t) * of_tanh * (1 + 3 * of_cube * v * v));
}

/* x·sigmoid(alpha·x) */
VALUE(swish) {
    return (float)((double)x * hlrp_wide_sigmoid((double)n->alpha * (double)x));
}

SLOPE(swish) {
    const double v = (double)n->alpha * (double)x, s = hlrp_wide_sigmoid(v);
    return (float)(s + v * s * (1 - s));
}

VALUE(softplus) {
    (void)n;
    return softplus_of(x);
}

SLOPE(softplus) {
    (void)n;
    return (float)hlrp_wide_sigmoid((double)x);
}

VALUE(softsign) {
    (void)n;
    return x / (1 + fabsf(x));
}

SLOPE(softsign) {
    (void)n;
    return 1 / ((1 + fabsf(x)) * (1 + fabsf(x)));
}

/* tanh(log(1 + e)) with e = exp(x). */
static inline double tanh_of_softplus(double x) {
    const double e = hlrp_wide_exp(x), p = e * (e + 2);
    return p / (p + 2);
}

VALUE(mish) {
    (void)n;
    return (float)((double)x * tanh_of_softplus((double)x));
}

SLOPE(mish) {
    (void)n;
    const double v = (double)x, t = tanh_of_softplus(v);
    return (float)(t + v * (1 - t * t) * hlrp_wide_sigmoid(v));
}

/* lo·alpha·(exp x − 1) where x < 0, lo·x elsewhere; lo is called gamma */
VALUE(selu) {
    return n->lo * (x > 0 ? x : n->alpha * expm1f(x));
}

SLOPE(selu) {
    return n->lo * (x > 0 ? 1 : n->alpha * expf(x));
}

/* max(0, x) + min(0, alpha·(exp(x/alpha) − 1)) */
VALUE(celu) {
    return x > 0 ? x : n->alpha * expm1f(x / n->alpha);
}

SLOPE(celu) {
    return x > 0 ? 1 : expf(x / n->alpha);
}

/* x where x > alpha, else 0 */
VALUE(threshold) {
    return x > n->alpha ? x : 0;
}

SLOPE(threshold) {
    return x > n->alpha ? 1 : 0;
}

VALUE(exp) {
    (void)n;
    return (float)hlrp_wide_exp((double)x);
}

SLOPE(exp) {
    (void)n;
    return (float)hlrp_wide_exp((double)x);
}

VALUE(log) {
    (void)n;
    return logf(x);
}

SLOPE(log) {
    (void)n;
    return 1 / x;
}

VALUE(sqrt) {
    (void)n;
    return sqrtf(x);
}

SLOPE(sqrt) {
    (void)n;
    return 0.5F / sqrtf(x);
}

VALUE(reciprocal) {
    (void)n;
    return 1 / x;
}

SLOPE(reciprocal) {
    (void)n;
    return -1 / (x * x);
}

VALUE(neg) {
    (void)n;
    return -x;
}

SLOPE(neg) {
    (void)n;
    (void)x;
    return -1;
}

VALUE(abs) {
    (void)n;
    return fabsf(x);
}

SLOPE(abs) {
    (void)n;
    return x < 0 ? -1 : 1;
}

/* x to the power of alpha */
VALUE(power) {
    return n->alpha == 2 ? x * x : powf(x, n->alpha);
}

SLOPE(power) {
    return n->alpha == 2 ? 2 * x : n->alpha * powf(x, n->alpha - 1);
}

/* ---- of constants ---- */

static hlrp_status fold(const hlrp_constants *c, float (*value)(const hlrp_node *n, float x),
                        hlrp_tensor **out, hlrp_error *err) {
    if (c->in[0]->dtype != HLRP_F32)
        return hlrp_node_fail(c->n, err, "its input holds integers");
    const hlrp_status status = hlrp_fold_new(&c->in[0]->dims, HLRP_F32, c->most, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < hlrp_tensor_count(*out); k++)
        (*out)->f[k] = value(c->n, c->in[0]->f[k]);
    return status;
}

/* ---- the rows ---- */

/* Channels past the last keep 0 where the function of 0 is not 0. */
static void finish(const hlrp_computation *c, float of_zero) {
    if (of_zero != 0)
        hlrp_clear_padding(c->out, c->y);
}

#define FUNCTION(id, ...)                                                                          \
    HLRP_VECTOR                                                                                    \
    static void id##_values(const hlrp_node *node, int64_t count, const float *x, float *y) {      \
        const hlrp_node n = *node; /* which y may not overlap */                                   \
        _Pragma("omp simd") for (int64_t i = 0; i < count; i++) y[i] = id##_value(&n, x[i]);       \
    }                                                                                              \
    HLRP_VECTOR                                                                                    \
    static void id##_slopes(const hlrp_node *node, int64_t count, const float *x, const float *r,  \
                            float *out) {                                                          \
        const hlrp_node n = *node;                                                                 \
        _Pragma("omp simd") for (int64_t i = 0; i < count; i++) out[i] =                           \
            r[i] != 0 ? r[i] * id##_slope(&n, x[i]) : 0;                                           \
    }                                                                                              \
    static hlrp_status id##_forward(const hlrp_computation *c, hlrp_error *err) {                  \
        (void)err;                                                                                 \
        id##_values(c->node, hlrp_layout_count(c->out), c->x, c->y);                               \
        finish(c, id##_value(c->node, 0));                                                         \
        return HLRP_OK;                                                                            \
    }                                                                                              \
    static hlrp_status id##_fold(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {    \
        return fold(c, id##_value, out, err);                                                      \
    }                                                                                              \
    static void id##_gradient(const hlrp_turn *t, float *out) {                                    \
        id##_slopes(t->node, hlrp_layout_count(t->in), t->x, t->r, out);                           \
    }                                                                                              \
    static const hlrp_rule_cell id##_relevance[HLRP_RULE_COUNT] =                                  \
        HLRP_PASS_AND_GRADIENT(id##_gradient);                                                     \
    const hlrp_operator hlrp_op_##id = {.name = #id,                                               \
                                        .least = 1,                                                \
                                        .shape = hlrp_shape_same,                                  \
                                        .fold = id##_fold,                                         \
                                        .forward = id##_forward,                                   \
                                        .elementwise = true,                                       \
                                        .otherwise = HLRP_RULE_PASS,                               \
                                        .relevance = id##_relevance,                               \
                                        .unfit = HLRP_ONLY_PASS,                                   \
                                        __VA_ARGS__}

static bool never_negative(const hlrp_node *n, const bool *is) {
    (void)n;
    (void)is;
    return true;
}

/* Their value at 0 is not 0, so that what they hand on need not vanish there. */
static bool moves_zero(const hlrp_node *n) {
    (void)n;
    return true;
}

static bool from_zero_up(const hlrp_node *n) {
    return n->alpha >= 0;
}

static bool where_positive(const hlrp_node *n, const bool *is) {
    return from_zero_up(n) || hlrp_all_inputs(n, is);
}

FUNCTION(sigmoid, .ends = HLRP_ACTIVATION_SIGMOID, .squashes = true, .activates = true,
         .nonnegative = never_negative, .moves_zero = moves_zero);
FUNCTION(tanh, .squashes = true, .activates = true);
FUNCTION(erf, .squashes = true, .activates = true);
FUNCTION(hard_sigmoid, .squashes = true, .activates = true, .nonnegative = never_negative,
         .moves_zero = moves_zero);
FUNCTION(hard_swish, .activates = true);
FUNCTION(gelu, .activates = true);
FUNCTION(gelu_tanh, .activates = true);
FUNCTION(swish, .activates = true);
FUNCTION(softplus, .activates = true, .nonnegative = never_negative, .moves_zero = moves_zero);
FUNCTION(softsign, .activates = true);
FUNCTION(mish, .activates = true);
FUNCTION(selu, .activates = true);
FUNCTION(celu, .activates = true);
FUNCTION(threshold, .activates = true, .nonnegative = where_positive, .rectifies = from_zero_up);
FUNCTION(exp, .nonnegative = never_negative, .moves_zero = moves_zero);
FUNCTION(log, .moves_zero = moves_zero);
FUNCTION(sqrt, .nonnegative = never_negative);
FUNCTION(reciprocal, .moves_zero = moves_zero);
FUNCTION(neg, .nonnegative = NULL);
FUNCTION(abs, .nonnegative = never_negative);
FUNCTION(power, .moves_zero = moves_zero);

/* Functions of one number, element by element: smooth activations, and the arithmetic that exporters
 * write them and norms out with. Relevance passes; by the gradient it is multiplied by the slope.
 * Source: Ali et al. (2022) and Achtibat et al. (2024), for activations; for the others what arrives is
 * handed to their only input. */
#include <math.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"

static const float root_half = 0.70710678118654752440F;  /* √½ */
static const float of_density = 0.39894228040143267794F; /* 1/√(2π) */
static const float of_tanh = 0.79788456080286535588F;    /* √(2/π) */
static const float of_cube = 0.044715F;

static inline float sigmoid_of(float x) {
    return x >= 0 ? 1 / (1 + expf(-x)) : expf(x) / (1 + expf(x));
}

static inline float softplus_of(float x) {
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

/* ---- the functions and their slopes; n: the node's parameters ---- */

#define VALUE(name) static inline float name##_value(const hlrp_node *n, float x)
#define SLOPE(name) static inline float name##_slope(const hlrp_node *n, float x)

VALUE(sigmoid) {
    (void)n;
    return sigmoid_of(x);
}

SLOPE(sigmoid) {
    (void)n;
    return sigmoid_of(x) * sigmoid_of(-x);
}

VALUE(tanh) {
    (void)n;
    return tanhf(x);
}

SLOPE(tanh) {
    (void)n;
    return 1 - tanhf(x) * tanhf(x);
}

VALUE(erf) {
    (void)n;
    return erff(x);
}

SLOPE(erf) {
    (void)n;
    return 2 * root_half * of_tanh * expf(-x * x);
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
    return 0.5F * x * (1 + erff(x * root_half));
}

SLOPE(gelu) {
    (void)n;
    return 0.5F * (1 + erff(x * root_half)) + x * of_density * expf(-0.5F * x * x);
}

VALUE(gelu_tanh) {
    (void)n;
    return 0.5F * x * (1 + tanhf(of_tanh * (x + of_cube * x * x * x)));
}

SLOPE(gelu_tanh) {
    (void)n;
    const float t = tanhf(of_tanh * (x + of_cube * x * x * x));
    return 0.5F * (1 + t) + 0.5F * x * (1 - t * t) * of_tanh * (1 + 3 * of_cube * x * x);
}

/* x·sigmoid(alpha·x) */
VALUE(swish) {
    return x * sigmoid_of(n->alpha * x);
}

SLOPE(swish) {
    const float s = sigmoid_of(n->alpha * x);
    return s + n->alpha * x * s * (1 - s);
}

VALUE(softplus) {
    (void)n;
    return softplus_of(x);
}

SLOPE(softplus) {
    (void)n;
    return sigmoid_of(x);
}

VALUE(softsign) {
    (void)n;
    return x / (1 + fabsf(x));
}

SLOPE(softsign) {
    (void)n;
    return 1 / ((1 + fabsf(x)) * (1 + fabsf(x)));
}

VALUE(mish) {
    (void)n;
    return x * tanhf(softplus_of(x));
}

SLOPE(mish) {
    (void)n;
    const float t = tanhf(softplus_of(x));
    return t + x * (1 - t * t) * sigmoid_of(x);
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
    return expf(x);
}

SLOPE(exp) {
    (void)n;
    return expf(x);
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
    static hlrp_status id##_forward(const hlrp_computation *c, hlrp_error *err) {                  \
        (void)err;                                                                                 \
        for (int64_t i = 0; i < hlrp_layout_count(c->out); i++)                                    \
            c->y[i] = id##_value(c->node, c->x[i]);                                                \
        finish(c, id##_value(c->node, 0));                                                         \
        return HLRP_OK;                                                                            \
    }                                                                                              \
    static hlrp_status id##_fold(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {    \
        return fold(c, id##_value, out, err);                                                      \
    }                                                                                              \
    static void id##_gradient(const hlrp_turn *t, float *out) {                                    \
        for (int64_t i = 0; i < hlrp_layout_count(t->in); i++)                                     \
            out[i] = t->r[i] != 0 ? t->r[i] * id##_slope(t->node, t->x[i]) : 0;                    \
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

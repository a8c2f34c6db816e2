/* Functions of one number: the operators' definitions, and their derivatives. */
#include <math.h>

#include "reference/rows.h"

#define VALUE(name) static double name(const hlrp_node *n, double x)
#define SLOPE(name) static double name##_slope(const hlrp_node *n, double x)

static const double pi = 3.14159265358979323846;

static double logistic(double x) {
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* log(1 + exp x) */
static double soft(double x) {
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* ---- with a kink; the slope at it is that of the left side ---- */

VALUE(relu) {
    (void)n;
    return x > 0 ? x : 0;
}

SLOPE(relu) {
    (void)n;
    return x > 0 ? 1 : 0;
}

VALUE(leaky_relu) {
    return x >= 0 ? x : (double)n->alpha * x;
}

SLOPE(leaky_relu) {
    return x > 0 ? 1 : (double)n->alpha;
}

VALUE(threshold) {
    return x > (double)n->alpha ? x : 0;
}

SLOPE(threshold) {
    return x > (double)n->alpha ? 1 : 0;
}

VALUE(elu) {
    return x > 0 ? x : (double)n->alpha * (exp(x) - 1);
}

SLOPE(elu) {
    return x > 0 ? 1 : (double)n->alpha * exp(x);
}

VALUE(clip) {
    return x < (double)n->lo ? (double)n->lo : x > (double)n->hi ? (double)n->hi : x;
}

SLOPE(clip) {
    return x > (double)n->lo && x < (double)n->hi ? 1 : 0;
}

VALUE(hard_sigmoid) {
    return fmax(0, fmin(1, (double)n->alpha * x + (double)n->lo));
}

SLOPE(hard_sigmoid) {
    const double v = (double)n->alpha * x + (double)n->lo;
    return v > 0 && v < 1 ? (double)n->alpha : 0;
}

/* x·max(0, min(1, x/6 + 1/2)) */
VALUE(hard_swish) {
    (void)n;
    return x * fmax(0, fmin(1, x / 6 + 0.5));
}

SLOPE(hard_swish) {
    (void)n;
    return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
}

VALUE(magnitude) {
    (void)n;
    return fabs(x);
}

SLOPE(magnitude) {
    (void)n;
    return x < 0 ? -1 : 1;
}

/* ---- smooth ---- */

VALUE(sigmoid) {
    (void)n;
    return logistic(x);
}

SLOPE(sigmoid) {
    (void)n;
    return logistic(x) * (1 - logistic(x));
}

VALUE(hyperbolic) {
    (void)n;
    return tanh(x);
}

SLOPE(hyperbolic) {
    (void)n;
    return 1 / (cosh(x) * cosh(x));
}

VALUE(error) {
    (void)n;
    return erf(x);
}

SLOPE(error) {
    (void)n;
    return 2 / sqrt(pi) * exp(-x * x);
}

/* x·Φ(x) */
VALUE(gelu) {
    (void)n;
    return x / 2 * (1 + erf(x / sqrt(2)));
}

SLOPE(gelu) {
    (void)n;
    return (1 + erf(x / sqrt(2))) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi);
}

VALUE(gelu_tanh) {
    (void)n;
    return x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)));
}

SLOPE(gelu_tanh) {
    (void)n;
    const double u = sqrt(2 / pi) * (x + 0.044715 * x * x * x);
    const double du = sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x);
    return (1 + tanh(u)) / 2 + x / 2 * du / (cosh(u) * cosh(u));
}

VALUE(swish) {
    return x * logistic((double)n->alpha * x);
}

SLOPE(swish) {
    const double a = (double)n->alpha, s = logistic(a * x);
    return s + x * a * s * (1 - s);
}

VALUE(softplus) {
    (void)n;
    return soft(x);
}

SLOPE(softplus) {
    (void)n;
    return logistic(x);
}

VALUE(softsign) {
    (void)n;
    return x / (1 + fabs(x));
}

SLOPE(softsign) {
    (void)n;
    return 1 / pow(1 + fabs(x), 2);
}

VALUE(mish) {
    (void)n;
    return x * tanh(soft(x));
}

SLOPE(mish) {
    (void)n;
    return tanh(soft(x)) + x * logistic(x) / pow(cosh(soft(x)), 2);
}

VALUE(selu) {
    return (double)n->lo * (x > 0 ? x : (double)n->alpha * (exp(x) - 1));
}

SLOPE(selu) {
    return (double)n->lo * (x > 0 ? 1 : (double)n->alpha * exp(x));
}

VALUE(celu) {
    return fmax(0, x) + fmin(0, (double)n->alpha * (exp(x / (double)n->alpha) - 1));
}

SLOPE(celu) {
    return x > 0 ? 1 : exp(x / (double)n->alpha);
}

VALUE(exponential) {
    (void)n;
    return exp(x);
}

SLOPE(exponential) {
    (void)n;
    return exp(x);
}

VALUE(logarithm) {
    (void)n;
    return log(x);
}

SLOPE(logarithm) {
    (void)n;
    return 1 / x;
}

VALUE(root) {
    (void)n;
    return sqrt(x);
}

SLOPE(root) {
    (void)n;
    return 1 / (2 * sqrt(x));
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

VALUE(power) {
    return pow(x, (double)n->alpha);
}

SLOPE(power) {
    return (double)n->alpha * pow(x, (double)n->alpha - 1);
}

/* ---- the list ---- */

static const struct {
    const hlrp_operator *op;
    hlrp_ref_function value, slope;
} table[] = {
    {&hlrp_op_relu, relu, relu_slope},
    {&hlrp_op_leaky_relu, leaky_relu, leaky_relu_slope},
    {&hlrp_op_elu, elu, elu_slope},
    {&hlrp_op_clip, clip, clip_slope},
    {&hlrp_op_threshold, threshold, threshold_slope},
    {&hlrp_op_sigmoid, sigmoid, sigmoid_slope},
    {&hlrp_op_tanh, hyperbolic, hyperbolic_slope},
    {&hlrp_op_erf, error, error_slope},
    {&hlrp_op_hard_sigmoid, hard_sigmoid, hard_sigmoid_slope},
    {&hlrp_op_hard_swish, hard_swish, hard_swish_slope},
    {&hlrp_op_gelu, gelu, gelu_slope},
    {&hlrp_op_gelu_tanh, gelu_tanh, gelu_tanh_slope},
    {&hlrp_op_swish, swish, swish_slope},
    {&hlrp_op_softplus, softplus, softplus_slope},
    {&hlrp_op_softsign, softsign, softsign_slope},
    {&hlrp_op_mish, mish, mish_slope},
    {&hlrp_op_selu, selu, selu_slope},
    {&hlrp_op_celu, celu, celu_slope},
    {&hlrp_op_exp, exponential, exponential_slope},
    {&hlrp_op_log, logarithm, logarithm_slope},
    {&hlrp_op_sqrt, root, root_slope},
    {&hlrp_op_reciprocal, reciprocal, reciprocal_slope},
    {&hlrp_op_neg, neg, neg_slope},
    {&hlrp_op_abs, magnitude, magnitude_slope},
    {&hlrp_op_power, power, power_slope},
};

hlrp_ref_function hlrp_ref_value_of(const hlrp_operator *op) {
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == op)
            return table[k].value;
    return NULL;
}

hlrp_ref_function hlrp_ref_slope_of(const hlrp_operator *op) {
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == op)
            return table[k].slope;
    return NULL;
}

double hlrp_ref_prelu_slope(const hlrp_dims *x, const hlrp_dims *slopes, const double *slope,
                            int64_t i) {
    int64_t place[HLRP_MAX_RANK] = {0};
    hlrp_ref_place_of(x, i, place);
    const int axis = x->rank == 2 || x->rank == 4 ? 1 : x->rank - 1;
    return slope[slopes->d[0] == 1 ? 0 : place[axis]];
}

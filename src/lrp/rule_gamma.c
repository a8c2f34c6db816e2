/* gamma(γ), for inputs and outputs of both signs:
 *   where z > 0:  s = R / stab( (W+γW⁺)x⁺ + (W+γW⁻)x⁻ + b + γb⁺ ),
 *                 R_in = x⁺·(W+γW⁺)ᵀs + x⁻·(W+γW⁻)ᵀs;
 *   where z < 0:  the same with W⁺ and W⁻ swapped and b⁻;  where z = 0 relevance is dropped.
 * Source: Montavon et al. (2019), section 10.2, and the generalised form of zennit 0.5 (2022).
 *
 * With P = W⁺x⁺ + W⁻x⁻ + b⁺, one modified forward serves both branches:
 *   denominator(z > 0) = z + γP,  denominator(z < 0) = z + γ(z − P) = (1+γ)z − γP,
 * and neither cancels where it is used. For x ≥ 0 the terms with x⁻ vanish, and behind a ReLU the
 * branch z < 0 has no relevance: then it is one forward and one adjoint.
 *
 * Layers over tokens, whose inputs have both signs, take half the passes by magnitudes: with
 * |W||x| + |b| = P − N and z = P + N one forward gives P = (z + |W||x| + |b|)/2, which is at least half
 * exact where z > 0 and small beside z where z < 0; and with s₊, s₋ of the two branches
 *   R_in = (1 + γ/2)·x·Wᵀ(s₊ + s₋) + γ/2·|x|·|W|ᵀ(s₊ − s₋),
 * for W⁺ = (W + |W|)/2 and W⁻ = (W − |W|)/2. Modified weights are one copy instead of four. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels.h"
#include "lrp/layer.h"
#include "util/vector.h"

enum { RAISE, LOWER, MAPS_OF_P }; /* W+γW⁺, W+γW⁻; then W⁺ and W⁻ */
enum { PLAIN, MAGNITUDES };       /* of layers over tokens: W and |W| */

static bool by_magnitudes(const hlrp_layer *layer) {
    return layer->spec.src.rows && !layer->nonnegative;
}

static bool one_branch(const hlrp_layer *layer) {
    return layer->dead_below && layer->nonnegative;
}

static hlrp_status prepare_magnitudes(hlrp_layer *layer, hlrp_error *err) {
    const int64_t outputs = layer->spec.dst.c;
    float *bias = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&bias, outputs, sizeof *bias, "bias", err));
    for (int64_t c = 0; c < outputs; c++)
        bias[c] = fabsf(layer->bias[c]);
    HLRP_TRY(hlrp_layer_map(layer, PLAIN, (hlrp_weights){1, 1}, NULL, false, true, err));
    HLRP_TRY(hlrp_layer_map(layer, MAGNITUDES, (hlrp_weights){1, -1}, bias, true, true, err));
out:
    free(bias);
    return status;
}

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    const float g = (float)layer->rule.gamma;
    float *positive_bias = NULL;
    hlrp_status status = HLRP_OK;
    if (by_magnitudes(layer))
        return prepare_magnitudes(layer, err);
    HLRP_TRY(hlrp_layer_bias_part(layer, 1, &positive_bias, err));
    HLRP_TRY(hlrp_layer_map(layer, RAISE, (hlrp_weights){1 + g, 1}, NULL, false, true, err));
    if (!one_branch(layer))
        HLRP_TRY(hlrp_layer_map(layer, LOWER, (hlrp_weights){1, 1 + g}, NULL, false, true, err));
    HLRP_TRY(hlrp_layer_map(layer, MAPS_OF_P, (hlrp_weights){1, 0},
                            layer->spec.bias ? positive_bias : NULL, true, false, err));
    if (!layer->nonnegative)
        HLRP_TRY(
            hlrp_layer_map(layer, MAPS_OF_P + 1, (hlrp_weights){0, 1}, NULL, true, false, err));
out:
    free(positive_bias);
    return status;
}

/* P in p; parts of x in xp and xn where x has both signs. */
static hlrp_status positive_sum(const hlrp_layer *layer, hlrp_step *step, float *xp, float *xn,
                                float *p, hlrp_error *err) {
    const int64_t n = hlrp_layout_count(&layer->spec.src), m = hlrp_layout_count(&layer->spec.dst);
    if (layer->nonnegative)
        return hlrp_layer_forward(layer, step, MAPS_OF_P, step->x, p, err);
    float *more = hlrp_take(step, &layer->spec.dst);
    hlrp_relu(n, step->x, xp);
    hlrp_negative_part(n, step->x, xn);
    hlrp_status status = hlrp_layer_forward(layer, step, MAPS_OF_P, xp, p, err);
    if (status == HLRP_OK)
        status = hlrp_layer_forward(layer, step, MAPS_OF_P + 1, xn, more, err);
    for (int64_t i = 0; status == HLRP_OK && i < m; i++)
        p[i] += more[i];
    return status;
}

/* out += x · map(s), where out starts as 0 on the first call. */
static hlrp_status send(const hlrp_layer *layer, hlrp_step *step, int map, const float *x,
                        const float *s, float *c, hlrp_error *err) {
    const hlrp_status status = hlrp_layer_adjoint(layer, step, map, s, c, err);
    hlrp_add_product(hlrp_layout_count(&layer->spec.src), 1, x, c, step->out);
    return status;
}

HLRP_VECTOR
static void combine(int64_t count, float of_z, const float *z, float of_p, const float *p,
                    float *s) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        s[i] = of_z * z[i] + of_p * p[i];
}

/* s of one branch: sign > 0 for z > 0. */
static void branch(const hlrp_layer *layer, hlrp_step *step, int sign, const float *z,
                   const float *p, float *s) {
    const int64_t m = hlrp_layout_count(&layer->spec.dst);
    const float g = (float)layer->rule.gamma;
    const float of_z = sign > 0 ? 1 : 1 + g, of_p = sign > 0 ? g : -g;
    combine(m, of_z, z, of_p, p, s);
    const hlrp_divide d = {.denominator = s,
                           .epsilon = HLRP_STABILIZER,
                           .sign = sign,
                           .gate = step->z, /* the forward's own z decides, biases and all */
                           .bias_positive = sign > 0 ? 1 + g : 1,
                           .bias_negative = sign > 0 ? 1 : 1 + g};
    hlrp_step_divide(layer, step, &d, s);
}

/* Neither branch takes what arrives where z = 0. */
static void leave_zeros(const hlrp_layer *layer, hlrp_step *step) {
    for (int64_t i = 0; i < hlrp_layout_count(&layer->spec.dst); i++)
        if (step->z[i] == 0)
            step->left[i] += step->r[i];
}

HLRP_VECTOR
static void half_sum(int64_t count, const float *z, float *p) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        p[i] = 0.5F * (p[i] + z[i]);
}

HLRP_VECTOR
static void magnitudes_of(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] < 0 ? -x[i] : x[i];
}

static bool arrives(int64_t count, const float *r) {
    int64_t i = 0;
    while (i < count && r[i] == 0)
        i++;
    return i < count;
}

/* |x| in rows at whose outputs relevance arrives. In the others it is not needed: 0, which spares a
 * product the work. */
static void magnitudes_where_needed(const hlrp_layer *layer, const hlrp_step *step, float *y) {
    const hlrp_layout *src = &layer->spec.src, *dst = &layer->spec.dst;
    for (int64_t k = 0; k < src->n * src->h; k++)
        if (arrives(dst->c, step->r + k * dst->c))
            magnitudes_of(src->c, step->x + k * src->c, y + k * src->c);
        else
            memset(y + k * src->c, 0, (size_t)src->c * sizeof *y);
}

/* sum = a + b, difference = a − b; they may be a and b. */
HLRP_VECTOR
static void both_ways(int64_t count, const float *a, const float *b, float *sum,
                      float *difference) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const float first = a[i], second = b[i];
        sum[i] = first + second;
        difference[i] = first - second;
    }
}

/* s of both branches of one row, as their sum in s and their difference in t, from p = |W||x| + |b|,
 * which may be t; and what bias and stabilizer take of them. */
typedef struct taken {
    double bias, stabilizer;
} taken;

HLRP_VECTOR
static taken both_branches(int64_t count, float gamma, const float *r, const float *gate,
                           const float *z, const float *p, const float *b, float *s, float *t) {
    const float e = (float)HLRP_STABILIZER, more = 1 + gamma;
    double bias = 0, stabilizer = 0;
#pragma omp simd reduction(+ : bias, stabilizer)
    for (int64_t i = 0; i < count; i++) {
        const bool up = gate[i] > 0, down = gate[i] < 0;
        const float half = 0.5F * (p[i] + z[i]);
        const float den = up ? z[i] + gamma * half : more * z[i] - gamma * half;
        const float quotient = r[i] / hlrp_stab(den, e), v = up || down ? quotient : 0;
        s[i] = v;
        t[i] = up ? v : -v;
        bias += (double)(v * b[i] * ((b[i] > 0) == up ? more : 1));
        stabilizer += (double)(den >= 0 ? v : -v);
    }
    return (taken){bias, stabilizer};
}

/* The same of all samples. */
static void divide_both(const hlrp_layer *layer, hlrp_step *step, const float *z, const float *p,
                        float *s, float *t) {
    const hlrp_layout *l = &layer->spec.dst;
    for (int64_t k = 0; k < l->n * l->h; k++) {
        const int64_t at = k * l->c;
        const taken sum = both_branches(l->c, (float)layer->rule.gamma, step->r + at, step->z + at,
                                        z + at, p + at, layer->bias, s + at, t + at);
        hlrp_step_account(step, k / l->h, sum.bias, sum.stabilizer * HLRP_STABILIZER);
    }
}

/* The same branch by branch, where what they leave is given on. p becomes P. */
static void divide_each(const hlrp_layer *layer, hlrp_step *step, const float *z, float *p,
                        float *s, float *t) {
    const int64_t outputs = hlrp_layout_count(&layer->spec.dst);
    half_sum(outputs, z, p);
    branch(layer, step, 1, z, p, s);
    branch(layer, step, -1, z, p, t);
    both_ways(outputs, s, t, s, t);
}

/* out = (1 + γ/2)·x·out + γ/2·|x|·c */
HLRP_VECTOR
static void hand_out(int64_t count, float gamma, const float *x, const float *c, float *out) {
    const float half = 0.5F * gamma;
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        out[i] = (1 + half) * x[i] * out[i] + half * (x[i] < 0 ? -x[i] : x[i]) * c[i];
}

static hlrp_status relevance_by_magnitudes(const hlrp_layer *layer, hlrp_step *step,
                                           hlrp_error *err) {
    const hlrp_layout *src = &layer->spec.src, *dst = &layer->spec.dst;
    const float *z = hlrp_rule_z(layer, step);
    float *c = hlrp_take(step, src), *p = hlrp_take(step, dst);
    float *s = hlrp_take(step, dst), *t = step->left ? hlrp_take(step, dst) : p;
    hlrp_status status = HLRP_OK;
    magnitudes_where_needed(layer, step, c);
    HLRP_TRY(hlrp_layer_forward(layer, step, MAGNITUDES, c, p, err));
    if (step->left)
        divide_each(layer, step, z, p, s, t);
    else
        divide_both(layer, step, z, p, s, t);
    HLRP_TRY(hlrp_layer_adjoint(layer, step, PLAIN, s, step->out, err));
    HLRP_TRY(hlrp_layer_adjoint(layer, step, MAGNITUDES, t, c, err));
    hand_out(hlrp_layout_count(src), (float)layer->rule.gamma, step->x, c, step->out);
    if (step->left)
        leave_zeros(layer, step);
out:
    return status;
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    if (by_magnitudes(layer))
        return relevance_by_magnitudes(layer, step, err);
    const hlrp_layout *src = &layer->spec.src, *dst = &layer->spec.dst;
    const float *x = step->x, *z = hlrp_rule_z(layer, step);
    float *c = hlrp_take(step, src), *p = hlrp_take(step, dst), *s = hlrp_take(step, dst);
    float *xp = layer->nonnegative ? NULL : hlrp_take(step, src);
    float *xn = layer->nonnegative ? NULL : hlrp_take(step, src);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(positive_sum(layer, step, xp, xn, p, err));
    branch(layer, step, 1, z, p, s);
    if (one_branch(layer)) {
        status = hlrp_layer_adjoint(layer, step, RAISE, s, step->out, err);
        hlrp_multiply(hlrp_layout_count(src), x, step->out);
        return status;
    }
    for (int64_t i = 0; i < hlrp_layout_count(src); i++)
        step->out[i] = 0;
    HLRP_TRY(send(layer, step, RAISE, xp ? xp : x, s, c, err));
    if (xn)
        HLRP_TRY(send(layer, step, LOWER, xn, s, c, err));
    branch(layer, step, -1, z, p, s);
    HLRP_TRY(send(layer, step, LOWER, xp ? xp : x, s, c, err));
    if (xn)
        HLRP_TRY(send(layer, step, RAISE, xn, s, c, err));
    if (step->left)
        leave_zeros(layer, step);
out:
    return status;
}

static int passes(const hlrp_layer *layer) {
    if (by_magnitudes(layer))
        return 3;
    const int forward = layer->nonnegative ? 1 : 2, adjoint = layer->nonnegative ? 1 : 2;
    return forward + (one_branch(layer) ? 1 : 2 * adjoint);
}

const hlrp_rule_ops hlrp_rule_gamma = {prepare, relevance, passes, true};

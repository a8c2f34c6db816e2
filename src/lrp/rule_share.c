/* lrp0, epsilon, gamma, zplus and alphabeta where the inputs get what bias and stabilizer would take,
 * in proportion to the magnitude of their contributions.
 *
 * A rule gives the contributions c = w·x of an output's inputs weights a (to the positive ones) and
 * b (to the negative ones) and hands R_in = s·(a c⁺ + b c⁻). With P = Σ c⁺ and N = Σ |c⁻| its inputs
 * get s·(aP − bN), the rest ρ = R − s·(aP − bN) is shared out by t = ρ / (aP + bN):
 *   R_in = u·c⁺ + v·c⁻,  u = a (s + t),  v = b (s − t),
 * which sums to R whatever s is. s, a and b:
 *   epsilon     s = R / stab(z),                  a = b = 1
 *   gamma, z>0  s = R / stab(z + γ(P + b⁺)),      a = 1 + γ, b = 1; the mirror image where z < 0;
 *          z=0  s = 0,                            a = b = 1
 *   alphabeta   u = αR / P, v = βR / N; a part without contributions leaves R to the other
 *   zplus       u = R / P,  v = 0
 * Where no input contributes, R is left for hlrp_spread. Source: the bias factor of Bach et al.
 * (2015), eq. 58, in proportion instead of evenly; LRP-0's absolute-value sharing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels.h"
#include "lrp/layer.h"
#include "util/vector.h"

enum { PLUS, MINUS }; /* W⁺ and W⁻, without biases */

/* One sample's outputs: what arrives, the forward's sums, and what is to be found out. */
typedef struct outputs {
    int64_t count;
    const float *r, *z;
    const float *p, *n; /* P and −N: differences would not be 0 where nothing contributes */
    float *u, *v, *left;
} outputs;

static bool positive_only(const hlrp_layer *layer) {
    return layer->rule.kind == HLRP_RULE_ZPLUS ||
           (layer->rule.kind == HLRP_RULE_ALPHABETA && layer->rule.beta == 0);
}

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    const bool minus = !positive_only(layer) || !layer->nonnegative;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_layer_map(layer, PLUS, (hlrp_weights){1, 0}, NULL, true, true, err));
    if (minus)
        HLRP_TRY(hlrp_layer_map(layer, MINUS, (hlrp_weights){0, 1}, NULL, true, true, err));
out:
    return status;
}

/* ---- one output ---- */

static inline void settle(float r, float s, float ap, float bn, float a, float b, float *u,
                          float *v, float *left) {
    const float whole = ap + bn;
    const bool some = whole > HLRP_NO_CONTRIBUTION;
    const float t = (r - s * (ap - bn)) / (some ? whole : 1);
    *u = some ? a * (s + t) : 0;
    *v = some ? b * (s - t) : 0;
    *left = some ? 0 : r;
}

static inline float positive(float x) {
    return x > 0 ? x : 0;
}

HLRP_VECTOR
static void by_epsilon(const outputs *o, float e) {
    const float *r = o->r, *z = o->z, *plus = o->p, *minus = o->n;
    float *u = o->u, *v = o->v, *left = o->left;
#pragma omp simd
    for (int64_t i = 0; i < o->count; i++) {
        const float p = positive(plus[i]), n = positive(-minus[i]);
        settle(r[i], r[i] / hlrp_stab(z[i], e), p, n, 1, 1, &u[i], &v[i], &left[i]);
    }
}

HLRP_VECTOR
static void by_gamma(const outputs *o, float g) {
    const float *r = o->r, *z = o->z, *plus = o->p, *minus = o->n;
    float *u = o->u, *v = o->v, *left = o->left;
#pragma omp simd
    for (int64_t i = 0; i < o->count; i++) {
        const float p = positive(plus[i]), n = positive(-minus[i]), b = z[i] - (p - n);
        const float more = g * (p + positive(b)), less = g * (n + positive(-b));
        const float of_p = z[i] > 0 ? 1 + g : 1, of_n = z[i] < 0 ? 1 + g : 1;
        const float den = z[i] > 0 ? z[i] + more : z[i] - less;
        const float s = z[i] != 0 ? r[i] / hlrp_stab(den, (float)HLRP_STABILIZER) : 0;
        settle(r[i], s, of_p * p, of_n * n, of_p, of_n, &u[i], &v[i], &left[i]);
    }
}

HLRP_VECTOR
static void by_parts(const outputs *o, float alpha, float beta) {
    const float *r = o->r, *plus = o->p, *minus = o->n;
    float *u = o->u, *v = o->v, *left = o->left;
#pragma omp simd
    for (int64_t i = 0; i < o->count; i++) {
        const float p = positive(plus[i]), n = positive(-minus[i]);
        const bool some_p = p > HLRP_NO_CONTRIBUTION;
        const bool some_n = beta != 0 && n > HLRP_NO_CONTRIBUTION;
        u[i] = some_p ? (some_n ? alpha : 1) * r[i] / p : 0;
        v[i] = some_n ? (some_p ? beta : -1) * r[i] / n : 0;
        left[i] = some_p || some_n ? 0 : r[i];
    }
}

/* ---- one step ---- */

static float root_mean_square(const hlrp_layout *l, const float *z) {
    double sum = 0;
    for (int64_t i = 0; i < hlrp_layout_sample(l); i++)
        sum += (double)z[i] * z[i];
    return (float)sqrt(sum / (double)(l->c * l->h * l->w));
}

static float epsilon_of(const hlrp_layer *layer, const float *z) {
    const hlrp_rule *rule = &layer->rule;
    if (rule->kind == HLRP_RULE_LRP0)
        return (float)HLRP_LRP0_EPSILON;
    const float e = (float)rule->epsilon * (rule->rms ? root_mean_square(&layer->spec.dst, z) : 1);
    return e > 0 ? e : (float)HLRP_LRP0_EPSILON;
}

static void split(const hlrp_layer *layer, const outputs *o) {
    const hlrp_rule *rule = &layer->rule;
    if (rule->kind == HLRP_RULE_GAMMA)
        by_gamma(o, (float)rule->gamma);
    else if (rule->kind == HLRP_RULE_ZPLUS)
        by_parts(o, 1, 0);
    else if (rule->kind == HLRP_RULE_ALPHABETA)
        by_parts(o, (float)rule->alpha, (float)rule->beta);
    else
        by_epsilon(o, epsilon_of(layer, o->z));
}

static bool any(int64_t count, const float *x) {
    for (int64_t i = 0; i < count; i++)
        if (x[i] != 0)
            return true;
    return false;
}

/* u, v and what is left, sample by sample. */
static void split_samples(const hlrp_layer *layer, hlrp_step *step, const float *p,
                          const float *n_sum, float *u, float *v) {
    const hlrp_layout *l = &layer->spec.dst;
    const int64_t sample = hlrp_layout_sample(l);
    for (int64_t n = 0, at = 0; n < l->n; n++, at += sample) {
        const outputs o = {.count = sample,
                           .r = step->r + at,
                           .z = step->z + at,
                           .p = p + at,
                           .n = n_sum + at,
                           .u = u + at,
                           .v = v + at,
                           .left = step->left + at};
        split(layer, &o);
    }
    step->leaves = any(hlrp_layout_count(l), step->left);
}

/* What map `of_xp` makes of x⁺ and the other one of x⁻: P from PLUS, −N from MINUS. */
static hlrp_status sum_of_sign(const hlrp_layer *layer, hlrp_step *step, int of_xp, const float *xp,
                               const float *xn, float *sum, float *room, hlrp_error *err) {
    const int of_xn = of_xp == PLUS ? MINUS : PLUS;
    hlrp_status status = hlrp_layer_forward(layer, step, of_xp, xp, sum, err);
    if (status != HLRP_OK || !xn)
        return status;
    status = hlrp_layer_forward(layer, step, of_xn, xn, room, err);
    hlrp_add_scaled(hlrp_layout_count(&layer->spec.dst), 1, room, sum);
    return status;
}

/* out += x · mapᵀ s */
static hlrp_status send(const hlrp_layer *layer, hlrp_step *step, int map, const float *x,
                        const float *s, float *c, hlrp_error *err) {
    const hlrp_status status = hlrp_layer_adjoint(layer, step, map, s, c, err);
    hlrp_add_product(hlrp_layout_count(&layer->spec.src), 1, x, c, step->out);
    return status;
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    const hlrp_layout *src = &layer->spec.src, *dst = &layer->spec.dst;
    const int64_t inputs = hlrp_layout_count(src);
    float *c = hlrp_take(step, src), *p = hlrp_take(step, dst), *n = hlrp_take(step, dst);
    float *u = hlrp_take(step, dst), *v = hlrp_take(step, dst);
    const float *xp = step->x, *xn = NULL;
    hlrp_status status = HLRP_OK;
    if (!layer->nonnegative) {
        float *plus = hlrp_take(step, src), *minus = hlrp_take(step, src);
        hlrp_relu(inputs, step->x, plus);
        hlrp_negative_part(inputs, step->x, minus);
        xp = plus;
        xn = minus;
    }
    HLRP_TRY(sum_of_sign(layer, step, PLUS, xp, xn, p, u, err));
    if (!positive_only(layer))
        HLRP_TRY(sum_of_sign(layer, step, MINUS, xp, xn, n, u, err));
    split_samples(layer, step, p, n, u, v);
    memset(step->out, 0, (size_t)inputs * sizeof *step->out);
    HLRP_TRY(send(layer, step, PLUS, xp, u, c, err));
    if (xn)
        HLRP_TRY(send(layer, step, MINUS, xn, u, c, err));
    if (positive_only(layer))
        goto out;
    HLRP_TRY(send(layer, step, MINUS, xp, v, c, err));
    if (xn)
        HLRP_TRY(send(layer, step, PLUS, xn, v, c, err));
out:
    return status;
}

static int passes(const hlrp_layer *layer) {
    const int signs = layer->nonnegative ? 1 : 2;
    return (positive_only(layer) ? 1 : 2) * 2 * signs;
}

const hlrp_rule_ops hlrp_rule_share = {prepare, relevance, passes, false};

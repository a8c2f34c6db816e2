/* norm, for nodes that are linear without parameters, means and sums y = f(x):
 *   R_in = x · (df/dx)ᵀ( R / stab(y) );   by the gradient (df/dx)ᵀR.
 * What the stabilizer takes is kept; shared in proportion to |x|, by t = (R − s·y) / f(|x|) beside
 * s = R / stab(y); or spread evenly over the inputs (rule.h, hlrp_bias). */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "util/vector.h"

/* Σ s with the sign of y. */
HLRP_VECTOR
static double signed_sum_of(int64_t count, const float *s, const float *y) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += y[i] >= 0 ? s[i] : -s[i];
    return sum;
}

/* s = R / stab(y). */
static float *divide_by_output(hlrp_turn *t) {
    const double epsilon = hlrp_node_epsilon(t->rule);
    const int64_t sample = hlrp_layout_sample(t->out);
    float *s = hlrp_take(&t->step, t->out);
    hlrp_quotient(hlrp_layout_count(t->out), t->r, t->y, (float)epsilon, s);
    for (int64_t n = 0; !hlrp_bias_conserves(t->bias) && t->step.account && n < t->out->n; n++)
        t->step.account[n].stabilizer +=
            epsilon * signed_sum_of(sample, s + n * sample, t->y + n * sample);
    return s;
}

/* ---- what is shared and what is left ---- */

HLRP_VECTOR
static void magnitudes(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] < 0 ? -x[i] : x[i];
}

/* From s and the mean or sum of |x|: the factor of inputs > 0 in u, of others in v, and what no
 * input claims in left. u may be s, and left may be whole. */
HLRP_VECTOR
static void share(int64_t count, const float *r, const float *s, const float *y, const float *whole,
                  float *u, float *v, float *left) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const bool some = whole[i] > HLRP_NO_CONTRIBUTION;
        const float own = s[i], t = (r[i] - own * y[i]) / (some ? whole[i] : 1);
        u[i] = some ? own + t : 0;
        v[i] = some ? own - t : 0;
        left[i] = some ? 0 : r[i];
    }
}

HLRP_VECTOR
static void leave(int64_t count, const float *r, const float *s, const float *y, float *left) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        left[i] = r[i] - s[i] * y[i];
}

/* What a node's outputs have to give: factors of positive and negative inputs, and the rest. */
typedef struct gift {
    float *u, *v,
        *left; /* v = u where all inputs have one factor; left: NULL where nothing is left */
} gift;

/* magnitude: f(|x|) in the output's layout, for SHARE. */
static gift gift_of(hlrp_turn *t, float *magnitude) {
    const int64_t count = hlrp_layout_count(t->out);
    float *s = divide_by_output(t);
    gift g = {.u = s, .v = s};
    if (t->bias == HLRP_BIAS_SHARE) {
        g.v = hlrp_take(&t->step, t->out);
        g.left = magnitude;
        share(count, t->r, s, t->y, magnitude, g.u, g.v, g.left);
    } else if (t->bias == HLRP_BIAS_SPREAD) {
        g.left = hlrp_take(&t->step, t->out);
        leave(count, t->r, s, t->y, g.left);
    }
    return g;
}

/* ---- means ---- */

/* out = x · (positive ? a : b) */
HLRP_VECTOR
static void choose(int64_t count, const float *x, const float *a, const float *b, float *out) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        out[i] = x[i] * (x[i] > 0 ? a[i] : b[i]);
}

static void spread_left(hlrp_turn *t, const hlrp_mean *mean, const float *left, float *out) {
    if (!mean->window) {
        float *part = hlrp_take(&t->step, t->in);
        mean->even(t, left, part);
        hlrp_add(hlrp_layout_count(t->in), part, out);
        return;
    }
    const hlrp_window seen = mean->window(t);
    float *room = hlrp_take_floats(&t->step, hlrp_spread_room(t->in, t->out));
    hlrp_spread(t->in, t->out, &seen, t->in->c, left, out, room);
}

hlrp_status hlrp_back_mean(hlrp_turn *t, const hlrp_mean *mean) {
    const int64_t count = hlrp_layout_count(t->in);
    const bool shares = t->bias == HLRP_BIAS_SHARE;
    float *out = hlrp_begin(t, 0);
    float *more = shares ? hlrp_take(&t->step, t->in) : NULL;
    float *magnitude = shares ? hlrp_take(&t->step, t->out) : NULL;
    if (shares) {
        magnitudes(count, t->x, more);
        mean->forward(t, more, magnitude);
    }
    const gift g = gift_of(t, magnitude);
    mean->adjoint(t, g.u, out);
    if (shares) {
        mean->adjoint(t, g.v, more);
        choose(count, t->x, out, more, out);
    } else {
        hlrp_multiply(count, t->x, out);
    }
    if (g.left)
        spread_left(t, mean, g.left, out);
    hlrp_end(t, 0, out);
    return HLRP_OK;
}

/* ---- sums ---- */

HLRP_VECTOR
static void add_magnitudes(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] += x[i] < 0 ? -x[i] : x[i];
}

static float *sum_of_magnitudes(hlrp_turn *t) {
    const int64_t count = hlrp_layout_count(t->out);
    float *sum = hlrp_take(&t->step, t->out);
    memset(sum, 0, (size_t)count * sizeof *sum);
    for (int k = 0; k < t->node->in_count; k++)
        add_magnitudes(count, hlrp_turn_input(t, k), sum);
    return sum;
}

hlrp_status hlrp_back_sum(hlrp_turn *t, hlrp_error *err) {
    const int64_t count = hlrp_layout_count(t->out);
    float *magnitude = t->bias == HLRP_BIAS_SHARE ? sum_of_magnitudes(t) : NULL;
    const gift g = gift_of(t, magnitude);
    const int64_t mark = t->step.scratch->used;
    (void)err;
    for (int k = 0; k < t->node->in_count; k++) {
        float *out = hlrp_begin(t, k);
        choose(count, hlrp_turn_input(t, k), g.u, g.v, out);
        if (g.left)
            hlrp_add_scaled(count, 1 / (float)t->node->in_count, g.left, out);
        hlrp_end(t, k, out);
        t->step.scratch->used = mark;
    }
    return HLRP_OK;
}

bool hlrp_fits_absolute(const hlrp_graph *g, int node, const hlrp_rule *rule) {
    (void)g;
    (void)node;
    return !rule->rms;
}

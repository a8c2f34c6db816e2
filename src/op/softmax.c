/* Softmax along one axis. At the end of a network it is cut; inside, relevance goes by a first-order
 * Taylor expansion: R_in = x ⊙ (R − y Σ R), the sum along the axis.
 * Source: Achtibat et al. (2024), AttnLRP, eq. 13. */
#include <math.h>

#include "engine/elementary.h"
#include "lrp/turn.h"
#include "op/op.h"
#include "util/vector.h"

/* A run of numbers along the axis of rows. */
typedef struct run {
    int64_t count, length, step; /* runs; numbers in one; from one to the next */
} run;

static run run_along(const hlrp_dims *d, int axis) {
    int resolved = 0;
    if (!hlrp_axis_resolve(axis, d->rank, &resolved))
        return (run){0, 1, 1};
    const hlrp_split s = hlrp_split_at(d, resolved);
    return (run){s.outer * s.inner, s.extent, s.inner};
}

static int64_t start_of(const run *r, int64_t k) {
    return k / r->step * r->step * r->length + k % r->step;
}

/* y from x, of one run; log: the logarithm of it. Where all is −∞ there is no such thing: NaN. */
static inline void softmax_of(int64_t length, int64_t step, bool log, const float *x, float *y) {
    float top = -INFINITY;
    double sum = 0;
#pragma omp simd reduction(max : top)
    for (int64_t i = 0; i < length; i++)
        top = x[i * step] > top ? x[i * step] : top;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < length; i++) {
        const double e = hlrp_wide_exp((double)x[i * step] - (double)top);
        y[i * step] = (float)e;
        sum += e;
    }
    const double scale = 1 / sum;
    const float rest = logf((float)sum);
#pragma omp simd
    for (int64_t i = 0; i < length; i++)
        y[i * step] = log ? x[i * step] - top - rest : (float)((double)y[i * step] * scale);
}

/* Along the last axis, where a run's numbers lie side by side. */
HLRP_VECTOR
static void softmax_of_row(int64_t length, bool log, const float *x, float *y) {
    softmax_of(length, 1, log, x, y);
}

static void forward_of(const hlrp_computation *c, bool log) {
    const run r = run_along(hlrp_computation_dims(c, 0), c->node->axis);
    for (int64_t k = 0; k < r.count; k++) {
        const int64_t at = start_of(&r, k);
        if (r.step == 1)
            softmax_of_row(r.length, log, c->x + at, c->y + at);
        else
            softmax_of(r.length, r.step, log, c->x + at, c->y + at);
    }
}

static hlrp_status softmax_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, false);
    return HLRP_OK;
}

static hlrp_status log_softmax_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, true);
    return HLRP_OK;
}

static double sum_along(const run *r, int64_t at, const float *x) {
    double sum = 0;
    for (int64_t i = 0; i < r->length; i++)
        sum += (double)x[at + i * r->step];
    return sum;
}

/* An entry of −∞ is masked: it gets nothing. */
static void taylor(const hlrp_turn *t, float *out) {
    const run r = run_along(hlrp_turn_dims(t, 0), t->node->axis);
    double kept = 0; /* by the expansion's constant term */
    for (int64_t k = 0; k < r.count; k++) {
        const int64_t at = start_of(&r, k);
        const double sum = sum_along(&r, at, t->r);
        for (int64_t i = at; i < at + r.length * r.step; i += r.step) {
            const double y = (double)t->y[i], part = (double)t->r[i] - y * sum;
            out[i] = isfinite(t->x[i]) ? (float)((double)t->x[i] * part) : 0;
            kept += (double)t->r[i] - (double)out[i];
        }
    }
    if (t->step.account)
        t->step.account[0].normalization += kept;
}

static void softmax_gradient(const hlrp_turn *t, float *out) {
    const run r = run_along(hlrp_turn_dims(t, 0), t->node->axis);
    for (int64_t k = 0; k < r.count; k++) {
        const int64_t at = start_of(&r, k);
        double sum = 0;
        for (int64_t i = at; i < at + r.length * r.step; i += r.step)
            sum += (double)t->r[i] * (double)t->y[i];
        for (int64_t i = at; i < at + r.length * r.step; i += r.step)
            out[i] = (float)((double)t->y[i] * ((double)t->r[i] - sum));
    }
}

static void log_softmax_gradient(const hlrp_turn *t, float *out) {
    const run r = run_along(hlrp_turn_dims(t, 0), t->node->axis);
    for (int64_t k = 0; k < r.count; k++) {
        const int64_t at = start_of(&r, k);
        const double sum = sum_along(&r, at, t->r);
        for (int64_t i = at; i < at + r.length * r.step; i += r.step)
            out[i] = (float)((double)t->r[i] - exp((double)t->y[i]) * sum);
    }
}

/* part: before operator set 13 it went over all axes from `axis` on. */
static hlrp_status check(const hlrp_graph *g, hlrp_node *n, hlrp_error *err) {
    const hlrp_dims *x = &g->values[n->in[0]].dims;
    int axis = 0;
    if (!hlrp_axis_resolve(n->axis, x->rank, &axis))
        return hlrp_node_fail(n, err, "axis %d is outside its input", n->axis);
    for (int k = axis + 1; n->part != 0 && k < x->rank; k++)
        if (x->d[k] != 1)
            return hlrp_node_refuse(n, err, "export it with operator set 13 or later",
                                    "operator %s at node %s goes over several axes", n->type,
                                    n->name);
    return HLRP_OK;
}

static bool never_negative(const hlrp_node *n, const bool *is) {
    (void)n;
    (void)is;
    return true;
}

#define ONLY_TAYLOR "a softmax inside the network takes taylor, or gradient"

static const hlrp_rule_cell softmax_relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_TAYLOR] = {HLRP_PART(taylor), .zero = HLRP_ZERO_ALWAYS},
    [HLRP_RULE_GRADIENT] = {HLRP_PART(softmax_gradient)}};

static const hlrp_rule_cell log_softmax_relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_PASS] = {.back = hlrp_back_pass, .in_place = true},
    [HLRP_RULE_GRADIENT] = {HLRP_PART(log_softmax_gradient)}};

const hlrp_operator hlrp_op_softmax = {
    .name = "softmax",
    .kind = HLRP_KIND_SOFTMAX,
    .least = 1,
    .shape = hlrp_shape_same,
    .ends = HLRP_ACTIVATION_SOFTMAX,
    .check = check,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = softmax_forward,
    .nonnegative = never_negative,
    .squashes = true,
    .sums_to_one = true,
    .activates = true,
    .otherwise = HLRP_RULE_TAYLOR,
    .relevance = softmax_relevance,
    .unfit = ONLY_TAYLOR,
    .keeps = true,
};

const hlrp_operator hlrp_op_log_softmax = {
    .name = "log_softmax",
    .least = 1,
    .shape = hlrp_shape_same,
    .ends = HLRP_ACTIVATION_SOFTMAX,
    .check = check,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = log_softmax_forward,
    .otherwise = HLRP_RULE_PASS,
    .relevance = log_softmax_relevance,
    .unfit = HLRP_ONLY_PASS,
};

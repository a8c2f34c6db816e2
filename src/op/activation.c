/* Piecewise linear activations, and ELU: relevance passes; by the gradient it goes where the slope lets
 * it. */
#include <math.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"

/* ---- forward ---- */

static hlrp_status relu_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_relu(hlrp_layout_count(c->out), c->x, c->y);
    return HLRP_OK;
}

static hlrp_status leaky_relu_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_leaky_relu(hlrp_layout_count(c->out), c->x, c->node->alpha, c->y);
    return HLRP_OK;
}

static hlrp_status elu_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    for (int64_t i = 0; i < hlrp_layout_count(c->out); i++)
        c->y[i] = c->x[i] > 0 ? c->x[i] : c->node->alpha * expm1f(c->x[i]);
    return HLRP_OK;
}

static hlrp_status clip_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_clip(c->out, c->x, c->node->lo, c->node->hi, c->y);
    return HLRP_OK;
}

/* ---- facts ---- */

static bool always(const hlrp_node *n) {
    (void)n;
    return true;
}

static bool relu_nonnegative(const hlrp_node *n, const bool *is) {
    (void)is;
    return always(n);
}

static bool clip_nonnegative(const hlrp_node *n, const bool *is) {
    (void)is;
    return n->lo >= 0;
}

static bool clip_rectifies(const hlrp_node *n) {
    return n->lo == 0;
}

static bool clip_moves_zero(const hlrp_node *n) {
    return !(n->lo <= 0 && n->hi >= 0);
}

/* ---- the gradient ---- */

static void relu_gradient(const hlrp_turn *t, float *out) {
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++)
        out[i] = t->r[i] * (t->x[i] > 0 ? 1.0f : 0);
}

static void leaky_relu_gradient(const hlrp_turn *t, float *out) {
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++)
        out[i] = t->r[i] * (t->x[i] > 0 ? 1 : t->node->alpha);
}

static void elu_gradient(const hlrp_turn *t, float *out) {
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++)
        out[i] = t->r[i] * (t->x[i] > 0 ? 1 : t->node->alpha * expf(t->x[i]));
}

static void clip_gradient(const hlrp_turn *t, float *out) {
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++)
        out[i] = t->r[i] * (t->x[i] > t->node->lo && !(t->x[i] >= t->node->hi) ? 1.0f : 0);
}

static const hlrp_rule_cell relu_relevance[HLRP_RULE_COUNT] = HLRP_PASS_AND_GRADIENT(relu_gradient);
static const hlrp_rule_cell leaky_relu_relevance[HLRP_RULE_COUNT] =
    HLRP_PASS_AND_GRADIENT(leaky_relu_gradient);
static const hlrp_rule_cell elu_relevance[HLRP_RULE_COUNT] = HLRP_PASS_AND_GRADIENT(elu_gradient);
static const hlrp_rule_cell clip_relevance[HLRP_RULE_COUNT] = HLRP_PASS_AND_GRADIENT(clip_gradient);

const hlrp_operator hlrp_op_relu = {
    .name = "relu",
    .least = 1,
    .shape = hlrp_shape_same,
    .forward = relu_forward,
    .nonnegative = relu_nonnegative,
    .rectifies = always,
    .otherwise = HLRP_RULE_PASS,
    .elementwise = true,
    .activates = true,
    .relevance = relu_relevance,
    .unfit = HLRP_ONLY_PASS,
};

const hlrp_operator hlrp_op_leaky_relu = {
    .name = "leaky_relu",
    .least = 1,
    .shape = hlrp_shape_same,
    .forward = leaky_relu_forward,
    .nonnegative = hlrp_all_inputs,
    .otherwise = HLRP_RULE_PASS,
    .elementwise = true,
    .activates = true,
    .relevance = leaky_relu_relevance,
    .unfit = HLRP_ONLY_PASS,
};

const hlrp_operator hlrp_op_elu = {
    .name = "elu",
    .least = 1,
    .shape = hlrp_shape_same,
    .forward = elu_forward,
    .nonnegative = hlrp_all_inputs,
    .otherwise = HLRP_RULE_PASS,
    .elementwise = true,
    .activates = true,
    .relevance = elu_relevance,
    .unfit = HLRP_ONLY_PASS,
};

const hlrp_operator hlrp_op_clip = {
    .name = "clip",
    .least = 1,
    .shape = hlrp_shape_same,
    .forward = clip_forward,
    .nonnegative = clip_nonnegative,
    .rectifies = clip_rectifies,
    .moves_zero = clip_moves_zero,
    .otherwise = HLRP_RULE_PASS,
    .elementwise = true,
    .activates = true,
    .relevance = clip_relevance,
    .unfit = HLRP_ONLY_PASS,
};

/* ---- a slope for each channel ---- */

static hlrp_status prelu_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    *out = *s->in[0];
    const int channels = out->rank == 4 || out->rank == 2 ? 1 : out->rank - 1;
    if (out->rank < 2 || s->in[1]->rank != 1 ||
        (s->in[1]->d[0] != 1 && s->in[1]->d[0] != out->d[channels]))
        return hlrp_node_fail(s->n, err, "its slopes are not one per channel");
    return HLRP_OK;
}

/* out = below · (slope of the channel where x < 0, else 1) */
static void by_slope(const hlrp_layout *l, const hlrp_dims *slopes, const float *slope,
                     const float *x, const float *from, float *out) {
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t c = 0; c < l->c; c++) {
            const float below = slope[slopes->d[0] == 1 ? 0 : c];
            const int64_t at = hlrp_layout_offset(l, n, c);
            for (int64_t p = 0; p < l->h * l->w; p++) {
                const int64_t i = at + p * l->lanes;
                out[i] = from[i] * (x[i] < 0 ? below : 1);
            }
        }
    hlrp_clear_padding(l, out);
}

static hlrp_status prelu_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    by_slope(c->out, hlrp_computation_dims(c, 1), hlrp_computation_parameter(c, 1), c->x, c->x,
             c->y);
    return HLRP_OK;
}

static void prelu_gradient(const hlrp_turn *t, float *out) {
    by_slope(t->in, hlrp_turn_dims(t, 1), hlrp_turn_input(t, 1), t->x, t->r, out);
}

static const hlrp_rule_cell prelu_relevance[HLRP_RULE_COUNT] =
    HLRP_PASS_AND_GRADIENT(prelu_gradient);

const hlrp_operator hlrp_op_prelu = {
    .name = "prelu",
    .least = 2,
    .shape = prelu_shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .forward = prelu_forward,
    .otherwise = HLRP_RULE_PASS,
    .elementwise = true,
    .activates = true,
    .relevance = prelu_relevance,
    .unfit = HLRP_ONLY_PASS,
};

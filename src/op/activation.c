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

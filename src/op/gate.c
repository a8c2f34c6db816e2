/* Products and quotients of two computed tensors, element by element. A gate of one number per channel
 * may meet a picture; of other shapes canonize makes one.
 *
 * Products: an activation function written out, x·f(x), hands all to x. Else
 *   constant  a factor that is a weight, or else one that comes from an activation function, is held
 *             fixed, and the other one gets all; where that does not tell them apart, as share
 *   share     R/2 each
 * Quotients, by norms: all to the dividend.
 * Source: Achtibat et al. (2024), AttnLRP, eq. 15, and its appendix on gated layers. */
#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"
#include "util/vector.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    char a[96], b[96];
    if (hlrp_dims_broadcast(s->in[0], s->in[1], out))
        return HLRP_OK;
    return hlrp_node_fail(s->n, err, "its inputs have the shapes %s and %s",
                          hlrp_dims_text(s->in[0], a, sizeof a),
                          hlrp_dims_text(s->in[1], b, sizeof b));
}

static hlrp_status check(const hlrp_graph *g, hlrp_node *n, hlrp_error *err) {
    const hlrp_dims *out = &g->values[n->out[0]].dims;
    for (int k = 0; k < 2; k++)
        if (!hlrp_dims_equal(&g->values[n->in[k]].dims, out) &&
            !hlrp_dims_one_per_channel(&g->values[n->in[k]].dims, out))
            return hlrp_node_refuse(n, err, "export the network without it",
                                    "operator %s at node %s spreads its input %d over axes",
                                    n->type, n->name, k);
    return HLRP_OK;
}

/* ---- one number per channel beside whole pictures ---- */

/* Element i of the whole, in memory, meets this element of the part. */
static int64_t meets(const hlrp_layout *whole, const hlrp_layout *part, int64_t i) {
    const int64_t block = whole->h * whole->w * whole->lanes;
    return hlrp_layout_count(whole) == hlrp_layout_count(part)
               ? i
               : i / block * whole->lanes + i % whole->lanes;
}

/* to (part) = Σ from (whole) over what meets it. */
static void collect(const hlrp_layout *whole, const hlrp_layout *part, const float *from,
                    float *to) {
    const int64_t lanes = whole->lanes, pixels = whole->h * whole->w;
    for (int64_t b = 0; b < hlrp_layout_count(part) / lanes; b++)
        for (int64_t k = 0; k < lanes; k++) {
            double sum = 0;
            for (int64_t p = 0; p < pixels; p++)
                sum += (double)from[(b * pixels + p) * lanes + k];
            to[b * lanes + k] = (float)sum;
        }
}

HLRP_VECTOR
static void product(int64_t count, const float *x, const float *z, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] * z[i];
}

/* Pixels of one block by the numbers of its channels. */
HLRP_VECTOR
static void scale_block(int64_t pixels, int64_t lanes, const float *x, const float *z, float *y) {
    for (int64_t p = 0; p < pixels; p++) {
#pragma omp simd
        for (int64_t k = 0; k < lanes; k++)
            y[p * lanes + k] = x[p * lanes + k] * z[k];
    }
}

/* y = x·z, where z is of the whole's layout as x is, or has one number per channel. */
static void multiply(const hlrp_layout *whole, const hlrp_layout *of_z, const float *x,
                     const float *z, float *y) {
    const int64_t count = hlrp_layout_count(whole), pixels = whole->h * whole->w;
    if (hlrp_layout_count(of_z) == count) {
        product(count, x, z, y);
        return;
    }
    for (int64_t b = 0; b < whole->n * hlrp_layout_blocks(whole); b++) {
        const int64_t at = b * pixels * whole->lanes;
        scale_block(pixels, whole->lanes, x + at, z + b * whole->lanes, y + at);
    }
}

/* ---- products ---- */

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    const hlrp_layout *a = hlrp_plan_layout(c->plan, c->node->in[0]);
    const hlrp_layout *b = hlrp_plan_layout(c->plan, c->node->in[1]);
    const float *y = hlrp_computation_input(c, 1);
    const bool whole = hlrp_layout_count(a) == hlrp_layout_count(c->out);
    (void)err;
    multiply(c->out, whole ? b : a, whole ? c->x : y, whole ? y : c->x, c->y);
    return HLRP_OK;
}

HLRP_VECTOR
static void scaled(int64_t count, float times, const float *r, float *out) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        out[i] = r[i] * times;
}

/* What factor k gets: R times `times`, and times the other factor for a gradient. */
static void give(hlrp_turn *t, int k, float times, bool by_other) {
    const int64_t mark = t->step.scratch->used;
    const hlrp_layout *own = hlrp_layout_of(t->w, t->node->in[k]);
    const hlrp_layout *others = hlrp_layout_of(t->w, t->node->in[1 - k]);
    const bool whole = hlrp_layout_sample(own) == hlrp_layout_sample(t->out);
    const float *other = hlrp_turn_input(t, 1 - k);
    float *out = hlrp_begin(t, k), *all = whole ? out : hlrp_take(&t->step, t->out);
    if (by_other)
        multiply(t->out, others, t->r, other, all);
    else
        scaled(hlrp_layout_count(t->out), times, t->r, all);
    if (!whole)
        collect(t->out, own, all, out);
    hlrp_end(t, k, out);
    t->step.scratch->used = mark;
}

static hlrp_status by_factors(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    for (int k = 0; k < 2; k++)
        if (t->to < 0 || t->to == k)
            give(t, k, t->to < 0 ? 0.5F : 1, false);
    return HLRP_OK;
}

static hlrp_status gradient(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    for (int k = 0; k < 2; k++)
        give(t, k, 1, true);
    return HLRP_OK;
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_CONSTANT] = {.back = by_factors},
    [HLRP_RULE_SHARE] = {.back = by_factors},
    [HLRP_RULE_GRADIENT] = {.back = gradient},
};

const hlrp_operator hlrp_op_gate = {
    .name = "gate",
    .kind = HLRP_KIND_GATE,
    .least = 2,
    .shape = shape,
    .check = check,
    .joins = true,
    .forward = forward,
    .nonnegative = hlrp_all_inputs,
    .elementwise = true,
    .product = HLRP_PRODUCT_OF_ELEMENTS,
    .otherwise = HLRP_RULE_CONSTANT,
    .relevance = relevance,
    .unfit = HLRP_ONLY_PRODUCTS,
};

/* ---- quotients ---- */

static hlrp_status quotient_forward(const hlrp_computation *c, hlrp_error *err) {
    const hlrp_layout *b = hlrp_plan_layout(c->plan, c->node->in[1]);
    const float *by = hlrp_computation_input(c, 1);
    (void)err;
    for (int64_t i = 0; i < hlrp_layout_count(c->out); i++)
        c->y[i] = c->x[i] / by[meets(c->out, b, i)];
    hlrp_clear_padding(c->out, c->y);
    return HLRP_OK;
}

static hlrp_status quotient_check(const hlrp_graph *g, hlrp_node *n, hlrp_error *err) {
    return hlrp_dims_equal(&g->values[n->in[0]].dims, &g->values[n->out[0]].dims)
               ? check(g, n, err)
               : hlrp_node_refuse(n, err, "export the network without it",
                                  "operator %s at node %s spreads its dividend over axes", n->type,
                                  n->name);
}

static hlrp_status quotient_gradient(hlrp_turn *t, hlrp_error *err) {
    const int64_t mark = t->step.scratch->used, count = hlrp_layout_count(t->out);
    const hlrp_layout *b = hlrp_layout_of(t->w, t->node->in[1]);
    const float *by = hlrp_turn_input(t, 1);
    float *out = hlrp_begin(t, 0);
    (void)err;
    for (int64_t i = 0; i < count; i++)
        out[i] = t->r[i] != 0 ? t->r[i] / by[meets(t->out, b, i)] : 0;
    hlrp_end(t, 0, out);
    t->step.scratch->used = mark;
    const bool whole = hlrp_layout_sample(b) == hlrp_layout_sample(t->out);
    out = hlrp_begin(t, 1);
    float *all = whole ? out : hlrp_take(&t->step, t->out);
    for (int64_t i = 0; i < count; i++)
        all[i] = t->r[i] != 0 ? -t->r[i] * t->y[i] / by[meets(t->out, b, i)] : 0;
    if (!whole)
        collect(t->out, b, all, out);
    hlrp_end(t, 1, out);
    t->step.scratch->used = mark;
    return HLRP_OK;
}

static const hlrp_rule_cell quotient_relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_PASS] = {.back = hlrp_back_pass, .zero = HLRP_ZERO_WITH_OUTPUT},
    [HLRP_RULE_NORM] = {.unfit = HLRP_ONLY_NORM},
    [HLRP_RULE_GRADIENT] = {.back = quotient_gradient},
};

const hlrp_operator hlrp_op_quotient = {
    .name = "quotient",
    .least = 2,
    .shape = shape,
    .check = quotient_check,
    .joins = true,
    .forward = quotient_forward,
    .nonnegative = hlrp_all_inputs,
    .elementwise = true,
    .otherwise = HLRP_RULE_PASS,
    .relevance = quotient_relevance,
    .unfit = HLRP_ONLY_PASS,
};

/* The larger or the smaller of several tensors, element by element: all relevance goes to the one that it
 * is, the first of equals. What goes to constants stays there. */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    *out = *s->in[0];
    for (int k = 1; k < s->n->in_count; k++) {
        const hlrp_dims so_far = *out;
        if (!hlrp_dims_broadcast(&so_far, s->in[k], out))
            return hlrp_node_fail(s->n, err, "its inputs do not have one shape");
    }
    return HLRP_OK;
}

static hlrp_status check(const hlrp_graph *g, hlrp_node *n, hlrp_error *err) {
    for (int k = 0; k < n->in_count; k++)
        if (!hlrp_dims_equal(&g->values[n->in[k]].dims, &g->values[n->out[0]].dims))
            return hlrp_node_refuse(n, err, "export the network without it",
                                    "operator %s at node %s spreads its input %d over axes",
                                    n->type, n->name, k);
    return HLRP_OK;
}

static bool is_identity(const hlrp_node *n) {
    return n->in_count == 1;
}

/* Constants lie in axis order. */
static bool as_rows(const hlrp_graph *g, const hlrp_node *n) {
    for (int k = 0; k < n->in_count; k++)
        if (g->values[n->in[k]].constant)
            return true;
    return false;
}

static hlrp_status forward_of(const hlrp_computation *c, float sign) {
    for (int64_t i = 0; i < hlrp_layout_count(c->out); i++)
        c->y[i] = hlrp_computation_input(c, 0)[i];
    for (int k = 1; k < c->node->in_count; k++) {
        const float *x = hlrp_computation_input(c, k);
        for (int64_t i = 0; i < hlrp_layout_count(c->out); i++)
            c->y[i] = sign * x[i] > sign * c->y[i] ? x[i] : c->y[i];
    }
    return HLRP_OK;
}

static hlrp_status maximum_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    return forward_of(c, 1);
}

static hlrp_status minimum_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    return forward_of(c, -1);
}

/* What is left of R wherever input k is the one goes to `out`, or where it is a constant into *kept; for
 * the inputs behind it nothing is left there. */
static void take(const hlrp_turn *t, int k, float *left, float *out, double *kept) {
    const float *x = hlrp_turn_input(t, k);
    for (int64_t i = 0; i < hlrp_layout_count(t->out); i++) {
        const float own = x[i] == t->y[i] ? left[i] : 0;
        left[i] = x[i] == t->y[i] ? 0 : left[i];
        if (out)
            out[i] = own;
        else
            *kept += (double)own;
    }
}

static hlrp_status back(hlrp_turn *t, hlrp_error *err) {
    float *left = hlrp_take(&t->step, t->out);
    const int64_t mark = t->step.scratch->used;
    double untold = 0;
    (void)err;
    memcpy(left, t->r, (size_t)hlrp_layout_count(t->out) * sizeof *left);
    for (int k = 0; k < t->node->in_count; k++) {
        float *out = hlrp_turn_takes(t, k) ? hlrp_begin(t, k) : NULL;
        take(t, k, left, out, t->step.account ? &t->step.account[0].constant : &untold);
        if (out)
            hlrp_end(t, k, out);
        t->step.scratch->used = mark;
    }
    return HLRP_OK;
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = HLRP_MOVED_BY(back);

#define OF_SEVERAL                                                                                 \
    .least = 1, .variadic = true, .shape = shape, .is_identity = is_identity, .check = check,      \
    .as_rows = as_rows, .joins = true, .nonnegative = hlrp_all_inputs,                             \
    .otherwise = HLRP_RULE_PASS, .relevance = relevance, .unfit = HLRP_ONLY_PASS,                  \
    .keeps_on = as_rows

const hlrp_operator hlrp_op_maximum = {.name = "maximum", .forward = maximum_forward, OF_SEVERAL};
const hlrp_operator hlrp_op_minimum = {.name = "minimum", .forward = minimum_forward, OF_SEVERAL};

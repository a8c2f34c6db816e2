/* Sums of computed tensors, such as residual connections: relevance is shared by contribution (norm). */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/fold.h"
#include "op/op.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    char a[96], b[96];
    *out = *s->in[0];
    for (int k = 1; k < s->n->in_count; k++) {
        const hlrp_dims so_far = *out;
        if (!hlrp_dims_broadcast(&so_far, s->in[k], out))
            return hlrp_node_fail(s->n, err, "its inputs have the shapes %s and %s",
                                  hlrp_dims_text(&so_far, a, sizeof a),
                                  hlrp_dims_text(s->in[k], b, sizeof b));
    }
    return HLRP_OK;
}

static bool is_identity(const hlrp_node *n) {
    return n->in_count == 1;
}

/* Canonize has made those of two sums with a constant, and spread what can be spread. */
static hlrp_status check(const hlrp_graph *g, hlrp_node *n, hlrp_error *err) {
    for (int k = 0; k < n->in_count; k++) {
        if (g->values[n->in[k]].constant)
            return hlrp_node_refuse(n, err, "export it as sums of two",
                                    "operator %s at node %s adds computed tensors and constants",
                                    n->type, n->name);
        if (!hlrp_dims_equal(&g->values[n->in[k]].dims, &g->values[n->out[0]].dims))
            return hlrp_node_refuse(n, err, "export the network without it",
                                    "operator %s at node %s spreads its input %d over axes",
                                    n->type, n->name, k);
    }
    return HLRP_OK;
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    const int64_t count = hlrp_layout_count(c->out);
    (void)err;
    memcpy(c->y, c->x, (size_t)count * sizeof *c->y);
    for (int k = 1; k < c->node->in_count; k++)
        hlrp_add(count, hlrp_activations_value(c->acts, c->node->in[k]), c->y);
    return HLRP_OK;
}

static hlrp_status gradient(hlrp_turn *t, hlrp_error *err) {
    const int64_t mark = t->step.scratch->used;
    (void)err;
    for (int k = 0; k < t->node->in_count; k++) {
        float *out = hlrp_begin(t, k);
        memcpy(out, t->r, (size_t)hlrp_layout_count(t->out) * sizeof *out);
        hlrp_end(t, k, out);
        t->step.scratch->used = mark;
    }
    return HLRP_OK;
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = {
    HLRP_NORM_CELLS(hlrp_back_sum), [HLRP_RULE_GRADIENT] = {.back = gradient}};

const hlrp_operator hlrp_op_add = {
    .name = "add",
    .kind = HLRP_KIND_SUM,
    .least = 1,
    .variadic = true,
    .shape = shape,
    .fold = hlrp_fold_sum,
    .is_identity = is_identity,
    .check = check,
    .joins = true,
    .forward = forward,
    .nonnegative = hlrp_all_inputs,
    .otherwise = HLRP_RULE_NORM,
    .elementwise = true,
    .adds = true,
    .relevance = relevance,
    .unfit = HLRP_ONLY_LAYERS,
};

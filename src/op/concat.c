/* Concatenation of tensors, and of shape arithmetic. What lies on constants, such as class tokens, stays
 * there. */
#include <stdlib.h>
#include <string.h>

#include "engine/kernels.h"
#include "op/move.h"
#include "op/op.h"

static hlrp_status join(const hlrp_node *n, const hlrp_dims *const *in, hlrp_dims *out,
                        hlrp_error *err) {
    char a[96], b[96];
    int axis = 0;
    *out = *in[0];
    if (!hlrp_axis_resolve(n->axis, out->rank, &axis))
        return hlrp_node_fail(n, err, "axis %d is outside tensors of rank %d", n->axis, out->rank);
    for (int i = 1; i < n->in_count; i++) {
        bool fits = in[i]->rank == out->rank;
        for (int k = 0; fits && k < out->rank; k++)
            fits = k == axis || in[i]->d[k] == out->d[k];
        if (!fits)
            return hlrp_node_fail(n, err, "inputs of shapes %s and %s do not join along axis %d",
                                  hlrp_dims_text(out, a, sizeof a),
                                  hlrp_dims_text(in[i], b, sizeof b), axis);
        out->d[axis] += in[i]->d[axis];
    }
    return HLRP_OK;
}

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return join(s->n, s->in, out, err);
}

static hlrp_status fold(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_node *n = c->n;
    const hlrp_tensor *const *in = c->in;
    hlrp_status status = HLRP_OK;
    const hlrp_dims **dims = NULL;
    hlrp_dims whole = {0};
    int axis = 0;

    HLRP_TRY(hlrp_calloc(&dims, n->in_count, sizeof(hlrp_dims *), "a node", err));
    for (int k = 0; k < n->in_count; k++) {
        dims[k] = &in[k]->dims;
        if (in[k]->dtype != in[0]->dtype) {
            status = hlrp_node_fail(n, err, "its inputs differ in type");
            goto out;
        }
    }
    HLRP_TRY(join(n, dims, &whole, err));
    HLRP_TRY(hlrp_fold_new(&whole, in[0]->dtype, c->most, out, err));
    hlrp_axis_resolve(n->axis, whole.rank, &axis);
    hlrp_split s = hlrp_split_at(&whole, axis);
    for (int64_t o = 0, k = 0; o < s.outer; o++) {
        for (int i = 0; i < n->in_count; i++) {
            int64_t run = in[i]->dims.d[axis] * s.inner;
            for (int64_t j = 0; j < run; j++)
                hlrp_fold_element(*out, k++, in[i], o * run + j);
        }
    }

out:
    free(dims);
    return status;
}

static bool is_identity(const hlrp_node *n) {
    return n->in_count == 1;
}

/* ---- of data: along the channels, or along any axis of rows ---- */

static bool by_channels(const hlrp_graph *g, const hlrp_node *n) {
    const int rank = g->values[n->out[0]].dims.rank;
    bool computed = rank == 2 || rank == 4;
    for (int k = 0; k < n->in_count; k++)
        computed = computed && !g->values[n->in[k]].constant;
    return computed && (n->axis < 0 ? n->axis + rank : n->axis) == 1;
}

static bool as_rows(const hlrp_graph *g, const hlrp_node *n) {
    return !by_channels(g, n);
}

static bool boxes(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                  hlrp_strided *box) {
    const hlrp_dims *part = hlrp_plan_dims(plan, n->in[input]);
    const hlrp_dims *whole = hlrp_plan_dims(plan, n->out[0]);
    int axis = 0;
    *box = (hlrp_strided){.box = *part};
    if (k > 0 || !hlrp_axis_resolve(n->axis, whole->rank, &axis))
        return false;
    hlrp_row_steps(part, box->from_step);
    hlrp_row_steps(whole, box->to_step);
    for (int i = 0; i < input; i++)
        box->to += hlrp_plan_dims(plan, n->in[i])->d[axis] * box->to_step[axis];
    return true;
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    int64_t at = 0;
    if (!by_channels(hlrp_plan_graph(c->plan), c->node))
        return hlrp_move_forward(c, err);
    memset(c->y, 0, (size_t)hlrp_layout_count(c->out) * sizeof *c->y);
    for (int k = 0; k < c->node->in_count; k++) {
        const hlrp_layout *part = hlrp_plan_layout(c->plan, c->node->in[k]);
        hlrp_concat_part(c->out, c->y, part, hlrp_activations_value(c->acts, c->node->in[k]), at);
        at += part->c;
    }
    return HLRP_OK;
}

/* The input that the channel is in, where it is counted from that input's own. */
static int source(const hlrp_graph *g, const hlrp_node *n, int64_t *channel) {
    int k = 0;
    for (; *channel >= g->values[n->in[k]].dims.d[1]; k++)
        *channel -= g->values[n->in[k]].dims.d[1];
    return k;
}

static hlrp_status back(hlrp_turn *t, hlrp_error *err) {
    const int64_t mark = t->step.scratch->used;
    int64_t at = 0;
    if (!by_channels(t->w->lrp->graph, t->node))
        return hlrp_move_back(t, err);
    for (int k = 0; k < t->node->in_count; k++) {
        const hlrp_layout *part = hlrp_layout_of(t->w, t->node->in[k]);
        float *out = hlrp_begin(t, k);
        hlrp_split_part(t->out, t->r, part, out, at);
        hlrp_end(t, k, out);
        t->step.scratch->used = mark;
        at += part->c;
    }
    return HLRP_OK;
}

static bool keeps_on(const hlrp_graph *g, const hlrp_node *n) {
    for (int k = 0; k < n->in_count; k++)
        if (g->values[n->in[k]].constant)
            return true;
    return false;
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = HLRP_MOVED_BY(back);

const hlrp_operator hlrp_op_concat = {
    .name = "concat",
    .least = 1,
    .variadic = true,
    .shape = shape,
    .fold = fold,
    .is_identity = is_identity,
    .lays_out = HLRP_LAYS_BLOCKED,
    .as_rows = as_rows,
    .joins = true,
    .forward = forward,
    .boxes = boxes,
    .nonnegative = hlrp_all_inputs,
    .moves = true,
    .keeps_on = keeps_on,
    .source = source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = relevance,
    .unfit = HLRP_ONLY_PASS,
};

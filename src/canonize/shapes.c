/* Shape arithmetic, and data movement that leaves no trace or is a flattening. */
#include <stdlib.h>

#include "canonize/internal.h"

/* Indices that were computed from the input's shape hold for this size only: the slice remembers the
 * extent, and inference refuses others. */
static hlrp_status pin_slice(const canon *c, hlrp_node *n, hlrp_error *err) {
    const hlrp_tensor *starts = canon_constant(c, n, 1), *axes = canon_constant(c, n, 3);
    bool computed = false;
    for (int i = 1; i < n->in_count; i++)
        computed = computed || (n->in[i] >= 0 && c->g->values[n->in[i]].producer >= 0);
    if (!computed)
        return HLRP_OK;
    if (!starts || hlrp_tensor_count(starts) != 1)
        return hlrp_node_refuse(n, err, "export the network for a fixed input size",
                                "operator %s at node %s cuts several axes by computed indices",
                                n->type, n->name);
    const hlrp_dims *x = canon_in_dims(c, n, 0);
    const int64_t axis = axes ? axes->i[0] : 0;
    n->extent = x->d[axis < 0 ? axis + x->rank : axis];
    return HLRP_OK;
}

/* Node order is topological: one walk folds whole chains. */
hlrp_status canon_fold_shapes(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    for (int k = 0; k < g->node_count; k++) {
        hlrp_tensor *folded = NULL;
        hlrp_value *out = &g->values[g->nodes[k].out[0]];
        hlrp_status status = HLRP_OK;
        if (g->nodes[k].op == &hlrp_op_slice && out->dtype == HLRP_F32)
            status = pin_slice(c, &g->nodes[k], err);
        if (status != HLRP_OK)
            return status;
        status = hlrp_graph_fold_node(g, k, &folded, err);
        if (status != HLRP_OK)
            return status;
        if (!folded && out->dtype != HLRP_I64)
            continue;
        if (!folded)
            return hlrp_node_refuse(&g->nodes[k], err, "export the network for a fixed input size",
                                    "its integers cannot be computed from the input's shape");
        hlrp_tensor_free(out->constant);
        out->constant = folded;
        out->dims = folded->dims;
        c->remove[k] = true;
        c->changes++;
    }
    return HLRP_OK;
}

/* [N,C,H,W] as [N,g,k,…] with g·k = C. */
static bool splits_channels(const hlrp_dims *whole, const hlrp_dims *split) {
    return whole->rank == 4 && split->rank > 3 && whole->d[0] == split->d[0] &&
           split->d[1] * split->d[2] == whole->d[1];
}

static const hlrp_node *producer_of(const canon *c, const hlrp_node *n, const hlrp_operator *op) {
    const int id = c->g->values[n->in[0]].producer;
    return id >= 0 && c->g->nodes[id].op == op ? &c->g->nodes[id] : NULL;
}

static bool swaps_axes_1_and_2(const hlrp_node *n) {
    for (int k = 0; k < n->ints.rank; k++)
        if (n->ints.d[k] != (k == 1 || k == 2 ? 3 - k : k))
            return false;
    return n->ints.rank > 3;
}

/* Reshape [N,C,H,W] → [N,g,k,…], Transpose → [N,k,g,…], Reshape → [N,C,H,W]. */
hlrp_status canon_shuffle(canon *c, hlrp_error *err) {
    (void)err;
    for (int k = 0; k < c->g->node_count; k++) {
        hlrp_node *last = &c->g->nodes[k];
        const hlrp_node *turn =
            last->op == &hlrp_op_reshape ? producer_of(c, last, &hlrp_op_transpose) : NULL;
        const hlrp_node *first = turn ? producer_of(c, turn, &hlrp_op_reshape) : NULL;
        if (!first || !swaps_axes_1_and_2(turn) ||
            !hlrp_dims_equal(canon_in_dims(c, first, 0), canon_out_dims(c, last)) ||
            !splits_channels(canon_in_dims(c, first, 0), canon_out_dims(c, first)))
            continue;
        last->group = canon_out_dims(c, first)->d[1];
        last->op = &hlrp_op_shuffle;
        last->in[0] = first->in[0];
        last->in_count = 1;
        c->changes++;
    }
    return HLRP_OK;
}

static bool is_reshape(const canon *c, const hlrp_node *n) {
    return n->op->reshapes && n->op->reshapes(n, canon_in_dims(c, n, 0));
}

hlrp_status canon_drop_identities(canon *c, hlrp_error *err) {
    (void)err;
    for (int k = 0; k < c->g->node_count; k++)
        if (c->g->nodes[k].op->is_identity && c->g->nodes[k].op->is_identity(&c->g->nodes[k]))
            canon_bypass(c, k);
    return HLRP_OK;
}

/* Turns n, which reshapes the value `root` in one or several steps, into FLATTEN of it. */
static void make_flatten(canon *c, hlrp_node *n, int root) {
    c->changes += n->op != &hlrp_op_flatten;
    n->op = &hlrp_op_flatten;
    n->in[0] = root;
    n->in_count = 1;
    n->axis = 1;
}

/* Chains of reshapes are judged by their two ends. Exporters make short ones. */
hlrp_status canon_reshape(canon *c, hlrp_error *err) {
    enum { LONGEST = 100 };
    hlrp_graph *g = c->g;
    (void)err;
    for (int k = 0; k < g->node_count; k++) {
        hlrp_node *n = &g->nodes[k];
        if (!is_reshape(c, n))
            continue;
        const hlrp_dims *out = canon_out_dims(c, n);
        int root = n->in[0];
        for (int left = LONGEST; left > 0; left--) {
            const hlrp_dims *in = &g->values[root].dims;
            if (hlrp_dims_equal(in, out)) {
                n->in[0] = root;
                canon_bypass(c, k);
                break;
            }
            if (in->rank == 4 && out->rank == 2 && in->d[0] == out->d[0]) {
                make_flatten(c, n, root);
                break;
            }
            int producer = g->values[root].producer;
            if (producer < 0 || !is_reshape(c, &g->nodes[producer]))
                break;
            root = g->nodes[producer].in[0];
        }
    }
    return HLRP_OK;
}

/* ---- [N,C,H,W] → [N,H,W,C] → [N,H·W·C] → GEMM: the order goes into the weights ---- */

static bool to_channels_last(const hlrp_node *n) {
    static const int64_t perm[4] = {0, 2, 3, 1};
    for (int k = 0; k < 4; k++)
        if (n->op != &hlrp_op_transpose || n->ints.rank != 4 || n->ints.d[k] != perm[k])
            return false;
    return true;
}

/* Columns of W from (pixel, channel) to (channel, pixel). */
static hlrp_status reorder_columns(canon *c, int id, int64_t channels, hlrp_error *err) {
    const hlrp_tensor *w = canon_constant(c, &c->g->nodes[id], 1);
    hlrp_tensor *made = NULL;
    hlrp_status status = hlrp_tensor_new(&w->dims, HLRP_F32, &made, err);
    if (status != HLRP_OK)
        return status;
    int64_t rows = w->dims.d[0], columns = w->dims.d[1], pixels = columns / channels;
    for (int64_t o = 0; o < rows; o++)
        for (int64_t ch = 0; ch < channels; ch++)
            for (int64_t p = 0; p < pixels; p++)
                made->f[o * columns + ch * pixels + p] = w->f[o * columns + p * channels + ch];
    return canon_set_constant(c, id, 1, made, err);
}

/* gemms[value], written: how many GEMMs read it as data. */
static void count_gemms(const canon *c, int *gemms) {
    for (int k = 0; k < c->g->node_count; k++)
        if (c->g->nodes[k].op == &hlrp_op_gemm)
            gemms[c->g->nodes[k].in[0]]++;
}

/* The flattening reads what the transpose read; *channels is what its readers are told. */
static void pass_by(canon *c, hlrp_node *flatten, const hlrp_node *transpose, int64_t *channels) {
    *channels = canon_in_dims(c, transpose, 0)->d[1];
    flatten->in[0] = transpose->in[0];
    c->changes++;
}

hlrp_status canon_channels_last_flatten(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    int *gemms = NULL;
    int64_t *channels = NULL; /* per value: of those whose readers are reordered; else 0 */
    hlrp_status status = HLRP_OK;
    const int values = g->value_count, nodes = g->node_count;
    HLRP_TRY(hlrp_calloc(&gemms, values, sizeof *gemms, "a pass", err));
    HLRP_TRY(hlrp_calloc(&channels, values, sizeof *channels, "a pass", err));
    count_gemms(c, gemms);
    for (int k = 0; k < nodes; k++) {
        hlrp_node *n = &g->nodes[k];
        const int out = n->out[0];
        int from = n->op == &hlrp_op_flatten && n->axis == 1 ? g->values[n->in[0]].producer : -1;
        if (from >= 0 && to_channels_last(&g->nodes[from]) && gemms[out] > 0 &&
            gemms[out] == c->readers[out])
            pass_by(c, n, &g->nodes[from], &channels[out]);
        if (n->op == &hlrp_op_gemm && channels[n->in[0]] > 0)
            HLRP_TRY(reorder_columns(c, k, channels[n->in[0]], err));
    }

out:
    free(gemms);
    free(channels);
    return status;
}

/* Shapes of all values at one input size; one function per operator. */
#include <stdlib.h>

#include "graph/internal.h"

/* What shape arithmetic may hold in all, in elements: hostile files only come near it. */
#define MAX_KNOWN (INT64_C(1) << 24)

/* One node under inference. */
typedef struct infer_node {
    hlrp_node *n;
    const hlrp_dims **in;      /* dims of each input; NULL for an absent one */
    const hlrp_tensor **known; /* constants, and shape arithmetic known at this size */
} infer_node;

typedef hlrp_status (*infer_fn)(const infer_node *i, hlrp_dims *out, hlrp_error *err);

static hlrp_status need_rank(const infer_node *i, int rank, hlrp_error *err) {
    char text[96];
    if (i->in[0]->rank == rank)
        return HLRP_OK;
    return hlrp_node_fail(i->n, err, "its input has the shape %s, but %s was expected",
                          hlrp_dims_text(i->in[0], text, sizeof text),
                          rank == 4 ? "[N,C,H,W]" : "[N,C]");
}

static hlrp_status need_vector(const infer_node *i, int input, int64_t length, const char *what,
                               hlrp_error *err) {
    char text[96];
    const hlrp_dims *d = i->in[input];
    if (d == NULL || (d->rank == 1 && d->d[0] == length))
        return HLRP_OK;
    return hlrp_node_fail(i->n, err, "its %s has the shape %s, but %lld elements were expected",
                          what, hlrp_dims_text(d, text, sizeof text), (long long)length);
}

static hlrp_status same(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    (void)err;
    *out = *i->in[0];
    return HLRP_OK;
}

/* H and W of out through the node's window; pads are resolved on the way. */
static hlrp_status slide_window(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    hlrp_window *w = &i->n->window;
    for (int a = 0; a < 2; a++) {
        int64_t extent = i->in[0]->d[2 + a];
        if (w->kernel[a] < 1 || w->stride[a] < 1 || w->dilation[a] < 1)
            return hlrp_node_fail(i->n, err, "kernel, stride and dilation must be 1 or more");
        hlrp_window_resolve(w, a, extent);
        out->d[2 + a] = hlrp_window_extent(w, a, extent);
        if (out->d[2 + a] < 1)
            return hlrp_node_fail(i->n, err,
                                  "a window of %lld (dilation %lld, pads %lld and %lld) does not "
                                  "fit an extent of %lld",
                                  (long long)w->kernel[a], (long long)w->dilation[a],
                                  (long long)w->pad_lo[a], (long long)w->pad_hi[a],
                                  (long long)extent);
    }
    return HLRP_OK;
}

static hlrp_status infer_conv(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_dims *x = i->in[0], *w = i->in[1];
    const int64_t group = i->n->group;

    HLRP_TRY(need_rank(i, 4, err));
    if (w->rank != 4 || group < 1 || w->d[0] % group != 0 || w->d[1] > x->d[1] ||
        w->d[1] * group != x->d[1]) {
        char a[96], b[96];
        return hlrp_node_fail(
            i->n, err, "weights of shape %s in %lld groups do not fit an input of shape %s",
            hlrp_dims_text(w, a, sizeof a), (long long)group, hlrp_dims_text(x, b, sizeof b));
    }
    HLRP_TRY(need_vector(i, 2, w->d[0], "bias", err));
    if (w->d[2] != i->n->window.kernel[0] || w->d[3] != i->n->window.kernel[1])
        return hlrp_node_fail(i->n, err, "kernel_shape is not that of the weights");
    *out = *x;
    out->d[1] = w->d[0];
    HLRP_TRY(slide_window(i, out, err));

out:
    return status;
}

static hlrp_status infer_pool(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    const hlrp_window *w = &i->n->window;
    hlrp_status status = need_rank(i, 4, err);
    if (status != HLRP_OK)
        return status;
    *out = *i->in[0];
    status = slide_window(i, out, err);
    for (int a = 0; status == HLRP_OK && a < 2; a++) /* else some window would be padding only */
        if (HLRP_MAX(w->pad_lo[a], w->pad_hi[a]) > w->dilation[a] * (w->kernel[a] - 1))
            status = hlrp_node_fail(i->n, err, "its padding is as wide as its window");
    return status;
}

static hlrp_status infer_global(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    hlrp_status status = need_rank(i, 4, err);
    *out = *i->in[0];
    if (i->n->keepdims)
        out->d[2] = out->d[3] = 1;
    else
        out->rank = 2;
    return status;
}

/* GEMM has W [O,I], MATMUL W [I,O]. */
static hlrp_status infer_linear(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    char a[96], b[96];
    const hlrp_dims *x = i->in[0], *w = i->in[1];
    const int row = i->n->op == HLRP_OP_GEMM ? 0 : 1; /* where O stands */
    hlrp_status status = need_rank(i, 2, err);
    if (status != HLRP_OK)
        return status;
    if (w->rank != 2 || w->d[1 - row] != x->d[1])
        return hlrp_node_fail(i->n, err,
                              "weights of shape %s do not fit an input of shape %s "
                              "(was the network exported for another input size?)",
                              hlrp_dims_text(w, a, sizeof a), hlrp_dims_text(x, b, sizeof b));
    *out = *x;
    out->d[1] = w->d[row];
    return i->n->in_count > 2 ? need_vector(i, 2, w->d[row], "bias", err) : HLRP_OK;
}

static hlrp_status infer_batchnorm(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    const hlrp_dims *x = i->in[0];
    *out = *x;
    if (x->rank < 2)
        return need_rank(i, 4, err);
    hlrp_status status = need_vector(i, 1, x->d[1], "scale", err);
    return status == HLRP_OK ? need_vector(i, 2, x->d[1], "shift", err) : status;
}

static hlrp_status infer_add(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    char a[96], b[96];
    *out = *i->in[0];
    for (int k = 1; k < i->n->in_count; k++)
        if (!hlrp_dims_equal(out, i->in[k]))
            return hlrp_node_fail(i->n, err,
                                  "its inputs have the shapes %s and %s, but sums of "
                                  "computed tensors need one shape",
                                  hlrp_dims_text(out, a, sizeof a),
                                  hlrp_dims_text(i->in[k], b, sizeof b));
    return HLRP_OK;
}

/* By a constant, which must not widen x. */
static hlrp_status infer_elementwise(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    char a[96], b[96];
    if (hlrp_dims_broadcast(i->in[0], i->in[1], out) && hlrp_dims_equal(out, i->in[0]))
        return HLRP_OK;
    return hlrp_node_fail(i->n, err, "a constant of shape %s does not fit an input of shape %s",
                          hlrp_dims_text(i->in[1], a, sizeof a),
                          hlrp_dims_text(i->in[0], b, sizeof b));
}

static hlrp_status infer_concat(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    return hlrp_dims_concat(i->n, i->in, out, err);
}

static hlrp_status infer_pad(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    const hlrp_window *w = &i->n->window;
    hlrp_status status = need_rank(i, 4, err);
    *out = *i->in[0];
    for (int a = 0; status == HLRP_OK && a < 2; a++) {
        out->d[2 + a] += w->pad_lo[a] + w->pad_hi[a];
        if (out->d[2 + a] < 1 || i->in[0]->d[2 + a] + HLRP_MIN(w->pad_lo[a], 0) < 1 ||
            i->in[0]->d[2 + a] + HLRP_MIN(w->pad_hi[a], 0) < 1)
            return hlrp_node_fail(i->n, err, "it crops the whole of an extent of %lld",
                                  (long long)i->in[0]->d[2 + a]);
    }
    return status;
}

static hlrp_status infer_flatten(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    const hlrp_dims *x = i->in[0];
    int axis = i->n->axis < 0 ? i->n->axis + x->rank : i->n->axis;
    if (axis < 0 || axis > x->rank)
        return hlrp_node_fail(i->n, err, "axis %d is outside a tensor of rank %d", i->n->axis,
                              x->rank);
    hlrp_dims head = {.rank = axis}, tail = {.rank = x->rank - axis};
    for (int k = 0; k < x->rank; k++)
        *(k < axis ? &head.d[k] : &tail.d[k - axis]) = x->d[k];
    out->rank = 2;
    hlrp_status status = hlrp_dims_count(&head, &out->d[0], err);
    return status == HLRP_OK ? hlrp_dims_count(&tail, &out->d[1], err) : status;
}

static hlrp_status infer_slice(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    return hlrp_dims_slice(i->n, i->in[0], i->known, &i->n->ints, out, err);
}

static hlrp_status infer_shuffle(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    hlrp_status status = need_rank(i, 4, err);
    *out = *i->in[0];
    if (status == HLRP_OK && (i->n->group < 1 || out->d[1] % i->n->group != 0))
        return hlrp_node_fail(i->n, err, "%lld channels do not make %lld groups",
                              (long long)out->d[1], (long long)i->n->group);
    return status;
}

static hlrp_status infer_reshape(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    if (i->known[1] == NULL)
        return hlrp_node_fail(i->n, err, "its shape is not a constant");
    return hlrp_dims_reshape(i->n, i->in[0], i->known[1], out, err);
}

static hlrp_status infer_transpose(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    return hlrp_dims_transpose(i->n, i->in[0], out, err);
}

static hlrp_status infer_squeeze(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    return hlrp_dims_squeeze(i->n, i->in[0], out, err);
}

static hlrp_status infer_unsqueeze(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    return hlrp_dims_unsqueeze(i->n, i->in[0], out, err);
}

static hlrp_status infer_data_only(const infer_node *i, hlrp_dims *out, hlrp_error *err) {
    (void)out;
    return hlrp_node_fail(i->n, err, "%s of a computed tensor is not supported", i->n->type);
}

/* Operators with a weight or shape among their inputs, which must be there. */
static const struct {
    infer_fn fn;
    int least; /* inputs */
} infer_table[HLRP_OP_COUNT] = {
    [HLRP_OP_CONV] = {infer_conv, 3},
    [HLRP_OP_GEMM] = {infer_linear, 3},
    [HLRP_OP_MATMUL] = {infer_linear, 2},
    [HLRP_OP_BATCHNORM] = {infer_batchnorm, 3},
    [HLRP_OP_RELU] = {same, 1},
    [HLRP_OP_LEAKY_RELU] = {same, 1},
    [HLRP_OP_CLIP] = {same, 1},
    [HLRP_OP_SIGMOID] = {same, 1},
    [HLRP_OP_SOFTMAX] = {same, 1},
    [HLRP_OP_LOG_SOFTMAX] = {same, 1},
    [HLRP_OP_MAXPOOL] = {infer_pool, 1},
    [HLRP_OP_AVGPOOL] = {infer_pool, 1},
    [HLRP_OP_GLOBAL_AVGPOOL] = {infer_global, 1},
    [HLRP_OP_ADD] = {infer_add, 1},
    [HLRP_OP_CONCAT] = {infer_concat, 1},
    [HLRP_OP_PAD] = {infer_pad, 1},
    [HLRP_OP_FLATTEN] = {infer_flatten, 1},
    [HLRP_OP_SLICE] = {infer_slice, 1},
    [HLRP_OP_SHUFFLE] = {infer_shuffle, 1},
    [HLRP_OP_RESHAPE] = {infer_reshape, 2},
    [HLRP_OP_TRANSPOSE] = {infer_transpose, 1},
    [HLRP_OP_SQUEEZE] = {infer_squeeze, 1},
    [HLRP_OP_UNSQUEEZE] = {infer_unsqueeze, 1},
    [HLRP_OP_IDENTITY] = {same, 1},
    [HLRP_OP_MUL] = {infer_elementwise, 2},
    [HLRP_OP_SUB] = {infer_elementwise, 2},
    [HLRP_OP_DIV] = {infer_elementwise, 2},
    [HLRP_OP_ADD_CONST] = {infer_elementwise, 2},
    [HLRP_OP_SHAPE] = {infer_data_only, 1},
    [HLRP_OP_GATHER] = {infer_data_only, 2},
};

/* ---- the walk over the nodes ---- */

typedef struct infer_walk {
    hlrp_graph *g;
    hlrp_tensor **known; /* per value: shape arithmetic at this size; owned */
    int64_t elements;    /* in them */
} infer_walk;

/* Values of a node's shape arithmetic at this size; false where it is not of that kind. */
static hlrp_status infer_known(infer_walk *w, const infer_node *i, bool *done, hlrp_error *err) {
    hlrp_tensor *result = NULL;
    const int out = i->n->out[0];
    *done = false;
    if (w->g->values[out].dtype != HLRP_I64)
        return HLRP_OK;
    hlrp_status status = hlrp_fold(i->n, i->known, i->in[0], w->g->spare, &result, err);
    if (status != HLRP_OK || result == NULL)
        return status;
    w->elements += hlrp_tensor_count(result);
    if (w->elements > MAX_KNOWN) {
        hlrp_tensor_free(result);
        return hlrp_node_fail(i->n, err, "the network's shape arithmetic grows beyond measure");
    }
    hlrp_tensor_free(w->known[out]);
    w->known[out] = result;
    w->g->values[out].dims = result->dims;
    *done = true;
    return HLRP_OK;
}

/* Inputs of node n into i; they must have been seen before. */
static hlrp_status infer_inputs(const infer_walk *w, const infer_node *i, int id, hlrp_error *err) {
    const hlrp_node *n = i->n;
    if (n->op < 0 || n->op >= HLRP_OP_COUNT || n->in_count < infer_table[n->op].least ||
        n->out_count < 1 || n->out[0] < 0)
        return hlrp_node_fail(n, err, "it has too few inputs or outputs");
    for (int k = 0; k < n->in_count; k++) {
        i->in[k] = NULL;
        i->known[k] = NULL;
        bool all = n->op == HLRP_OP_ADD || n->op == HLRP_OP_CONCAT;
        if (n->in[k] < 0 && (all || (k < 2 && k < infer_table[n->op].least)))
            return hlrp_node_fail(n, err, "input %d is missing", k);
        if (n->in[k] < 0)
            continue;
        const hlrp_value *v = &w->g->values[n->in[k]];
        if (v->constant == NULL && v->producer < 0 && n->in[k] != w->g->input)
            return hlrp_node_fail(n, err, "nothing gives its input %s", v->name);
        if (v->producer >= id)
            return hlrp_node_fail(n, err, "it reads %s before that is computed", v->name);
        i->in[k] = &v->dims;
        i->known[k] = v->constant != NULL ? v->constant : w->known[n->in[k]];
    }
    return HLRP_OK;
}

static hlrp_status infer_one(infer_walk *w, infer_node *i, int id, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_dims out = {0};
    int64_t count = 0;
    bool done = false;

    HLRP_TRY(infer_inputs(w, i, id, err));
    HLRP_TRY(infer_known(w, i, &done, err));
    if (done)
        return HLRP_OK;
    HLRP_TRY(infer_table[i->n->op].fn(i, &out, err));
    if (hlrp_dims_count(&out, &count, err) != HLRP_OK || count == 0) {
        char text[96];
        return hlrp_node_fail(i->n, err, "its output would have the shape %s",
                              hlrp_dims_text(&out, text, sizeof text));
    }
    w->g->values[i->n->out[0]].dims = out;

out:
    return status;
}

static int most_inputs(const hlrp_graph *g) {
    int most = 0;
    for (int k = 0; k < g->node_count; k++)
        most = HLRP_MAX(most, g->nodes[k].in_count);
    return most;
}

hlrp_status hlrp_graph_infer(hlrp_graph *g, const hlrp_dims *input, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    infer_walk w = {.g = g};
    infer_node i = {0};
    int64_t count = 0;

    if (g->input < 0 || g->output < 0)
        return hlrp_fail(err, HLRP_E_MODEL, NULL, "export the network again",
                         "the network has no input or no output");
    HLRP_TRY(hlrp_dims_count(input, &count, err));
    if (count == 0)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, NULL, "choose a larger input",
                           "the input of the network is empty"));
    HLRP_TRY(hlrp_calloc(&w.known, g->value_count, sizeof(hlrp_tensor *), "shapes", err));
    HLRP_TRY(hlrp_calloc(&i.in, most_inputs(g), sizeof(hlrp_dims *), "shapes", err));
    HLRP_TRY(hlrp_calloc(&i.known, most_inputs(g), sizeof(hlrp_tensor *), "shapes", err));
    g->values[g->input].dims = *input;
    for (int k = 0; k < g->node_count; k++) {
        i.n = &g->nodes[k];
        HLRP_TRY(infer_one(&w, &i, k, err));
    }

out:
    for (int k = 0; w.known != NULL && k < g->value_count; k++)
        hlrp_tensor_free(w.known[k]);
    free(w.known);
    free(i.in);
    free(i.known);
    return status;
}

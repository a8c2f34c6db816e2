/* Shapes of all values at one input size. */
#include <stdlib.h>

#include "graph/internal.h"

/* What shape arithmetic may hold in all, in halves of integers: hostile files only come near it. */
#define MAX_KNOWN (INT64_C(1) << 25)

/* ---- the walk over the nodes ---- */

typedef struct infer_walk {
    hlrp_graph *g;
    hlrp_tensor **known; /* per value: shape arithmetic at this size; owned */
    int64_t elements;    /* in them (hlrp_fold_cost) */
} infer_walk;

/* Whether real numbers are made of shapes, as the side of a square of so many tiles is. */
static bool is_of_shapes(const infer_walk *w, const hlrp_shapes *i) {
    enum { FEW = 64 };
    bool of_shapes = false;
    for (int k = 0; k < i->n->in_count; k++) {
        if (i->n->in[k] < 0)
            continue;
        if (!i->known[k] || hlrp_tensor_count(i->known[k]) > FEW)
            return false;
        of_shapes = of_shapes || w->known[i->n->in[k]];
    }
    return of_shapes;
}

/* Values of a node's shape arithmetic at this size; false where it is not of that kind. */
static hlrp_status infer_known(infer_walk *w, const hlrp_shapes *i, bool *done, hlrp_error *err) {
    hlrp_tensor *result = NULL;
    const int out = i->n->out[0];
    *done = false;
    if (w->g->values[out].dtype != HLRP_I64 && !is_of_shapes(w, i))
        return HLRP_OK;
    hlrp_status status =
        hlrp_fold(&(hlrp_constants){i->n, i->known, i->in[0], w->g->spare}, &result, err);
    if (status != HLRP_OK || !result)
        return status;
    w->elements += hlrp_fold_cost(result, i->known[0]);
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
static hlrp_status infer_inputs(const infer_walk *w, const hlrp_shapes *i, int id,
                                hlrp_error *err) {
    const hlrp_node *n = i->n;
    if (!n->op || n->in_count < n->op->least || n->out_count < 1 || n->out[0] < 0)
        return hlrp_node_fail(n, err, "it has too few inputs or outputs");
    for (int k = 0; k < n->in_count; k++) {
        i->in[k] = NULL;
        i->known[k] = NULL;
        if (n->in[k] < 0 && (n->op->variadic || (k < 2 && k < n->op->least)))
            return hlrp_node_fail(n, err, "input %d is missing", k);
        if (n->in[k] < 0)
            continue;
        const hlrp_value *v = &w->g->values[n->in[k]];
        if (!v->constant && v->producer < 0 && n->in[k] != w->g->input)
            return hlrp_node_fail(n, err, "nothing gives its input %s", v->name);
        if (v->producer >= id)
            return hlrp_node_fail(n, err, "it reads %s before that is computed", v->name);
        i->in[k] = &v->dims;
        i->known[k] = v->constant ? v->constant : w->known[n->in[k]];
    }
    return HLRP_OK;
}

static hlrp_status infer_one(infer_walk *w, hlrp_shapes *i, int id, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_dims out = {0};
    int64_t count = 0;
    bool done = false;

    HLRP_TRY(infer_inputs(w, i, id, err));
    HLRP_TRY(infer_known(w, i, &done, err));
    if (done)
        return HLRP_OK;
    HLRP_TRY(i->n->op->shape(i, &out, err));
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
    hlrp_shapes i = {0};
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
    for (int k = 0; w.known && k < g->value_count; k++)
        hlrp_tensor_free(w.known[k]);
    free(w.known);
    free(i.in);
    free(i.known);
    return status;
}

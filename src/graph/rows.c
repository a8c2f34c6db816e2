/* Which nodes treat a bag's instances one by one: they can run some instances at a time. */
#include <stdlib.h>

#include "graph/operator.h"

/* Of each value the axis along which the instances lie, −1 where it is not made of each instance alone. All
 * axes before it are 1, so that an instance's numbers lie side by side. */
typedef struct finding {
    const hlrp_graph *g;
    int64_t instances;
    int *axis;
} finding;

/* The axis of `instances` behind axes of 1; −1: there is none. */
static int axis_of(const hlrp_dims *d, int64_t instances) {
    for (int k = 0; k < d->rank; k++) {
        if (d->d[k] == instances)
            return k;
        if (d->d[k] != 1)
            return -1;
    }
    return -1;
}

/* Whether a constant that is spread over the output says the same of every instance. Slopes and scales by
 * channel, which are not spread from the last axis, do so where channels are what follows instances. */
static bool same_for_all(const hlrp_operator *op, const hlrp_dims *constant, const hlrp_dims *out,
                         int axis) {
    const int behind = out->rank - 1 - axis;
    if (!op->affine && axis > 0)
        return constant->rank == 0 || (constant->rank == 1 && constant->d[0] == 1);
    return constant->rank <= behind || (constant->rank == behind + 1 && constant->d[0] == 1);
}

static bool is_elementwise(const finding *f, const hlrp_node *n, int axis) {
    const hlrp_dims *out = &f->g->values[n->out[0]].dims;
    for (int k = 0; k < n->in_count; k++) {
        if (n->in[k] < 0)
            continue;
        const hlrp_value *v = &f->g->values[n->in[k]];
        if (v->constant ? !same_for_all(n->op, &v->constant->dims, out, axis)
                        : f->axis[n->in[k]] != axis || v->dims.rank != out->rank)
            return false;
    }
    return true;
}

/* Softmax and the normalization of layers: along axes behind the instances'. */
static bool is_along_features(const finding *f, const hlrp_node *n, int axis) {
    int first = 0;
    return hlrp_axis_resolve(n->axis, f->g->values[n->in[0]].dims.rank, &first) && first > axis;
}

static int output_axis(const finding *f, const hlrp_node *n) {
    const hlrp_dims *in = &f->g->values[n->in[0]].dims, *out = &f->g->values[n->out[0]].dims;
    const int axis = f->axis[n->in[0]];
    if (axis < 0)
        return -1;
    if (n->op->layer == HLRP_FULLY_CONNECTED)
        return axis < in->rank - 1 ? axis : -1;
    if (n->op->reshapes && n->op->reshapes(n, in))
        return axis_of(out, f->instances);
    if (n->op->elementwise)
        return is_elementwise(f, n, axis) ? axis : -1;
    if (n->op->sums_to_one || n->op->kind == HLRP_KIND_LAYERNORM)
        return is_along_features(f, n, axis) ? axis : -1;
    return -1;
}

hlrp_status hlrp_graph_find_rows(const hlrp_graph *g, int64_t instances, bool *rows, int *count,
                                 hlrp_error *err) {
    finding f = {.g = g, .instances = instances};
    const hlrp_status status = hlrp_calloc(&f.axis, g->value_count, sizeof *f.axis, "a graph", err);
    if (status != HLRP_OK)
        return status;
    for (int v = 0; v < g->value_count; v++)
        f.axis[v] = v == g->input ? axis_of(&g->values[v].dims, instances) : -1;
    *count = 0;
    for (int i = 0; i < g->node_count; i++) {
        const int axis = output_axis(&f, &g->nodes[i]);
        f.axis[g->nodes[i].out[0]] = axis;
        rows[i] = axis >= 0;
        *count += rows[i];
    }
    free(f.axis);
    return HLRP_OK;
}

#include "net_rows.h"

#include "op/resize.h"

int net_of(net *n, const hlrp_operator *op, int x) {
    net_add_node(n, op, &x, 1);
    return net_infer(n, n->g->output);
}

int net_of_two(net *n, const hlrp_operator *op, int a, int b) {
    net_add_node(n, op, (int[]){a, b}, 2);
    return net_infer(n, n->g->output);
}

int net_with(net *n, const hlrp_operator *op, int x, hlrp_dims dims, double lo, double hi) {
    return net_of_two(n, op, x, net_parameter(n, dims, lo, hi));
}

int net_scale(net *n, const hlrp_operator *op, int x, double by) {
    return net_with(n, op, x, (hlrp_dims){0}, by, by);
}

int net_function(net *n, const hlrp_operator *op, int x) {
    hlrp_node *node = net_add_node(n, op, &x, 1);
    node->alpha = op == &hlrp_op_hard_sigmoid ? 0.2F
                  : op == &hlrp_op_selu       ? 1.6732632F
                  : op == &hlrp_op_power      ? 2
                  : op == &hlrp_op_swish      ? 1
                                              : 0.7F;
    node->lo = op == &hlrp_op_clip ? -0.8F : op == &hlrp_op_selu ? 1.0507010F : 0.5F;
    node->hi = 1.2F;
    return net_infer(n, n->g->output);
}

int net_linear(net *n, int x, int64_t out, bool bias) {
    const hlrp_dims *dims = net_dims(n, x);
    const int64_t in = dims->d[dims->rank - 1];
    const double scale = sqrt(4.0 / (double)in);
    const int w = net_parameter(n, DIMS(out, in), -scale, scale);
    const int b = bias ? net_parameter(n, DIMS(out), -0.2, 0.2) : -1;
    net_add_node(n, &hlrp_op_gemm, (int[]){x, w, b}, 3);
    return net_infer(n, n->g->output);
}

int net_prelu(net *n, int x, int64_t slopes) {
    return net_with(n, &hlrp_op_prelu, x, DIMS(slopes), 0.05, 0.4);
}

int net_norm(net *n, const hlrp_operator *op, int x, int64_t from, bool scale, bool bias) {
    const bool of_layer = op == &hlrp_op_layernorm || op == &hlrp_op_rmsnorm;
    const hlrp_dims *dims = net_dims(n, x);
    hlrp_dims own = DIMS(dims->d[1]);
    if (of_layer) {
        own.rank = 0;
        for (int k = (int)from; k < dims->rank; k++)
            own.d[own.rank++] = dims->d[k];
    }
    const int g = scale ? net_parameter(n, own, 0.5, 1.5) : -1;
    const int b = bias ? net_parameter(n, own, -0.3, 0.3) : -1;
    hlrp_node *node = net_add_node(n, op, (int[]){x, g, b}, op == &hlrp_op_rmsnorm ? 2 : 3);
    node->axis = (int)from;
    node->group = from;
    node->lo = 1e-5F;
    return net_infer(n, n->g->output);
}

int net_local_response(net *n, int x, int64_t size) {
    hlrp_node *node = net_add_node(n, &hlrp_op_local_response, &x, 1);
    node->group = size;
    node->alpha = 0.3F;
    node->lo = 0.75F;
    node->hi = 1;
    return net_infer(n, n->g->output);
}

int net_softmax(net *n, const hlrp_operator *op, int x, int axis) {
    net_add_node(n, op, &x, 1)->axis = axis;
    return net_infer(n, n->g->output);
}

int net_reduce(net *n, const hlrp_operator *op, int x, hlrp_dims axes, bool keepdims) {
    hlrp_node *node = net_add_node(n, op, &x, 1);
    node->ints = axes;
    node->keepdims = keepdims;
    return net_infer(n, n->g->output);
}

int net_resize(net *n, int x, const int kinds[3], double h, double w) {
    hlrp_node *node = net_add_node(n, &hlrp_op_resize, &x, 1);
    node->ints.rank = HLRP_RESIZE_INTS;
    for (int k = 0; k < HLRP_RESIZE_INTS; k++)
        node->ints.d[k] = kinds[k];
    node->lo = (float)h;
    node->hi = (float)w;
    return net_infer(n, n->g->output);
}

/* ---- movement ---- */

static int integers(net *n, hlrp_dims dims, const int64_t *i) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    check(hlrp_tensor_new(&dims, HLRP_I64, &t, &err), &err);
    memcpy(t->i, i, (size_t)hlrp_tensor_count(t) * sizeof *i);
    const int id = hlrp_graph_add_value(n->g, "integers", t, &err);
    assert_true(id >= 0);
    return id;
}

static int integers_of(net *n, hlrp_dims list) {
    return integers(n, DIMS(list.rank), list.d);
}

int net_transpose(net *n, int x, hlrp_dims perm) {
    net_add_node(n, &hlrp_op_transpose, &x, 1)->ints = perm;
    return net_infer(n, n->g->output);
}

int net_reshape(net *n, int x, hlrp_dims dims) {
    return net_of_two(n, &hlrp_op_reshape, x, integers_of(n, dims));
}

int net_unsqueeze(net *n, int x, int axis) {
    net_add_node(n, &hlrp_op_unsqueeze, &x, 1)->ints = DIMS(axis);
    return net_infer(n, n->g->output);
}

int net_cut(net *n, int x, int axis, int64_t start, int64_t end, int64_t step) {
    const int in[5] = {x, integers_of(n, DIMS(start)), integers_of(n, DIMS(end)),
                       integers_of(n, DIMS(axis)), integers_of(n, DIMS(step))};
    net_add_node(n, &hlrp_op_slice, in, 5);
    return net_infer(n, n->g->output);
}

int net_part(net *n, int x, int axis, int64_t part, int64_t of) {
    hlrp_node *node = net_add_node(n, &hlrp_op_slice, &x, 1);
    node->axis = axis;
    node->part = part;
    node->group = of;
    return net_infer(n, n->g->output);
}

int net_gather(net *n, int x, int axis, hlrp_dims dims, const int64_t *index) {
    net_add_node(n, &hlrp_op_gather, (int[]){x, integers(n, dims, index)}, 2)->axis = axis;
    return net_infer(n, n->g->output);
}

int net_join(net *n, const int *x, int count, int axis) {
    net_add_node(n, &hlrp_op_concat, x, count)->axis = axis;
    return net_infer(n, n->g->output);
}

int net_expand(net *n, int x, hlrp_dims dims) {
    return net_of_two(n, &hlrp_op_expand, x, integers_of(n, dims));
}

int net_tile(net *n, int x, hlrp_dims times) {
    return net_of_two(n, &hlrp_op_tile, x, integers_of(n, times));
}

int net_border(net *n, int x, hlrp_dims before, hlrp_dims behind) {
    hlrp_node *node = net_add_node(n, &hlrp_op_border, &x, 1);
    node->ints = before;
    node->more = behind;
    return net_infer(n, n->g->output);
}

/* The two ends of the network: the layout of its input, the activation at its output. */
#include "canonize/internal.h"

/* [N,H,W,C] → [N,C,H,W]: by a transpose, or, for one channel, by a reshape. */
static bool to_channels_first(const canon *c, const hlrp_node *n) {
    static const int64_t perm[4] = {0, 3, 1, 2};
    const hlrp_dims *in = &c->g->values[c->g->input].dims;
    const hlrp_tensor *shape = canon_constant(c, n, 1);
    bool fits = true;
    if (n->op == &hlrp_op_transpose) {
        for (int k = 0; k < 4; k++)
            fits = fits && n->ints.rank == 4 && n->ints.d[k] == perm[k];
        return fits;
    }
    if (n->op != &hlrp_op_reshape || !shape || in->rank != 4 || in->d[3] != 1 || in->d[1] == 1 ||
        hlrp_tensor_count(shape) != 4)
        return false;
    return shape->i[1] == 1 && shape->i[2] == in->d[1] && shape->i[3] == in->d[2];
}

hlrp_status canon_nhwc_input(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    int turned = 0;
    (void)err;
    for (int k = 0; k < g->node_count; k++)
        if (g->nodes[k].in[0] == g->input && to_channels_first(c, &g->nodes[k]))
            turned++;
    if (turned == 0 || turned != c->readers[g->input])
        return HLRP_OK;
    for (int k = 0; k < g->node_count; k++)
        if (g->nodes[k].in[0] == g->input)
            canon_bypass(c, k);
    hlrp_dims *d = &g->values[g->input].dims;
    if (d->rank == 4)
        *d = (hlrp_dims){.rank = 4, .d = {d->d[0], d->d[3], d->d[1], d->d[2]}};
    g->nhwc = true;
    return HLRP_OK;
}

/* The class axis holds everything that the activation normalizes over. */
static bool over_classes(const hlrp_node *n, const hlrp_dims *x) {
    int axis = n->axis < 0 ? n->axis + x->rank : n->axis;
    if (n->op->ends == HLRP_ACTIVATION_SIGMOID)
        return true;
    for (int k = 2; k < x->rank; k++)
        if (x->d[k] != 1)
            return false;
    return x->rank >= 2 && axis == 1;
}

hlrp_status canon_cut_output(canon *c, hlrp_error *err) {
    const hlrp_graph *g = c->g;
    int value = g->output;
    (void)err;
    for (;;) {
        int id = c->readers[value] == 1 ? g->values[value].producer : -1;
        if (id < 0)
            return HLRP_OK;
        const hlrp_node *n = &g->nodes[id];
        if (n->op->ends != HLRP_ACTIVATION_NONE && over_classes(n, canon_in_dims(c, n, 0))) {
            c->g->activation = n->op->ends;
            canon_bypass(c, id);
            return HLRP_OK;
        }
        if (!n->op->reshapes || !n->op->reshapes(n, canon_in_dims(c, n, 0)))
            return HLRP_OK;
        value = n->in[0];
    }
}

/* Fully convolutional heads end in [N,classes,1,1]: one more node makes that [N,classes]. */
hlrp_status canon_flat_output(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    const hlrp_dims *d = &g->values[g->output].dims;
    if (d->rank != 4 || d->d[2] != 1 || d->d[3] != 1)
        return HLRP_OK;
    int from = g->output;
    int to = hlrp_graph_add_value(g, "logits/flat", NULL, err);
    if (to < 0)
        return err->status;
    int id =
        hlrp_graph_add_node(g, &hlrp_op_flatten, "logits/flat", "Flatten", &from, 1, &to, 1, err);
    if (id < 0)
        return err->status;
    g->nodes[id].axis = 1;
    g->output = to;
    c->changes++;
    return HLRP_OK;
}

hlrp_status hlrp_canonize_input(const hlrp_graph *g, hlrp_dims *out, hlrp_error *err) {
    canon c = {.g = (hlrp_graph *)g};
    *out = g->values[g->input].dims;
    bool turned = false;
    for (int k = 0; k < g->node_count && !g->nhwc; k++)
        turned = turned || (g->nodes[k].in[0] == g->input && to_channels_first(&c, &g->nodes[k]));
    if (turned && out->rank == 4)
        *out = (hlrp_dims){.rank = 4, .d = {out->d[0], out->d[3], out->d[1], out->d[2]}};
    char shape[96];
    if (out->rank != 0 && out->rank != 4) /* 0: the file says nothing */
        return hlrp_fail(err, HLRP_E_MODEL, g->values[g->input].name,
                         "give the whole network, from pixels to classes",
                         "the network's input is %s, which are features and no pictures [N,3,H,W]",
                         hlrp_dims_text(out, shape, sizeof shape));
    bool open = out->rank == 0;
    for (int k = 1; !open && k < 4; k++)
        open = out->d[k] < 1;
    if (open)
        return hlrp_fail(err, HLRP_E_MODEL, g->values[g->input].name, "set tiles.size",
                         "the network does not say how large its input is");
    out->d[0] = out->d[0] < 1 ? 1 : out->d[0];
    return HLRP_OK;
}

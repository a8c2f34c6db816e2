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

/* The only reader of a value; -1. */
static int sole_reader(const canon *c, int value) {
    const int k = c->readers[value] == 1 ? c->reader[value] : -1;
    return k >= 0 && c->g->nodes[k].in[0] == value ? k : -1;
}

/* Arithmetic with one number, or one per channel along the last of four axes. */
static bool is_scaling(const canon *c, const hlrp_node *n) {
    const hlrp_tensor *t = n->op->scale || n->op->shift ? canon_constant(c, n, 1) : NULL;
    const int last = t ? t->dims.rank - 1 : -1;
    return t && (hlrp_tensor_count(t) == 1 ||
                 (last >= 0 && last < 4 && t->dims.d[last] == hlrp_tensor_count(t)));
}

/* The channels of its constant go along axis 1 from now on. The tensor may serve other nodes: a copy. */
static hlrp_status turn_constant(canon *c, int id, hlrp_error *err) {
    const hlrp_tensor *t = canon_constant(c, &c->g->nodes[id], 1);
    hlrp_tensor *turned = NULL;
    if (hlrp_tensor_count(t) == 1)
        return HLRP_OK;
    const hlrp_status status = hlrp_tensor_copy(t, &turned, err);
    if (status != HLRP_OK)
        return status;
    turned->dims = (hlrp_dims){.rank = 3, .d = {hlrp_tensor_count(t), 1, 1}};
    return canon_set_constant(c, id, 1, turned, err);
}

enum { MOST_SCALINGS = 100 }; /* in a row, at the input: exporters write two */

/* A rescaling of pixels between the input and its transpose, as Keras networks begin: the transpose goes,
 * and the rescaling works along axis 1. Returns the transpose; -1: there is none. */
static int behind_scaling(const canon *c) {
    int id = sole_reader(c, c->g->input);
    for (int left = MOST_SCALINGS; left > 0 && id >= 0 && is_scaling(c, &c->g->nodes[id]); left--)
        id = sole_reader(c, c->g->nodes[id].out[0]);
    return id >= 0 && c->g->nodes[id].in[0] != c->g->input &&
                   c->g->nodes[id].op == &hlrp_op_transpose &&
                   to_channels_first(c, &c->g->nodes[id])
               ? id
               : -1;
}

static hlrp_status turn_scaling(canon *c, int transpose, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int id = sole_reader(c, c->g->input); status == HLRP_OK && id != transpose;
         id = sole_reader(c, c->g->nodes[id].out[0]))
        status = turn_constant(c, id, err);
    canon_bypass(c, transpose);
    return status;
}

static void turn_input(hlrp_graph *g) {
    hlrp_dims *d = &g->values[g->input].dims;
    if (d->rank == 4)
        *d = (hlrp_dims){.rank = 4, .d = {d->d[0], d->d[3], d->d[1], d->d[2]}};
    g->nhwc = true;
}

hlrp_status canon_nhwc_input(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    int turned = 0;
    const int later = behind_scaling(c);
    if (later >= 0) {
        turn_input(g);
        return turn_scaling(c, later, err);
    }
    for (int k = 0; k < g->node_count; k++)
        if (g->nodes[k].in[0] == g->input && to_channels_first(c, &g->nodes[k]))
            turned++;
    if (turned == 0 || turned != c->readers[g->input])
        return HLRP_OK;
    for (int k = 0; k < g->node_count; k++)
        if (g->nodes[k].in[0] == g->input)
            canon_bypass(c, k);
    turn_input(g);
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

/* Whether a value is the input, rescaled in no or some steps. */
static bool only_scaled_input(const canon *c, int value) {
    for (int left = MOST_SCALINGS; left > 0 && value != c->g->input; left--) {
        const int id = value >= 0 ? c->g->values[value].producer : -1;
        if (id < 0 || !is_scaling(c, &c->g->nodes[id]))
            return false;
        value = c->g->nodes[id].in[0];
    }
    return value == c->g->input;
}

hlrp_status hlrp_canonize_input(const hlrp_graph *g, hlrp_dims *out, hlrp_error *err) {
    canon c = {.g = (hlrp_graph *)g};
    *out = g->values[g->input].dims;
    bool turned = false;
    for (int k = 0; !g->nhwc && k < g->node_count; k++)
        turned = turned ||
                 (g->nodes[k].op == &hlrp_op_transpose &&
                  only_scaled_input(&c, g->nodes[k].in[0]) && to_channels_first(&c, &g->nodes[k]));
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

/* Nodes that are added so that every operator gets its operands as it takes them: of one shape, and in
 * its layout. */
#include <stdlib.h>

#include "canonize/internal.h"

/* Nodes to be placed. */
typedef struct inserted {
    int *before; /* per new node */
    int64_t count, capacity;
    int first; /* new nodes are those from here on */
} inserted;

/* A node between a value and input k of node `reader`; `like` or −1 is its second input. */
static hlrp_status insert(canon *c, inserted *all, int reader, int k, const hlrp_operator *op,
                          int like, hlrp_node **out, hlrp_error *err) {
    hlrp_graph *g = c->g;
    const int in[2] = {g->nodes[reader].in[k], like};
    char *name = NULL;
    hlrp_status status = hlrp_format(&name, err, "%.300s/%s%d", g->nodes[reader].name, op->name, k);
    if (status != HLRP_OK)
        return status;
    const int to = hlrp_graph_add_value(g, name, NULL, err);
    const int id = to < 0 ? -1
                          : hlrp_graph_add_node(g, op, name, g->nodes[reader].type, in,
                                                like >= 0 ? 2 : 1, &to, 1, err);
    free(name);
    if (id < 0)
        return err->status;
    status = hlrp_grow(&all->before, &all->capacity, all->count + 1, sizeof *all->before, err);
    if (status != HLRP_OK)
        return status;
    all->before[all->count++] = reader;
    g->nodes[reader].in[k] = to;
    *out = &g->nodes[id];
    return HLRP_OK;
}

/* What a pass does at input k of node id; picture[value]: whether a value is one. */
typedef hlrp_status (*at_input)(canon *c, inserted *all, const bool *picture, int id, int k,
                                hlrp_error *err);

/* A pass over the inputs of all nodes that were there before it. */
static hlrp_status at_each_input(canon *c, at_input visit, hlrp_error *err) {
    inserted all = {.first = c->g->node_count};
    bool *picture = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&picture, c->g->value_count, sizeof *picture, "a pass", err));
    HLRP_TRY(hlrp_find_pictures(c->g, picture, err));
    for (int i = 0; i < all.first; i++)
        for (int k = 0; k < c->g->nodes[i].in_count; k++)
            HLRP_TRY(visit(c, &all, picture, i, k, err));
    if (all.count > 0)
        status = hlrp_graph_place_nodes(c->g, all.first, all.before, err);
out:
    free(all.before);
    free(picture);
    return status;
}

/* ---- shapes ---- */

static bool same_but_for_last_two(const hlrp_dims *a, const hlrp_dims *b) {
    bool same = a->rank == b->rank;
    for (int k = 0; same && k < a->rank - 2; k++)
        same = a->d[k] == b->d[k];
    return same;
}

/* Whether input k of n has to be spread before it meets the others. */
static bool must_spread(const canon *c, const bool *picture, const hlrp_node *n, int k) {
    const hlrp_dims *own = canon_in_dims(c, n, k), *out = canon_out_dims(c, n);
    if (n->op->product == HLRP_PRODUCT_OF_MATRICES)
        return !same_but_for_last_two(own, out);
    if (n->op->product == HLRP_PRODUCT_OF_ELEMENTS && hlrp_dims_one_per_channel(own, out))
        return !picture[n->out[0]];
    return !hlrp_dims_equal(own, out);
}

static bool meets_others(const hlrp_operator *op) {
    return op == &hlrp_op_add || op == &hlrp_op_quotient || op == &hlrp_op_maximum ||
           op == &hlrp_op_minimum || op->product != HLRP_NO_PRODUCT;
}

/* The input that input k of n is spread to meet: one that has the output's shape, if any has it. */
static int to_meet(const canon *c, const hlrp_node *n, int k) {
    int other = k == 0 ? 1 : 0;
    for (int i = n->in_count - 1; i >= 0; i--)
        if (i != k && hlrp_dims_equal(canon_in_dims(c, n, i), canon_out_dims(c, n)))
            other = i;
    return n->in[other];
}

static hlrp_status meet(canon *c, inserted *all, const bool *picture, int id, int k,
                        hlrp_error *err) {
    const hlrp_node *n = &c->g->nodes[id];
    const bool matrices = n->op->product == HLRP_PRODUCT_OF_MATRICES;
    hlrp_node *made = NULL;
    if (!meets_others(n->op) || canon_constant(c, n, k) || !must_spread(c, picture, n, k))
        return HLRP_OK;
    const int other = matrices ? n->in[1 - k] : to_meet(c, n, k);
    const hlrp_status status = insert(c, all, id, k, &hlrp_op_expand_to, other, &made, err);
    if (status == HLRP_OK)
        made->keepdims = matrices;
    return status;
}

hlrp_status canon_meet_shapes(canon *c, hlrp_error *err) {
    return at_each_input(c, meet, err);
}

/* ---- layouts ---- */

/* Whether input k of n, a picture or not, has to be laid out anew. */
static bool must_relay(const canon *c, const bool *picture, const hlrp_node *n, int k) {
    const hlrp_lays_out lays = hlrp_node_lays_out(c->g, n);
    const bool is = picture[n->in[k]];
    if (canon_in_dims(c, n, k)->rank != 4 || lays == HLRP_LAYS_FREELY)
        return false;
    if (lays == HLRP_LAYS_AS_INPUT)
        return is != picture[n->out[0]];
    return is == (lays == HLRP_LAYS_ROWS);
}

static hlrp_status relay(canon *c, inserted *all, const bool *picture, int id, int k,
                         hlrp_error *err) {
    const hlrp_node *n = &c->g->nodes[id];
    hlrp_node *made = NULL;
    if (n->op == &hlrp_op_expand_to && k > 0) /* what it is to meet only gives its shape */
        return HLRP_OK;
    if (n->in[k] < 0 || canon_constant(c, n, k) || !must_relay(c, picture, n, k))
        return HLRP_OK;
    const bool is = picture[n->in[k]];
    const hlrp_status status = insert(c, all, id, k, &hlrp_op_identity, -1, &made, err);
    if (status == HLRP_OK)
        made->part = is ? 2 : 1;
    return status;
}

hlrp_status canon_change_layouts(canon *c, hlrp_error *err) {
    return at_each_input(c, relay, err);
}

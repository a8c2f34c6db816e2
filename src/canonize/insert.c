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

static hlrp_status place(canon *c, inserted *all, hlrp_status status, hlrp_error *err) {
    if (status == HLRP_OK && all->count > 0)
        status = hlrp_graph_place_nodes(c->g, all->first, all->before, err);
    free(all->before);
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

hlrp_status canon_meet_shapes(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    inserted all = {.first = g->node_count};
    bool *picture = NULL;
    hlrp_status status = hlrp_calloc(&picture, g->value_count, sizeof *picture, "a pass", err);
    if (status == HLRP_OK)
        status = hlrp_find_pictures(g, picture, err);
    for (int i = 0; status == HLRP_OK && i < all.first; i++)
        for (int k = 0;
             status == HLRP_OK && meets_others(g->nodes[i].op) && k < g->nodes[i].in_count; k++) {
            const hlrp_node *n = &g->nodes[i];
            if (canon_constant(c, n, k) || !must_spread(c, picture, n, k))
                continue;
            hlrp_node *made = NULL;
            const bool matrices = n->op->product == HLRP_PRODUCT_OF_MATRICES;
            const int other = matrices ? n->in[1 - k] : to_meet(c, n, k);
            status = insert(c, &all, i, k, &hlrp_op_expand_to, other, &made, err);
            if (status == HLRP_OK)
                made->keepdims = matrices;
        }
    free(picture);
    return place(c, &all, status, err);
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

/* Inputs that are data: what an expansion is to meet only gives its shape. */
static int data_inputs(const hlrp_node *n) {
    return n->op == &hlrp_op_expand_to ? 1 : n->in_count;
}

hlrp_status canon_change_layouts(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    inserted all = {.first = g->node_count};
    bool *picture = NULL;
    hlrp_status status = hlrp_calloc(&picture, g->value_count, sizeof *picture, "a pass", err);
    if (status == HLRP_OK)
        status = hlrp_find_pictures(g, picture, err);
    for (int i = 0; status == HLRP_OK && i < all.first; i++)
        for (int k = 0; status == HLRP_OK && k < data_inputs(&g->nodes[i]); k++) {
            hlrp_node *made = NULL;
            if (g->nodes[i].in[k] >= 0 && !canon_constant(c, &g->nodes[i], k) &&
                must_relay(c, picture, &g->nodes[i], k)) {
                const bool is = picture[g->nodes[i].in[k]];
                status = insert(c, &all, i, k, &hlrp_op_identity, -1, &made, err);
                if (status == HLRP_OK)
                    made->part = is ? 2 : 1;
            }
        }
    free(picture);
    return place(c, &all, status, err);
}

/* Layer normalization written out, as exporters wrote it before ONNX had the operator:
 *   d = x − mean(x),  y = d / √(mean(d²) + ε) · g + b
 * becomes the one node, so that ε enters its relevance once. */
#include <math.h>
#include <stdlib.h>

#include "canonize/internal.h"

static const hlrp_node *producer(const canon *c, int value) {
    const int id = value >= 0 ? c->g->values[value].producer : -1;
    return id >= 0 ? &c->g->nodes[id] : NULL;
}

static const hlrp_node *producer_of(const canon *c, int value, const hlrp_operator *op) {
    const hlrp_node *n = producer(c, value);
    return n && n->op == op ? n : NULL;
}

/* A mean over the last axis alone that keeps it; returns what it is taken of, else −1. */
static int mean_of(const canon *c, int value) {
    const hlrp_node *n = producer_of(c, value, &hlrp_op_reduce_mean);
    if (!n || n->ints.rank != 1 || !n->keepdims)
        return -1;
    const int last = canon_in_dims(c, n, 0)->rank - 1;
    return n->ints.d[0] == -1 || n->ints.d[0] == last ? n->in[0] : -1;
}

/* d·d or d²; returns d. */
static int square_of(const canon *c, int value) {
    const hlrp_node *n = producer(c, value);
    if (n && n->op == &hlrp_op_power && n->alpha == 2)
        return n->in[0];
    return n && n->op == &hlrp_op_gate && n->in[0] == n->in[1] ? n->in[0] : -1;
}

/* x − mean(x), which is read as x + (−mean(x)); returns x. */
static int centered_of(const canon *c, int value) {
    const hlrp_node *n = producer_of(c, value, &hlrp_op_add);
    if (!n || n->in_count != 2)
        return -1;
    const hlrp_node *minus = producer_of(c, n->in[1], &hlrp_op_neg);
    return minus && mean_of(c, minus->in[0]) == n->in[0] ? n->in[0] : -1;
}

/* √(mean(d²) + ε); returns d. */
static int spread_of(const canon *c, int value, float *epsilon) {
    const hlrp_node *root = producer_of(c, value, &hlrp_op_sqrt);
    const hlrp_node *plus = root ? producer_of(c, root->in[0], &hlrp_op_add_const) : NULL;
    const hlrp_tensor *e = plus ? canon_constant(c, plus, 1) : NULL;
    const int square = e && hlrp_tensor_count(e) == 1 ? mean_of(c, plus->in[0]) : -1;
    if (square < 0)
        return -1;
    *epsilon = e->f[0];
    return square_of(c, square);
}

/* The only reader of what node k gives, if it is of this operator and its constant goes along the last
 * axis; else −1. */
static int next_with_constant(const canon *c, int k, const hlrp_operator *op) {
    const int value = c->g->nodes[k].out[0], j = c->reader[value];
    if (c->readers[value] != 1 || j < 0 || c->g->nodes[j].op != op || c->g->nodes[j].in[0] != value)
        return -1;
    const hlrp_node *n = &c->g->nodes[j];
    const hlrp_tensor *t = canon_constant(c, n, 1);
    const hlrp_dims *x = canon_in_dims(c, n, 0);
    const int64_t last = x->rank > 0 ? x->d[x->rank - 1] : 0;
    return t && t->dims.rank >= 1 && t->dims.d[t->dims.rank - 1] == last &&
                   hlrp_tensor_count(t) == last
               ? j
               : -1;
}

/* Node k, the quotient, becomes the normalization of x, and takes g and b from those behind it. */
static hlrp_status become(canon *c, int k, int x, float epsilon, hlrp_error *err) {
    const int gain = next_with_constant(c, k, &hlrp_op_mul);
    const int bias = next_with_constant(c, gain >= 0 ? gain : k, &hlrp_op_add_const);
    hlrp_node *n = &c->g->nodes[k];
    int *in = NULL;
    const hlrp_status status = hlrp_calloc(&in, 3, sizeof *in, "a node", err);
    if (status != HLRP_OK)
        return status;
    in[0] = x;
    in[1] = gain >= 0 ? c->g->nodes[gain].in[1] : -1;
    in[2] = bias >= 0 ? c->g->nodes[bias].in[1] : -1;
    free(n->in);
    n->in = in;
    n->in_count = 3;
    n->op = &hlrp_op_layernorm;
    n->axis = -1;
    n->lo = epsilon;
    if (gain >= 0)
        canon_absorb(c, k, gain);
    if (bias >= 0)
        canon_absorb(c, k, bias);
    c->changes++;
    return HLRP_OK;
}

hlrp_status canon_layernorm(canon *c, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int k = 0; status == HLRP_OK && k < c->g->node_count; k++) {
        const hlrp_node *n = &c->g->nodes[k];
        float epsilon = 0;
        if (n->op != &hlrp_op_quotient)
            continue;
        const int x = centered_of(c, n->in[0]), d = spread_of(c, n->in[1], &epsilon);
        if (x >= 0 && (d == n->in[0] || (d >= 0 && centered_of(c, d) == x)))
            status = become(c, k, x, epsilon, err);
    }
    return status;
}

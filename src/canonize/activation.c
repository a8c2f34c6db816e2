/* Activation functions written out, as exporters write them where ONNX has no operator:
 *   GELU  y = x·½·(1 + erf(x/√2)), the factor ½ at any place
 *   SiLU  y = x·sigmoid(x)
 * become one node: up to five passes over the widest values of a network, and as many buffers, are one.
 * All relevance goes to x either way. */
#include <math.h>

#include "canonize/internal.h"

static const hlrp_node *producer_of(const canon *c, int value, const hlrp_operator *op) {
    const int id = value >= 0 ? c->g->values[value].producer : -1;
    return id >= 0 && c->g->nodes[id].op == op ? &c->g->nodes[id] : NULL;
}

/* A product, a quotient or a sum with this one number, that changes no shape. */
static bool is_with(const canon *c, const hlrp_node *n, double number) {
    const hlrp_tensor *t = n ? canon_constant(c, n, 1) : NULL;
    return t && t->dtype == HLRP_F32 && hlrp_tensor_count(t) == 1 &&
           t->dims.rank <= canon_in_dims(c, n, 0)->rank &&
           fabs((double)t->f[0] - number) <= 1e-6 * number;
}

/* What the value is half of; else −1. */
static int half_of(const canon *c, int value) {
    const hlrp_node *times = producer_of(c, value, &hlrp_op_mul);
    const hlrp_node *over = producer_of(c, value, &hlrp_op_div);
    return is_with(c, times, 0.5) ? times->in[0] : is_with(c, over, 2) ? over->in[0] : -1;
}

/* x of 1 + erf(x/√2); else −1. */
static int within_gate(const canon *c, int value) {
    const hlrp_node *plus = producer_of(c, value, &hlrp_op_add_const);
    const hlrp_node *erf = is_with(c, plus, 1) ? producer_of(c, plus->in[0], &hlrp_op_erf) : NULL;
    const hlrp_node *over = erf ? producer_of(c, erf->in[0], &hlrp_op_div) : NULL;
    const hlrp_node *times = erf ? producer_of(c, erf->in[0], &hlrp_op_mul) : NULL;
    return is_with(c, over, 1.41421356237309504880)    ? over->in[0]
           : is_with(c, times, 0.70710678118654752440) ? times->in[0]
                                                       : -1;
}

/* The only reader of node k if it halves; else −1. */
static int halved_by(const canon *c, int k) {
    const int value = c->g->nodes[k].out[0], j = c->readers[value] == 1 ? c->reader[value] : -1;
    return j >= 0 && half_of(c, c->g->nodes[j].out[0]) == value ? j : -1;
}

static void become(canon *c, int k, const hlrp_operator *op, int x) {
    hlrp_node *n = &c->g->nodes[k];
    n->op = op;
    n->in[0] = x;
    n->in_count = 1;
    n->alpha = 1; /* of SiLU's x */
    c->changes++;
}

/* Node k is the product of factors a and b. */
static void try_silu(canon *c, int k, int a, int b) {
    const hlrp_node *sigmoid = producer_of(c, b, &hlrp_op_sigmoid);
    if (sigmoid && sigmoid->in[0] == a)
        become(c, k, &hlrp_op_swish, a);
}

static void try_gelu(canon *c, int k, int a, int b) {
    const int of_a = half_of(c, a), of_b = half_of(c, b);
    const int x = of_a >= 0 ? of_a : a, within = within_gate(c, of_b >= 0 ? of_b : b);
    const int behind = of_a < 0 && of_b < 0 ? halved_by(c, k) : -1;
    if (within < 0 || x != within || (of_a >= 0) + (of_b >= 0) + (behind >= 0) != 1)
        return;
    become(c, k, &hlrp_op_gelu, x);
    if (behind >= 0)
        canon_absorb(c, k, behind);
}

hlrp_status canon_activations(canon *c, hlrp_error *err) {
    void (*const tries[])(canon *, int, int, int) = {try_silu, try_gelu};
    const hlrp_node *nodes = c->g->nodes;
    (void)err;
    for (int k = 0; k < c->g->node_count; k++)
        for (size_t i = 0; i < HLRP_COUNT(tries); i++) {
            if (nodes[k].op == &hlrp_op_gate)
                tries[i](c, k, nodes[k].in[0], nodes[k].in[1]);
            if (nodes[k].op == &hlrp_op_gate)
                tries[i](c, k, nodes[k].in[1], nodes[k].in[0]);
        }
    return HLRP_OK;
}

/* Operands that turn out to be constant once the input's size is known, and norms that exporters write as
 * products with a reciprocal. */
#include <string.h>

#include "canonize/internal.h"

static void swap_inputs(hlrp_node *n) {
    const int first = n->in[0];
    n->in[0] = n->in[1];
    n->in[1] = first;
}

/* What an operator of two computed tensors is with a constant as its second one. */
static const hlrp_operator *with_constant(const hlrp_operator *op) {
    return op == &hlrp_op_gate       ? &hlrp_op_mul
           : op == &hlrp_op_quotient ? &hlrp_op_div
           : op == &hlrp_op_add      ? &hlrp_op_add_const
                                     : NULL;
}

hlrp_status canon_constant_operands(canon *c, hlrp_error *err) {
    for (int k = 0; k < c->g->node_count; k++) {
        hlrp_node *n = &c->g->nodes[k];
        if (!with_constant(n->op) || n->in_count != 2)
            continue;
        if (canon_constant(c, n, 0) && n->op == &hlrp_op_quotient)
            return hlrp_node_refuse(n, err, "export the network without it",
                                    "operator %s at node %s divides a constant", n->type, n->name);
        if (canon_constant(c, n, 0))
            swap_inputs(n);
        if (!canon_constant(c, n, 1))
            continue;
        n->op = with_constant(n->op);
        c->changes++;
    }
    return HLRP_OK;
}

/* The node that gives a value, if it is of this operator. */
static const hlrp_node *producer_of(const canon *c, int value, const hlrp_operator *op) {
    const int id = c->g->values[value].producer;
    return id >= 0 && c->g->nodes[id].op == op ? &c->g->nodes[id] : NULL;
}

/* a · (1/b) is a / b: the norm b gets nothing. */
hlrp_status canon_quotients(canon *c, hlrp_error *err) {
    (void)err;
    for (int k = 0; k < c->g->node_count; k++) {
        hlrp_node *n = &c->g->nodes[k];
        if (n->op != &hlrp_op_gate)
            continue;
        if (producer_of(c, n->in[0], &hlrp_op_reciprocal))
            swap_inputs(n);
        const hlrp_node *inverse = producer_of(c, n->in[1], &hlrp_op_reciprocal);
        if (!inverse || inverse->in[0] == n->in[0])
            continue;
        n->op = &hlrp_op_quotient;
        n->in[1] = inverse->in[0];
        c->changes++;
    }
    return HLRP_OK;
}

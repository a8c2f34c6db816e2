/* Why a node has its rule, in a few words: what the graph says of it. */
#include <stdlib.h>

#include "lrp/turn.h"

/* Whether node n hands anything to its k-th input. */
static bool gives_to(const hlrp_lrp *lrp, int node, int k) {
    const hlrp_node *n = &lrp->graph->nodes[node];
    if (lrp->rules[node].kind == HLRP_RULE_GRADIENT)
        return true;
    if (n->op->product != HLRP_NO_PRODUCT)
        return lrp->to[node] < 0 || lrp->to[node] == k;
    return k == 0 || n->op->variadic;
}

hlrp_status hlrp_lrp_find_reached(const hlrp_lrp *lrp, bool *reached, hlrp_error *err) {
    const hlrp_graph *g = lrp->graph;
    bool *value = NULL;
    const hlrp_status status = hlrp_calloc(&value, g->value_count, sizeof *value, "rules", err);
    if (status != HLRP_OK)
        return status;
    value[g->output] = true;
    for (int i = g->node_count - 1; i >= 0; i--) {
        const hlrp_node *n = &g->nodes[i];
        reached[i] = value[n->out[0]];
        for (int k = 0; reached[i] && k < n->in_count; k++)
            if (n->in[k] >= 0 && gives_to(lrp, i, k))
                value[n->in[k]] = true;
    }
    free(value);
    return HLRP_OK;
}

static const char *why_product(const hlrp_lrp *lrp, int node) {
    const hlrp_structure *s = &lrp->structure;
    const hlrp_node *n = &lrp->graph->nodes[node];
    const int to = lrp->to[node];
    if (s->signal[node] >= 0)
        return "an activation function written out: all to its signal";
    if (to < 0)
        return lrp->rules[node].kind == HLRP_RULE_CONSTANT ? "no factor is a weight: both share"
                                                           : "both factors share";
    if (lrp->graph->values[n->in[1 - to]].constant)
        return "by a constant";
    return s->weight[n->in[1 - to]] ? "by a weight, held constant"
                                    : "by an activation, held constant";
}

const char *hlrp_lrp_why(const hlrp_lrp *lrp, int node) {
    const hlrp_graph *g = lrp->graph;
    const hlrp_node *n = &g->nodes[node];
    if (n->op->product != HLRP_NO_PRODUCT)
        return why_product(lrp, node);
    if (n->op->layer != HLRP_NO_LAYER && lrp->structure.attention[node])
        return "@attention";
    if (n->op->layer != HLRP_NO_LAYER && hlrp_node_is_first(g, node))
        return "@first";
    if (n->op->affine && n->op->keeps)
        return "the constant keeps its part";
    if (n->op->keeps_on && n->op->keeps_on(g, n))
        return "what lies on constants stays there";
    return lrp->structure.weight[n->out[0]] ? "a weight" : "";
}

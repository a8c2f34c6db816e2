#include "lrp/analysis.h"

#include "lrp/turn.h"

/* Of a node that says nothing of channels: the first input, if it has as many. */
static int same_channel(const hlrp_graph *g, const hlrp_node *n) {
    const hlrp_dims *in = &g->values[n->in[0]].dims, *out = &g->values[n->out[0]].dims;
    return in->rank > 1 && out->rank > 1 && in->d[0] == out->d[0] && in->d[1] == out->d[1] ? 0 : -1;
}

int64_t hlrp_pixel_channel(const hlrp_graph *graph, int value, int64_t channel) {
    while (value != graph->input) {
        const int id = graph->values[value].producer;
        const hlrp_node *n = id >= 0 ? &graph->nodes[id] : NULL; /* none: a constant */
        const int k = !n              ? -1
                      : n->op->source ? n->op->source(graph, n, &channel)
                                      : same_channel(graph, n);
        if (k < 0)
            return -1;
        value = n->in[k];
    }
    return channel;
}

void hlrp_find_nonnegative(const hlrp_graph *graph, bool *nonnegative) {
    for (int v = 0; v < graph->value_count; v++)
        nonnegative[v] = false;
    for (int i = 0; i < graph->node_count; i++) {
        const hlrp_node *n = &graph->nodes[i];
        nonnegative[n->out[0]] = n->op->nonnegative && n->op->nonnegative(n, nonnegative);
    }
}

/* Whether what a node hands to an element of its input is 0 whenever that element is 0. */
static bool hands_nothing_to_zero(const hlrp_node *n, const hlrp_rule *rule, const bool *vanishes) {
    const hlrp_zero zero = hlrp_cell_of(n, rule)->zero;
    const bool keeps = !n->op->moves_zero || !n->op->moves_zero(n);
    return zero == HLRP_ZERO_ALWAYS ||
           (zero == HLRP_ZERO_WITH_OUTPUT && keeps && vanishes[n->out[0]]);
}

void hlrp_find_vanishing(const hlrp_graph *graph, const hlrp_rule *rules, bool *vanishes) {
    for (int v = 0; v < graph->value_count; v++)
        vanishes[v] = v != graph->output;
    for (int i = graph->node_count - 1; i >= 0; i--) {
        const hlrp_node *n = &graph->nodes[i];
        if (hands_nothing_to_zero(n, &rules[i], vanishes))
            continue;
        for (int k = 0; k < n->in_count; k++)
            if (n->in[k] >= 0)
                vanishes[n->in[k]] = false;
    }
}

/* Whether the node hands 0 to every element of its input that is ≤ 0. */
static bool drops_negative(const hlrp_node *n, const hlrp_rule *rule, const bool *vanishes) {
    const bool rectifies = n->op->rectifies && n->op->rectifies(n);
    return rectifies && (rule->kind == HLRP_RULE_GRADIENT || vanishes[n->out[0]]);
}

void hlrp_find_dead_below(const hlrp_graph *graph, const hlrp_rule *rules, const bool *vanishes,
                          bool *dead_below) {
    for (int v = 0; v < graph->value_count; v++)
        dead_below[v] = v != graph->output;
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].in_count; k++)
            if (graph->nodes[i].in[k] >= 0 &&
                !drops_negative(&graph->nodes[i], &rules[i], vanishes))
                dead_below[graph->nodes[i].in[k]] = false;
}

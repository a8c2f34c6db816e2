#include "lrp/analysis.h"

/* The input of a concatenation that the channel is in, where it is counted from that input's own. */
static int part_of(const hlrp_graph *g, const hlrp_node *n, int64_t *channel) {
    int k = 0;
    for (; *channel >= g->values[n->in[k]].dims.d[1]; k++)
        *channel -= g->values[n->in[k]].dims.d[1];
    return k;
}

int64_t hlrp_pixel_channel(const hlrp_graph *graph, int value, int64_t channel) {
    while (value != graph->input) {
        const hlrp_node *n = &graph->nodes[graph->values[value].producer];
        int k = 0;
        if (n->op == HLRP_OP_CONCAT)
            k = part_of(graph, n, &channel);
        else if (n->op == HLRP_OP_SLICE)
            channel += n->ints.d[1];
        else if (n->op == HLRP_OP_SHUFFLE)
            channel = channel % n->group * (graph->values[value].dims.d[1] / n->group) +
                      channel / n->group;
        value = n->in[k];
    }
    return channel;
}

static bool all_inputs(const hlrp_node *node, const bool *is) {
    for (int k = 0; k < node->in_count; k++)
        if (node->in[k] >= 0 && !is[node->in[k]])
            return false;
    return true;
}

void hlrp_find_nonnegative(const hlrp_graph *graph, bool *nonnegative) {
    for (int v = 0; v < graph->value_count; v++)
        nonnegative[v] = false;
    for (int i = 0; i < graph->node_count; i++) {
        const hlrp_node *n = &graph->nodes[i];
        bool result = false;
        switch (n->op) {
        case HLRP_OP_RELU:
            result = true;
            break;
        case HLRP_OP_CLIP:
            result = n->lo >= 0;
            break;
        case HLRP_OP_LEAKY_RELU:
        case HLRP_OP_MAXPOOL:
        case HLRP_OP_AVGPOOL:
        case HLRP_OP_GLOBAL_AVGPOOL:
        case HLRP_OP_ADD:
        case HLRP_OP_CONCAT:
        case HLRP_OP_PAD:
        case HLRP_OP_SHUFFLE:
        case HLRP_OP_FLATTEN:
            result = all_inputs(n, nonnegative);
            break;
        case HLRP_OP_SLICE: /* its other inputs are indices */
            result = nonnegative[n->in[0]];
            break;
        default:
            break;
        }
        nonnegative[n->out[0]] = result;
    }
}

/* Whether what a node hands to an element of its input is 0 whenever that element is 0. */
static bool hands_nothing_to_zero(const hlrp_node *n, const hlrp_rule *rule, const bool *vanishes) {
    switch (n->op) {
    case HLRP_OP_CONV:
    case HLRP_OP_GEMM: /* rules of the form x·(…) */
        return rule->kind == HLRP_RULE_LRP0 || rule->kind == HLRP_RULE_EPSILON ||
               rule->kind == HLRP_RULE_GAMMA || rule->kind == HLRP_RULE_ZPLUS ||
               rule->kind == HLRP_RULE_ALPHABETA;
    case HLRP_OP_ADD:
    case HLRP_OP_AVGPOOL:
    case HLRP_OP_GLOBAL_AVGPOOL:
        return rule->kind != HLRP_RULE_GRADIENT;
    case HLRP_OP_BATCHNORM:
        return rule->kind == HLRP_RULE_EPSILON || rule->kind == HLRP_RULE_LRP0;
    case HLRP_OP_CLIP:
        return n->lo <= 0 && n->hi >= 0 && rule->kind != HLRP_RULE_GRADIENT && vanishes[n->out[0]];
    case HLRP_OP_RELU:
    case HLRP_OP_LEAKY_RELU:
    case HLRP_OP_MAXPOOL: /* an input of 0 that is handed something is the output itself */
    case HLRP_OP_CONCAT:
    case HLRP_OP_PAD:
    case HLRP_OP_SLICE:
    case HLRP_OP_SHUFFLE:
    case HLRP_OP_FLATTEN:
        return rule->kind != HLRP_RULE_GRADIENT && vanishes[n->out[0]];
    default:
        return false;
    }
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
    const bool rectifies = n->op == HLRP_OP_RELU || (n->op == HLRP_OP_CLIP && n->lo == 0);
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

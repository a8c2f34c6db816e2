/* What remains in the graph must have a forward pass and relevance. All that has not is named at once: who
 * learns of one node at a time exports a network ten times in vain. */
#include <stdlib.h>
#include <string.h>

#include "canonize/internal.h"

static bool is_ruled(const hlrp_node *n) {
    return n->op->forward && n->op->relevance;
}

enum { MOST_TYPES = 8 };

static int nodes_of(const hlrp_graph *g, const char *type) {
    int nodes = 0;
    for (int k = 0; k < g->node_count; k++)
        nodes += !is_ruled(&g->nodes[k]) && strcmp(g->nodes[k].type, type) == 0;
    return nodes;
}

/* "Where × 2, Cast × 1": the file's types of nodes that are not ruled. */
static void list_types(const hlrp_graph *g, hlrp_str *list) {
    const char *listed[MOST_TYPES];
    int count = 0;
    for (int k = 0; k < g->node_count; k++) {
        const char *type = g->nodes[k].type;
        bool known = is_ruled(&g->nodes[k]);
        for (int i = 0; !known && i < count; i++)
            known = strcmp(listed[i], type) == 0;
        if (known)
            continue;
        if (count == MOST_TYPES) {
            hlrp_str_add(list, ", ...");
            return;
        }
        listed[count] = type;
        hlrp_str_addf(list, "%s%.40s × %d", count++ > 0 ? ", " : "", type, nodes_of(g, type));
    }
}

static hlrp_status refuse(const hlrp_graph *g, int first, int nodes, hlrp_error *err) {
    const hlrp_node *n = &g->nodes[first];
    const char *end =
        n->op->ends != HLRP_ACTIVATION_NONE ? " where it does not end the network" : "";
    hlrp_str list = {0};
    if (nodes == 1)
        return hlrp_node_refuse(n, err, "export the network without it",
                                "operator %s at node %s has no relevance rule%s", n->type, n->name,
                                end);
    list_types(g, &list);
    const hlrp_status status = hlrp_node_refuse(
        n, err, "export the network without them",
        "operator %s at node %s has no relevance rule%s; in all %d nodes have none: %s", n->type,
        n->name, end, nodes, list.text ? list.text : "");
    hlrp_str_free(&list);
    return status;
}

/* Whether the engine takes a constant as input k. Parameters are such; of data only what is joined or
 * compared, and factors of matrices. */
static bool may_be_constant(const hlrp_node *n, int k) {
    if (n->op == &hlrp_op_concat || n->op == &hlrp_op_maximum || n->op == &hlrp_op_minimum ||
        n->op->product == HLRP_PRODUCT_OF_MATRICES)
        return true;
    return k > 0 && !n->op->joins;
}

/* Exporters leave arithmetic of constants behind that is not evaluated here, such as their softmax. */
static hlrp_status check_constants(const canon *c, const hlrp_node *n, hlrp_error *err) {
    bool computed = false, fits = true;
    for (int k = 0; k < n->in_count; k++) {
        const bool constant = canon_constant(c, n, k);
        computed = computed || (n->in[k] >= 0 && !constant);
        fits = fits && (!constant || may_be_constant(n, k));
    }
    if (fits && computed)
        return HLRP_OK;
    return hlrp_node_refuse(n, err, "simplify the network before exporting it",
                            "operator %s at node %s works on constants", n->type, n->name);
}

hlrp_status canon_check_nodes(const canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    int first = -1, nodes = 0;
    for (int k = g->node_count - 1; k >= 0; k--)
        if (!is_ruled(&g->nodes[k])) {
            first = k;
            nodes++;
        }
    if (nodes > 0)
        return refuse(g, first, nodes, err);
    for (int k = 0; k < g->node_count; k++) {
        hlrp_node *n = &g->nodes[k];
        hlrp_status status = n->op->check ? n->op->check(g, n, err) : HLRP_OK;
        if (status == HLRP_OK)
            status = check_constants(c, n, err);
        if (status != HLRP_OK)
            return status;
    }
    return HLRP_OK;
}

/* Which values are pictures, laid out for convolutions, and which are rows. */
#include <stdlib.h>

#include "graph/internal.h"

hlrp_lays_out hlrp_node_lays_out(const hlrp_graph *g, const hlrp_node *n) {
    return n->op->as_rows && n->op->as_rows(g, n) ? HLRP_LAYS_ROWS : n->op->lays_out;
}

static bool computed(const hlrp_graph *g, int value) {
    return value >= 0 && !g->values[value].constant;
}

/* wanted[value]: it is on the way to something that takes pictures. */
static void find_wanted(const hlrp_graph *g, bool *wanted) {
    for (int i = g->node_count - 1; i >= 0; i--) {
        const hlrp_node *n = &g->nodes[i];
        const hlrp_lays_out lays = hlrp_node_lays_out(g, n);
        const bool takes = lays == HLRP_LAYS_PICTURES || lays == HLRP_LAYS_BLOCKED ||
                           (lays == HLRP_LAYS_AS_INPUT && wanted[n->out[0]]);
        for (int k = 0; takes && k < n->in_count; k++)
            if (computed(g, n->in[k]))
                wanted[n->in[k]] = true;
    }
}

static bool any_is(const hlrp_graph *g, const hlrp_node *n, const bool *picture) {
    for (int k = 0; k < n->in_count; k++)
        if (computed(g, n->in[k]) && picture[n->in[k]])
            return true;
    return false;
}

hlrp_status hlrp_find_pictures(const hlrp_graph *g, bool *picture, hlrp_error *err) {
    bool *wanted = NULL;
    const hlrp_status status = hlrp_calloc(&wanted, g->value_count, sizeof *wanted, "shapes", err);
    if (status != HLRP_OK)
        return status;
    find_wanted(g, wanted);
    for (int v = 0; v < g->value_count; v++)
        picture[v] = v == g->input && g->values[v].dims.rank == 4;
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *n = &g->nodes[i];
        const hlrp_lays_out lays = hlrp_node_lays_out(g, n);
        const int v = n->out[0];
        const bool gives = lays == HLRP_LAYS_AS_INPUT ? any_is(g, n, picture)
                           : lays == HLRP_LAYS_FREELY ? (n->part == 0 ? wanted[v] : n->part == 1)
                                                      : lays != HLRP_LAYS_ROWS;
        picture[v] = gives && g->values[v].dims.rank == 4;
    }
    free(wanted);
    return HLRP_OK;
}

bool hlrp_graph_is_one_by_one(const hlrp_graph *g) {
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *n = &g->nodes[i];
        const hlrp_dims *out = &g->values[n->out[0]].dims;
        const bool rows = hlrp_node_lays_out(g, n) == HLRP_LAYS_ROWS;
        if ((rows && n->op->layer == HLRP_NO_LAYER) || (out->rank != 2 && out->rank != 4) ||
            out->d[0] != g->values[g->input].dims.d[0])
            return true;
    }
    return false;
}

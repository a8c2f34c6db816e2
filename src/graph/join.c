/* Two networks in a row: a head that reads what an encoder gives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/internal.h"

/* The head's values, but for its input, as new ones: map[value] is the id here. */
static hlrp_status take_values(hlrp_graph *g, const hlrp_graph *head, int *map, hlrp_error *err) {
    for (int v = 0; v < head->value_count; v++) {
        char name[300];
        hlrp_tensor *constant = NULL;
        if (v == head->input) {
            map[v] = g->output;
            continue;
        }
        snprintf(name, sizeof name, "head/%.280s", head->values[v].name);
        if (head->values[v].constant) {
            const hlrp_status status = hlrp_tensor_copy(head->values[v].constant, &constant, err);
            if (status != HLRP_OK)
                return status;
        }
        map[v] = hlrp_graph_add_value(g, name, constant, err);
        if (map[v] < 0)
            return err->status;
        g->values[map[v]].dtype = head->values[v].dtype;
    }
    return HLRP_OK;
}

/* What a node holds beside its operator, name and values. */
static void take_settings(hlrp_node *to, const hlrp_node *from) {
    const hlrp_node own = *to;
    *to = *from;
    to->name = own.name;
    to->type = own.type;
    to->in = own.in;
    to->out = own.out;
    to->exact = NULL; /* moved by the caller */
}

static hlrp_status take_node(hlrp_graph *g, hlrp_node *n, const int *map, hlrp_error *err) {
    char name[300];
    int *in = NULL;
    hlrp_status status = hlrp_calloc(&in, n->in_count, sizeof *in, "a node", err);
    if (status != HLRP_OK)
        return status;
    for (int k = 0; k < n->in_count; k++)
        in[k] = n->in[k] >= 0 ? map[n->in[k]] : -1;
    const int out = map[n->out[0]];
    snprintf(name, sizeof name, "head/%.280s", n->name);
    const int id = hlrp_graph_add_node(g, n->op, name, n->type, in, n->in_count, &out, 1, err);
    free(in);
    if (id < 0)
        return err->status;
    take_settings(&g->nodes[id], n);
    g->nodes[id].exact = n->exact;
    n->exact = NULL;
    return HLRP_OK;
}

hlrp_status hlrp_graph_join(hlrp_graph *g, hlrp_graph *head, hlrp_error *err) {
    int *map = NULL;
    hlrp_status status = hlrp_calloc(&map, head->value_count, sizeof *map, "a head", err);
    if (status == HLRP_OK)
        status = take_values(g, head, map, err);
    for (int i = 0; status == HLRP_OK && i < head->node_count; i++)
        status = take_node(g, &head->nodes[i], map, err);
    if (status == HLRP_OK) {
        g->output = map[head->output];
        g->spare += head->spare;
    }
    free(map);
    return status;
}

#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include "graph/internal.h"

hlrp_status hlrp_graph_new(hlrp_graph **out, hlrp_error *err) {
    hlrp_status status = hlrp_calloc(out, 1, sizeof **out, "a graph", err);
    if (status == HLRP_OK) {
        (*out)->input = -1;
        (*out)->output = -1;
        (*out)->spare = INT64_C(1) << 28;
    }
    return status;
}

static void node_clear(hlrp_node *n) {
    free(n->name);
    free(n->type);
    free(n->in);
    free(n->out);
    free(n->exact);
    *n = (hlrp_node){0};
}

static void value_clear(hlrp_value *v) {
    free(v->name);
    hlrp_tensor_free(v->constant);
    *v = (hlrp_value){0};
}

void hlrp_graph_free(hlrp_graph *g) {
    if (!g)
        return;
    for (int k = 0; k < g->node_count; k++)
        node_clear(&g->nodes[k]);
    for (int k = 0; k < g->value_count; k++)
        value_clear(&g->values[k]);
    free(g->nodes);
    free(g->values);
    hlrp_strings_free(&g->classes);
    free(g);
}

/* Room for one more item; capacity is the graph's int. */
static hlrp_status grow(void *items, int *capacity, int count, size_t size, hlrp_error *err) {
    int64_t room = *capacity;
    if (count >= HLRP_GRAPH_MAX_ITEMS)
        return hlrp_fail(err, HLRP_E_MODEL, NULL, "simplify the network before exporting it",
                         "the network has more than %d nodes or tensors", HLRP_GRAPH_MAX_ITEMS);
    hlrp_status status = hlrp_grow(items, &room, (int64_t)count + 1, size, err);
    *capacity = (int)room;
    return status;
}

int hlrp_graph_add_value(hlrp_graph *g, const char *name, hlrp_tensor *constant, hlrp_error *err) {
    hlrp_value value = {.dims.rank = -1, .constant = constant, .producer = -1};
    value.name = hlrp_strdup(name, err);
    if (!value.name ||
        grow(&g->values, &g->value_capacity, g->value_count, sizeof value, err) != HLRP_OK) {
        value_clear(&value);
        return -1;
    }
    if (constant) {
        value.dims = constant->dims;
        value.dtype = constant->dtype;
    }
    g->values[g->value_count] = value;
    return g->value_count++;
}

hlrp_status hlrp_graph_spend(hlrp_graph *g, int64_t floats, hlrp_error *err) {
    if (floats <= g->spare) {
        g->spare -= floats;
        return HLRP_OK;
    }
    return hlrp_fail(err, HLRP_E_MODEL, NULL, "simplify the network before exporting it",
                     "constants that are made of the network's constants grow beyond measure");
}

static hlrp_status copy_ids(int **to, const int *from, int count, hlrp_error *err) {
    hlrp_status status = hlrp_calloc(to, count, sizeof **to, "a node", err);
    if (status == HLRP_OK && count > 0)
        memcpy(*to, from, (size_t)count * sizeof **to);
    return status;
}

int hlrp_graph_add_node(hlrp_graph *g, const hlrp_operator *op, const char *name, const char *type,
                        const int *in, int in_count, const int *out, int out_count,
                        hlrp_error *err) {
    hlrp_node n = {.op = op, .in_count = in_count, .out_count = out_count, .group = 1};
    n.name = hlrp_strdup(name, err);
    n.type = n.name ? hlrp_strdup(type, err) : NULL;
    if (!n.type || copy_ids(&n.in, in, in_count, err) != HLRP_OK ||
        copy_ids(&n.out, out, out_count, err) != HLRP_OK ||
        grow(&g->nodes, &g->node_capacity, g->node_count, sizeof n, err) != HLRP_OK) {
        node_clear(&n);
        return -1;
    }
    for (int k = 0; k < 2; k++) {
        n.window.kernel[k] = n.window.stride[k] = n.window.dilation[k] = 1;
    }
    g->nodes[g->node_count] = n;
    for (int k = 0; k < out_count; k++)
        if (out[k] >= 0)
            g->values[out[k]].producer = g->node_count;
    return g->node_count++;
}

int hlrp_graph_find_value(const hlrp_graph *g, const char *name) {
    for (int k = 0; k < g->value_count; k++)
        if (strcmp(g->values[k].name, name) == 0)
            return k;
    return -1;
}

int hlrp_graph_readers(const hlrp_graph *g, int value) {
    int readers = g->output == value;
    for (int k = 0; k < g->node_count; k++)
        for (int i = 0; i < g->nodes[k].in_count; i++)
            readers += g->nodes[k].in[i] == value;
    return readers;
}

void hlrp_graph_count_readers(const hlrp_graph *g, int *readers) {
    for (int v = 0; v < g->value_count; v++)
        readers[v] = g->output == v;
    for (int k = 0; k < g->node_count; k++)
        for (int i = 0; i < g->nodes[k].in_count; i++)
            if (g->nodes[k].in[i] >= 0)
                readers[g->nodes[k].in[i]]++;
}

/* Whether the value is computed, and stands before node `at`. */
static bool stands_before(const hlrp_graph *g, int value, int at) {
    return value >= 0 && !g->values[value].constant && g->values[value].producer < at;
}

int hlrp_graph_waist(const hlrp_graph *g, int at) {
    int waist = -1;
    for (int k = at; k < g->node_count; k++)
        for (int i = 0; i < g->nodes[k].in_count; i++) {
            const int value = g->nodes[k].in[i];
            if (!stands_before(g, value, at) || value == waist)
                continue;
            if (waist >= 0)
                return -1;
            waist = value;
        }
    return stands_before(g, g->output, at) ? -1 : waist;
}

static void name_producers(hlrp_graph *g) {
    for (int k = 0; k < g->node_count; k++)
        for (int i = 0; i < g->nodes[k].out_count; i++)
            if (g->nodes[k].out[i] >= 0)
                g->values[g->nodes[k].out[i]].producer = k;
}

/* The same nodes in another order, which become the graph's. */
static void take_order(hlrp_graph *g, hlrp_node *nodes) {
    free(g->nodes);
    g->nodes = nodes;
    g->node_capacity = g->node_count;
    name_producers(g);
}

hlrp_status hlrp_graph_place_nodes(hlrp_graph *g, int first, const int *before, hlrp_error *err) {
    hlrp_node *nodes = NULL;
    const hlrp_status status = hlrp_calloc(&nodes, g->node_count, sizeof *nodes, "a graph", err);
    if (status != HLRP_OK)
        return status;
    int next = first, count = 0;
    for (int k = 0; k <= first; k++) {
        while (next < g->node_count && (k == first || before[next - first] == k))
            nodes[count++] = g->nodes[next++];
        if (k < first)
            nodes[count++] = g->nodes[k];
    }
    take_order(g, nodes);
    return HLRP_OK;
}

hlrp_status hlrp_graph_put_first(hlrp_graph *g, const bool *first, hlrp_error *err) {
    hlrp_node *nodes = NULL;
    int count = 0;
    const hlrp_status status = hlrp_calloc(&nodes, g->node_count, sizeof *nodes, "a graph", err);
    if (status != HLRP_OK)
        return status;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < g->node_count; k++)
            if (first[k] == (pass == 0))
                nodes[count++] = g->nodes[k];
    take_order(g, nodes);
    return HLRP_OK;
}

/* ---- compaction ---- */

static void move_nodes(hlrp_graph *g, const bool *remove) {
    int kept = 0;
    for (int k = 0; k < g->node_count; k++) {
        if (remove && remove[k])
            node_clear(&g->nodes[k]);
        else
            g->nodes[kept++] = g->nodes[k];
    }
    g->node_count = kept;
}

static void mark(int *map, int value) {
    if (value >= 0)
        map[value] = 0;
}

static void renumber(int *ids, int count, const int *map) {
    for (int k = 0; k < count; k++)
        if (ids[k] >= 0)
            ids[k] = map[ids[k]];
}

/* map: -1 for a value nobody mentions, else its new id. */
static void move_values(hlrp_graph *g, int *map) {
    int kept = 0;
    for (int k = 0; k < g->value_count; k++) {
        if (map[k] < 0) {
            value_clear(&g->values[k]);
            continue;
        }
        g->values[kept] = g->values[k];
        g->values[kept].producer = -1;
        map[k] = kept++;
    }
    g->value_count = kept;
    renumber(&g->input, 1, map);
    renumber(&g->output, 1, map);
}

hlrp_status hlrp_graph_compact(hlrp_graph *g, const bool *remove, hlrp_error *err) {
    int *map = NULL;
    hlrp_status status = hlrp_calloc(&map, g->value_count, sizeof *map, "a graph", err);
    if (status != HLRP_OK)
        return status;
    move_nodes(g, remove);
    for (int k = 0; k < g->value_count; k++)
        map[k] = -1;
    mark(map, g->input);
    mark(map, g->output);
    for (int k = 0; k < g->node_count; k++) {
        for (int i = 0; i < g->nodes[k].in_count; i++)
            mark(map, g->nodes[k].in[i]);
        for (int i = 0; i < g->nodes[k].out_count; i++)
            mark(map, g->nodes[k].out[i]);
    }
    move_values(g, map);
    for (int k = 0; k < g->node_count; k++) {
        hlrp_node *n = &g->nodes[k];
        renumber(n->in, n->in_count, map);
        renumber(n->out, n->out_count, map);
        for (int i = 0; i < n->out_count; i++)
            if (n->out[i] >= 0)
                g->values[n->out[i]].producer = k;
    }
    free(map);
    return HLRP_OK;
}

/* ---- copying ---- */

static hlrp_status copy_value(const hlrp_value *from, hlrp_graph *to, hlrp_error *err) {
    hlrp_tensor *constant = NULL;
    if (from->constant) {
        hlrp_status status = hlrp_tensor_copy(from->constant, &constant, err);
        if (status != HLRP_OK)
            return status;
    }
    int id = hlrp_graph_add_value(to, from->name, constant, err);
    if (id < 0)
        return err->status;
    to->values[id].dims = from->dims;
    to->values[id].dtype = from->dtype;
    return HLRP_OK;
}

static hlrp_status copy_node(const hlrp_graph *g, const hlrp_node *from, hlrp_graph *to,
                             hlrp_error *err) {
    int id = hlrp_graph_add_node(to, from->op, from->name, from->type, from->in, from->in_count,
                                 from->out, from->out_count, err);
    if (id < 0)
        return err->status;
    hlrp_node *n = &to->nodes[id];
    hlrp_node own = *n;
    *n = *from; /* the attributes; what is owned is put back */
    n->name = own.name;
    n->type = own.type;
    n->in = own.in;
    n->out = own.out;
    n->exact = NULL;
    if (!from->exact)
        return HLRP_OK;
    int64_t count = 2 * hlrp_tensor_count(g->values[from->in[1]].constant);
    hlrp_status status = hlrp_calloc(&n->exact, count, sizeof *n->exact, "a graph", err);
    if (status == HLRP_OK)
        memcpy(n->exact, from->exact, (size_t)count * sizeof *n->exact);
    return status;
}

hlrp_status hlrp_graph_copy(const hlrp_graph *from, hlrp_graph **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_graph *to = NULL;

    *out = NULL;
    HLRP_TRY(hlrp_graph_new(&to, err));
    for (int k = 0; k < from->value_count; k++)
        HLRP_TRY(copy_value(&from->values[k], to, err));
    for (int k = 0; k < from->node_count; k++)
        HLRP_TRY(copy_node(from, &from->nodes[k], to, err));
    for (int64_t k = 0; k < from->classes.count; k++)
        HLRP_TRY(hlrp_strings_add(&to->classes, from->classes.items[k], err));
    to->input = from->input;
    to->output = from->output;
    to->nhwc = from->nhwc;
    to->mpp = from->mpp;
    to->has_norm = from->has_norm;
    memcpy(to->mean, from->mean, sizeof to->mean);
    memcpy(to->std, from->std, sizeof to->std);
    to->activation = from->activation;
    to->spare = from->spare;
    *out = to;
    to = NULL;

out:
    hlrp_graph_free(to);
    return status;
}

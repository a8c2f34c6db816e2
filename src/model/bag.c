/* A network as the head of a bag: in two parts, so that a bag of a hundred thousand instances need not stand
 * in memory layer by layer. The nodes that treat each instance by itself run on some instances at a time;
 * those behind them, from the weights of the pooling on, on what these gave of all. */
#include <stdlib.h>
#include <string.h>

#include "model/internal.h"
#include "sched/sched.h"

/* The bag by which nodes are told apart. A prime that no other axis has by chance. */
enum { REFERENCE = 1009 };

/* The dims of a bag [N,D], or [1,N,D] where the file has it so; D 0: the file's. */
hlrp_status hlrp_network_bag_dims(hlrp_network *net, const hlrp_dims *bag, hlrp_error *err) {
    const hlrp_dims *file = &net->graph->values[net->graph->input].dims;
    const int64_t own = file->rank > 0 ? file->d[file->rank - 1] : -1;
    const int64_t width = bag->d[1] > 0 ? bag->d[1] : own;
    if (file->rank > 0 && file->rank != 2 && !(file->rank == 3 && file->d[0] <= 1))
        return hlrp_fail(err, HLRP_E_MODEL, net->config->model.path,
                         "export it with an input [N,D], N open",
                         "the head's input has %d axes, which is no bag of features", file->rank);
    if (width < 1)
        return hlrp_fail(err, HLRP_E_MODEL, net->config->model.path,
                         "export it with D fixed and only N open",
                         "the head does not say how many features a tile has");
    if (own > 0 && own != width)
        return hlrp_fail(err, HLRP_E_MODEL, net->config->model.path,
                         "take the head that was trained on these features",
                         "the head takes %lld features of a tile, but there are %lld",
                         (long long)own, (long long)width);
    net->declared = file->rank == 3 ? (hlrp_dims){3, {1, bag->d[0], width}}
                                    : (hlrp_dims){2, {bag->d[0], width}};
    return HLRP_OK;
}

/* Whether the two were canonized to the same nodes, so that what is true of one's holds for the other's. */
static bool same_nodes(const hlrp_graph *a, const hlrp_graph *b) {
    bool same = a->node_count == b->node_count && a->value_count == b->value_count;
    for (int i = 0; same && i < a->node_count; i++)
        same = a->nodes[i].op == b->nodes[i].op && a->nodes[i].out[0] == b->nodes[i].out[0] &&
               strcmp(a->nodes[i].name, b->nodes[i].name) == 0;
    return same;
}

/* The dims of a bag of `instances`. */
static hlrp_dims sized(const hlrp_network *net, int64_t instances) {
    hlrp_dims dims = net->declared;
    dims.d[dims.rank - 2] = instances;
    return dims;
}

/* Orders the nodes, and keeps the graph for some instances at a time; without one all nodes are behind. */
static hlrp_status part(hlrp_network *net, hlrp_graph **reference, hlrp_error *err) {
    hlrp_graph *g = *reference;
    const hlrp_dims block = sized(net, HLRP_BAG_BLOCK);
    bool *rows = NULL;
    int count = 0;
    hlrp_error ignored = {0};
    hlrp_status status = HLRP_OK;
    net->rest = (hlrp_segment){0, net->graph->node_count};
    if (!same_nodes(g, net->graph))
        return HLRP_OK;
    HLRP_TRY(hlrp_calloc(&rows, g->node_count, sizeof *rows, "a graph", err));
    HLRP_TRY(hlrp_graph_find_rows(g, REFERENCE, rows, &count, err));
    if (count == 0 || hlrp_graph_infer(g, &block, &ignored) != HLRP_OK)
        goto out;
    HLRP_TRY(hlrp_graph_put_first(g, rows, err));
    HLRP_TRY(hlrp_graph_put_first(net->graph, rows, err));
    net->rest.from = count;
    net->row_graph = g;
    *reference = NULL;
out:
    free(rows);
    return status;
}

static hlrp_status make_plans(void *ctx, hlrp_error *err) {
    hlrp_network *net = ctx;
    const hlrp_segment rows = {0, net->rest.from};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_network_open_backend(net, err));
    HLRP_TRY(hlrp_network_plan(net, net->graph, &net->rest, &net->lrp, err));
    if (net->row_graph)
        status = hlrp_network_plan(net, net->row_graph, &rows, &net->row_lrp, err);
out:
    return status;
}

/* One score of all instances. */
static hlrp_status check_output(const hlrp_network *net, int64_t instances, hlrp_error *err) {
    const hlrp_dims *out = &net->graph->values[net->graph->output].dims;
    if (out->d[0] == 1)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_MODEL, net->config->model.path, "export it with an output [1,C]",
                     "of %lld tiles the head gives %lld scores, not one", (long long)instances,
                     (long long)out->d[0]);
}

hlrp_status hlrp_network_load_bag(const hlrp_config *config, int64_t instances, int64_t features,
                                  const hlrp_log *log, hlrp_network **out, hlrp_error *err) {
    const hlrp_dims bag = {2, {instances, features}}, other = {2, {REFERENCE, features}};
    hlrp_network *net = NULL, *reference = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_network_read(config, NULL, &bag, log, &net, err));
    HLRP_TRY(hlrp_network_read(config, NULL, &other, NULL, &reference, err));
    HLRP_TRY(check_output(net, instances, err));
    net->batch = net->run_batch = 1;
    net->values = instances * net->declared.d[net->declared.rank - 1];
    HLRP_TRY(part(net, &reference->graph, err));
    HLRP_TRY(hlrp_sched_single(make_plans, net, err));
    *out = net;
    net = NULL;
out:
    hlrp_network_free(net);
    hlrp_network_free(reference);
    return status;
}

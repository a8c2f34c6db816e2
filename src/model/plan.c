/* A network that is settled, made ready for one input size. */
#include <stdlib.h>

#include "model/internal.h"
#include "sched/sched.h"

/* Activations of a micro-batch stay below this, so that a worker fits a core's share of memory. */
#define BATCH_BYTES (INT64_C(768) << 20)
enum { LARGEST_BATCH = 4 };

hlrp_product_option hlrp_network_product(hlrp_config_product asked) {
    return asked == HLRP_CONFIG_PRODUCT_CONSTANT ? HLRP_PRODUCT_CONSTANT
           : asked == HLRP_CONFIG_PRODUCT_SHARE  ? HLRP_PRODUCT_SHARE
                                                 : HLRP_PRODUCT_AUTO;
}

static int64_t choose_batch(const hlrp_graph *graph) {
    int64_t floats = 0;
    if (hlrp_graph_is_one_by_one(graph))
        return 1;
    for (int v = 0; v < graph->value_count; v++) {
        int64_t count = 0;
        hlrp_error ignored = {0};
        if (!graph->values[v].constant &&
            hlrp_dims_count(&graph->values[v].dims, &count, &ignored) == HLRP_OK)
            floats += count;
    }
    int64_t batch = LARGEST_BATCH;
    while (batch > 1 && batch * floats * (int64_t)sizeof(float) > BATCH_BYTES)
        batch /= 2;
    return batch;
}

const float *hlrp_network_reference(const hlrp_network *net) {
    const hlrp_config_reference_point point = net->config->lrp.reference;
    return point == HLRP_CONFIG_REFERENCE_WHITE   ? net->white
           : point == HLRP_CONFIG_REFERENCE_BLACK ? net->black
                                                  : net->zero;
}

static hlrp_lrp_options lrp_options(const hlrp_network *net, const hlrp_rule_override *overrides) {
    const hlrp_config *c = net->config;
    hlrp_lrp_options o = {.rules = hlrp_rule_options_default()};
    o.rules.composite = net->composite;
    o.rules.gamma_linear = c->lrp.gamma_linear > 0 ? c->lrp.gamma_linear : -1;
    o.rules.attention = hlrp_network_product(c->lrp.attention);
    o.rules.gate = net->gate_rule;
    o.rules.layernorm_pass = c->lrp.layernorm == HLRP_CONFIG_LAYERNORM_PASS;
    o.rules.gamma = c->lrp.gamma > 0 ? c->lrp.gamma : -1;
    o.rules.alpha = c->lrp.alpha;
    o.rules.beta = c->lrp.beta;
    o.rules.epsilon = c->lrp.epsilon > 0 ? c->lrp.epsilon : -1;
    o.rules.batchnorm_pass = c->lrp.batchnorm != HLRP_CONFIG_BATCHNORM_AUTO;
    o.rules.head_lrp0 = hlrp_start_needs_lrp0_head(&net->start);
    o.rules.head_yields = net->start.kind == HLRP_START_EVIDENCE;
    o.rules.overrides = overrides;
    o.rules.override_count = (int)c->rule_count;
    o.low = net->low;
    o.high = net->high;
    o.bias = net->bias;
    o.rules.names_others = c->mil.head[0] != '\0';
    o.reference = net->declared.rank == 4 ? hlrp_network_reference(net) : NULL;
    o.forward_only = net->forward_only;
    return o;
}

hlrp_status hlrp_network_plan(hlrp_network *net, const hlrp_graph *graph,
                              const hlrp_segment *segment, hlrp_lrp **out, hlrp_error *err) {
    hlrp_rule_override *overrides = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&overrides, net->config->rule_count, sizeof *overrides, "rules", err));
    for (int64_t i = 0; i < net->config->rule_count; i++)
        overrides[i] = (hlrp_rule_override){.key = net->config->rules[i].node,
                                            .rule = net->config->rules[i].rule,
                                            .line = net->config->rules[i].line};
    hlrp_lrp_options options = lrp_options(net, overrides);
    options.segment = segment;
    status = hlrp_lrp_new(net->backend, graph, &options, out, err);
out:
    free(overrides);
    return status;
}

hlrp_status hlrp_network_open_backend(hlrp_network *net, hlrp_error *err) {
    const hlrp_status status = hlrp_backend_new(&net->backend, err);
    if (status != HLRP_OK)
        return status;
    if (net->config->compute.precision == HLRP_CONFIG_PRECISION_FAST)
        hlrp_backend_allow_coarse(net->backend);
    hlrp_backend_compute_as(net->backend, net->run_batch);
    return HLRP_OK;
}

/* Primitives are made the way they will run: with one thread. */
static hlrp_status make_lrp(void *ctx, hlrp_error *err) {
    hlrp_network *net = ctx;
    const hlrp_status status = hlrp_network_open_backend(net, err);
    return status == HLRP_OK ? hlrp_network_plan(net, net->graph, NULL, &net->lrp, err) : status;
}

/* Winograd's kernels part a micro-batch as it suits them: they get a run's. */
static int64_t fewest(const hlrp_network *net, int64_t most) {
    const bool fixed = net->declared.d[0] > 1;
    const bool exact = net->config->compute.precision != HLRP_CONFIG_PRECISION_FAST;
    return most > 0 && !fixed && exact ? HLRP_MIN(most, net->run_batch) : net->run_batch;
}

hlrp_status hlrp_network_ready(hlrp_network *net, int64_t most, int64_t height, int64_t width,
                               hlrp_error *err) {
    const int64_t fixed = net->declared.d[0];
    hlrp_dims dims = {4, {fixed, net->declared.d[1], height, width}};
    hlrp_status status = HLRP_OK;
    if (dims.d[1] != 3)
        return hlrp_fail(err, HLRP_E_MODEL, net->config->model.path,
                         "use a network of RGB pictures",
                         "the network's input has %lld channels, not 3", (long long)dims.d[1]);
    HLRP_TRY(hlrp_graph_infer(net->graph, &dims, err));
    net->run_batch = fixed > 1 ? fixed : choose_batch(net->graph);
    net->batch = fewest(net, most);
    dims.d[0] = net->batch;
    HLRP_TRY(hlrp_graph_infer(net->graph, &dims, err));
    net->height = height;
    net->width = width;
    net->values = 3 * height * width;
    status = hlrp_sched_single(make_lrp, net, err);
out:
    if (status == HLRP_E_MEMORY)
        status = err->status = HLRP_E_MODEL;
    return status;
}

hlrp_status hlrp_network_ready_forward(hlrp_network *net, int64_t batch, int64_t height,
                                       int64_t width, hlrp_error *err) {
    net->forward_only = true;
    return hlrp_network_ready(net, batch, height, width, err);
}

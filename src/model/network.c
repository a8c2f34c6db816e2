#include "model/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canonize/canonize.h"
#include "onnx/onnx.h"
#include "sched/sched.h"

/* otherwise: by channel, where the list is empty. */
static hlrp_status per_channel(const hlrp_number_list *list, const char *key,
                               const double otherwise[3], double out[3], hlrp_error *err) {
    if (list->count != 0 && list->count != 1 && list->count != 3)
        return hlrp_fail(err, HLRP_E_CONFIG, key, "give one number, or one for each channel",
                         "%lld numbers do not fit 3 channels", (long long)list->count);
    for (int i = 0; i < 3; i++)
        out[i] = list->count == 0 ? otherwise[i] : list->items[list->count == 1 ? 0 : i];
    return HLRP_OK;
}

/* By hlrp_config_preset: means, then deviations. */
static const double presets[][2][3] = {
    [HLRP_CONFIG_PRESET_IMAGENET] = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}},
    [HLRP_CONFIG_PRESET_OPENAI_CLIP] = {{0.48145466, 0.4578275, 0.40821073},
                                        {0.26862954, 0.26130258, 0.27577711}},
    [HLRP_CONFIG_PRESET_HALF] = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
};

static hlrp_status settle_pixels(hlrp_network *net, hlrp_error *err) {
    const hlrp_config *c = net->config;
    const hlrp_graph *g = net->graph;
    const double zero[3] = {0, 0, 0}, one[3] = {1, 1, 1};
    const bool preset = c->model.preset != HLRP_CONFIG_PRESET_NONE;
    const double *own_mean = preset ? presets[c->model.preset][0] : g->has_norm ? g->mean : zero;
    const double *own_std = preset ? presets[c->model.preset][1] : g->has_norm ? g->std : one;
    double *mean = net->mean, *std = net->std, low[3], high[3];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(per_channel(&c->model.mean, "model.mean", own_mean, mean, err));
    HLRP_TRY(per_channel(&c->model.std, "model.std", own_std, std, err));
    HLRP_TRY(hlrp_normalizer_init(&net->normalizer, c->model.scale, mean, std,
                                  c->model.channels == HLRP_CONFIG_CHANNELS_BGR, err));
    for (int i = 0; i < 3; i++) {
        net->low[i] = net->black[i] = net->normalizer.value[i][0];
        net->high[i] = net->white[i] = net->normalizer.value[i][255];
    }
    HLRP_TRY(per_channel(&c->lrp.low, "lrp.low", zero, low, err));
    HLRP_TRY(per_channel(&c->lrp.high, "lrp.high", one, high, err));
    for (int i = 0; i < 3; i++) {
        net->low[i] = c->lrp.low.count ? (float)low[i] : net->low[i];
        net->high[i] = c->lrp.high.count ? (float)high[i] : net->high[i];
    }
out:
    return status;
}

/* ---- from logits to probabilities ---- */

static hlrp_probability_kind probability_of(const hlrp_network *net) {
    switch (net->config->model.activation) {
    case HLRP_CONFIG_ACTIVATION_SOFTMAX:
        return HLRP_PROBABILITY_SOFTMAX;
    case HLRP_CONFIG_ACTIVATION_SIGMOID:
        return HLRP_PROBABILITY_SIGMOID;
    case HLRP_CONFIG_ACTIVATION_NONE:
        return HLRP_PROBABILITY_NONE;
    case HLRP_CONFIG_ACTIVATION_AUTO:
        break;
    }
    return net->graph->activation == HLRP_ACTIVATION_SIGMOID ? HLRP_PROBABILITY_SIGMOID
                                                             : HLRP_PROBABILITY_SOFTMAX;
}

/* A setting that contradicts what the file ends in is followed, but not in silence. */
static hlrp_status settle_probability(hlrp_network *net, const hlrp_log *log, hlrp_error *err) {
    static const char *const ends[] = {"", "Softmax", "Sigmoid"};
    const hlrp_activation end = net->graph->activation;
    const hlrp_config_activation asked = net->config->model.activation;
    const hlrp_probability_kind of_graph =
        end == HLRP_ACTIVATION_SIGMOID ? HLRP_PROBABILITY_SIGMOID : HLRP_PROBABILITY_SOFTMAX;
    net->probability = probability_of(net);
    if (net->outputs == 1 && end == HLRP_ACTIVATION_SOFTMAX &&
        asked != HLRP_CONFIG_ACTIVATION_SIGMOID && asked != HLRP_CONFIG_ACTIVATION_NONE)
        return hlrp_fail(err, HLRP_E_MODEL, net->config->model.path,
                         "export it with two outputs, or set model.activation = sigmoid if its "
                         "logit was trained as one of two classes",
                         "the network ends in a Softmax over one output, which is always 1");
    if (end != HLRP_ACTIVATION_NONE && net->probability != of_graph)
        hlrp_logf(log, HLRP_LOG_WARN,
                  "model.activation = %s, but the network ends in %s: its own probabilities are "
                  "others (auto takes them)",
                  net->probability == HLRP_PROBABILITY_NONE      ? "none"
                  : net->probability == HLRP_PROBABILITY_SIGMOID ? "sigmoid"
                                                                 : "softmax",
                  ends[end]);
    return HLRP_OK;
}

static hlrp_bias bias_of(hlrp_config_bias asked, bool attention) {
    switch (asked) {
    case HLRP_CONFIG_BIAS_DROP:
        return HLRP_BIAS_DROP;
    case HLRP_CONFIG_BIAS_SHARE:
        return HLRP_BIAS_SHARE;
    case HLRP_CONFIG_BIAS_SPREAD:
        return HLRP_BIAS_SPREAD;
    case HLRP_CONFIG_BIAS_KEEP:
        return HLRP_BIAS_KEEP;
    case HLRP_CONFIG_BIAS_AUTO:
        break;
    }
    return attention ? HLRP_BIAS_KEEP : HLRP_BIAS_SHARE;
}

/* Relevance that sigmoids pass on is divided by gates near 0 again and again: it grows to thousands of
 * times the start. No network gets that unasked. */
static void settle_gate_rule(hlrp_network *net, bool has_gates, const hlrp_log *log) {
    const hlrp_config *c = net->config;
    const bool chosen = strcmp(c->lrp.composite, "auto") != 0;
    net->gate_rule = hlrp_network_product(c->lrp.gate);
    if (!has_gates)
        return;
    if (net->gate_rule == HLRP_PRODUCT_AUTO && !chosen)
        net->gate_rule = HLRP_PRODUCT_CONSTANT;
    if (net->gate_rule == HLRP_PRODUCT_SHARE ||
        (net->gate_rule == HLRP_PRODUCT_AUTO && hlrp_composite_shares_gates(net->composite)))
        hlrp_logf(log, HLRP_LOG_WARN,
                  "gates share relevance with what they multiply, which lets it grow beyond any "
                  "measure where they are near 0: lrp.gate = constant holds them fixed");
}

/* What `auto` is for this network. */
static hlrp_status settle_rules(hlrp_network *net, const hlrp_log *log, hlrp_error *err) {
    const hlrp_config *c = net->config;
    hlrp_structure structure = {0};
    const hlrp_status status = hlrp_structure_find(net->graph, &structure, err);
    if (status != HLRP_OK)
        return status;
    const bool chosen = strcmp(c->lrp.composite, "auto") != 0;
    net->composite = chosen ? c->lrp.composite : hlrp_composite_for(&structure);
    net->bias = bias_of(c->lrp.bias, structure.has_attention);
    settle_gate_rule(net, structure.has_gates, log);
    hlrp_structure_free(&structure);
    return HLRP_OK;
}

static hlrp_status settle(hlrp_network *net, const hlrp_log *log, hlrp_error *err) {
    const hlrp_config *c = net->config;
    const hlrp_value *logits = &net->graph->values[net->graph->output];
    net->outputs = logits->dims.d[1];
    net->classes = hlrp_class_count(net->outputs);
    net->mpp = c->model.mpp > 0 ? c->model.mpp : net->graph->mpp;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(settle_rules(net, log, err));
    HLRP_TRY(settle_probability(net, log, err));
    HLRP_TRY(hlrp_network_name_classes(net, err));
    HLRP_TRY(hlrp_network_settle_gate(net, err));
    HLRP_TRY(hlrp_network_settle_targets(net, err));
    HLRP_TRY(hlrp_network_settle_shown(net, err));
    HLRP_TRY(hlrp_network_start(net, c->lrp.start, &net->start, err));
    HLRP_TRY(settle_pixels(net, err));
out:
    return status;
}

/* ---- loading ---- */

static hlrp_canonize_batchnorm canonize_mode(hlrp_config_batchnorm mode) {
    return mode == HLRP_CONFIG_BATCHNORM_PASS    ? HLRP_BATCHNORM_PASS
           : mode == HLRP_CONFIG_BATCHNORM_MERGE ? HLRP_BATCHNORM_MERGE
                                                 : HLRP_BATCHNORM_AUTO;
}

/* One input size the network is sure to take: the file's; where that is open the configured tile's,
 * else the input's. */
static hlrp_status input_size(hlrp_network *net, const hlrp_size *input, hlrp_error *err) {
    const int64_t side = net->config->tiles.size;
    const hlrp_size size = side > 0 || !input ? (hlrp_size){side, side} : *input;
    hlrp_error why = {0};
    if (hlrp_canonize_input(net->graph, &net->declared, &why) == HLRP_OK)
        return HLRP_OK;
    const int rank = net->graph->values[net->graph->input].dims.rank;
    if (size.w <= 0 || (rank != 0 && rank != 4))
        return hlrp_fail(err, why.status, net->config->model.path, why.mend, "%s", why.what);
    net->declared = (hlrp_dims){4, {1, 3, size.h, size.w}};
    net->open_size = true;
    return HLRP_OK;
}

/* What the configuration can name but this version cannot do is refused, not passed over. Where oneDNN
 * has nothing faster, direct sums are what was asked for and better. */
static hlrp_status check_compute(const hlrp_config *c, const hlrp_log *log, hlrp_error *err) {
    char where[300];
    if (c->compute.precision == HLRP_CONFIG_PRECISION_BF16)
        return hlrp_fail(err, HLRP_E_CONFIG,
                         hlrp_config_where(c, "compute.precision", where, sizeof where),
                         "set it to f32 or fast", "this version computes in float32 only");
    if (c->compute.plan[0] != '\0')
        return hlrp_fail(err, HLRP_E_CONFIG,
                         hlrp_config_where(c, "compute.plan", where, sizeof where),
                         "remove the key: the choice follows from the shapes alone",
                         "this version reads no plan file");
    if (c->compute.precision == HLRP_CONFIG_PRECISION_FAST && !hlrp_backend_has_coarse())
        hlrp_logf(log, HLRP_LOG_WARN,
                  "compute.precision = fast is the same as f32 here: %s has no "
                  "Winograd",
                  hlrp_backend_version());
    return HLRP_OK;
}

static bool all_finite(const hlrp_tensor *t) {
    for (int64_t e = 0; e < hlrp_tensor_count(t); e++)
        if (!isfinite(t->f[e]))
            return false;
    return true;
}

/* One weight that is no number makes every logit none: it is named before anything runs. What nodes share
 * is looked at once. */
static hlrp_status check_weights(const hlrp_graph *g, const char *path, hlrp_error *err) {
    bool *seen = NULL;
    hlrp_status status = hlrp_calloc(&seen, g->value_count, sizeof *seen, "a network", err);
    for (int i = 0; status == HLRP_OK && i < g->node_count; i++)
        for (int k = 1; status == HLRP_OK && k < g->nodes[i].in_count; k++) {
            const int v = g->nodes[i].in[k];
            const hlrp_tensor *t = v >= 0 && !seen[v] ? g->values[v].constant : NULL;
            if (t && t->dtype == HLRP_F32 && !all_finite(t))
                status = hlrp_fail(err, HLRP_E_MODEL, path,
                                   "train it again or take an earlier checkpoint",
                                   "the weights of node %s (tensor %s) hold a value that is not "
                                   "finite",
                                   g->nodes[i].name, g->values[v].name);
            if (t)
                seen[v] = true;
        }
    free(seen);
    return status;
}

/* The classifier behind an encoder of features: the two become one network, with the head's classes. */
static hlrp_status join_head(hlrp_network *net, hlrp_error *err) {
    const char *path = net->config->model.head;
    char both[2 * 65], hash[65];
    hlrp_graph *head = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_sha256_file(path, hash, err));
    snprintf(both, sizeof both, "%s%s", net->hash, hash);
    hlrp_sha256_bytes(both, strlen(both), net->hash);
    HLRP_TRY(hlrp_onnx_load(path, NULL, &head, err));
    const hlrp_dims *d = &head->values[head->input].dims;
    if (d->rank > 0 && d->rank != 2)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, path, "export it with an input [N,D]",
                           "the head's input has %d axes, not the 2 of features", d->rank));
    hlrp_strings_free(&net->graph->classes);
    net->graph->classes = head->classes;
    head->classes = (hlrp_strings){0};
    status = hlrp_graph_join(net->graph, head, err);
out:
    hlrp_graph_free(head);
    return status;
}

/* A file that says N > 1 is read for one picture, if that can be: shapes written into it may hold for N
 * alone, and then that is the batch. */
static hlrp_status canonize(hlrp_network *net, const hlrp_canonize_options *options,
                            hlrp_error *err) {
    hlrp_dims one = net->declared;
    hlrp_graph *copy = NULL;
    hlrp_error why = {0};
    if (net->declared.d[0] == 1)
        return hlrp_canonize(net->graph, options, &net->declared, err);
    const hlrp_status status = hlrp_graph_copy(net->graph, &copy, err);
    if (status != HLRP_OK)
        return status;
    one.d[0] = 1;
    if (hlrp_canonize(copy, options, &one, &why) == HLRP_OK) {
        hlrp_graph_free(net->graph);
        net->graph = copy;
        net->declared = one;
        return HLRP_OK;
    }
    hlrp_graph_free(copy);
    return hlrp_canonize(net->graph, options, &net->declared, err);
}

hlrp_status hlrp_network_read(const hlrp_config *config, const hlrp_size *input,
                              const hlrp_dims *bag, const hlrp_log *log, hlrp_network **out,
                              hlrp_error *err) {
    hlrp_network *net = NULL;
    hlrp_status status = HLRP_OK;
    const hlrp_canonize_options options = {.batchnorm = canonize_mode(config->lrp.batchnorm),
                                           .log = log};
    HLRP_TRY(hlrp_calloc(&net, 1, sizeof *net, "network", err));
    net->config = config;
    HLRP_TRY(check_compute(config, log, err));
    HLRP_TRY(hlrp_config_require(config, "model.path", err));
    HLRP_TRY(hlrp_sha256_file(config->model.path, net->hash, err));
    const char *output = config->model.output[0] ? config->model.output : NULL;
    HLRP_TRY(hlrp_onnx_load(config->model.path, output, &net->graph, err));
    if (config->model.head[0])
        HLRP_TRY(join_head(net, err));
    HLRP_TRY(bag ? hlrp_network_bag_dims(net, bag, err) : input_size(net, input, err));
    HLRP_TRY(bag ? hlrp_canonize(net->graph, &options, &net->declared, err)
                 : canonize(net, &options, err));
    HLRP_TRY(check_weights(net->graph, config->model.path, err));
    HLRP_TRY(settle(net, log, err));
    *out = net;
    return HLRP_OK;
out:
    /* A model that is not there, or that nothing has memory for: nothing can run. */
    if (status == HLRP_E_INPUT || status == HLRP_E_MEMORY)
        status = err->status = HLRP_E_MODEL;
    hlrp_network_free(net);
    return status;
}

hlrp_status hlrp_network_load(const hlrp_config *config, const hlrp_size *input,
                              const hlrp_log *log, hlrp_network **out, hlrp_error *err) {
    return hlrp_network_read(config, input, NULL, log, out, err);
}

hlrp_status hlrp_network_tile_size(const hlrp_network *net, int64_t *size, hlrp_error *err) {
    *size = net->config->tiles.size > 0 ? net->config->tiles.size : net->declared.d[2];
    if (net->config->tiles.size <= 0 && net->declared.d[2] != net->declared.d[3])
        return hlrp_fail(err, HLRP_E_CONFIG, net->config->model.path, "set tiles.size",
                         "the network's input is %lld × %lld, not square",
                         (long long)net->declared.d[3], (long long)net->declared.d[2]);
    return HLRP_OK;
}

void hlrp_network_free(hlrp_network *net) {
    if (!net)
        return;
    for (int64_t k = 0; net->class_names && k < net->classes; k++)
        free(net->class_names[k]);
    free(net->class_names);
    free(net->targets.classes);
    hlrp_lrp_free(net->lrp);
    hlrp_lrp_free(net->row_lrp);
    hlrp_backend_free(net->backend);
    hlrp_graph_free(net->graph);
    hlrp_graph_free(net->row_graph);
    free(net);
}

static hlrp_status require_network(const hlrp_network *net, hlrp_error *err) {
    if (net->mpp > 0)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, "model.mpp",
                     "set it to the micrometres per pixel that the network was trained at",
                     "neither the configuration nor the model's metadata say the network's mpp");
}

hlrp_status hlrp_network_prepare(const hlrp_config *config, bool forward_only, const hlrp_log *log,
                                 hlrp_network **net, hlrp_error *err) {
    int64_t size = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_network_load(config, NULL, log, net, err));
    HLRP_TRY(require_network(*net, err));
    HLRP_TRY(hlrp_network_tile_size(*net, &size, err));
    status = forward_only ? hlrp_network_ready_forward(*net, 0, size, size, err)
                          : hlrp_network_ready(*net, 0, size, size, err);
out:
    return status;
}

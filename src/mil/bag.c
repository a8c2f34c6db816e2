#include "mil/bag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/agreement.h"

/* ---- configurations of the two networks ---- */

static hlrp_status copy_of(const hlrp_config *config, hlrp_config **out, hlrp_error *err) {
    char *text = NULL;
    hlrp_status status = hlrp_config_effective(config, &text, err);
    if (status == HLRP_OK)
        status = hlrp_config_parse(text, config->path, out, err);
    free(text);
    return status;
}

static hlrp_status set(char **to, const char *value, hlrp_error *err) {
    free(*to);
    *to = hlrp_strdup(value, err);
    return *to ? HLRP_OK : HLRP_E_MEMORY;
}

/* The head's: its file, and its own ways with attention and biases. Conservative propagation where nothing
 * is said: attention held constant, epsilon everywhere, biases left out, so that the instances' relevance
 * adds up to the score (SLIDE-SCORE of xMIL, Hense et al. 2024). */
static hlrp_status head_config(const hlrp_config *config, hlrp_config **out, hlrp_error *err) {
    hlrp_status status = copy_of(config, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_config *c = *out;
    if (config->mil.head[0] != '\0')
        HLRP_TRY(set(&c->model.path, config->mil.head, err));
    HLRP_TRY(set(&c->model.head, "", err));
    if (strcmp(c->lrp.composite, "auto") == 0)
        HLRP_TRY(set(&c->lrp.composite, "cp", err));
    if (config->mil.attention != HLRP_CONFIG_PRODUCT_AUTO)
        c->lrp.attention = config->mil.attention;
    if (config->mil.bias != HLRP_CONFIG_BIAS_AUTO)
        c->lrp.bias = config->mil.bias;
    else if (config->lrp.bias == HLRP_CONFIG_BIAS_AUTO)
        c->lrp.bias = HLRP_CONFIG_BIAS_DROP;
out:
    return status;
}

/* The encoder's: features have no classes, and start with what the head says. */
static hlrp_status encoder_config(const hlrp_config *config, hlrp_config **out, hlrp_error *err) {
    hlrp_status status = copy_of(config, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_config *c = *out;
    for (int64_t k = 0; k < c->model.classes.count; k++)
        free(c->model.classes.items[k]);
    c->model.classes.count = 0;
    for (int64_t k = 0; k < c->lrp.target.count; k++)
        free(c->lrp.target.items[k]);
    c->lrp.target.count = 0;
    return set(&c->lrp.start, "norm", err);
}

/* Each name in [rules] is a node of one of the two. */
static hlrp_status check_rules(const hlrp_bag *b, const hlrp_config *config, hlrp_error *err) {
    char where[60];
    for (int64_t i = 0; i < config->rule_count; i++) {
        const char *key = config->rules[i].node;
        if (hlrp_rule_names_a_node(b->head->graph, key) ||
            (b->encoder && hlrp_rule_names_a_node(b->encoder->graph, key)))
            continue;
        snprintf(where, sizeof where, "[rules], line %d", config->rules[i].line);
        return hlrp_fail(err, HLRP_E_CONFIG, where, "`histolrp inspect MODEL.onnx` lists the nodes",
                         "no node of the networks matches '%.120s'", key);
    }
    return HLRP_OK;
}

/* ---- opening ---- */

static hlrp_status open_encoder(hlrp_bag *b, const hlrp_config *config, const hlrp_dims *input,
                                const hlrp_log *log, hlrp_error *err) {
    const hlrp_size size = {input->d[3], input->d[2]};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(encoder_config(config, &b->below, err));
    HLRP_TRY(hlrp_network_load(b->below, &size, log, &b->encoder, err));
    HLRP_TRY(hlrp_network_ready(b->encoder, 0, size.h, size.w, err));
    b->width = b->encoder->outputs;
out:
    return status;
}

/* One of the encoder and one of the head, side by side. */
static hlrp_status open_workers(hlrp_bag *b, const hlrp_config *config, hlrp_error *err) {
    const int64_t encoder = b->encoder ? hlrp_worker_bytes(b->encoder) : 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_worker_within_limit(config, encoder + hlrp_worker_bytes(b->head), err));
    if (b->encoder)
        HLRP_TRY(hlrp_worker_open(&b->tiles, b->encoder, err));
    status = hlrp_worker_open(&b->worker, b->head, err);
out:
    return status;
}

hlrp_status hlrp_refuse_bag(const hlrp_config *config, hlrp_error *err) {
    if (config->mil.head[0] == '\0')
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, "mil.head",
                     "leave it out, or give the tiles' features to `histolrp explain`",
                     "run explains tiles one by one, not a bag of them");
}

hlrp_status hlrp_bag_open(hlrp_bag *b, const hlrp_config *config, const char *start,
                          const hlrp_dims *input, const hlrp_log *log, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    b->log = log;
    b->instances = input->d[0];
    b->width = input->d[1];
    if (input->rank == 4)
        HLRP_TRY(open_encoder(b, config, input, log, err));
    HLRP_TRY(head_config(config, &b->own, err));
    if (start)
        HLRP_TRY(set(&b->own->lrp.start, start, err));
    HLRP_TRY(hlrp_network_load_bag(b->own, b->instances, b->width, log, &b->head, err));
    HLRP_TRY(open_workers(b, config, err));
    HLRP_TRY(hlrp_calloc(&b->sums, b->instances, sizeof *b->sums, "a bag", err));
    HLRP_TRY(hlrp_calloc(&b->magnitudes, b->instances, sizeof *b->magnitudes, "a bag", err));
    status = check_rules(b, config, err);
out:
    return status;
}

void hlrp_bag_close(hlrp_bag *b) {
    hlrp_worker_close(&b->worker);
    hlrp_worker_close(&b->tiles);
    hlrp_network_free(b->head);
    hlrp_network_free(b->encoder);
    hlrp_config_free(b->own);
    hlrp_config_free(b->below);
    free(b->sums);
    free(b->magnitudes);
    *b = (hlrp_bag){0};
}

/* ---- the head ---- */

/* Of each instance: Σ and Σ|·| over its features; returns the sum of all. */
static double sum_up(hlrp_bag *b) {
    const float *r = b->worker.relevance;
    double all = 0;
    for (int64_t i = 0; i < b->instances; i++) {
        b->sums[i] = b->magnitudes[i] = 0;
        for (int64_t k = 0; k < b->width; k++) {
            b->sums[i] += (double)r[i * b->width + k];
            b->magnitudes[i] += fabs((double)r[i * b->width + k]);
        }
        all += b->sums[i];
    }
    return all;
}

static hlrp_status choose_target(hlrp_bag *b, const char *asked, int64_t *target, hlrp_error *err) {
    const hlrp_network *net = b->head;
    *target = hlrp_worker_predict(&b->worker, 0);
    if (!net->targets.predicted && net->targets.planes == 1)
        *target = net->targets.classes[0];
    return asked && strcmp(asked, "predicted") != 0
               ? hlrp_network_class(net, asked, "--target", target, err)
               : HLRP_OK;
}

hlrp_status hlrp_bag_explain(hlrp_bag *b, const float *features, const char *target,
                             hlrp_explained_bag *told, hlrp_error *err) {
    hlrp_worker *w = &b->worker;
    const hlrp_network *net = b->head;
    hlrp_status status = HLRP_OK;
    memcpy(w->input, features, (size_t)net->values * sizeof(float));
    HLRP_TRY(hlrp_lrp_forward(w->lrp, w->input, err));
    HLRP_TRY(choose_target(b, target, &told->target, err));
    hlrp_worker_clear_starts(w);
    const double start = hlrp_worker_start(w, 0, told->target);
    HLRP_TRY(hlrp_lrp_relevance(w->lrp, w->start, w->slope, NULL, w->relevance, err));
    const double all = sum_up(b);
    *told = (hlrp_explained_bag){.logits = hlrp_worker_logits(w, 0),
                                 .start = w->start,
                                 .target = told->target,
                                 .agrees = (int8_t)hlrp_agrees(start, all),
                                 .sums = b->sums,
                                 .magnitudes = b->magnitudes,
                                 .features = w->input,
                                 .feature_relevance = w->relevance};
    hlrp_logf(b->log, HLRP_LOG_INFO,
              "bag of %lld: predicted %s, explained %s: start (%s) %.4g, sum over the instances "
              "%.4g",
              (long long)b->instances, net->class_names[hlrp_worker_predict(w, 0)],
              net->class_names[told->target], hlrp_start_name(&net->start), start, all);
out:
    return status;
}

/* ---- back to pixels ---- */

hlrp_status hlrp_bag_back(hlrp_bag *b, int64_t first, int64_t count, hlrp_error *err) {
    hlrp_worker *w = &b->tiles;
    hlrp_worker_clear_starts(w);
    memcpy(w->start, b->worker.relevance + first * b->width,
           (size_t)(count * b->width) * sizeof(float));
    return hlrp_lrp_relevance(w->lrp, w->start, NULL, NULL, w->relevance, err);
}

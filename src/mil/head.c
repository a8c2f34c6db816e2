#include "mil/head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/operator.h"
#include "mil/internal.h"

/* ---- configuration ---- */

hlrp_status hlrp_bag_copy_config(const hlrp_config *config, hlrp_config **out, hlrp_error *err) {
    char *text = NULL;
    hlrp_status status = hlrp_config_effective(config, &text, err);
    if (status == HLRP_OK)
        status = hlrp_config_parse(text, config->path, out, err);
    free(text);
    return status;
}

hlrp_status hlrp_bag_set_text(char **to, const char *value, hlrp_error *err) {
    free(*to);
    *to = hlrp_strdup(value, err);
    return *to ? HLRP_OK : HLRP_E_MEMORY;
}

/* Conservative propagation where nothing is said: attention held constant, epsilon everywhere, biases left
 * out, so that the instances' relevance adds up to the score (xMIL, Hense et al. 2024). */
hlrp_status hlrp_head_config(const hlrp_config *config, const char *start, hlrp_config **out,
                             hlrp_error *err) {
    hlrp_status status = hlrp_bag_copy_config(config, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_config *c = *out;
    if (config->mil.head[0] != '\0') {
        HLRP_TRY(hlrp_bag_set_text(&c->model.path, config->mil.head, err));
        HLRP_TRY(hlrp_bag_set_text(&c->model.output, config->mil.output, err));
    }
    HLRP_TRY(hlrp_bag_set_text(&c->model.head, "", err));
    if (start)
        HLRP_TRY(hlrp_bag_set_text(&c->lrp.start, start, err));
    if (strcmp(c->lrp.composite, "auto") == 0)
        HLRP_TRY(hlrp_bag_set_text(&c->lrp.composite, "cp", err));
    if (config->mil.attention != HLRP_CONFIG_PRODUCT_AUTO)
        c->lrp.attention = config->mil.attention;
    if (config->mil.bias != HLRP_CONFIG_BIAS_AUTO)
        c->lrp.bias = config->mil.bias;
    else if (config->lrp.bias == HLRP_CONFIG_BIAS_AUTO)
        c->lrp.bias = HLRP_CONFIG_BIAS_DROP;
out:
    if (status != HLRP_OK) {
        hlrp_config_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- opening ---- */

/* Whether factor k of a matrix product runs over all instances where they are summed up. */
static bool sums_instances(const hlrp_dims *d, int k, int64_t instances) {
    return d->rank >= 2 && d->d[k == 0 ? d->rank - 1 : d->rank - 2] == instances;
}

/* The last product in running order that sums instances up by weights. */
static void find_pooling(hlrp_head *head) {
    const hlrp_graph *g = head->net->graph;
    const hlrp_structure *s = hlrp_lrp_structure(head->net->lrp);
    head->pooling = -1;
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *n = &g->nodes[i];
        const int to = n->op->product == HLRP_PRODUCT_OF_MATRICES
                           ? hlrp_structure_to(s, g, i, true)
                           : -1;
        if (to < 0 || to > 1 || !s->weight[n->in[1 - to]])
            continue;
        const hlrp_dims *weights = &g->values[n->in[1 - to]].dims;
        int64_t count = 0;
        hlrp_error ignored = {0};
        if (!sums_instances(weights, 1 - to, head->instances) ||
            hlrp_dims_count(weights, &count, &ignored) != HLRP_OK)
            continue;
        head->pooling = n->in[1 - to];
        head->by_branch = to == 1;
        head->branches = count / head->instances;
    }
}

hlrp_status hlrp_head_open(hlrp_head *head, hlrp_config *own, int64_t instances, int64_t features,
                           const hlrp_log *log, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    *head = (hlrp_head){.own = own, .instances = instances, .pooling = -1};
    HLRP_TRY(hlrp_network_load_bag(own, instances, features, log, &head->net, err));
    head->width = head->net->values / instances;
    find_pooling(head);
    status = hlrp_worker_open(&head->worker, head->net, err);
out:
    return status;
}

void hlrp_head_close(hlrp_head *head) {
    hlrp_worker_close(&head->worker);
    hlrp_network_free(head->net);
    hlrp_config_free(head->own);
    *head = (hlrp_head){0};
}

/* ---- running ---- */

hlrp_status hlrp_head_forward(hlrp_head *head, hlrp_error *err) {
    const hlrp_network *net = head->net;
    const hlrp_status status = hlrp_lrp_forward(head->worker.lrp, head->worker.input, err);
    const float *logits = hlrp_worker_logits(&head->worker, 0);
    for (int64_t k = 0; status == HLRP_OK && k < net->outputs; k++)
        if (!isfinite(logits[k]))
            return hlrp_fail(err, HLRP_E_INPUT, net->config->model.path,
                             "check the features, and the head itself",
                             "the score of a bag of %lld tiles is not finite",
                             (long long)head->instances);
    return status;
}

hlrp_status hlrp_head_attention(const hlrp_head *head, float *weights, hlrp_error *err) {
    const int64_t n = head->instances, branches = head->branches;
    float *rows = NULL;
    hlrp_status status = HLRP_OK;
    if (!head->by_branch) {
        hlrp_segment_value(head->worker.lrp, head->pooling, weights);
        return HLRP_OK;
    }
    HLRP_TRY(hlrp_calloc(&rows, n * branches, sizeof *rows, "attention", err));
    hlrp_segment_value(head->worker.lrp, head->pooling, rows);
    for (int64_t i = 0; i < n; i++)
        for (int64_t b = 0; b < branches; b++)
            weights[i * branches + b] = rows[b * n + i];
out:
    free(rows);
    return status;
}

hlrp_status hlrp_head_back(hlrp_head *head, int64_t target, double *start, hlrp_error *err) {
    hlrp_worker *w = &head->worker;
    const hlrp_lrp_watch watch = {.account = w->account};
    hlrp_worker_clear_starts(w);
    *start = hlrp_worker_start(w, 0, target);
    return hlrp_lrp_relevance(w->lrp, w->start, w->slope, &watch, w->relevance, err);
}

double hlrp_head_sums(const hlrp_head *head, double *sums, double *magnitudes) {
    const float *r = head->worker.relevance;
    double all = 0;
    for (int64_t i = 0; i < head->instances; i++) {
        sums[i] = magnitudes[i] = 0;
        for (int64_t k = 0; k < head->width; k++) {
            sums[i] += (double)r[i * head->width + k];
            magnitudes[i] += fabs((double)r[i * head->width + k]);
        }
        all += sums[i];
    }
    return all;
}

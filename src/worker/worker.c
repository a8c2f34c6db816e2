#include "worker/worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t pixels_of(const hlrp_worker *w) {
    return w->net->height * w->net->width;
}

int64_t hlrp_worker_values(const hlrp_worker *w) {
    return w->net->values;
}

static hlrp_status open_input(hlrp_worker *w, const hlrp_network *net, hlrp_error *err) {
    const int64_t values = net->batch * net->values;
    hlrp_status status = HLRP_OK;
    w->net = net;
    HLRP_TRY(hlrp_calloc_aligned(&w->input, values, sizeof(float), "tiles", err));
    status = hlrp_calloc(&w->probabilities, net->classes, sizeof(float), "probabilities", err);
out:
    return status;
}

hlrp_status hlrp_worker_open(hlrp_worker *w, const hlrp_network *net, hlrp_error *err) {
    const int64_t values = net->batch * net->values, rows = net->batch * net->outputs;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(open_input(w, net, err));
    HLRP_TRY(hlrp_lrp_worker_new(net->lrp, &w->lrp, err));
    HLRP_TRY(hlrp_calloc_aligned(&w->relevance, values, sizeof(float), "relevance", err));
    HLRP_TRY(hlrp_calloc_aligned(&w->start, rows, sizeof(float), "starts", err));
    HLRP_TRY(hlrp_calloc_aligned(&w->slope, rows, sizeof(float), "starts", err));
    HLRP_TRY(hlrp_calloc(&w->plane, pixels_of(w), sizeof(float), "relevance", err));
    status = hlrp_calloc(&w->account, net->batch * net->graph->node_count, sizeof *w->account,
                         "account", err);
out:
    return status;
}

hlrp_status hlrp_worker_open_forward(hlrp_worker *w, const hlrp_network *net, hlrp_error *err) {
    const hlrp_status status = open_input(w, net, err);
    return status == HLRP_OK ? hlrp_lrp_worker_new_forward(net->lrp, &w->lrp, err) : status;
}

void hlrp_worker_close(hlrp_worker *w) {
    void *const all[] = {w->input, w->relevance,     w->start,  w->slope,
                         w->plane, w->probabilities, w->account};
    hlrp_lrp_worker_free(w->lrp);
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
    *w = (hlrp_worker){0};
}

int64_t hlrp_worker_bytes(const hlrp_network *net) {
    const int64_t n = net->batch, pixels = net->height * net->width;
    const int64_t floats = n * 2 * (net->values + net->outputs) + pixels + net->classes;
    return hlrp_lrp_worker_bytes(net->lrp) + floats * (int64_t)sizeof(float) +
           n * net->graph->node_count * (int64_t)sizeof(hlrp_account);
}

hlrp_status hlrp_worker_within_limit(const hlrp_config *config, int64_t bytes, hlrp_error *err) {
    if (config->compute.memory_limit <= 0 || bytes <= config->compute.memory_limit)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, "compute.memory_limit", "raise it",
                     "one worker needs about %lld MB, over the limit", (long long)(bytes >> 20));
}

const float *hlrp_worker_logits(const hlrp_worker *w, int64_t i) {
    return hlrp_lrp_logits(w->lrp) + i * w->net->outputs;
}

int64_t hlrp_worker_predict(hlrp_worker *w, int64_t i) {
    hlrp_probabilities(w->net->probability, hlrp_worker_logits(w, i), w->net->outputs,
                       w->probabilities);
    return hlrp_predicted(w->probabilities, w->net->classes);
}

void hlrp_worker_fill_up(hlrp_worker *w, int64_t count) {
    const int64_t values = hlrp_worker_values(w);
    for (int64_t i = count; i < w->net->batch; i++)
        memcpy(w->input + i * values, w->input + (i - 1) * values, (size_t)values * sizeof(float));
}

void hlrp_worker_clear_starts(hlrp_worker *w) {
    const size_t bytes = (size_t)(w->net->batch * w->net->outputs) * sizeof(float);
    memset(w->start, 0, bytes);
    memset(w->slope, 0, bytes);
}

double hlrp_worker_start(hlrp_worker *w, int64_t i, int64_t target) {
    const int64_t n = w->net->outputs;
    float *row = w->start + i * n;
    double total = 0;
    hlrp_start_fill(&w->net->start, hlrp_worker_logits(w, i), n, target, row, w->slope + i * n);
    for (int64_t k = 0; k < n; k++)
        total += (double)row[k];
    return total;
}

void hlrp_worker_sum_color(hlrp_worker *w, int64_t i) {
    const int64_t pixels = pixels_of(w);
    const float *relevance = w->relevance + i * 3 * pixels;
    float *plane = w->plane;
#pragma omp simd
    for (int64_t p = 0; p < pixels; p++)
        plane[p] = relevance[p] + relevance[pixels + p] + relevance[2 * pixels + p];
}

double hlrp_worker_sum(const hlrp_worker *w) {
    const int64_t pixels = pixels_of(w);
    double sum = 0;
    for (int64_t p = 0; p < pixels; p++)
        sum += (double)w->plane[p];
    return sum;
}

double hlrp_worker_magnitude(const hlrp_worker *w) {
    const int64_t pixels = pixels_of(w);
    double sum = 0;
    for (int64_t p = 0; p < pixels; p++)
        sum += fabs((double)w->plane[p]);
    return sum;
}

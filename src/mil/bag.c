#include "mil/bag.h"

#include <stdlib.h>
#include <string.h>

#include "mil/encoder.h"
#include "store/agreement.h"

static hlrp_status open_encoder(hlrp_bag *b, const hlrp_config *config, const hlrp_dims *input,
                                const hlrp_log *log, hlrp_error *err) {
    const hlrp_size size = {input->d[3], input->d[2]};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_encoder_config(config, &b->below, err));
    HLRP_TRY(hlrp_network_load(b->below, &size, log, &b->encoder, err));
    status = hlrp_network_ready(b->encoder, 0, size.h, size.w, err);
out:
    return status;
}

/* A worker of the encoder stands beside the head's. */
static hlrp_status open_tiles(hlrp_bag *b, const hlrp_config *config, hlrp_error *err) {
    const int64_t encoder = b->encoder ? hlrp_worker_bytes(b->encoder) : 0;
    const hlrp_status status =
        hlrp_worker_within_limit(config, encoder + hlrp_head_bytes(&b->head), err);
    return status == HLRP_OK && b->encoder ? hlrp_worker_open(&b->tiles, b->encoder, err) : status;
}

hlrp_status hlrp_bag_open(hlrp_bag *b, const hlrp_config *config, const char *start,
                          const hlrp_dims *input, const hlrp_log *log, hlrp_error *err) {
    const int64_t n = input->d[0];
    hlrp_config *own = NULL;
    hlrp_status status = HLRP_OK;
    b->log = log;
    if (input->rank == 4)
        HLRP_TRY(open_encoder(b, config, input, log, err));
    HLRP_TRY(hlrp_head_config(config, start, &own, err));
    HLRP_TRY(
        hlrp_head_open(&b->head, own, n, b->encoder ? b->encoder->outputs : input->d[1], log, err));
    HLRP_TRY(open_tiles(b, config, err));
    HLRP_TRY(hlrp_calloc(&b->features, n * b->head.width, sizeof *b->features, "a bag", err));
    HLRP_TRY(hlrp_calloc(&b->relevance, n * b->head.width, sizeof *b->relevance, "a bag", err));
    HLRP_TRY(hlrp_calloc(&b->sums, n, sizeof *b->sums, "a bag", err));
    HLRP_TRY(hlrp_calloc(&b->magnitudes, n, sizeof *b->magnitudes, "a bag", err));
    status = hlrp_bag_check_rules(config, b->head.net, b->encoder, err);
out:
    return status;
}

void hlrp_bag_close(hlrp_bag *b) {
    hlrp_head_close(&b->head);
    hlrp_worker_close(&b->tiles);
    hlrp_network_free(b->encoder);
    hlrp_config_free(b->below);
    free(b->features);
    free(b->relevance);
    free(b->sums);
    free(b->magnitudes);
    *b = (hlrp_bag){0};
}

/* The class with the highest probability. */
static hlrp_status predict(const hlrp_bag *b, int64_t *class_index, hlrp_error *err) {
    const hlrp_network *net = b->head.net;
    float *p = NULL;
    const hlrp_status status = hlrp_calloc(&p, net->classes, sizeof *p, "probabilities", err);
    if (status != HLRP_OK)
        return status;
    hlrp_probabilities(net->probability, hlrp_head_logits(&b->head), net->outputs, p);
    *class_index = hlrp_predicted(p, net->classes);
    free(p);
    return HLRP_OK;
}

static hlrp_status choose_target(const hlrp_bag *b, const char *asked, int64_t predicted,
                                 int64_t *target, hlrp_error *err) {
    const hlrp_network *net = b->head.net;
    *target =
        !net->targets.predicted && net->targets.planes == 1 ? net->targets.classes[0] : predicted;
    return asked && strcmp(asked, "predicted") != 0
               ? hlrp_network_class(net, asked, "--target", target, err)
               : HLRP_OK;
}

static hlrp_status read_features(void *ctx, int64_t first, int64_t count, float *values,
                                 hlrp_error *err) {
    (void)err;
    const hlrp_bag *b = ctx;
    memcpy(values, b->features + first * b->head.width,
           (size_t)(count * b->head.width) * sizeof *values);
    return HLRP_OK;
}

static hlrp_status take_relevance(void *ctx, int64_t first, int64_t count, const float *values,
                                  hlrp_error *err) {
    (void)err;
    const hlrp_bag *b = ctx;
    memcpy(b->relevance + first * b->head.width, values,
           (size_t)(count * b->head.width) * sizeof *values);
    return HLRP_OK;
}

hlrp_status hlrp_bag_explain(hlrp_bag *b, const char *target, hlrp_explained_bag *told,
                             hlrp_error *err) {
    const hlrp_network *net = b->head.net;
    const hlrp_head_features features = {read_features, b};
    const hlrp_head_relevance relevance = {take_relevance, b, b->sums, b->magnitudes};
    int64_t predicted = 0;
    double start = 0, all = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_head_forward(&b->head, &features, err));
    HLRP_TRY(predict(b, &predicted, err));
    HLRP_TRY(choose_target(b, target, predicted, &told->target, err));
    HLRP_TRY(hlrp_head_back(&b->head, &features, told->target, &relevance, &start, err));
    for (int64_t i = 0; i < b->head.instances; i++)
        all += b->sums[i];
    *told = (hlrp_explained_bag){.logits = hlrp_head_logits(&b->head),
                                 .start = b->head.start,
                                 .target = told->target,
                                 .agrees = (int8_t)hlrp_agrees(start, all),
                                 .sums = b->sums,
                                 .magnitudes = b->magnitudes,
                                 .features = b->features,
                                 .feature_relevance = b->relevance};
    hlrp_logf(b->log, HLRP_LOG_INFO,
              "bag of %lld: predicted %s, explained %s: start (%s) %.4g, sum over the instances "
              "%.4g",
              (long long)b->head.instances, net->class_names[predicted],
              net->class_names[told->target], hlrp_start_name(&net->start), start, all);
out:
    return status;
}

/* ---- back to pixels ---- */

hlrp_status hlrp_bag_back(hlrp_bag *b, int64_t first, int64_t count, hlrp_error *err) {
    hlrp_worker *w = &b->tiles;
    const int64_t width = b->head.width;
    hlrp_worker_clear_starts(w);
    memcpy(w->start, b->relevance + first * width, (size_t)(count * width) * sizeof(float));
    return hlrp_lrp_relevance(w->lrp, w->start, NULL, NULL, w->relevance, err);
}

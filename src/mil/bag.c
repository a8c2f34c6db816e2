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
        hlrp_worker_within_limit(config, encoder + hlrp_worker_bytes(b->head.net), err);
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
    HLRP_TRY(hlrp_head_open(&b->head, own, n, b->encoder ? b->encoder->outputs : input->d[1], log,
                            err));
    HLRP_TRY(open_tiles(b, config, err));
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
    free(b->sums);
    free(b->magnitudes);
    *b = (hlrp_bag){0};
}

static hlrp_status choose_target(hlrp_bag *b, const char *asked, int64_t *target, hlrp_error *err) {
    const hlrp_network *net = b->head.net;
    *target = hlrp_worker_predict(&b->head.worker, 0);
    if (!net->targets.predicted && net->targets.planes == 1)
        *target = net->targets.classes[0];
    return asked && strcmp(asked, "predicted") != 0
               ? hlrp_network_class(net, asked, "--target", target, err)
               : HLRP_OK;
}

hlrp_status hlrp_bag_explain(hlrp_bag *b, const char *target, hlrp_explained_bag *told,
                             hlrp_error *err) {
    hlrp_worker *w = &b->head.worker;
    const hlrp_network *net = b->head.net;
    double start = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_head_forward(&b->head, err));
    HLRP_TRY(choose_target(b, target, &told->target, err));
    HLRP_TRY(hlrp_head_back(&b->head, told->target, &start, err));
    const double all = hlrp_head_sums(&b->head, b->sums, b->magnitudes);
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
              (long long)b->head.instances, net->class_names[hlrp_worker_predict(w, 0)],
              net->class_names[told->target], hlrp_start_name(&net->start), start, all);
out:
    return status;
}

/* ---- back to pixels ---- */

hlrp_status hlrp_bag_back(hlrp_bag *b, int64_t first, int64_t count, hlrp_error *err) {
    hlrp_worker *w = &b->tiles;
    const int64_t width = b->head.width;
    hlrp_worker_clear_starts(w);
    memcpy(w->start, b->head.worker.relevance + first * width,
           (size_t)(count * width) * sizeof(float));
    return hlrp_lrp_relevance(w->lrp, w->start, NULL, NULL, w->relevance, err);
}

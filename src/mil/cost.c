/* What a bag of some size takes. */
#include <stdlib.h>
#include <string.h>

#include "mil/head.h"
#include "mil/mil.h"
#include "sched/sched.h"

typedef struct costing {
    const hlrp_mil *mil;
    int64_t instances;
    hlrp_head head;
    double sums[2 * HLRP_BAG_BLOCK];
    hlrp_head_cost *cost;
} costing;

static hlrp_status empty(void *ctx, int64_t first, int64_t count, float *values, hlrp_error *err) {
    (void)first;
    (void)err;
    const costing *c = ctx;
    memset(values, 0, (size_t)(count * c->head.width) * sizeof *values);
    return HLRP_OK;
}

static hlrp_status open(costing *c, int64_t instances, hlrp_error *err) {
    hlrp_config *own = NULL;
    const hlrp_status status = hlrp_head_config(c->mil->head->config, NULL, &own, err);
    return status == HLRP_OK ? hlrp_head_open(&c->head, own, instances, c->mil->width, NULL, err)
                             : status;
}

/* Forward and back of a block; the second time its memory is there. */
static hlrp_status run_block(costing *c, double *seconds, hlrp_error *err) {
    const hlrp_head_features features = {empty, c};
    const hlrp_head_relevance sums = {.sums = c->sums, .magnitudes = c->sums + HLRP_BAG_BLOCK};
    double start = 0;
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < 2; i++) {
        const double began = hlrp_seconds();
        HLRP_TRY(hlrp_head_forward(&c->head, &features, err));
        status = hlrp_head_back(&c->head, &features, 0, &sums, &start, err);
        *seconds = hlrp_seconds() - began;
    }
out:
    return status;
}

static hlrp_status find_cost(void *ctx, hlrp_error *err) {
    costing *c = ctx;
    const hlrp_targets *targets = &c->mil->head->targets;
    double seconds = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(open(c, HLRP_BAG_BLOCK, err));
    HLRP_TRY(run_block(c, &seconds, err));
    c->cost->seconds = seconds * (double)(targets->predicted ? 1 : targets->planes) *
                       (double)c->instances / HLRP_BAG_BLOCK;
    hlrp_head_close(&c->head);
    HLRP_TRY(open(c, c->instances, err));
    c->cost->bytes = hlrp_head_bytes(&c->head);
out:
    hlrp_head_close(&c->head);
    return status;
}

hlrp_status hlrp_mil_cost(const hlrp_mil *mil, int64_t instances, hlrp_head_cost *out,
                          hlrp_error *err) {
    costing c = {.mil = mil, .instances = instances, .cost = out};
    return hlrp_sched_single(find_cost, &c, err);
}

/* How much scratch a way back takes: found out by taking it over no samples. Every loop of the same code
 * then runs zero times, while hlrp_take measures what the plan's samples would take. */
#include <stdlib.h>

#include "lrp/turn.h"

/* What a dry pass has in place of a plan's and a worker's. */
typedef struct dry {
    hlrp_lrp lrp;
    hlrp_layer *layers; /* copies, of no samples */
    hlrp_lrp_worker worker;
    hlrp_account row;
} dry;

static hlrp_status copy_layers(const hlrp_lrp *lrp, dry *d, hlrp_error *err) {
    const int nodes = lrp->graph->node_count;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&d->layers, nodes, sizeof *d->layers, "a dry pass", err));
    HLRP_TRY(hlrp_calloc(&d->lrp.layers, nodes, sizeof *d->lrp.layers, "a dry pass", err));
    for (int i = 0; i < nodes; i++) {
        if (!lrp->layers[i])
            continue;
        d->layers[i] = *lrp->layers[i];
        d->layers[i].spec.src.n = d->layers[i].spec.dst.n = 0;
        d->lrp.layers[i] = &d->layers[i];
    }
out:
    return status;
}

static hlrp_status prepare(const hlrp_lrp *lrp, dry *d, hlrp_error *err) {
    enum { SOME = 16 };
    const int values = lrp->graph->value_count;
    hlrp_lrp_worker *w = &d->worker;
    hlrp_status status = HLRP_OK;
    d->lrp = *lrp;
    d->lrp.plan = NULL;
    d->lrp.layers = NULL;
    d->lrp.offsets = NULL;
    HLRP_TRY(copy_layers(lrp, d, err));
    HLRP_TRY(hlrp_calloc(&d->lrp.offsets, values, sizeof *d->lrp.offsets, "a dry pass", err));
    HLRP_TRY(hlrp_plan_of_no_samples(lrp->plan, &d->lrp.plan, err));
    HLRP_TRY(hlrp_activations_new(d->lrp.plan, &w->acts, err));
    HLRP_TRY(hlrp_calloc_aligned(&w->scratch.base, SOME, sizeof(float), "a dry pass", err));
    HLRP_TRY(hlrp_calloc(&w->begun, values, sizeof *w->begun, "a dry pass", err));
    w->lrp = &d->lrp;
    w->arena = w->scratch.base;
    w->scratch.dry = true;
    w->scratch.samples = hlrp_plan_layout(lrp->plan, lrp->graph->input)->n;
    for (int v = 0; v < values; v++) /* every contribution joins another one */
        w->begun[v] = true;
out:
    return status;
}

static void clear(dry *d) {
    free(d->layers);
    free(d->lrp.layers);
    free(d->lrp.offsets);
    hlrp_plan_free(d->lrp.plan);
    hlrp_activations_free(d->worker.acts);
    free(d->worker.scratch.base);
    free(d->worker.begun);
}

hlrp_status hlrp_lrp_measure(const hlrp_lrp *lrp, int64_t *floats, hlrp_error *err) {
    dry d = {.layers = NULL};
    const hlrp_lrp_watch watch = {.account = &d.row};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(prepare(lrp, &d, err));
    const hlrp_segment own = hlrp_plan_segment(lrp->plan);
    for (int i = own.from; i < own.to; i++)
        HLRP_TRY(hlrp_lrp_turn(&d.worker, i, &watch, err));
    for (int v = 0; v < lrp->graph->value_count; v++)
        if (!lrp->graph->values[v].constant && hlrp_plan_uses(lrp->plan, v))
            hlrp_segment_add(&d.worker, v, d.worker.scratch.base);
    *floats = d.worker.scratch.most;
out:
    clear(&d);
    return status;
}

/* A batch under way, as its slides see it. */
#ifndef HLRP_BATCH_RUN_H
#define HLRP_BATCH_RUN_H

#include <histolrp/run.h>

#include "mil/mil.h"
#include "sched/sched.h"

/* What all slides of a batch share. */
typedef struct hlrp_batch_run {
    const hlrp_run_options *options;
    const hlrp_network *net;      /* what is explained, ready; the configuration is its own */
    const hlrp_network *tile_net; /* what runs on tiles: net, or the encoder of a bag, or NULL */
    const hlrp_mil *mil;          /* NULL: tiles are explained one by one */
    int threads;
    hlrp_cancel *cancel;      /* requested once options->stop says so */
    double shared_limit;      /* of outputs.limit = batch, once all slides are done; 0 before */
    struct hlrp_dry_run *dry; /* for --dry-run: what it has found out so far (estimate.h) */
    bool merge; /* compute nothing: the journals of all shards are there, or it fails */
} hlrp_batch_run;

/* The networks that the configuration names, one of *net and *mil: the caller's to free, also where this
 * fails. */
hlrp_status hlrp_batch_networks(hlrp_batch_run *batch, const hlrp_config *config,
                                hlrp_network **net, hlrp_mil **mil, hlrp_error *err);

#endif

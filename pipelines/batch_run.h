/* A batch under way, as its slides see it. */
#ifndef HLRP_BATCH_RUN_H
#define HLRP_BATCH_RUN_H

#include <histolrp/run.h>

#include "model/network.h"
#include "sched/sched.h"

/* What all slides of a batch share. */
typedef struct hlrp_batch_run {
    const hlrp_run_options *options;
    const hlrp_network *net; /* ready; the configuration is its own */
    int threads;
    hlrp_cancel *cancel;      /* requested once options->stop says so */
    double shared_limit;      /* of outputs.limit = batch, once all slides are done; 0 before */
    struct hlrp_dry_run *dry; /* for --dry-run: what it has found out so far (estimate.h) */
    bool merge; /* compute nothing: the journals of all shards are there, or it fails */
} hlrp_batch_run;

#endif

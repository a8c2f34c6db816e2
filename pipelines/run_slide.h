/* One slide, from its file to its results folder. */
#ifndef HLRP_RUN_SLIDE_H
#define HLRP_RUN_SLIDE_H

#include <histolrp/run.h>

#include "batch/progress.h"
#include "model/network.h"
#include "sched/sched.h"

/* What all slides of a batch share. */
typedef struct hlrp_batch_run {
    const hlrp_config *config;
    const hlrp_run_options *options;
    const hlrp_network *net; /* ready */
    int threads;
    hlrp_cancel *cancel;      /* requested once options->stop says so */
    double shared_limit;      /* of outputs.limit = batch, once all slides are done; 0 before */
    struct hlrp_dry_run *dry; /* for --dry-run: what it has found out so far (estimate.h) */
    bool merge; /* compute nothing: the journals of all shards are there, or it fails */
} hlrp_batch_run;

/* Runs one slide; `where` tells how it ended, in words of batch.csv, and is also what status.json
 * in the slide's folder says afterwards. A slide that is complete already costs a look. Status:
 * HLRP_OK (complete, empty), HLRP_E_INTERRUPTED, HLRP_E_BUSY (another run holds it), or why it
 * failed. */
hlrp_status hlrp_run_slide(const hlrp_batch_run *batch, const char *path,
                           hlrp_slide_progress *where, hlrp_error *err);

#endif

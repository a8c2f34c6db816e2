/* The batch: every slide that a configuration names, to relevance maps and overlays. */
#ifndef HISTOLRP_RUN_H
#define HISTOLRP_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "histolrp/config.h"
#include "histolrp/error.h"
#include "histolrp/log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise. */
typedef struct hlrp_run_options {
    const char *const *slides; /* takes the place of batch.slides where slide_count > 0 */
    int64_t slide_count;
    int64_t index;         /* only the index-th slide of the list, from 1; 0: all */
    int64_t shard, shards; /* only part `shard` (from 1) of every slide's tiles; 0, 0: all */
    int threads;           /* 0: compute.threads, else all that are granted */
    bool force;            /* start over: what an earlier run left is removed */
    bool any_processor;    /* go on with tiles that another kind of machine computed */
    bool dry_run;          /* only say what would be done */
    const hlrp_log *log;   /* may be NULL */
    /* Progress text as it is to appear, with carriage returns and newlines; NULL: none. */
    void (*progress)(void *ctx, const char *text);
    void *progress_ctx;
    bool terminal; /* progress as a bar that redraws itself */
    int columns;   /* of the terminal; 0: unknown */
    /* Asked between tiles and from any thread; true ends the run with HLRP_E_INTERRUPTED. NULL:
     * never. */
    bool (*stop)(void *ctx);
    void *stop_ctx;
    /* Where a slide stands, as a JSON object on one line with the members of status.json: when it
     * begins, every minute, when it ends. NULL: none. */
    void (*event)(void *ctx, const char *json);
    void *event_ctx;
    /* Text for a person, such as the dry run's; NULL: none. */
    void (*print)(void *ctx, const char *text);
    void *print_ctx;
} hlrp_run_options;

/* Runs the batch. HLRP_OK: every slide asked for is complete (also without tissue). HLRP_E_INPUT:
 * at least one slide failed; each was logged with its reason and stands in batch.csv.
 * HLRP_E_INTERRUPTED, HLRP_E_BUSY: a rerun finishes. HLRP_E_CONFIG, HLRP_E_MODEL, HLRP_E_OUTPUT:
 * nothing was run. */
hlrp_status hlrp_run_batch(const hlrp_config *config, const hlrp_run_options *options,
                           hlrp_error *err);

/* Joins the shards of every slide below the folder `output` into the results of an undivided run,
 * bit by bit; slide and configuration are those of each slide's run.json. Of the options threads,
 * any_processor, log and stop count. HLRP_E_INTERRUPTED: tiles are missing, and which shards lack them was logged.
 * HLRP_E_BUSY: a shard is still being computed. Else as hlrp_run_batch. */
hlrp_status hlrp_merge_output(const char *output, const hlrp_run_options *options, hlrp_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* How the slides of a batch ended, and what that makes of the batch. */
#ifndef HLRP_TALLY_H
#define HLRP_TALLY_H

#include <histolrp/run.h>

#include "batch/progress.h"

typedef struct hlrp_tally {
    int64_t asked, complete, empty, failed, elsewhere;
    bool interrupted;
    hlrp_error why; /* of the last slide that failed or that lacks something */
    bool no_table;  /* batch.csv could not be written */
    /* Slides whose status.json could not be written: batch.csv has them from here. */
    hlrp_slide_progress *unsaved;
    int64_t unsaved_count, unsaved_capacity;
} hlrp_tally;

void hlrp_tally_free(hlrp_tally *tally);

/* Counts one slide and logs how it ended; err: why, where it is not complete. */
void hlrp_tally_add(hlrp_tally *tally, const hlrp_run_options *options,
                    const hlrp_slide_progress *progress, const hlrp_error *err);

/* Logs the counts of a batch of several slides; a warning where some are empty. */
void hlrp_tally_sum(const hlrp_tally *tally, const hlrp_run_options *options);

/* What is to be returned where the verdict was `status` with *err, and batch.csv came to `table` with
 * *table_error: what became of the slides counts more, but what became of the table is logged, too. */
hlrp_status hlrp_tally_with_table(hlrp_status status, hlrp_status table,
                                  const hlrp_error *table_error, const hlrp_log *log,
                                  hlrp_error *err);

/* HLRP_OK where every slide is complete; one that was asked for alone fails with its own reason. */
hlrp_status hlrp_tally_verdict(const hlrp_tally *tally, const hlrp_run_options *options,
                               hlrp_error *err);

#endif

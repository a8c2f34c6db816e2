/* One slide, from its file to its results folder. */
#ifndef HLRP_RUN_SLIDE_H
#define HLRP_RUN_SLIDE_H

#include "batch/progress.h"
#include "pipelines/batch_run.h"

/* Runs one slide; `where` tells how it ended, in words of batch.csv, and is also what status.json
 * in the slide's folder says afterwards. A slide that is complete already costs a look. Status:
 * HLRP_OK (complete, empty), HLRP_E_INTERRUPTED, HLRP_E_BUSY (another run holds it), or why it
 * failed. */
hlrp_status hlrp_run_slide(const hlrp_batch_run *batch, const char *path,
                           hlrp_slide_progress *where, hlrp_error *err);

/* Makes the outputs of a complete slide again, where they were made with other settings or another limit.
 * HLRP_E_BUSY. */
hlrp_status hlrp_show_slide(const hlrp_batch_run *batch, const char *path, hlrp_error *err);

#endif

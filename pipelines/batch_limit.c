#include "pipelines/batch_limit.h"

#include <stdlib.h>
#include <string.h>

#include "batch/lock.h"
#include "batch/slides.h"
#include "pipelines/slide_run.h"
#include "run/folder.h"
#include "sink/sink.h"

static hlrp_status path_in(const hlrp_batch_run *batch, const char *slide, const char *name,
                           char **out, hlrp_error *err) {
    char *folder = NULL;
    hlrp_status status = hlrp_slides_folder(batch->config->batch.output, slide, &folder, err);
    if (status == HLRP_OK)
        status = hlrp_path_join(folder, name, out, err);
    free(folder);
    return status;
}

/* *ended: complete, empty or failed; *usable: it has a map. */
static hlrp_status look(const hlrp_batch_run *batch, const char *slide, bool *ended, bool *usable,
                        hlrp_error *err) {
    hlrp_slide_progress *progress = NULL;
    char *path = NULL;
    hlrp_error unread = {0};
    hlrp_status status = HLRP_OK;
    *ended = *usable = false;
    HLRP_TRY(hlrp_calloc(&progress, 1, sizeof *progress, "a slide's status", err));
    HLRP_TRY(path_in(batch, slide, "status.json", &path, err));
    if (hlrp_progress_read(path, progress, &unread) == HLRP_OK) {
        *usable = progress->state == HLRP_STATE_COMPLETE;
        *ended =
            *usable || progress->state == HLRP_STATE_EMPTY || progress->state == HLRP_STATE_FAILED;
    }
out:
    free(path);
    free(progress);
    return status;
}

static hlrp_status add_slide(const hlrp_batch_run *batch, const char *slide, hlrp_limit *limit,
                             hlrp_error *err) {
    char *path = NULL;
    hlrp_result *result = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(path_in(batch, slide, "relevance.h5", &path, err));
    HLRP_TRY(hlrp_result_open(path, &result, err));
    status = hlrp_sink_add_limit(result, batch->net->shown, batch->config->outputs.smoothing, limit,
                                 err);
out:
    hlrp_result_close(result);
    free(path);
    return status;
}

static hlrp_status measure(const hlrp_batch_run *batch, const hlrp_strings *slides, double *out,
                           hlrp_error *err) {
    hlrp_limit *limit = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_limit_new(batch->config->outputs.percentile, &limit, err));
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < slides->count; i++)
            HLRP_TRY(add_slide(batch, slides->items[i], limit, err));
        if (pass == 0)
            hlrp_limit_second_pass(limit);
    }
    *out = hlrp_limit_value(limit);
out:
    hlrp_limit_free(limit);
    return status;
}

/* Steps 1, 2 and 7 of run_slide.c, with the limit. */
static hlrp_status show_again(const hlrp_batch_run *batch, const char *slide, hlrp_error *err) {
    hlrp_slide_progress progress = {0};
    hlrp_slide_run run = {.survey.path = slide, .where = &progress};
    char *lock = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_begin(&run, batch, err));
    HLRP_TRY(hlrp_slides_folder(batch->config->batch.output, slide, &run.folder, err));
    HLRP_TRY(hlrp_slide_run_path(&run, ".lock", &lock, err));
    HLRP_TRY(hlrp_lock_acquire(lock, HLRP_LOCK_TIMEOUT, &run.lock, err));
    HLRP_TRY(hlrp_lock_keep(run.lock, HLRP_LOCK_TIMEOUT / 10, err));
    HLRP_TRY(hlrp_warnings_keep(run.warnings, run.folder, false, false, err));
    HLRP_TRY(hlrp_survey_open(&run.survey, err));
    HLRP_TRY(hlrp_survey_tiles(&run.survey, batch->net->mpp, batch->net->height, err));
    status = hlrp_step_outputs(&run, err);
out:
    hlrp_lock_release(run.lock);
    hlrp_warnings_free(run.warnings);
    hlrp_survey_close(&run.survey);
    free(run.folder);
    free(lock);
    return status;
}

hlrp_status hlrp_batch_limit_apply(const hlrp_batch_run *batch, const hlrp_strings *slides,
                                   hlrp_error *err) {
    hlrp_batch_run again = *batch;
    hlrp_strings usable = {0};
    hlrp_status status = HLRP_OK;
    if (strcmp(batch->config->outputs.limit, "batch") != 0)
        return HLRP_OK;
    for (int64_t i = 0; i < slides->count; i++) {
        bool ended = false, good = false;
        HLRP_TRY(look(batch, slides->items[i], &ended, &good, err));
        if (!ended)
            goto out;
        if (good)
            HLRP_TRY(hlrp_strings_add(&usable, slides->items[i], err));
    }
    HLRP_TRY(measure(batch, &usable, &again.shared_limit, err));
    for (int64_t i = 0; again.shared_limit > 0 && i < usable.count; i++) {
        status = show_again(&again, usable.items[i], err);
        if (status != HLRP_E_BUSY)
            HLRP_TRY(status);
        status = HLRP_OK;
    }
    hlrp_logf(batch->options->log, HLRP_LOG_INFO, "full color of all slides at ±%.3g",
              again.shared_limit);
out:
    hlrp_strings_free(&usable);
    return status;
}

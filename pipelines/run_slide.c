/* One slide from file to results. Read this first: every step is a call, in the order it runs. */
#include "pipelines/run_slide.h"
#include "pipelines/empty.h"

#include <stdlib.h>
#include <string.h>

#include "batch/slides.h"
#include "pipelines/account.h"
#include "pipelines/slide_run.h"
#include "pipelines/tile_job.h"
#include "run/folder.h"

static void finish(hlrp_slide_run *run, hlrp_status status, const hlrp_error *err);

/* What earlier runs of the slide spent, and how fast they were, counts on. */
static void recall(hlrp_slide_run *run) {
    hlrp_error ignored = {0};
    char *path = NULL;
    if (!run->batch->options->force &&
        hlrp_slide_run_path(run, "status.json", &path, &ignored) == HLRP_OK)
        hlrp_progress_recall(path, run->where);
    free(path);
}

/* Whether run.json tells of a whole run: a shard leaves one that says how it was begun. */
static bool has_record(const hlrp_slide_run *run) {
    hlrp_error ignored = {0};
    char *path = NULL, *text = NULL, *outcome = NULL;
    int64_t size = 0;
    const bool whole = hlrp_slide_run_path(run, "run.json", &path, &ignored) == HLRP_OK &&
                       hlrp_read_file(path, 1 << 24, &text, &size, &ignored) == HLRP_OK &&
                       hlrp_json_text(text, "outcome", path, &outcome, &ignored) == HLRP_OK &&
                       strcmp(outcome, "begun") != 0;
    free(path);
    free(text);
    free(outcome);
    return whole;
}

/* 5. Every tile: read, forward, relevance, into the journal, in whatever order. */
static hlrp_status make_records(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (run->batch->merge)
        return hlrp_step_join(run, err);
    if (run->batch->options->shards > 1)
        HLRP_TRY(hlrp_step_provenance(run, err)); /* for merge: how it was begun */
    status = hlrp_step_compute(run, err);
out:
    return status;
}

/* One run at a time works in a slide's folder; only shards of the same slide may share it. */
static hlrp_status refuse_other_runs(const hlrp_slide_run *run, hlrp_error *err) {
    char *whole = NULL, who[256];
    bool held = false;
    hlrp_status status = hlrp_slide_run_path(run, ".lock", &whole, err);
    if (status == HLRP_OK)
        held = run->batch->options->shards > 1 ? hlrp_lock_held(whole, HLRP_LOCK_TIMEOUT, who)
                                               : hlrp_slide_is_held(run->folder, ".lock", who);
    free(whole);
    return held ? hlrp_fail(err, HLRP_E_BUSY, run->folder, "wait for it, or stop it and run again",
                            "another run is working here (%s)", who)
                : status;
}

static hlrp_status keep_warnings(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    run->keeps_warnings = true;
    return hlrp_warnings_keep(run->warnings, run->folder, o->force, o->shards > 1, err);
}

/* 4. Nobody else works on this slide, and what an earlier run left is of the same kind. */
static hlrp_status take_folder(hlrp_slide_run *run, hlrp_error *err) {
    char *lock = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_shard_path(run, ".lock", &lock, err));
    HLRP_TRY(hlrp_lock_acquire(lock, HLRP_LOCK_TIMEOUT, &run->lock, err));
    HLRP_TRY(hlrp_lock_keep(run->lock, HLRP_LOCK_TIMEOUT / 10, err));
    HLRP_TRY(refuse_other_runs(run, err));
    if (run->batch->options->shards <= 1)
        hlrp_slide_run_sweep(run);
    HLRP_TRY(keep_warnings(run, err));
    recall(run);
    HLRP_TRY(hlrp_slide_run_write_status(run, err)); /* others see at once who is at it */
    HLRP_TRY(hlrp_step_key(run, err));
    if (run->batch->merge || run->batch->options->any_processor)
        HLRP_TRY(hlrp_step_adopt(run, err));
    status = hlrp_step_look(run, &run->complete, err);
out:
    free(lock);
    return status;
}

/* Steps 4 to 8: what happens under the slide's lock. */
static hlrp_status make_results(hlrp_slide_run *run, hlrp_error *err) {
    const bool shard = run->batch->options->shards > 1;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(take_folder(run, err));
    const bool anew = !run->complete;
    if (anew)
        HLRP_TRY(make_records(run, err));
    if (shard)
        goto out; /* `merge` joins the shards */
    /* 6. The journal in tile order becomes relevance.h5. */
    if (anew) {
        HLRP_TRY(hlrp_step_assemble(run, err));
        HLRP_TRY(hlrp_step_account(run, err));
    }
    run->complete = true;
    HLRP_TRY(hlrp_step_agreement(run, err));
    /* 7. Pictures and tables, each from relevance.h5. */
    HLRP_TRY(hlrp_step_outputs(run, err));
    /* 8. What was done, with what, unless an earlier run says it; the journal is no longer needed. */
    if (anew || !has_record(run))
        HLRP_TRY(hlrp_step_provenance(run, err));
    status = hlrp_step_clear(run, err);
out:
    return status;
}

hlrp_status hlrp_run_slide(const hlrp_batch_run *batch, const char *path,
                           hlrp_slide_progress *where, hlrp_error *err) {
    hlrp_slide_run run = {.survey.path = path, .where = where, .began = hlrp_seconds()};
    hlrp_status status = HLRP_OK;
    *where = (hlrp_slide_progress){.state = HLRP_STATE_RUNNING, .eta = -1};
    snprintf(where->slide, sizeof where->slide, "%s", path);
    hlrp_timestamp(where->started);
    HLRP_TRY(hlrp_slide_run_begin(&run, batch, err));
    /* 1. The slide and how many micrometres its pixels are. */
    HLRP_TRY(hlrp_slides_folder(batch->config->batch.output, path, &run.folder, err));
    HLRP_TRY(hlrp_survey_open(&run.survey, err));
    /* 2. Regions, and the tiles in them. */
    HLRP_TRY(hlrp_survey_tiles(&run.survey, batch->net->mpp, batch->net->height, err));
    where->tiles = run.survey.tile_count;
    if (batch->options->dry_run) {
        status = hlrp_step_dry_run(&run, err);
        goto out;
    }
    /* 3. A folder for the results. */
    HLRP_TRY(hlrp_make_folders(run.folder, err));
    status = make_results(&run, err);
out:
    status = hlrp_lock_judge(run.lock, status, err);
    finish(&run, status, err);
    return status;
}

/* ---- how a slide's run ends ---- */

static hlrp_state state_of(hlrp_status status, bool empty, bool shard) {
    switch (status) {
    case HLRP_OK:
        return shard ? HLRP_STATE_INTERRUPTED : empty ? HLRP_STATE_EMPTY : HLRP_STATE_COMPLETE;
    case HLRP_E_INTERRUPTED:
        return HLRP_STATE_INTERRUPTED;
    case HLRP_E_BUSY:
        return HLRP_STATE_ELSEWHERE;
    default:
        return HLRP_STATE_FAILED;
    }
}

/* Says how it ended, in status.json too, and lets go of everything. status.json is not ours to
 * write where another run holds the slide. */
static void finish(hlrp_slide_run *run, hlrp_status status, const hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    hlrp_slide_progress *where = run->where;
    hlrp_error ignored = {0};
    const bool shard = o->shards > 1 && !run->complete;
    where->state = state_of(status, hlrp_is_empty(run), shard);
    where->tiles = run->survey.tile_count;
    where->seconds += hlrp_seconds() - run->began;
    where->eta = status == HLRP_OK && !shard ? 0 : -1;
    where->reason[0] = '\0';
    if (status != HLRP_OK)
        hlrp_error_line(err, where->reason, sizeof where->reason);
    else if (shard)
        snprintf(where->reason, sizeof where->reason, "shard %lld of %lld is complete",
                 (long long)o->shard, (long long)o->shards);
    else if (where->state == HLRP_STATE_EMPTY)
        hlrp_empty_reason(run, where->reason, sizeof where->reason);
    if (!o->dry_run && run->folder && where->state != HLRP_STATE_ELSEWHERE &&
        (!run->lock || hlrp_lock_check(run->lock, &ignored) == HLRP_OK) &&
        hlrp_make_folders(run->folder, &ignored) == HLRP_OK) {
        if (!run->keeps_warnings) /* it failed before it had a folder */
            keep_warnings(run, &ignored);
        where->unsaved = hlrp_slide_run_write_status(run, &ignored) != HLRP_OK;
    }
    hlrp_journal_close(run->journal, &ignored);
    hlrp_lock_release(run->lock);
    hlrp_warnings_free(run->warnings);
    hlrp_survey_close(&run->survey);
    free(run->key_text);
    free(run->folder);
}

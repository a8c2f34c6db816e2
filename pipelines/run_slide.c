/* One slide from file to results. Read this first: every step is a call, in the order it runs. */
#include "pipelines/run_slide.h"

#include <math.h>
#include <stdlib.h>

#include "pipelines/slide_run.h"
#include "run/earlier.h"
#include "run/provenance.h"
#include "store/bag_score.h"
#include "worker/growth.h"

static hlrp_status begin(hlrp_slide_run *run, const char *path, hlrp_error *err);
static hlrp_status take_folder(hlrp_slide_run *run, hlrp_error *err);
static hlrp_status make_records(hlrp_slide_run *run, hlrp_error *err);
static hlrp_status judge(hlrp_slide_run *run, bool anew, hlrp_error *err);
static hlrp_status clear(hlrp_slide_run *run, bool anew, hlrp_error *err);
static void finish(hlrp_slide_run *run, hlrp_status status, const hlrp_error *err);
static void release(hlrp_slide_run *run, bool quietly);

hlrp_status hlrp_run_slide(const hlrp_batch_run *batch, const char *path,
                           hlrp_slide_progress *where, hlrp_error *err) {
    hlrp_slide_run run = {.batch = batch, .folder.where = where};
    bool anew = false;
    hlrp_status status = HLRP_OK;
    *where = (hlrp_slide_progress){.state = HLRP_STATE_RUNNING, .eta = -1};
    HLRP_TRY(begin(&run, path, err));
    /* 1. The slide and how many micrometres its pixels are. */
    HLRP_TRY(hlrp_survey_open(&run.survey, err));
    /* 2. Regions, and the tiles in them. */
    HLRP_TRY(hlrp_survey_tiles(&run.survey, batch->net->mpp, batch->net->height, err));
    where->tiles = run.survey.tile_count;
    if (batch->options->dry_run) {
        status = hlrp_step_dry_run(&run, err);
        goto out;
    }
    /* 3. A folder that nobody else works in; what an earlier run left there is of the same kind. */
    HLRP_TRY(take_folder(&run, err));
    anew = !run.complete;
    /* 4. Every tile: read, forward, relevance, into the journal, in whatever order. */
    if (anew)
        HLRP_TRY(make_records(&run, err));
    if (batch->options->shards > 1)
        goto out; /* `merge` joins the shards */
    /* 5. The journal in tile order becomes relevance.h5. */
    if (anew)
        HLRP_TRY(hlrp_step_assemble(&run, err));
    /* 6. Whether the map is to be trusted. */
    HLRP_TRY(judge(&run, anew, err));
    /* 7. Pictures and tables, each from relevance.h5. */
    HLRP_TRY(hlrp_step_outputs(&run, err));
    /* 8. What was done, with what; the journal is no longer needed. */
    status = clear(&run, anew, err);
out:
    status = hlrp_lock_judge(run.folder.lock, status, err);
    finish(&run, status, err);
    return status;
}

hlrp_status hlrp_show_slide(const hlrp_batch_run *batch, const char *path, hlrp_error *err) {
    hlrp_slide_progress where = {0};
    hlrp_slide_run run = {.batch = batch, .folder.where = &where};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(begin(&run, path, err));
    HLRP_TRY(hlrp_slide_folder_take(&run.folder, err));
    HLRP_TRY(hlrp_survey_open(&run.survey, err));
    HLRP_TRY(hlrp_survey_tiles(&run.survey, batch->net->mpp, batch->net->height, err));
    status = hlrp_step_outputs(&run, err);
out:
    release(&run, true);
    return status;
}

/* ---- the steps that are short ---- */

static hlrp_status begin(hlrp_slide_run *run, const char *path, hlrp_error *err) {
    const hlrp_config *config = run->batch->net->config;
    hlrp_slide_progress *where = run->folder.where;
    snprintf(where->slide, sizeof where->slide, "%s", path);
    hlrp_timestamp(where->started);
    run->folder.options = run->batch->options;
    run->shown = run->batch->net->shown;
    const hlrp_status status =
        hlrp_slide_folder_begin(&run->folder, config->batch.output, path, err);
    run->survey = (hlrp_survey){.config = config,
                                .path = path,
                                .log = run->folder.log,
                                .width = run->batch->mil ? run->batch->mil->width : 0};
    return status;
}

static hlrp_status take_folder(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_folder_take(&run->folder, err));
    HLRP_TRY(hlrp_slide_folder_start(&run->folder, err)); /* others see at once who is at it */
    HLRP_TRY(hlrp_step_key(run, err));
    if (run->batch->merge || o->any_processor)
        HLRP_TRY(hlrp_earlier_adopt(&run->folder, &run->key, err));
    if (o->force)
        HLRP_TRY(hlrp_earlier_forget(&run->folder, err));
    status = hlrp_earlier_result(&run->folder, run->key, &run->complete, err);
out:
    return status;
}

static hlrp_status make_records(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (run->batch->options->shards > 1)
        HLRP_TRY(hlrp_step_provenance(run, err)); /* for merge: how it was begun */
    status = hlrp_step_compute(run, err);
out:
    return status;
}

/* A slide's score in its row of the table. */
static hlrp_status take_score(const hlrp_slide_run *run, hlrp_result *result, hlrp_error *err) {
    hlrp_slide_progress *where = run->folder.where;
    hlrp_bag_score score = {0};
    const hlrp_status status = hlrp_bag_score_read(result, &score, err);
    where->scored = score.tiles > 0 && isfinite(score.probability[score.predicted]);
    if (where->scored) {
        snprintf(where->class, sizeof where->class, "%s",
                 hlrp_result_facts(result)->class_names[score.predicted]);
        where->score = score.probability[score.predicted];
    }
    hlrp_bag_score_free(&score);
    return status;
}

static hlrp_status judge(hlrp_slide_run *run, bool anew, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    const hlrp_survey *s = &run->survey;
    hlrp_slide_progress *where = run->folder.where;
    char *path = NULL;
    hlrp_result *result = NULL;
    hlrp_str text = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(run->folder.path, "relevance.h5", &path, err));
    HLRP_TRY(hlrp_result_open(path, &result, err));
    if (anew && !run->batch->mil)
        HLRP_TRY(hlrp_growth_warning(net, s->slide, &s->grid, s->tiles, result, &text, err));
    if (text.length > 0 && !text.failed)
        hlrp_logf(run->folder.log, HLRP_LOG_WARN, "%s: %s", s->path, text.text);
    HLRP_TRY(hlrp_bag_score_plane(result, net->config->outputs.class_name, net->shown, &run->shown,
                                  err));
    HLRP_TRY(take_score(run, result, err));
    HLRP_TRY(hlrp_agreement_of(result, -1, &run->agreement, err));
    HLRP_TRY(hlrp_agreement_of(result, run->shown, &run->shown_agreement, err));
    where->compared = run->agreement.compared > 0;
    where->disagree = run->agreement.differ;
    where->disagree_share = hlrp_agreement_share(&run->agreement);
    where->relevance_over_start = run->agreement.over_start;
out:
    hlrp_result_close(result);
    hlrp_str_free(&text);
    free(path);
    return status;
}

/* run.json is left alone where an earlier run says it all. */
static hlrp_status clear(hlrp_slide_run *run, bool anew, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (anew || !hlrp_provenance_is_whole(&run->folder))
        HLRP_TRY(hlrp_step_provenance(run, err));
    status = hlrp_journal_close(run->journal, err);
    run->journal = NULL;
    if (status == HLRP_OK)
        status = hlrp_slide_folder_clear(&run->folder, err);
out:
    return status;
}

/* ---- how a slide's run ends ---- */

bool hlrp_slide_run_is_empty(const hlrp_slide_run *run) {
    const hlrp_slide_progress *p = run->folder.where;
    return run->survey.tile_count == 0 || (p->explained == 0 && p->gated > 0 &&
                                           p->gated + p->unreadable == run->survey.tile_count);
}

/* Why nothing was explained. */
static void say_empty(const hlrp_slide_run *run, char *reason, size_t size) {
    const hlrp_network *net = run->batch->net;
    if (run->survey.tile_count == 0)
        hlrp_survey_say_empty(&run->survey, reason, size);
    else
        snprintf(reason, size,
                 "no tile reaches gate.probability = %g: the highest probability of %s on %lld "
                 "tiles is %.3g",
                 net->config->gate.probability, net->class_names[net->gate],
                 (long long)run->survey.tile_count, hlrp_earlier_highest(&run->folder, net->gate));
}

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

/* Says how it ended, in status.json too, and lets go of everything. */
static void finish(hlrp_slide_run *run, hlrp_status status, const hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    hlrp_slide_progress *where = run->folder.where;
    const bool shard = o->shards > 1 && !run->complete;
    where->state = state_of(status, hlrp_slide_run_is_empty(run), shard);
    where->tiles = run->survey.tile_count;
    where->seconds += hlrp_seconds() - run->folder.began;
    where->eta = status == HLRP_OK && !shard ? 0 : -1;
    where->reason[0] = '\0';
    if (status != HLRP_OK)
        hlrp_error_line(err, where->reason, sizeof where->reason);
    else if (shard)
        snprintf(where->reason, sizeof where->reason, "shard %lld of %lld is complete",
                 (long long)o->shard, (long long)o->shards);
    else if (where->state == HLRP_STATE_EMPTY)
        say_empty(run, where->reason, sizeof where->reason);
    release(run, o->dry_run);
}

static void release(hlrp_slide_run *run, bool quietly) {
    hlrp_error ignored = {0};
    hlrp_journal_close(run->journal, &ignored);
    hlrp_journal_close(run->features, &ignored);
    hlrp_slide_score_free(run->score);
    hlrp_slide_folder_close(&run->folder, quietly);
    hlrp_survey_close(&run->survey);
    free(run->key);
}

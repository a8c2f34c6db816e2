/* Every tile that has no result yet, into the journal, in whatever order: which tiles share a
 * micro-batch, in which of two passes, and what is said meanwhile.
 *
 * The first pass runs all micro-batches forward and explains those of which most tiles pass the gate.
 * Where only some do, going back would be spent on tiles that nobody asked for: they are put off, and
 * a second pass explains them together, in tile order. Without a gate there is one pass. The tiles of a bag
 * take other passes: compute_bag.c. */
#include "pipelines/compute.h"

#include <stdlib.h>

#include "pipelines/tile_job.h"
#include "run/shards.h"

/* ---- what is said meanwhile ---- */

static void report(void *ctx, int64_t batches) {
    (void)batches; /* a tile that was put off is not done */
    hlrp_computing *c = ctx;
    hlrp_slide_progress *where = c->run->folder.where;
    const hlrp_run_options *o = c->run->batch->options;
    const double now = hlrp_seconds();
    hlrp_journal_tally(c->job.journal, where);
    if (c->bar.write)
        hlrp_progress_update(&c->bar, where->done, now);
    if (o->stop && o->stop(o->stop_ctx))
        hlrp_cancel_request(c->run->batch->cancel);
    where->rate = hlrp_progress_rate(&c->bar, now);
    where->eta = hlrp_progress_eta(&c->bar, now);
    hlrp_slide_folder_beat(&c->run->folder);
}

static void start_bar(hlrp_computing *c, const char *what) {
    const hlrp_run_options *o = c->run->batch->options;
    snprintf(c->label, sizeof c->label, "%s%s%s", hlrp_path_name(c->run->survey.path),
             what[0] ? ": " : "", what);
    c->bar = (hlrp_progress){.label = c->label,
                             .unit = "tiles",
                             .total = c->batches.to - c->batches.from,
                             .before = c->done_before,
                             .terminal = o->terminal,
                             .columns = o->columns,
                             .write = o->progress,
                             .ctx = o->progress_ctx};
    hlrp_progress_start(&c->bar, hlrp_seconds());
}

/* ---- a pass ---- */

hlrp_status hlrp_computing_open(const hlrp_slide_run *run, const char *name,
                                const hlrp_journal_key *key, hlrp_journal **out, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_folder_own_path(&run->folder, name, &path, err));
    HLRP_TRY(hlrp_journal_open(path, key, out, err));
    if (hlrp_journal_torn(*out) > 0)
        hlrp_logf(run->folder.log, HLRP_LOG_INFO,
                  "%s: %lld bytes of an unfinished record were dropped", path,
                  (long long)hlrp_journal_torn(*out));
out:
    free(path);
    return status;
}

hlrp_status hlrp_computing_begin(hlrp_computing *c, hlrp_journal *journal, const char *what,
                                 hlrp_error *err) {
    hlrp_slide_run *run = c->run;
    const hlrp_batch_run *batch = run->batch;
    const hlrp_run_options *o = batch->options;
    const hlrp_slide_progress *where = run->folder.where;
    hlrp_batches *b = &c->batches;
    hlrp_status status = HLRP_OK;
    *b = (hlrp_batches){.journal = journal, .n = batch->net->batch, .retry = true};
    hlrp_shard_tiles(run->survey.tile_count, b->n, HLRP_MAX(o->shard, 1), HLRP_MAX(o->shards, 1),
                     &b->from, &b->to);
    HLRP_TRY(hlrp_calloc(&b->places, b->to - b->from, sizeof *b->places, "tiles", err));
    hlrp_journal_tally(journal, run->folder.where);
    c->done_before = where->done - where->unreadable;
    c->job = (hlrp_tile_job){.net = batch->tile_net,
                             .explained = batch->net,
                             .score = run->score,
                             .survey = &run->survey,
                             .places = b->places,
                             .journal = journal,
                             .lock = run->folder.lock,
                             .faults = &c->faults,
                             .times = &run->times};
    start_bar(c, what);
out:
    return status;
}

hlrp_status hlrp_computing_pass(hlrp_computing *c, hlrp_tile_item *item, hlrp_error *err) {
    const hlrp_sched_job job = {.ctx = c,
                                .thread_begin = hlrp_tile_job_begin,
                                .item = item,
                                .thread_end = hlrp_tile_job_end,
                                .progress = report,
                                .cancel = c->run->batch->cancel};
    const int64_t batches = hlrp_ceil_div(c->batches.count, c->batches.n);
    c->job.place_count = c->batches.count;
    return batches == 0 ? HLRP_OK : hlrp_sched_run(&job, c->run->batch->threads, batches, err);
}

hlrp_status hlrp_computing_end(hlrp_computing *c, hlrp_status status, hlrp_error *err) {
    if (c->bar.write)
        hlrp_progress_finish(&c->bar, hlrp_seconds());
    if (c->job.journal)
        hlrp_journal_tally(c->job.journal, c->run->folder.where);
    if (status == HLRP_OK && c->job.journal)
        status = hlrp_journal_sync(c->job.journal, err);
    free(c->batches.places);
    return status;
}

hlrp_status hlrp_check_faults(const hlrp_survey *survey, int64_t lost, hlrp_error *err) {
    if (2 * lost <= survey->tile_count || lost == 0)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_INPUT, survey->path,
                     "check the file for damage and run again: these tiles are tried again",
                     "%lld of %lld tiles cannot be read", (long long)lost,
                     (long long)survey->tile_count);
}

/* ---- tiles one by one ---- */

static hlrp_status compute_tiles(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_computing c = {.run = run};
    hlrp_journal_key key = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_journal_key(run, &key, err));
    HLRP_TRY(hlrp_computing_open(run, HLRP_JOURNAL, &key, &run->journal, err));
    HLRP_TRY(hlrp_computing_begin(&c, run->journal, "", err));
    c.job.gate = run->batch->net->gate >= 0;
    hlrp_batches_unseen(&c.batches);
    HLRP_TRY(hlrp_computing_pass(&c, hlrp_tile_job_item, err));
    if (c.job.gate) {
        c.job.gate = false;
        hlrp_batches_later(&c.batches);
        status = hlrp_computing_pass(&c, hlrp_tile_job_item, err);
    }
out:
    status = hlrp_computing_end(&c, status, err);
    return status == HLRP_OK ? hlrp_check_faults(&run->survey, run->folder.where->unreadable, err)
                             : status;
}

static hlrp_status join_tiles(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_journal_key key = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_journal_key(run, &key, err));
    status = hlrp_shards_join(run->folder.path, HLRP_JOURNAL, run->survey.path, &key,
                              run->batch->net->batch, &run->journal, err);
    if (run->journal)
        hlrp_journal_tally(run->journal, run->folder.where);
    if (status == HLRP_OK)
        status = hlrp_check_faults(&run->survey, run->folder.where->unreadable, err);
out:
    return status;
}

/* ---- as a step of a slide's run ---- */

hlrp_status hlrp_step_compute(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    hlrp_slide_progress *where = run->folder.where;
    const int64_t before = where->done;
    hlrp_status status = HLRP_OK;
    if (run->survey.tile_count == 0)
        return HLRP_OK;
    status = run->batch->mil     ? hlrp_compute_bag(run, err)
             : run->batch->merge ? join_tiles(run, err)
                                 : compute_tiles(run, err);
    run->compute_seconds = hlrp_seconds() - began;
    where->rate =
        run->compute_seconds > 0 ? (double)(where->done - before) / run->compute_seconds : 0;
    return status;
}

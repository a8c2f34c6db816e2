/* Every tile that has no result yet, into the journal, in whatever order: which tiles share a
 * micro-batch, in which of two passes, and what is said meanwhile.
 *
 * The first pass runs all micro-batches forward and explains those of which most tiles pass the gate.
 * Where only some do, going back would be spent on tiles that nobody asked for: they are put off, and
 * a second pass explains them together, in tile order. Which tiles those are follows from the records
 * alone, so that a run that goes on forms the same groups. Without a gate there is one pass. */
#include <stdlib.h>

#include "pipelines/slide_run.h"
#include "run/shards.h"

typedef struct computing {
    hlrp_tile_job job; /* first: the job's callbacks take this struct for it */
    hlrp_slide_run *run;
    int64_t from, to; /* the shard's tiles of the run */
    int64_t *places;  /* the pass's tiles, micro-batch by micro-batch */
    int64_t done_before;
    hlrp_progress bar;
    hlrp_tile_faults faults;
} computing;

/* ---- what is said meanwhile ---- */

static void report(void *ctx, int64_t batches) {
    (void)batches; /* a tile that was put off is not done */
    computing *c = ctx;
    hlrp_slide_progress *where = c->run->folder.where;
    const hlrp_run_options *o = c->run->batch->options;
    const double now = hlrp_seconds();
    hlrp_journal_tally(c->run->journal, where);
    if (c->bar.write)
        hlrp_progress_update(&c->bar, where->done, now);
    if (o->stop && o->stop(o->stop_ctx))
        hlrp_cancel_request(c->run->batch->cancel);
    where->rate = hlrp_progress_rate(&c->bar, now);
    where->eta = hlrp_progress_eta(&c->bar, now);
    hlrp_slide_folder_beat(&c->run->folder);
}

static void start_bar(computing *c) {
    const hlrp_run_options *o = c->run->batch->options;
    c->bar = (hlrp_progress){.label = hlrp_path_name(c->run->survey.path),
                             .unit = "tiles",
                             .total = c->to - c->from,
                             .before = c->done_before,
                             .terminal = o->terminal,
                             .columns = o->columns,
                             .write = o->progress,
                             .ctx = o->progress_ctx};
    hlrp_progress_start(&c->bar, hlrp_seconds());
}

/* ---- which tiles ---- */

static bool has(const computing *c, int64_t tile, hlrp_record_status wanted) {
    hlrp_record_status status;
    return hlrp_journal_has(c->run->journal, tile, &status) && status == wanted;
}

static void add(computing *c, int64_t tile) {
    c->places[c->job.place_count++] = tile;
}

/* Tiles that an earlier run could not read are tried again: the disk or the network may be well by
 * now, or the file mended. */
static bool is_seen(const computing *c, int64_t tile) {
    return hlrp_journal_has(c->run->journal, tile, NULL) && !has(c, tile, HLRP_RECORD_UNREADABLE);
}

/* Micro-batches that miss a record. They are always the same tiles of the slide's list, whatever was
 * done before; a shard is a run of whole ones. */
static void list_unseen(computing *c) {
    const int64_t n = c->run->batch->net->batch;
    c->job.place_count = 0;
    for (int64_t first = c->from; first < c->to; first += n) {
        const int64_t end = HLRP_MIN(first + n, c->to);
        bool seen = true;
        for (int64_t t = first; t < end; t++)
            seen = seen && is_seen(c, t);
        for (int64_t t = first; !seen && t < end; t++)
            add(c, t);
    }
}

/* Drops the micro-batch that begins at `first` if nothing of it is left to explain. */
static void drop_explained(computing *c, int64_t first) {
    for (int64_t i = first; i < c->job.place_count; i++)
        if (has(c, c->places[i], HLRP_RECORD_FORWARD))
            return;
    c->job.place_count = first;
}

/* The tiles that were put off, explained since or not: their micro-batches stay the same. */
static void list_put_off(computing *c) {
    const int64_t n = c->run->batch->net->batch;
    int64_t first = 0; /* of the micro-batch that is being filled */
    c->job.place_count = 0;
    for (int64_t start = c->from; start < c->to; start += n) {
        const int64_t end = HLRP_MIN(start + n, c->to);
        int64_t passed = 0;
        for (int64_t t = start; t < end; t++)
            passed += has(c, t, HLRP_RECORD_EXPLAINED) || has(c, t, HLRP_RECORD_FORWARD);
        for (int64_t t = start; hlrp_tile_job_puts_off(passed, end - start) && t < end; t++) {
            if (!has(c, t, HLRP_RECORD_EXPLAINED) && !has(c, t, HLRP_RECORD_FORWARD))
                continue;
            add(c, t);
            if (c->job.place_count - first < n)
                continue;
            drop_explained(c, first);
            first = c->job.place_count;
        }
    }
    drop_explained(c, first);
}

/* ---- the passes ---- */

static hlrp_status run_pass(computing *c, hlrp_error *err) {
    const hlrp_sched_job job = {.ctx = c,
                                .thread_begin = hlrp_tile_job_begin,
                                .item = hlrp_tile_job_item,
                                .thread_end = hlrp_tile_job_end,
                                .progress = report,
                                .cancel = c->run->batch->cancel};
    const int64_t batches = hlrp_ceil_div(c->job.place_count, c->run->batch->net->batch);
    return batches == 0 ? HLRP_OK : hlrp_sched_run(&job, c->run->batch->threads, batches, err);
}

/* One way through tiles of the slide: which of them, and whether the gate is asked of them. */
typedef struct pass {
    void (*list)(computing *c);
    bool gate;
} pass;

static hlrp_status run_passes(computing *c, hlrp_error *err) {
    static const pass gated[] = {{list_unseen, true}, {list_put_off, false}};
    static const pass plain[] = {{list_unseen, false}};
    const bool gate = c->run->batch->net->gate >= 0;
    const pass *passes = gate ? gated : plain;
    const size_t count = gate ? HLRP_COUNT(gated) : HLRP_COUNT(plain);
    hlrp_status status = HLRP_OK;
    for (size_t k = 0; status == HLRP_OK && k < count; k++) {
        c->job.gate = passes[k].gate;
        passes[k].list(c);
        status = run_pass(c, err);
    }
    return status;
}

static hlrp_status open_journal(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_journal_key key = {0};
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_folder_own_path(&run->folder, ".journal", &path, err));
    HLRP_TRY(hlrp_slide_run_journal_key(run, &key, err));
    HLRP_TRY(hlrp_journal_open(path, &key, &run->journal, err));
    if (hlrp_journal_torn(run->journal) > 0)
        hlrp_logf(run->folder.log, HLRP_LOG_INFO,
                  "%s: %lld bytes of an unfinished record were dropped", path,
                  (long long)hlrp_journal_torn(run->journal));
out:
    free(path);
    return status;
}

/* Tiles that could not be read are marked, but a slide of which most cannot is a failed slide. */
static hlrp_status check_faults(const hlrp_survey *survey, int64_t lost, hlrp_error *err) {
    if (2 * lost <= survey->tile_count || lost == 0)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_INPUT, survey->path,
                     "check the file for damage and run again: these tiles are tried again",
                     "%lld of %lld tiles cannot be read", (long long)lost,
                     (long long)survey->tile_count);
}

static hlrp_status begin(computing *c, hlrp_error *err) {
    hlrp_slide_run *run = c->run;
    const hlrp_run_options *o = run->batch->options;
    const hlrp_slide_progress *where = run->folder.where;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(open_journal(run, err));
    hlrp_shard_tiles(run->survey.tile_count, run->batch->net->batch, HLRP_MAX(o->shard, 1),
                     HLRP_MAX(o->shards, 1), &c->from, &c->to);
    HLRP_TRY(hlrp_calloc(&c->places, c->to - c->from, sizeof *c->places, "tiles", err));
    hlrp_journal_tally(run->journal, run->folder.where);
    c->done_before = where->done - where->unreadable;
    c->job = (hlrp_tile_job){.net = run->batch->net,
                             .survey = &run->survey,
                             .places = c->places,
                             .journal = run->journal,
                             .lock = run->folder.lock,
                             .faults = &c->faults,
                             .times = &run->times};
    start_bar(c);
out:
    return status;
}

hlrp_status hlrp_step_compute(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    hlrp_slide_progress *where = run->folder.where;
    computing c = {.run = run};
    hlrp_status status = HLRP_OK;
    if (run->survey.tile_count == 0)
        return HLRP_OK;
    HLRP_TRY(begin(&c, err));
    status = run_passes(&c, err);
    if (c.bar.write)
        hlrp_progress_finish(&c.bar, hlrp_seconds());
    hlrp_journal_tally(run->journal, where);
    HLRP_TRY(status);
    HLRP_TRY(hlrp_journal_sync(run->journal, err));
    status = check_faults(&run->survey, where->unreadable, err);
out:
    run->compute_seconds = hlrp_seconds() - began;
    where->rate =
        run->compute_seconds > 0 ? (double)(where->done - c.done_before) / run->compute_seconds : 0;
    free(c.places);
    return status;
}

hlrp_status hlrp_step_join(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_journal_key key = {0};
    hlrp_status status = HLRP_OK;
    if (run->survey.tile_count == 0)
        return HLRP_OK;
    HLRP_TRY(hlrp_slide_run_journal_key(run, &key, err));
    status = hlrp_shards_join(run->folder.path, run->survey.path, &key, run->batch->net->batch,
                              &run->journal, err);
    if (run->journal)
        hlrp_journal_tally(run->journal, run->folder.where);
    if (status == HLRP_OK)
        status = check_faults(&run->survey, run->folder.where->unreadable, err);
out:
    return status;
}

/* The tiles of a slide that has one score of all of them, in three steps: features of every tile, the head
 * over the whole bag, and from what it gave each tile on to the map, tile by tile: through the encoder to
 * pixels for those that mil.pixels names, evenly over the others.
 *
 * Shards make features of their own tiles. Once all are there, `merge` does the rest; or the shards, run a
 * second time, take their own tiles on to pixels, each with the same head. */
#include "pipelines/compute.h"
#include "pipelines/tile_job.h"
#include "run/features.h"
#include "run/shards.h"

/* ---- 1. features ---- */

static hlrp_journal_key features_key(const hlrp_slide_run *run) {
    return (hlrp_journal_key){.text = run->key,
                              .classes = 1,
                              .planes = 1,
                              .tiles = run->survey.tile_count,
                              .features = run->batch->mil->width,
                              .any_machine = run->batch->options->any_processor};
}

/* Whether results were made from the bag as it is: then it must not change by a tile that can be read
 * after all. */
static hlrp_status is_settled(const hlrp_slide_run *run, bool *settled, hlrp_error *err) {
    hlrp_strings journals = {0};
    const hlrp_status status = hlrp_shards_journals(run->folder.path, HLRP_JOURNAL, &journals, err);
    *settled = journals.count > 0;
    hlrp_strings_free(&journals);
    return status;
}

static hlrp_status make_features(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_journal_key key = features_key(run);
    hlrp_computing c = {.run = run};
    bool settled = false;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(is_settled(run, &settled, err));
    HLRP_TRY(hlrp_computing_open(run, HLRP_FEATURES_JOURNAL, &key, &run->features, err));
    HLRP_TRY(hlrp_computing_begin(&c, run->features, "features", err));
    c.batches.retry = !settled;
    c.job.forward_only = true;
    hlrp_batches_unseen(&c.batches);
    status = hlrp_computing_pass(&c, hlrp_bag_job_features, err);
out:
    status = hlrp_computing_end(&c, status, err);
    return status == HLRP_OK ? hlrp_check_faults(&run->survey, run->folder.where->unreadable, err)
                             : status;
}

/* Those of all shards. HLRP_E_INTERRUPTED where some are missing. */
static hlrp_status join_features(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_journal_key key = features_key(run);
    hlrp_error ignored = {0};
    hlrp_journal_close(run->features, &ignored);
    run->features = NULL;
    return hlrp_shards_join(run->folder.path, HLRP_FEATURES_JOURNAL, run->survey.path, &key,
                            run->batch->net->batch, &run->features, err);
}

/* *all: every tile of the slide has been seen, and not only this shard's. */
static hlrp_status find_features(hlrp_slide_run *run, bool *all, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    *all = true;
    if (run->survey.features)
        return HLRP_OK;
    if (run->batch->merge)
        return join_features(run, err);
    HLRP_TRY(make_features(run, err));
    if (run->batch->options->shards > 1) {
        hlrp_error missing = {0};
        status = join_features(run, &missing);
        *all = status == HLRP_OK;
        if (status != HLRP_OK && status != HLRP_E_INTERRUPTED)
            *err = missing;
        else
            status = HLRP_OK;
    }
out:
    return status;
}

/* ---- 2. the head ---- */

static hlrp_status go_on(void *ctx, hlrp_error *err) {
    return hlrp_slide_folder_go_on(ctx, "the slide's score", err);
}

static void say_score(const hlrp_slide_run *run, double seconds) {
    const hlrp_slide_score *s = run->score;
    const hlrp_network *net = run->batch->net;
    const int64_t best = hlrp_predicted(s->probability, net->classes);
    hlrp_logf(run->folder.log, HLRP_LOG_INFO, "%s: %s, logit %.4g, from %lld tiles in %.1f s",
              run->survey.path, net->class_names[best], (double)s->logit[best],
              (long long)s->instances, seconds);
}

static hlrp_status make_score(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_tile_features from = {run->survey.features, run->features, run->batch->mil->width, {0}};
    const hlrp_feature_source features = {&from, hlrp_tile_features_has, hlrp_tile_features_read};
    const hlrp_score_job job = {.mil = run->batch->mil,
                                .source = &features,
                                .tiles = run->survey.tile_count,
                                .width = from.width,
                                .folder = run->folder.path,
                                .slide = run->survey.path,
                                .log = run->folder.log,
                                .go_on = go_on,
                                .ctx = &run->folder};
    const double began = hlrp_seconds();
    const hlrp_status status = hlrp_slide_score_make(&job, &run->score, err);
    hlrp_tile_features_free(&from);
    if (status == HLRP_OK)
        say_score(run, hlrp_seconds() - began);
    return status;
}

/* ---- 3. on to the map ---- */

/* In `done` are the records there are: the run's own journal, or for merge those of all shards. */
static hlrp_status map_tiles(hlrp_slide_run *run, hlrp_journal *own, const hlrp_journal *done,
                             hlrp_error *err) {
    hlrp_computing c = {.run = run};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_computing_begin(&c, own, "map", err));
    c.batches.journal = done;
    hlrp_batches_wanted(&c.batches, run->score->to_pixels, true);
    HLRP_TRY(hlrp_computing_pass(&c, hlrp_bag_job_back, err));
    hlrp_batches_wanted(&c.batches, run->score->to_pixels, false); /* for which no network runs */
    c.job.net = NULL;
    status = hlrp_computing_pass(&c, hlrp_bag_job_spread, err);
out:
    return hlrp_computing_end(&c, status, err);
}

/* Own records beside those of shards that ran a second time; then all as one. */
static hlrp_status map_rest(hlrp_slide_run *run, const hlrp_journal_key *key, hlrp_error *err) {
    const char *folder = run->folder.path, *slide = run->survey.path;
    const int64_t batch = run->batch->net->batch;
    hlrp_journal *own = NULL, *done = NULL;
    hlrp_error missing = {0}, ignored = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_computing_open(run, HLRP_JOURNAL, key, &own, err));
    status = hlrp_shards_join(folder, HLRP_JOURNAL, slide, key, batch, &done, &missing);
    if (status == HLRP_E_INTERRUPTED)
        status = map_tiles(run, own, done, err);
    else if (status != HLRP_OK)
        *err = missing;
    HLRP_TRY(status);
    status = hlrp_journal_close(own, err);
    own = NULL; /* also where that failed */
    HLRP_TRY(status);
    status = hlrp_shards_join(folder, HLRP_JOURNAL, slide, key, batch, &run->journal, err);
    if (run->journal)
        hlrp_journal_tally(run->journal, run->folder.where);
out:
    hlrp_journal_close(own, &ignored);
    hlrp_journal_close(done, &ignored);
    return status;
}

hlrp_status hlrp_compute_bag(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_journal_key key = {0};
    bool all = false;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(find_features(run, &all, err));
    if (!all)
        goto out; /* the other shards' are still to come */
    HLRP_TRY(make_score(run, err));
    HLRP_TRY(hlrp_slide_run_journal_key(run, &key, err));
    if (run->batch->merge)
        return map_rest(run, &key, err);
    HLRP_TRY(hlrp_computing_open(run, HLRP_JOURNAL, &key, &run->journal, err));
    status = map_tiles(run, run->journal, run->journal, err);
out:
    return status;
}

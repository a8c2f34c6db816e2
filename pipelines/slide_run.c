/* The steps of one slide's run up to the map; outputs.c has those after it. */
#include "pipelines/slide_run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/assemble.h"
#include "pipelines/batch_table.h"
#include "pipelines/tile_job.h"
#include "store/store.h"

enum { STATUS_SECONDS = 3, EVENT_SECONDS = 60 };

hlrp_status hlrp_slide_run_path(const hlrp_slide_run *run, const char *name, char **out,
                                hlrp_error *err) {
    return hlrp_path_join(run->folder, name, out, err);
}

hlrp_status hlrp_slide_run_shard_path(const hlrp_slide_run *run, const char *name, char **out,
                                      hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    char text[100];
    if (o->shards <= 1)
        return hlrp_slide_run_path(run, name, out, err);
    snprintf(text, sizeof text, "%s-%lld-of-%lld", name, (long long)o->shard, (long long)o->shards);
    return hlrp_slide_run_path(run, text, out, err);
}

/* ---- the slide ---- */

static hlrp_status override_of(const hlrp_slide_run *run, hlrp_mpp *mpp, bool *given,
                               hlrp_error *err) {
    const hlrp_config_slide *s = hlrp_config_find_slide(run->batch->config, run->path);
    *given = s && s->mpp.count > 0;
    if (!*given)
        return HLRP_OK;
    if (s->mpp.count > 2)
        return hlrp_fail(err, HLRP_E_CONFIG, s->name, "give one number, or x and y",
                         "mpp has %lld numbers", (long long)s->mpp.count);
    *mpp = (hlrp_mpp){s->mpp.items[0], s->mpp.items[s->mpp.count - 1]};
    return HLRP_OK;
}

hlrp_status hlrp_step_open(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_mpp override = {0};
    bool given = false;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_open(run->path, &run->slide, err));
    HLRP_TRY(override_of(run, &override, &given, err));
    status = hlrp_slide_mpp(run->slide, given ? &override : NULL, run->batch->options->log,
                            &run->mpp, &run->mpp_source, err);
out:
    return status;
}

/* ---- tiles ---- */

hlrp_status hlrp_step_tiles(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_config *c = run->batch->config;
    const hlrp_network *net = run->batch->net;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_grid_init(&run->grid, hlrp_slide_size(run->slide, 0), run->mpp, net->mpp,
                            net->height, c->tiles.overlap, err));
    HLRP_TRY(hlrp_step_regions(run, err));
    if (run->skipped)
        goto out;
    HLRP_TRY(hlrp_tile_list_region(&run->grid, run->region, c->regions.min_coverage, &run->tiles,
                                   &run->tile_count, err));
    run->where->tiles = run->tile_count;
out:
    return status;
}

/* ---- what decides the results ---- */

hlrp_status hlrp_step_key(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    hlrp_slide_identity identity = {0};
    char *config = NULL, digest[65];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_identify(run->slide, &identity, err));
    HLRP_TRY(hlrp_config_result_key(run->batch->config, run->path, &config, err));
    hlrp_sha256_bytes(run->tiles, (size_t)run->tile_count * sizeof *run->tiles, digest);
    HLRP_TRY(hlrp_format(&run->key_text, err,
                         "%s%sprogram = histolrp %s\nconvolutions = %s\ninstructions = %s\n"
                         "model.sha256 = %s\nslide.bytes = %lld\nslide.hash = %s\n"
                         "slide.mpp = %.17g, %.17g\ntiles = %lld\ntiles.sha256 = %s\n",
                         config, config[0] && config[strlen(config) - 1] != '\n' ? "\n" : "",
                         HLRP_VERSION, hlrp_backend_version(), hlrp_backend_isa(), net->hash,
                         (long long)identity.bytes, identity.hash, run->mpp.x, run->mpp.y,
                         (long long)run->tile_count, digest));
out:
    free(config);
    return status;
}

static hlrp_status changed(const hlrp_slide_run *run, const char *before, hlrp_error *err) {
    char *changes = NULL;
    hlrp_status status = hlrp_config_changes(before, run->key_text, &changes, err);
    if (status != HLRP_OK)
        return status;
    status = changes[0] == '\0'
                 ? HLRP_OK
                 : hlrp_fail(err, HLRP_E_INPUT, run->folder,
                             "use another output folder, or --force to start over",
                             "the results there were made with other settings: %s", changes);
    free(changes);
    return status;
}

static hlrp_status remove_file(const hlrp_slide_run *run, const char *name, hlrp_error *err) {
    char *path = NULL;
    const hlrp_status status = hlrp_slide_run_path(run, name, &path, err);
    if (status == HLRP_OK)
        unlink(path);
    free(path);
    return status;
}

static hlrp_status remove_journal(const hlrp_slide_run *run, hlrp_error *err) {
    char *path = NULL;
    const hlrp_status status = hlrp_slide_run_shard_path(run, ".journal", &path, err);
    if (status == HLRP_OK)
        unlink(path);
    free(path);
    return status;
}

/* What became of the tiles of a result that is there already: for status.json and batch.csv. */
static hlrp_status count_tiles(hlrp_slide_run *run, hlrp_result *result, hlrp_error *err) {
    enum { AT_ONCE = 4096 };
    const int64_t tiles = hlrp_result_facts(result)->tiles;
    double status_of[AT_ONCE];
    for (int64_t first = 0; first < tiles; first += AT_ONCE) {
        const int64_t count = HLRP_MIN(AT_ONCE, tiles - first);
        const hlrp_status status =
            hlrp_result_read_tiles(result, "status", first, count, 1, status_of, err);
        if (status != HLRP_OK)
            return status;
        for (int64_t t = 0; t < count; t++) {
            run->where->explained += status_of[t] == HLRP_RECORD_EXPLAINED;
            run->where->gated += status_of[t] == HLRP_RECORD_GATED;
            run->where->unreadable += status_of[t] == HLRP_RECORD_UNREADABLE;
        }
    }
    run->where->done = tiles;
    return HLRP_OK;
}

hlrp_status hlrp_step_look(hlrp_slide_run *run, bool *complete, hlrp_error *err) {
    char *path = NULL, *before = NULL;
    hlrp_result *result = NULL;
    hlrp_status status = HLRP_OK;
    *complete = false;
    if (run->batch->options->force) {
        HLRP_TRY(remove_file(run, "relevance.h5", err));
        HLRP_TRY(remove_journal(run, err));
        HLRP_TRY(remove_file(run, ".outputs", err));
    }
    HLRP_TRY(hlrp_slide_run_path(run, "relevance.h5", &path, err));
    if (!hlrp_file_exists(path))
        goto out;
    HLRP_TRY(hlrp_result_open(path, &result, err));
    HLRP_TRY(hlrp_result_get_text(result, "/run", "result_key", &before, err));
    HLRP_TRY(changed(run, before ? before : "", err));
    HLRP_TRY(count_tiles(run, result, err));
    *complete = true;
out:
    hlrp_result_close(result);
    free(before);
    free(path);
    return status;
}

/* ---- compute ---- */

static hlrp_status guard(void *ctx, hlrp_error *err) {
    const hlrp_slide_run *run = ctx;
    return hlrp_lock_check(run->lock, err);
}

/* For logs that programs read: every change, and a line a minute. */
static void tell(hlrp_slide_run *run) {
    const hlrp_run_options *o = run->batch->options;
    const double now = hlrp_seconds();
    hlrp_str line = {0};
    if (!o->event || (run->told_state == run->where->state && now - run->told < EVENT_SECONDS))
        return;
    run->told = now;
    run->told_state = run->where->state;
    hlrp_progress_json(run->where, &line);
    if (!line.failed)
        o->event(o->event_ctx, line.text);
    hlrp_str_free(&line);
}

hlrp_status hlrp_slide_run_write_status(hlrp_slide_run *run, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = hlrp_slide_run_path(run, "status.json", &path, err);
    hlrp_timestamp(run->where->updated);
    tell(run);
    if (status == HLRP_OK)
        status = hlrp_progress_write(path, run->where, err);
    free(path);
    return status;
}

hlrp_status hlrp_slide_run_go_on(hlrp_slide_run *run, const char *what, hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    const double now = hlrp_seconds();
    hlrp_error ignored = {0};
    const bool watched = run->where->state == HLRP_STATE_RUNNING;
    if (o->stop && o->stop(o->stop_ctx))
        return hlrp_fail(err, HLRP_E_INTERRUPTED, run->path, "run again to finish",
                         "interrupted at %s", what);
    const hlrp_status status = hlrp_lock_check(run->lock, err);
    if (status == HLRP_OK && watched && now - run->written > STATUS_SECONDS) {
        run->written = now;
        snprintf(run->where->reason, sizeof run->where->reason, "%s", what);
        hlrp_slide_run_write_status(run, &ignored);
    }
    return status;
}

/* Each half of what a worker thread calls: the tiles' own context, and the run that watches. */
typedef struct computing {
    hlrp_tile_job job; /* first: the job's callbacks take this struct for it */
    hlrp_slide_run *run;
    int64_t pending_tiles, batches;
} computing;

void hlrp_slide_run_count(hlrp_slide_run *run) {
    run->where->explained = hlrp_journal_count(run->journal, HLRP_RECORD_EXPLAINED);
    run->where->gated = hlrp_journal_count(run->journal, HLRP_RECORD_GATED);
    run->where->unreadable = hlrp_journal_count(run->journal, HLRP_RECORD_UNREADABLE);
    run->where->done = run->where->explained + run->where->gated + run->where->unreadable;
}

static void report(void *ctx, int64_t done) {
    computing *c = ctx;
    hlrp_slide_run *run = c->run;
    const hlrp_run_options *o = run->batch->options;
    const double now = hlrp_seconds();
    hlrp_error ignored = {0};
    const int64_t tiles = HLRP_MIN(done * run->batch->net->batch, c->pending_tiles);
    if (run->bar.write)
        hlrp_progress_update(&run->bar, run->done_before + tiles, now);
    if (o->stop && o->stop(o->stop_ctx))
        hlrp_cancel_request(run->batch->cancel);
    if (now - run->written > STATUS_SECONDS) {
        run->written = now;
        run->where->done = run->done_before + tiles;
        run->where->rate = hlrp_progress_rate(&run->bar, now);
        run->where->eta = hlrp_progress_eta(&run->bar, now);
        if (hlrp_lock_check(run->lock, &ignored) == HLRP_OK)
            hlrp_slide_run_write_status(run, &ignored);
    }
}

/* Tiles that an earlier run could not read are tried again: the disk or the network may be well by
 * now, or the file mended. */
static bool batch_is_done(const hlrp_slide_run *run, int64_t batch) {
    const int64_t n = run->batch->net->batch;
    for (int64_t t = batch * n; t < HLRP_MIN((batch + 1) * n, run->tile_count); t++) {
        hlrp_record_status status = HLRP_RECORD_UNREADABLE;
        if (!hlrp_journal_has(run->journal, t, &status) || status == HLRP_RECORD_UNREADABLE)
            return false;
    }
    return true;
}

/* A shard is a run of whole micro-batches. */
static void shard_batches(const hlrp_slide_run *run, int64_t shard, int64_t shards, int64_t *from,
                          int64_t *to) {
    const int64_t all = hlrp_ceil_div(run->tile_count, run->batch->net->batch);
    *from = all * (shard - 1) / shards;
    *to = all * shard / shards;
}

void hlrp_shard_tiles(const hlrp_slide_run *run, int64_t shard, int64_t shards, int64_t *from,
                      int64_t *to) {
    const int64_t n = run->batch->net->batch;
    shard_batches(run, shard, shards, from, to);
    *from = HLRP_MIN(*from * n, run->tile_count);
    *to = HLRP_MIN(*to * n, run->tile_count);
}

/* The micro-batches of this shard that are not done. A shard is a run of whole micro-batches, so
 * that no tile ever shares its micro-batch with others than in an undivided run. */
static hlrp_status list_batches(computing *c, int64_t **out, hlrp_error *err) {
    hlrp_slide_run *run = c->run;
    const hlrp_run_options *o = run->batch->options;
    const int64_t n = run->batch->net->batch;
    int64_t from = 0, to = 0;
    shard_batches(run, HLRP_MAX(o->shard, 1), HLRP_MAX(o->shards, 1), &from, &to);
    hlrp_status status = hlrp_calloc(out, to - from, sizeof **out, "tiles", err);
    for (int64_t b = from; status == HLRP_OK && b < to; b++)
        if (!batch_is_done(run, b)) {
            (*out)[c->batches++] = b;
            c->pending_tiles += HLRP_MIN(n, run->tile_count - b * n);
        }
    run->done_before = HLRP_MIN(to * n, run->tile_count) - from * n - c->pending_tiles;
    return status;
}

static void start_bar(hlrp_slide_run *run, int64_t pending) {
    const hlrp_run_options *o = run->batch->options;
    run->bar = (hlrp_progress){.label = hlrp_path_name(run->path),
                               .unit = "tiles",
                               .total = run->done_before + pending,
                               .before = run->done_before,
                               .terminal = o->terminal,
                               .columns = o->columns,
                               .write = o->progress,
                               .ctx = o->progress_ctx};
    hlrp_progress_start(&run->bar, hlrp_seconds());
}

hlrp_status hlrp_slide_run_journal_key(const hlrp_slide_run *run, hlrp_journal_key *key,
                                       hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    hlrp_pool *pool = NULL;
    const hlrp_status status =
        hlrp_pool_new(&run->grid, run->batch->config->map.downsample, &pool, err);
    if (status != HLRP_OK)
        return status;
    *key = (hlrp_journal_key){.text = run->key_text,
                              .classes = net->classes,
                              .planes = net->targets.planes,
                              .tiles = run->tile_count,
                              .layer_values = (int64_t)net->graph->node_count * HLRP_ACCOUNT_FIELDS,
                              .parts_max = hlrp_pool_capacity(pool)};
    hlrp_pool_free(pool);
    return HLRP_OK;
}

static hlrp_status open_journal(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_journal_key key = {0};
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_shard_path(run, ".journal", &path, err));
    HLRP_TRY(hlrp_slide_run_journal_key(run, &key, err));
    HLRP_TRY(hlrp_journal_open(path, &key, &run->journal, err));
    if (hlrp_journal_torn(run->journal) > 0)
        hlrp_logf(run->batch->options->log, HLRP_LOG_INFO,
                  "%s: %lld bytes of an unfinished record were dropped", path,
                  (long long)hlrp_journal_torn(run->journal));
out:
    free(path);
    return status;
}

hlrp_status hlrp_slide_run_check_faults(const hlrp_slide_run *run, hlrp_error *err) {
    const int64_t lost = run->where->unreadable;
    if (2 * lost <= run->tile_count || lost == 0)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_INPUT, run->path,
                     "check the file for damage and run again: these tiles are tried again",
                     "%lld of %lld tiles cannot be read", (long long)lost,
                     (long long)run->tile_count);
}

hlrp_status hlrp_step_compute(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    int64_t *batches = NULL;
    computing c = {.run = run};
    hlrp_status status = HLRP_OK;
    if (run->tile_count == 0)
        return HLRP_OK;
    HLRP_TRY(open_journal(run, err));
    HLRP_TRY(list_batches(&c, &batches, err));
    c.job = (hlrp_tile_job){.net = run->batch->net,
                            .slide = run->slide,
                            .grid = &run->grid,
                            .tiles = run->tiles,
                            .tile_count = run->tile_count,
                            .batches = batches,
                            .downsample = run->batch->config->map.downsample,
                            .journal = run->journal,
                            .faults = &run->faults,
                            .times = &run->times,
                            .log = run->batch->options->log,
                            .guard = guard,
                            .guard_ctx = run};
    const hlrp_sched_job job = {.ctx = &c,
                                .thread_begin = hlrp_tile_job_begin,
                                .item = hlrp_tile_job_item,
                                .thread_end = hlrp_tile_job_end,
                                .progress = report,
                                .cancel = run->batch->cancel};
    start_bar(run, c.pending_tiles);
    status = hlrp_sched_run(&job, run->batch->threads, c.batches, err);
    if (run->bar.write)
        hlrp_progress_finish(&run->bar, hlrp_seconds());
    hlrp_slide_run_count(run);
    HLRP_TRY(status);
    HLRP_TRY(hlrp_journal_sync(run->journal, err));
    status = hlrp_slide_run_check_faults(run, err);
out:
    run->compute_seconds = hlrp_seconds() - began;
    run->where->rate =
        run->compute_seconds > 0 ? (double)c.pending_tiles / run->compute_seconds : 0;
    free(batches);
    return status;
}

/* ---- assemble ---- */

static hlrp_status assemble_on(void *ctx, hlrp_error *err) {
    return hlrp_slide_run_go_on(ctx, "relevance.h5", err);
}

hlrp_status hlrp_step_assemble(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    char *path = NULL;
    const hlrp_assembly a = {.net = run->batch->net,
                             .slide = run->slide,
                             .mpp = run->mpp,
                             .mpp_source = run->mpp_source,
                             .grid = &run->grid,
                             .tiles = run->tiles,
                             .tile_count = run->tile_count,
                             .downsample = run->batch->config->map.downsample,
                             .journal = run->journal,
                             .key_text = run->key_text,
                             .threads = run->batch->threads,
                             .log = run->batch->options->log,
                             .go_on = assemble_on,
                             .ctx = run};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_path(run, "relevance.h5", &path, err));
    status = hlrp_assemble(&a, path, err);
out:
    run->assemble_seconds = hlrp_seconds() - began;
    free(path);
    return status;
}

/* ---- what is left behind ---- */

/* Whether somebody is computing the shard, as in ".journal-2-of-4" without ".journal". */
static bool shard_is_held(const hlrp_slide_run *run, const char *shard) {
    hlrp_error ignored = {0};
    char name[300], who[256], *path = NULL;
    snprintf(name, sizeof name, ".lock%s", shard);
    const bool held = shard[0] == '-' &&
                      hlrp_slide_run_path(run, name, &path, &ignored) == HLRP_OK &&
                      hlrp_lock_held(path, HLRP_LOCK_TIMEOUT, who);
    free(path);
    return held;
}

static bool is_temporary(const char *name) {
    const size_t n = strlen(name);
    return name[0] == '.' && n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

/* all: also journals, and the locks of shards that died. */
static void sweep(const hlrp_slide_run *run, bool all) {
    hlrp_error ignored = {0};
    DIR *dir = opendir(run->folder);
    for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        const char *name = entry->d_name;
        const bool journal = strncmp(name, ".journal", 8) == 0 && !shard_is_held(run, name + 8);
        const bool lock = strncmp(name, ".lock-", 6) == 0 && !shard_is_held(run, name + 5);
        if ((all && (journal || lock)) || is_temporary(name))
            remove_file(run, name, &ignored);
    }
    if (dir)
        closedir(dir);
}

void hlrp_slide_run_sweep(const hlrp_slide_run *run) {
    sweep(run, false);
}

hlrp_status hlrp_step_clear(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_status status = hlrp_journal_close(run->journal, err);
    run->journal = NULL;
    if (status == HLRP_OK)
        status = hlrp_lock_check(run->lock, err);
    if (status == HLRP_OK)
        sweep(run, true);
    return status;
}

/* The steps of one slide's run up to the map; outputs.c has those after it. */
#include "pipelines/slide_run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/assemble.h"
#include "pipelines/tile_job.h"
#include "run/folder.h"
#include "store/store.h"
#include "worker/account.h"

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

/* ---- what decides the results ---- */

/* Which classes get a map: where lrp.target is silent, that follows from other keys. */
static void list_planes(const hlrp_network *net, hlrp_str *out) {
    hlrp_str_add(out, net->targets.predicted ? "the predicted of " : "");
    for (int64_t k = 0; k < net->targets.planes; k++)
        hlrp_str_addf(out, "%s%s", k > 0 ? ", " : "", net->class_names[net->targets.classes[k]]);
}

hlrp_status hlrp_step_key(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    hlrp_str planes = {0};
    hlrp_slide_identity identity = {0};
    char *config = NULL, digest[65], processor[HLRP_PROCESSOR_SIZE];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_identify(run->survey.slide, &identity, err));
    HLRP_TRY(hlrp_config_result_key(run->batch->config, run->survey.path, &config, err));
    hlrp_processor(processor);
    hlrp_sha256_bytes(run->survey.tiles, (size_t)run->survey.tile_count * sizeof *run->survey.tiles,
                      digest);
    list_planes(net, &planes);
    if (planes.failed)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MEMORY, run->survey.path, NULL, "out of memory"));
    HLRP_TRY(hlrp_format(
        &run->key_text, err,
        "%s%sprogram = histolrp %s\n" HLRP_KEY_MACHINE "processor = %s\n" HLRP_KEY_MACHINE
        "convolutions = %s\n" HLRP_KEY_MACHINE "instructions = %s\n"
        "explained = %s\nmodel.sha256 = %s\nslide.bytes = %lld\nslide.hash = %s\n"
        "slide.pixel = %.17g, %.17g\ntiles = %lld\ntiles.sha256 = %s\n",
        config, config[0] && config[strlen(config) - 1] != '\n' ? "\n" : "", HLRP_VERSION,
        processor, hlrp_backend_version(), hlrp_backend_isa(), planes.text, net->hash,
        (long long)identity.bytes, identity.hash, run->survey.mpp.x, run->survey.mpp.y,
        (long long)run->survey.tile_count, digest));
out:
    hlrp_str_free(&planes);
    free(config);
    return status;
}

/* A result that is complete stays one on another machine: nothing of it is computed again. */
static hlrp_status changed(const hlrp_slide_run *run, const char *before, hlrp_error *err) {
    char *changes = NULL, *theirs = NULL, *ours = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_key_portable(before, &theirs, err));
    HLRP_TRY(hlrp_key_portable(run->key_text, &ours, err));
    HLRP_TRY(hlrp_config_changes(theirs, ours, &changes, err));
    if (changes[0] != '\0')
        status = hlrp_fail(err, HLRP_E_INPUT, run->folder,
                           "use another output folder, or --force to start over",
                           "the results there were made with other settings: %s", changes);
out:
    free(theirs);
    free(ours);
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

/* ---- while it runs ---- */

hlrp_status hlrp_slide_run_guard(void *ctx, hlrp_error *err) {
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

hlrp_status hlrp_slide_run_begin(hlrp_slide_run *run, const hlrp_batch_run *batch,
                                 hlrp_error *err) {
    run->own = *batch;
    run->options = *batch->options;
    run->own.options = &run->options;
    run->batch = &run->own;
    const hlrp_status status =
        hlrp_warnings_new(batch->options->log, run->survey.path, &run->warnings, err);
    if (status == HLRP_OK)
        run->options.log = hlrp_warnings_log(run->warnings);
    run->survey.config = batch->config;
    run->survey.log = run->options.log;
    return status;
}

hlrp_status hlrp_slide_run_write_status(hlrp_slide_run *run, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = hlrp_slide_run_path(run, "status.json", &path, err);
    run->where->warnings = hlrp_warnings_count(run->warnings);
    hlrp_timestamp(run->where->updated);
    tell(run);
    if (status == HLRP_OK)
        status = hlrp_progress_write(path, run->where, err);
    free(path);
    return status;
}

void hlrp_slide_run_beat(hlrp_slide_run *run) {
    const double now = hlrp_seconds();
    hlrp_error ignored = {0};
    if (run->where->state != HLRP_STATE_RUNNING || now - run->written < STATUS_SECONDS ||
        hlrp_lock_check(run->lock, &ignored) != HLRP_OK)
        return;
    run->written = now;
    hlrp_slide_run_write_status(run, &ignored);
}

hlrp_status hlrp_slide_run_go_on(hlrp_slide_run *run, const char *what, hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    if (o->stop && o->stop(o->stop_ctx))
        return hlrp_fail(err, HLRP_E_INTERRUPTED, run->survey.path, "run again to finish",
                         "interrupted at %s", what);
    snprintf(run->where->reason, sizeof run->where->reason, "%s", what);
    hlrp_slide_run_beat(run);
    return hlrp_lock_check(run->lock, err);
}

void hlrp_slide_run_count(hlrp_slide_run *run) {
    run->where->explained = hlrp_journal_count(run->journal, HLRP_RECORD_EXPLAINED);
    run->where->gated = hlrp_journal_count(run->journal, HLRP_RECORD_GATED);
    run->where->unreadable = hlrp_journal_count(run->journal, HLRP_RECORD_UNREADABLE);
    run->where->done = run->where->explained + run->where->gated + run->where->unreadable;
}

hlrp_status hlrp_slide_run_journal_key(const hlrp_slide_run *run, hlrp_journal_key *key,
                                       hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    const hlrp_patch tile = hlrp_grid_patch(&run->survey.grid, 0);
    hlrp_pool *pool = NULL;
    const hlrp_status status = hlrp_pool_new(run->survey.grid.slide, &tile,
                                             run->batch->config->map.downsample, &pool, err);
    if (status != HLRP_OK)
        return status;
    *key = (hlrp_journal_key){.text = run->key_text,
                              .classes = net->classes,
                              .planes = net->targets.planes,
                              .tiles = run->survey.tile_count,
                              .layer_values = hlrp_account_count(net),
                              .parts_max = hlrp_pool_capacity(pool),
                              .any_machine = run->batch->options->any_processor};
    hlrp_pool_free(pool);
    return HLRP_OK;
}

/* A shard is a run of whole micro-batches. */
static void shard_batches(const hlrp_slide_run *run, int64_t shard, int64_t shards, int64_t *from,
                          int64_t *to) {
    const int64_t all = hlrp_ceil_div(run->survey.tile_count, run->batch->net->batch);
    *from = all * (shard - 1) / shards;
    *to = all * shard / shards;
}

void hlrp_shard_tiles(const hlrp_slide_run *run, int64_t shard, int64_t shards, int64_t *from,
                      int64_t *to) {
    const int64_t n = run->batch->net->batch;
    shard_batches(run, shard, shards, from, to);
    *from = HLRP_MIN(*from * n, run->survey.tile_count);
    *to = HLRP_MIN(*to * n, run->survey.tile_count);
}

/* ---- assemble ---- */

static hlrp_status assemble_on(void *ctx, hlrp_error *err) {
    return hlrp_slide_run_go_on(ctx, "relevance.h5", err);
}

hlrp_status hlrp_step_assemble(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    char *path = NULL;
    const hlrp_assembly a = {.net = run->batch->net,
                             .slide = run->survey.slide,
                             .mpp = run->survey.mpp,
                             .mpp_source = run->survey.mpp_source,
                             .grid = &run->survey.grid,
                             .tiles = run->survey.tiles,
                             .tile_count = run->survey.tile_count,
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

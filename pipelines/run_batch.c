/* The batch: the list of slides, the network once for all of them, then slide by slide. One slide
 * that fails does not stop the others. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/lock.h"
#include "batch/slides.h"
#include "pipelines/run_slide.h"
#include "pipelines/tile_job.h"

/* ---- what to run ---- */

static hlrp_status list_slides(const hlrp_config *config, const hlrp_run_options *o,
                               hlrp_strings *out, hlrp_error *err) {
    hlrp_strings items = {0};
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0; i < o->slide_count; i++)
        HLRP_TRY(hlrp_strings_add(&items, o->slides[i], err));
    for (int64_t i = 0; o->slide_count == 0 && i < config->batch.slides.count; i++)
        HLRP_TRY(hlrp_strings_add(&items, config->batch.slides.items[i], err));
    if (items.count == 0)
        HLRP_TRY(hlrp_config_require(config, "batch.slides", err));
    HLRP_TRY(hlrp_slides_expand(&items, out, err));
    if (o->index > out->count)
        status = hlrp_fail(err, HLRP_E_USAGE, "--index", "count from 1 to the number of slides",
                           "slide %lld was asked for, but the list has %lld", (long long)o->index,
                           (long long)out->count);
out:
    hlrp_strings_free(&items);
    return status;
}

/* The output folder must take files before anything runs. */
static hlrp_status check_output(const hlrp_config *config, hlrp_error *err) {
    char *probe = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_config_require(config, "batch.output", err));
    HLRP_TRY(hlrp_make_folders(config->batch.output, err));
    HLRP_TRY(hlrp_path_join(config->batch.output, ".writable", &probe, err));
    status = hlrp_write_file(probe, "", 0, err);
    if (status != HLRP_OK)
        status = hlrp_fail(err, HLRP_E_OUTPUT, config->batch.output,
                           "check its permissions and the space on its disk",
                           "the output folder takes no files: %s", err->what);
    else
        unlink(probe);
out:
    free(probe);
    return status;
}

static hlrp_status require_network(const hlrp_network *net, hlrp_error *err) {
    if (net->mpp > 0)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, "model.mpp",
                     "set it to the micrometres per pixel that the network was trained at",
                     "neither the configuration nor the model's metadata say the network's mpp");
}

/* As many workers as are granted, or as memory_limit lets stand side by side. */
static hlrp_status choose_threads(const hlrp_network *net, const hlrp_run_options *o, int *threads,
                                  hlrp_error *err) {
    const hlrp_config *c = net->config;
    *threads = o->threads > 0           ? o->threads
               : c->compute.threads > 0 ? (int)c->compute.threads
                                        : hlrp_sched_default_threads();
    if (c->compute.memory_limit <= 0)
        return HLRP_OK;
    const int64_t each = hlrp_tile_job_worker_bytes(net, net->height * net->width);
    if (each > c->compute.memory_limit)
        return hlrp_fail(err, HLRP_E_CONFIG, "compute.memory_limit", "raise it",
                         "one worker needs about %lld MB, over the limit", (long long)(each >> 20));
    *threads = (int)HLRP_MIN((int64_t)*threads, c->compute.memory_limit / each);
    return HLRP_OK;
}

static hlrp_status prepare(const hlrp_config *config, const hlrp_run_options *o, hlrp_network **net,
                           hlrp_error *err) {
    int64_t size = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_network_load(config, o->log, net, err));
    HLRP_TRY(require_network(*net, err));
    HLRP_TRY(hlrp_network_tile_size(*net, &size, err));
    HLRP_TRY(hlrp_network_ready(*net, 0, size, size, err));
out:
    return status;
}

/* ---- batch.csv ---- */

static hlrp_status collect(const hlrp_config *config, const hlrp_strings *slides,
                           hlrp_slide_progress *rows, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0; status == HLRP_OK && i < slides->count; i++) {
        char *folder = NULL, *lock = NULL;
        status = hlrp_slides_folder(config->batch.output, slides->items[i], &folder, err);
        if (status == HLRP_OK)
            status = hlrp_path_join(folder, ".lock", &lock, err);
        if (status == HLRP_OK)
            status = hlrp_progress_collect(folder, lock, 600, slides->items[i], &rows[i], err);
        free(folder);
        free(lock);
    }
    return status;
}

static hlrp_status write_table(const hlrp_config *config, const hlrp_strings *slides,
                               hlrp_error *err) {
    char *path = NULL;
    hlrp_slide_progress *rows = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&rows, slides->count, sizeof *rows, "batch.csv", err));
    HLRP_TRY(hlrp_path_join(config->batch.output, "batch.csv", &path, err));
    HLRP_TRY(collect(config, slides, rows, err));
    status = hlrp_batch_csv_write(path, rows, slides->count, err);
out:
    free(rows);
    free(path);
    return status;
}

/* ---- slide by slide ---- */

typedef struct tally {
    int64_t asked, complete, empty, failed, elsewhere;
    bool interrupted;
    hlrp_error why; /* of the last slide that failed */
} tally;

static void count(tally *t, hlrp_state state) {
    t->complete += state == HLRP_STATE_COMPLETE;
    t->empty += state == HLRP_STATE_EMPTY;
    t->failed += state == HLRP_STATE_FAILED;
    t->elsewhere += state == HLRP_STATE_ELSEWHERE;
    t->interrupted |= state == HLRP_STATE_INTERRUPTED;
}

static void say(const hlrp_run_options *o, const hlrp_slide_progress *p, const hlrp_error *err) {
    char line[2000];
    if (p->state == HLRP_STATE_FAILED)
        hlrp_logf(o->log, HLRP_LOG_ERROR, "%s", hlrp_error_line(err, line, sizeof line));
    else if (p->state == HLRP_STATE_ELSEWHERE)
        hlrp_logf(o->log, HLRP_LOG_WARN, "%s is left to another run: %s", p->slide,
                  hlrp_error_line(err, line, sizeof line));
    else if (p->state == HLRP_STATE_EMPTY)
        hlrp_logf(o->log, HLRP_LOG_WARN, "%s has no tile to look at: see its regions.png",
                  p->slide);
    else
        hlrp_logf(o->log, HLRP_LOG_INFO, "%s: %s, %lld tiles (%lld explained), %.1f tiles/s",
                  p->slide, hlrp_state_name(p->state), (long long)p->tiles, (long long)p->explained,
                  p->rate);
}

/* A slide that was asked for alone fails with its own reason. */
static hlrp_status verdict(const tally *t, const hlrp_run_options *o, hlrp_error *err) {
    const bool shard = o->shards > 1;
    if (t->failed > 0 && t->asked == 1)
        return hlrp_fail(err, HLRP_E_INPUT, t->why.where, t->why.mend, "%s", t->why.what);
    if (t->failed > 0)
        return hlrp_fail(err, HLRP_E_INPUT, o->dry_run ? NULL : "batch.csv has the reasons",
                         "mend them and run again: finished slides are kept",
                         "%lld of %lld slides failed", (long long)t->failed, (long long)t->asked);
    if (t->interrupted && !shard)
        return hlrp_fail(err, HLRP_E_INTERRUPTED, NULL, "run again to finish", "interrupted");
    if (t->elsewhere > 0)
        return hlrp_fail(err, HLRP_E_BUSY, NULL, "run again when they are done",
                         "%lld of the slides are left to another run", (long long)t->elsewhere);
    return HLRP_OK;
}

static bool stopped(const hlrp_batch_run *batch) {
    const hlrp_run_options *o = batch->options;
    return hlrp_cancel_requested(batch->cancel) || (o->stop && o->stop(o->stop_ctx));
}

static void run_slides(const hlrp_batch_run *batch, const hlrp_strings *slides, tally *t) {
    const hlrp_run_options *o = batch->options;
    t->asked = o->index > 0 ? 1 : slides->count;
    for (int64_t i = 0; i < slides->count; i++) {
        hlrp_slide_progress progress = {0};
        hlrp_error err = {0};
        if (o->index > 0 && i != o->index - 1)
            continue;
        if (stopped(batch)) {
            t->interrupted = true;
            break;
        }
        hlrp_run_slide(batch, slides->items[i], &progress, &err);
        count(t, progress.state);
        if (progress.state == HLRP_STATE_FAILED)
            t->why = err;
        if (progress.state == HLRP_STATE_FAILED ? t->asked > 1 : !o->dry_run)
            say(o, &progress, &err);
        if (progress.state == HLRP_STATE_FAILED &&
            batch->config->batch.on_error == HLRP_CONFIG_ON_ERROR_STOP)
            break;
    }
}

hlrp_status hlrp_run_batch(const hlrp_config *config, const hlrp_run_options *options,
                           hlrp_error *err) {
    hlrp_strings slides = {0};
    hlrp_network *net = NULL;
    hlrp_cancel cancel = {0};
    tally t = {0};
    hlrp_status status = HLRP_OK;
    hlrp_batch_run batch = {.config = config, .options = options, .cancel = &cancel};
    HLRP_TRY(list_slides(config, options, &slides, err));
    HLRP_TRY(prepare(config, options, &net, err));
    if (!options->dry_run)
        HLRP_TRY(check_output(config, err));
    HLRP_TRY(choose_threads(net, options, &batch.threads, err));
    batch.net = net;
    run_slides(&batch, &slides, &t);
    if (!options->dry_run)
        HLRP_TRY(write_table(config, &slides, err));
    status = verdict(&t, options, err);
out:
    hlrp_network_free(net);
    hlrp_strings_free(&slides);
    return status;
}

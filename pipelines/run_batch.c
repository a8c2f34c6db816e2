/* The batch: the list of slides, the network once for all of them, then slide by slide. One slide
 * that fails does not stop the others. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/slides.h"
#include "pipelines/estimate.h"
#include "pipelines/run_slide.h"
#include "pipelines/tile_worker.h"
#include "run/batch_table.h"
#include "run/limit.h"

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

/* As many workers as are granted, or as memory_limit lets stand side by side. */
static hlrp_status choose_threads(const hlrp_config *c, const hlrp_network *net,
                                  const hlrp_run_options *o, int *threads, hlrp_error *err) {
    *threads = o->threads > 0           ? o->threads
               : c->compute.threads > 0 ? (int)c->compute.threads
                                        : hlrp_sched_default_threads();
    if (c->compute.memory_limit <= 0 || !net)
        return HLRP_OK;
    const int64_t each = hlrp_tile_job_worker_bytes(net, net->height * net->width);
    *threads = (int)HLRP_MIN((int64_t)*threads, HLRP_MAX(c->compute.memory_limit / each, 1));
    return hlrp_worker_within_limit(c, each, err);
}

/* ---- slide by slide ---- */

static bool stopped(const hlrp_batch_run *batch) {
    const hlrp_run_options *o = batch->options;
    return hlrp_cancel_requested(batch->cancel) || (o->stop && o->stop(o->stop_ctx));
}

/* Whether the batch goes on. A slide that another run holds is put off the first time. */
static bool run_one(const hlrp_batch_run *batch, const char *path, bool *put_off, hlrp_tally *t) {
    hlrp_slide_progress progress = {0};
    hlrp_error err = {0};
    char line[2000];
    if (stopped(batch)) {
        t->interrupted = true;
        return false;
    }
    hlrp_run_slide(batch, path, &progress, &err);
    const bool again = !*put_off && progress.state == HLRP_STATE_ELSEWHERE;
    *put_off = again;
    if (again)
        hlrp_logf(batch->options->log, HLRP_LOG_INFO, "%s is put off: %s", path,
                  hlrp_error_line(&err, line, sizeof line));
    else
        hlrp_tally_add(t, batch->options, &progress, &err);
    return progress.state != HLRP_STATE_FAILED ||
           batch->net->config->batch.on_error != HLRP_CONFIG_ON_ERROR_STOP;
}

/* Slides that were another run's at their turn are looked at once more at the end: by then it may have
 * finished them, or died. */
static hlrp_status run_slides(const hlrp_batch_run *batch, const hlrp_strings *slides,
                              hlrp_tally *t, hlrp_error *err) {
    const hlrp_run_options *o = batch->options;
    bool *put_off = NULL, on = true;
    const hlrp_status status =
        hlrp_calloc(&put_off, slides->count, sizeof *put_off, "list of slides", err);
    t->asked = o->index > 0 ? 1 : slides->count;
    for (int64_t i = 0; status == HLRP_OK && on && i < slides->count; i++)
        if (o->index <= 0 || i == o->index - 1)
            on = run_one(batch, slides->items[i], &put_off[i], t);
    for (int64_t i = 0; status == HLRP_OK && on && i < slides->count; i++)
        if (put_off[i])
            run_one(batch, slides->items[i], &put_off[i], t);
    free(put_off);
    return status;
}

/* outputs.limit = batch: once every listed slide has come to an end, the pictures and scripts that showed
 * another limit are made again. A slide that another run holds is left to it. */
static hlrp_status share_limit(const hlrp_batch_run *batch, const hlrp_strings *slides,
                               hlrp_error *err) {
    const hlrp_network *net = batch->net;
    hlrp_run_options options = *batch->options;
    hlrp_batch_run again = *batch;
    hlrp_strings usable = {0};
    bool ended = false;
    hlrp_status status = HLRP_OK;
    if (strcmp(net->config->outputs.limit, "batch") != 0)
        return HLRP_OK;
    options.force = false; /* the maps are there, and a slide is shown as a whole */
    options.shards = 0;
    again.options = &options;
    HLRP_TRY(hlrp_batch_usable(net->config->batch.output, slides, &usable, &ended, err));
    if (!ended)
        goto out;
    HLRP_TRY(hlrp_batch_limit(net->config, &usable, net->shown, &again.shared_limit, err));
    for (int64_t i = 0; again.shared_limit > 0 && i < usable.count; i++) {
        status = hlrp_show_slide(&again, usable.items[i], err);
        if (status != HLRP_E_BUSY)
            HLRP_TRY(status);
        status = HLRP_OK;
    }
    hlrp_logf(options.log, HLRP_LOG_INFO, "full color of all slides at ±%.3g", again.shared_limit);
out:
    hlrp_strings_free(&usable);
    return status;
}

/* What all slides have in common: one limit of display, and the table. */
static hlrp_status finish(const hlrp_batch_run *batch, const hlrp_strings *slides,
                          hlrp_tally *tally, hlrp_error *err) {
    const hlrp_config *c = batch->net->config;
    hlrp_error second = {0};
    const hlrp_batch_table rows = {.output = c->batch.output,
                                   .slides = slides,
                                   .tally = tally,
                                   .report = c->outputs.report,
                                   .log = batch->options->log};
    hlrp_status limit = HLRP_OK;
    if (!stopped(batch))
        limit = share_limit(batch, slides, err);
    const hlrp_status table = hlrp_batch_table_write(&rows, limit == HLRP_OK ? err : &second);
    tally->no_table = table != HLRP_OK;
    return limit == HLRP_OK ? table : limit;
}

hlrp_status hlrp_run_batch(const hlrp_config *config, const hlrp_run_options *options,
                           hlrp_error *err) {
    hlrp_strings slides = {0};
    hlrp_network *net = NULL;
    hlrp_mil *mil = NULL;
    hlrp_cancel cancel = {0};
    hlrp_tally t = {0};
    hlrp_error table_error = {0};
    hlrp_status status = HLRP_OK, table = HLRP_OK;
    hlrp_dry_run dry = {0};
    hlrp_batch_run batch = {.options = options, .cancel = &cancel, .dry = &dry};
    HLRP_TRY(list_slides(config, options, &slides, err));
    HLRP_TRY(hlrp_batch_networks(&batch, config, &net, &mil, err));
    if (!options->dry_run)
        HLRP_TRY(check_output(config, err));
    HLRP_TRY(choose_threads(config, batch.tile_net, options, &batch.threads, err));
    HLRP_TRY(run_slides(&batch, &slides, &t, err));
    if (options->dry_run)
        hlrp_dry_run_total(&dry, options);
    else
        table = finish(&batch, &slides, &t, &table_error);
    hlrp_tally_sum(&t, options);
    status = hlrp_tally_with_table(hlrp_tally_verdict(&t, options, err), table, &table_error,
                                   options->log, err);
out:
    hlrp_tally_free(&t);
    hlrp_network_free(net);
    hlrp_mil_free(mil);
    hlrp_strings_free(&slides);
    return status;
}

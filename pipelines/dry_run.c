/* --dry-run: what would be done with a slide, and what it would take, without doing it. */
#include <math.h>
#include <stdlib.h>

#include "pipelines/estimate.h"
#include "pipelines/slide_run.h"
#include "run/earlier.h"
#include "run/shards.h"
#include "survey/reading.h"
#include "worker/trial.h"

/* What follows the tiles: regions.png, maps and pictures. */
#define FINISH_SECONDS 2
#define RESULT_BYTES_PER_SECOND 1e7

/* Bytes as "3.2 MB", rounded up: what is promised has to suffice. */
static const char *size_text(double bytes, char *buf, size_t size) {
    const double mb = bytes / 1e6;
    snprintf(buf, size, "%.*f MB", mb < 10 ? 1 : 0,
             ceil(mb * (mb < 10 ? 10 : 1)) / (mb < 10 ? 10 : 1));
    return buf;
}

static void say_reading(const hlrp_survey *s, double network_mpp, const hlrp_survey_reading *r,
                        hlrp_str *out) {
    const int level = hlrp_slide_pick_level(s->slide, s->grid.r_x, s->grid.r_y);
    double x = 1, y = 1;
    hlrp_slide_downsample(s->slide, level, &x, &y);
    const double factor = s->grid.r_x / x;
    hlrp_str_addf(out, "  read     level %d of %d, %.4g um per pixel, ", level,
                  hlrp_slide_levels(s->slide), s->mpp.x * x);
    if (fabs(factor - 1) < 1e-3)
        hlrp_str_add(out, "as the network has it\n");
    else if (factor > 0.99)
        hlrp_str_addf(out, "reduced %.4g times for the network's %.4g um\n", factor, network_mpp);
    else
        hlrp_str_addf(out,
                      "enlarged %.4g times: the network was trained on finer pixels, %.4g um\n",
                      1 / factor, network_mpp);
    if (r->fallback > 0 || r->unreadable > 0)
        hlrp_str_addf(
            out,
            "           of %lld tiles tried %lld cannot be read, %lld only from a coarser level\n",
            (long long)r->tried, (long long)r->unreadable, (long long)r->fallback);
}

/* Those of the shard that is asked for. */
static int64_t tiles_asked(const hlrp_slide_run *run) {
    const hlrp_run_options *o = run->batch->options;
    int64_t from = 0, to = 0;
    hlrp_shard_tiles(run->survey.tile_count, run->batch->net->batch, HLRP_MAX(o->shard, 1),
                     HLRP_MAX(o->shards, 1), &from, &to);
    return to - from;
}

static hlrp_status say_tiles(const hlrp_slide_run *run, hlrp_str *out, hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    const hlrp_survey *s = &run->survey;
    char *regions = NULL;
    const hlrp_status status = hlrp_region_describe(s->region, &regions, err);
    if (status != HLRP_OK)
        return status;
    hlrp_str_addf(out, "  regions  %s, %.1f %% of the slide\n", regions,
                  100 * hlrp_region_share(s->region));
    hlrp_str_addf(out, "  tiles    %lld of a grid of %lld x %lld, %lld pixels a side, %lld apart",
                  (long long)s->tile_count, (long long)s->grid.nx, (long long)s->grid.ny,
                  (long long)s->grid.size, (long long)s->grid.stride);
    if (o->shards > 1)
        hlrp_str_addf(out, "; %lld of them in shard %lld of %lld", (long long)tiles_asked(run),
                      (long long)o->shard, (long long)o->shards);
    hlrp_str_add(out, "\n");
    free(regions);
    return HLRP_OK;
}

/* What an earlier run has left. *left: tiles still to do; *rate: its tiles per second, 0: unknown. */
static hlrp_status say_state(hlrp_slide_run *run, hlrp_str *out, int64_t *left, double *rate,
                             hlrp_error *err) {
    hlrp_slide_progress before = {0};
    hlrp_error why = {0};
    char *path = NULL;
    bool complete = false;
    hlrp_status status = HLRP_OK;
    *left = run->survey.tile_count;
    if (run->batch->options->force)
        return HLRP_OK;
    HLRP_TRY(hlrp_step_key(run, err));
    if (hlrp_earlier_result(&run->folder, run->key, &complete, &why) != HLRP_OK) {
        hlrp_str_addf(out, "  state    a run refuses it: %s: %s\n", why.what, why.mend);
        *left = 0;
        goto out;
    }
    HLRP_TRY(hlrp_path_join(run->folder.path, "status.json", &path, err));
    if (hlrp_progress_read(path, &before, &why) != HLRP_OK)
        goto out;
    *rate = before.rate;
    if (complete) {
        hlrp_str_add(out, "  state    complete: no tile is computed, only outputs that changed\n");
        *left = 0;
    } else if (before.tiles == run->survey.tile_count) {
        *left = HLRP_MAX(run->survey.tile_count - before.done, 0);
        hlrp_str_addf(out, "  state    %s, %lld of %lld tiles are done\n",
                      hlrp_state_name(before.state), (long long)before.done,
                      (long long)before.tiles);
    }
out:
    free(path);
    return status;
}

/* Seconds for `tiles` tiles: workers take whole micro-batches, and all of them wait for the last. */
static double pass_seconds(const hlrp_slide_run *run, const hlrp_survey_reading *reading,
                           double batch_seconds, double tiles) {
    const int64_t batches = hlrp_ceil_div((int64_t)ceil(tiles), run->batch->net->batch);
    return (double)hlrp_ceil_div(batches, run->batch->threads) *
           (batch_seconds + reading->seconds * (double)run->batch->net->batch);
}

/* Of a bag forward for all tiles, unless there are features; the head; and forward and back for those that
 * go to pixels, of which `mass` tells no number beforehand. */
static double compute_seconds(const hlrp_slide_run *run, const hlrp_estimate *e,
                              const hlrp_survey_reading *reading, int64_t tiles) {
    const hlrp_dry_run *dry = run->batch->dry;
    const hlrp_mil *mil = run->batch->mil;
    if (!mil)
        return pass_seconds(run, reading, dry->batch_seconds, (double)tiles);
    return (run->survey.features
                ? 0
                : pass_seconds(run, reading, dry->forward_seconds, (double)tiles)) +
           (tiles > 0 ? e->head_seconds : 0) +
           pass_seconds(run, reading, dry->batch_seconds, mil->pixels.share * (double)tiles);
}

/* The passes of a bag. */
static void say_score(const hlrp_slide_run *run, const hlrp_estimate *e, hlrp_str *out) {
    const hlrp_mil *mil = run->batch->mil;
    char a[32];
    hlrp_str_addf(
        out, "  score    %lld features of each tile, %s; the head in about %s; to pixels: %s\n",
        (long long)mil->width, run->survey.features ? run->survey.features_path : "made here",
        hlrp_progress_duration(e->head_seconds, a, sizeof a), run->batch->net->config->mil.pixels);
}

static hlrp_status say_costs(hlrp_slide_run *run, const hlrp_survey_reading *reading, hlrp_str *out,
                             hlrp_error *err) {
    hlrp_dry_run *dry = run->batch->dry;
    const int threads = run->batch->threads;
    const char *plural = threads == 1 ? "" : "s";
    hlrp_estimate e = {0};
    char a[32], b[32], c[32];
    int64_t left = 0;
    double rate = 0;
    hlrp_status status = hlrp_estimate_bytes(&run->survey, run->batch, dry->base_bytes, &e, err);
    if (status != HLRP_OK)
        return status;
    hlrp_str_addf(out, "  memory   at most %s: %d worker%s of %s each, %s besides\n",
                  size_text(e.memory, a, sizeof a), threads, plural,
                  size_text(e.worker, b, sizeof b),
                  size_text(e.memory - e.worker * threads, c, sizeof c));
    if (run->batch->mil)
        say_score(run, &e, out);
    hlrp_str_addf(out, "  disk     about %s while it runs, %s of results in %s\n",
                  size_text(e.journal + e.spool + e.results, a, sizeof a),
                  size_text(e.results, b, sizeof b), run->folder.path);
    status = say_state(run, out, &left, &rate, err);
    const int64_t tiles = HLRP_MIN(left, tiles_asked(run));
    double seconds = rate > 0 ? (double)tiles / rate : compute_seconds(run, &e, reading, tiles);
    if (tiles > 0)
        seconds += FINISH_SECONDS + e.results / RESULT_BYTES_PER_SECOND;
    hlrp_str_addf(out, "  time     about %s on %d thread%s, if all tiles are explained%s\n",
                  hlrp_progress_duration(seconds, a, sizeof a), threads, plural,
                  rate > 0 && tiles > 0 ? " as fast as by the earlier run" : "");
    dry->slides++;
    dry->tiles += tiles;
    dry->seconds += seconds;
    dry->results += e.results;
    return status;
}

/* Once for all slides. */
static hlrp_status try_network(const hlrp_batch_run *b, hlrp_error *err) {
    hlrp_trial t = {0};
    hlrp_status status = HLRP_OK;
    if (b->dry->base_bytes > 0)
        return HLRP_OK;
    b->dry->base_bytes = hlrp_peak_memory();
    if (b->tile_net)
        status = hlrp_worker_trial(b->tile_net, b->threads, b->cancel, &t, err);
    b->dry->forward_seconds = t.forward;
    b->dry->batch_seconds = t.forward + t.back;
    return status;
}

/* All that is to be said of the slide. */
static hlrp_status say_slide(hlrp_slide_run *run, hlrp_str *text, hlrp_error *err) {
    const hlrp_batch_run *b = run->batch;
    const hlrp_survey *s = &run->survey;
    const hlrp_size size = hlrp_slide_size(s->slide, 0);
    const int64_t downsample = s->config->map.downsample, planes = b->net->targets.planes;
    const hlrp_size map = hlrp_map_size(size, downsample);
    hlrp_survey_reading reading = {0};
    hlrp_status status = HLRP_OK;
    hlrp_str_addf(text, "%s\n  slide    %lld x %lld pixels, %.4g x %.4g um per pixel, from %s\n",
                  s->path, (long long)size.w, (long long)size.h, s->mpp.x, s->mpp.y, s->mpp_source);
    if (s->skipped) {
        hlrp_str_add(text, "  regions  its annotation file is missing: the slide is skipped\n");
        return HLRP_OK;
    }
    HLRP_TRY(try_network(b, err));
    if (b->tile_net) {
        HLRP_TRY(hlrp_survey_read_some(s, &reading, err));
        say_reading(s, b->net->mpp, &reading, text);
    }
    HLRP_TRY(say_tiles(run, text, err));
    if (s->tile_count == 0) {
        hlrp_str_add(text, "           nothing to explain: the slide will be reported as empty\n");
        return HLRP_OK;
    }
    hlrp_str_addf(text, "  map      %lld x %lld pixels of %.4g um, %lld plane%s\n",
                  (long long)map.w, (long long)map.h, s->mpp.x * (double)downsample,
                  (long long)planes, planes == 1 ? "" : "s");
    status = say_costs(run, &reading, text, err);
out:
    return status;
}

hlrp_status hlrp_step_dry_run(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    hlrp_str text = {0};
    const hlrp_status status = say_slide(run, &text, err);
    if (status == HLRP_OK && o->print && !text.failed)
        o->print(o->print_ctx, text.text);
    hlrp_str_free(&text);
    return status;
}

void hlrp_dry_run_total(const hlrp_dry_run *dry, const hlrp_run_options *o) {
    char line[200], size[32], time[32];
    if (dry->slides < 2 || !o->print)
        return;
    snprintf(line, sizeof line,
             "%lld slides: %lld tiles to compute, %s of results, about %s one after the other\n",
             (long long)dry->slides, (long long)dry->tiles,
             size_text(dry->results, size, sizeof size),
             hlrp_progress_duration(dry->seconds, time, sizeof time));
    o->print(o->print_ctx, line);
}

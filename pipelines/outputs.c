/* After relevance.h5: the pictures and tables made from it, and the record of what was done. A
 * change of colors or limits comes back here without computing. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/agreement.h"
#include "pipelines/empty.h"
#include "pipelines/report.h"
#include "pipelines/slide_run.h"
#include "sink/sink.h"

/* ---- the outputs ---- */

typedef struct output {
    const char *file;
    hlrp_sink *sink;
    bool wanted;
} output;

/* 0: the slide's own percentile. A batch's common limit is known only when all slides are done;
 * until then each has its own. */
static double limit_of(const hlrp_slide_run *run) {
    double limit = 0;
    if (run->batch->shared_limit > 0)
        return run->batch->shared_limit;
    return hlrp_parse_double(run->batch->config->outputs.limit, &limit) && limit > 0 ? limit : 0;
}

static const char *limit_kind(const hlrp_slide_run *run) {
    if (run->batch->shared_limit > 0)
        return HLRP_LIMIT_OF_BATCH;
    return limit_of(run) > 0 ? HLRP_LIMIT_GIVEN : HLRP_LIMIT_OF_SLIDE;
}

static hlrp_status write_regions(hlrp_slide_run *run, const hlrp_sink_input *in, hlrp_error *err) {
    char *path = NULL;
    uint8_t *hatched = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_path(run, "regions.png", &path, err));
    HLRP_TRY(hlrp_calloc(&hatched, run->survey.tile_count, 1, "tiles", err));
    HLRP_TRY(hlrp_unexplained_tiles(in->result, in->plane, hatched, err));
    status = hlrp_region_picture(run->survey.slide, run->survey.region, &run->survey.grid,
                                 run->survey.tiles, run->survey.tile_count, hatched, path, err);
    if (status == HLRP_E_INPUT) {
        hlrp_logf(run->batch->options->log, HLRP_LOG_WARN, "%s: no regions.png: %s",
                  run->survey.path, err->what);
        status = HLRP_OK;
    }
out:
    free(hatched);
    free(path);
    return status;
}

/* Which tiles the shown map says nothing about. */
static hlrp_status find_unexplained(hlrp_slide_run *run, hlrp_sink_input *in, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    hlrp_str text = {0};
    const hlrp_status status = hlrp_unexplained_count(in->result, in->plane, &in->unexplained, err);
    if (status == HLRP_OK)
        hlrp_unexplained_text(&in->unexplained, net->class_names[net->targets.classes[net->shown]],
                              &text);
    if (text.length > 0)
        hlrp_logf(in->log, HLRP_LOG_INFO, "%s: %s", run->survey.path, text.text);
    hlrp_str_free(&text);
    return status;
}

enum { OUTPUTS = 5 };

static void list_outputs(const hlrp_config *c, output list[OUTPUTS]) {
    const output all[OUTPUTS] = {{"overlay.tif", hlrp_sink_overlay, c->outputs.overlay},
                                 {"relevance.ome.tif", hlrp_sink_ome_tiff, c->outputs.ome_tiff},
                                 {"tiles.geojson", hlrp_sink_geojson, c->outputs.geojson},
                                 {"tiles.csv", hlrp_sink_csv, c->outputs.csv},
                                 {"qupath.groovy", hlrp_sink_qupath, c->outputs.qupath}};
    memcpy(list, all, sizeof all);
}

static hlrp_status write_sinks(hlrp_slide_run *run, const hlrp_sink_input *in, hlrp_error *err) {
    output outputs[OUTPUTS];
    list_outputs(run->batch->config, outputs);
    hlrp_status status = HLRP_OK;
    for (size_t i = 0; status == HLRP_OK && i < OUTPUTS; i++) {
        char *path = NULL;
        if (!outputs[i].wanted)
            continue;
        status = hlrp_slide_run_go_on(run, outputs[i].file, err);
        if (status == HLRP_OK)
            status = hlrp_slide_run_path(run, outputs[i].file, &path, err);
        if (status == HLRP_OK)
            status = outputs[i].sink(in, path, err);
        free(path);
    }
    return status;
}

static hlrp_status make_outputs(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_config *c = run->batch->config;
    char *path = NULL;
    hlrp_result *result = NULL;
    hlrp_sink_input in = {.slide = run->survey.slide,
                          .plane = run->batch->net->shown,
                          .unit = "relevance per map pixel",
                          .overlay_mpp = c->outputs.overlay_mpp,
                          .colormap = c->outputs.colormap,
                          .opacity = c->outputs.opacity,
                          .smoothing = c->outputs.smoothing,
                          .limit = limit_of(run),
                          .limit_kind = limit_kind(run),
                          .percentile = c->outputs.percentile,
                          .full = c->outputs.bounds == HLRP_CONFIG_BOUNDS_FULL,
                          .software = "histolrp " HLRP_VERSION,
                          .log = run->batch->options->log};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_warnings_of_outputs(run->warnings, err));
    HLRP_TRY(hlrp_slide_run_path(run, "relevance.h5", &path, err));
    HLRP_TRY(hlrp_result_open(path, &result, err));
    in.result = result;
    HLRP_TRY(find_unexplained(run, &in, err));
    if (!(in.limit > 0)) /* once for all of them */
        HLRP_TRY(hlrp_sink_limit(&in, &in.limit, err));
    HLRP_TRY(hlrp_slide_run_go_on(run, "regions.png", err));
    HLRP_TRY(write_regions(run, &in, err));
    HLRP_TRY(write_sinks(run, &in, err));
    if (c->outputs.report) {
        HLRP_TRY(hlrp_slide_run_go_on(run, "its part of the report", err));
        status = hlrp_step_report(run, &in, err);
    }
out:
    hlrp_result_close(result);
    free(path);
    return status;
}

/* The file .outputs remembers the settings that the outputs were last made with, and the batch's
 * limit behind them. Before that limit is known, one of an earlier run will do. */
static bool up_to_date(const char *path, const char *key, const char *limit) {
    char *before = NULL;
    int64_t size = 0;
    hlrp_error ignored = {0};
    const size_t n = strlen(key);
    const bool same = hlrp_read_file(path, 1 << 20, &before, &size, &ignored) == HLRP_OK &&
                      strncmp(before, key, n) == 0 &&
                      (limit[0] == '\0' || strcmp(before + n, limit) == 0);
    free(before);
    return same;
}

hlrp_status hlrp_step_outputs(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    char *path = NULL, *key = NULL, limit[100] = "";
    hlrp_str text = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_path(run, ".outputs", &path, err));
    HLRP_TRY(hlrp_config_output_key(run->batch->config, &key, err));
    if (run->batch->shared_limit > 0)
        snprintf(limit, sizeof limit, "limit of the batch = %.17g\n", run->batch->shared_limit);
    if (!up_to_date(path, key, limit)) {
        HLRP_TRY(make_outputs(run, err));
        HLRP_TRY(hlrp_lock_check(run->lock, err));
        hlrp_str_addf(&text, "%s%s", key, limit);
        HLRP_TRY(text.failed ? hlrp_fail(err, HLRP_E_MEMORY, path, NULL, "out of memory")
                             : hlrp_write_file(path, text.text, text.length, err));
    }
out:
    run->output_seconds = hlrp_seconds() - began;
    hlrp_str_free(&text);
    free(path);
    free(key);
    return status;
}

/* ---- run.json ---- */

static void add_text(hlrp_str *s, const char *name, const char *value) {
    hlrp_str_addf(s, "  \"%s\": ", name);
    hlrp_str_add_json(s, value);
    hlrp_str_add(s, ",\n");
}

static void add_number(hlrp_str *s, const char *name, double value, const char *end) {
    hlrp_str_addf(s, "  \"%s\": %.17g%s\n", name, value, end);
}

static hlrp_status describe_run(const hlrp_slide_run *run, hlrp_str *s, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    hlrp_slide_identity identity = {0};
    char *config = NULL, now[32], hdf5[32], processor[HLRP_PROCESSOR_SIZE];
    hlrp_status status = HLRP_OK;
    char *path = realpath(run->survey.path, NULL); /* merge may be run from another folder */
    HLRP_TRY(hlrp_slide_identify(run->survey.slide, &identity, err));
    HLRP_TRY(hlrp_config_effective(net->config, &config, err));
    hlrp_timestamp(now);
    hlrp_processor(processor);
    hlrp_str_add(s, "{\n");
    add_text(s, "program", "histolrp " HLRP_VERSION);
    add_text(s, "openslide", hlrp_slide_version());
    add_text(s, "hdf5", hlrp_hdf5_version(hdf5));
    add_text(s, "processor", processor);
    add_text(s, "convolutions", hlrp_backend_version());
    add_text(s, "instructions", hlrp_backend_isa());
    add_text(s, "model", net->config->model.path);
    add_text(s, "model_sha256", net->hash);
    add_text(s, "slide", path ? path : run->survey.path);
    add_text(s, "slide_hash", identity.hash);
    add_text(s, "slide_hash_kind", identity.kind);
    add_number(s, "slide_bytes", (double)identity.bytes, ",");
    add_number(s, "mpp_x", run->survey.mpp.x, ",");
    add_number(s, "mpp_y", run->survey.mpp.y, ",");
    add_text(s, "mpp_source", run->survey.mpp_source);
    add_text(s, "outcome", !run->complete ? "begun" : hlrp_is_empty(run) ? "empty" : "complete");
    add_text(s, "started", run->where->started);
    add_text(s, "finished", now);
    add_number(s, "tiles", (double)run->survey.tile_count, ",");
    add_number(s, "explained", (double)run->where->explained, ",");
    add_number(s, "gated", (double)run->where->gated, ",");
    add_number(s, "unreadable", (double)run->where->unreadable, ",");
    add_number(s, "threads", run->batch->threads, ",");
    add_number(s, "compute_seconds", run->compute_seconds, ",");
    add_number(s, "core_seconds_read", (double)run->times.read / 1e9, ",");
    add_number(s, "core_seconds_forward", (double)run->times.forward / 1e9, ",");
    add_number(s, "core_seconds_relevance", (double)run->times.relevance / 1e9, ",");
    add_number(s, "core_seconds_keep", (double)run->times.keep / 1e9, ",");
    add_number(s, "assemble_seconds", run->assemble_seconds, ",");
    add_number(s, "output_seconds", run->output_seconds, ",");
    add_number(s, "tiles_per_second", run->where->rate, ",");
    add_number(s, "peak_memory_bytes", (double)hlrp_peak_memory(), ",");
    add_text(s, "result_key", run->key_text);
    hlrp_str_add(s, "  \"agreement\": ");
    hlrp_agreement_json(run, s);
    hlrp_str_add(s, ",\n  \"warnings\": ");
    hlrp_warnings_json(run->warnings, s);
    hlrp_str_add(s, ",\n");
    hlrp_str_add(s, "  \"config\": ");
    hlrp_str_add_json(s, config);
    hlrp_str_add(s, "\n}\n");
out:
    free(path);
    free(config);
    return status;
}

hlrp_status hlrp_step_provenance(hlrp_slide_run *run, hlrp_error *err) {
    char *path = NULL;
    hlrp_str text = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_lock_check(run->lock, err));
    HLRP_TRY(hlrp_slide_run_path(run, "run.json", &path, err));
    HLRP_TRY(describe_run(run, &text, err));
    if (text.failed)
        status = hlrp_fail(err, HLRP_E_MEMORY, path, NULL, "out of memory");
    else
        status = hlrp_write_file(path, text.text, text.length, err);
out:
    hlrp_str_free(&text);
    free(path);
    return status;
}

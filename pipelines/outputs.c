/* The pictures and tables made from relevance.h5. A change of colors or limits comes back here without
 * computing. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/slide_run.h"
#include "sink/report.h"
#include "store/bag_score.h"
#include "survey/ground.h"

/* 0: the slide's own percentile. A batch's common limit is known only when all slides are done;
 * until then each has its own. */
static double limit_of(const hlrp_batch_run *batch) {
    double limit = 0;
    if (batch->shared_limit > 0)
        return batch->shared_limit;
    return hlrp_parse_double(batch->net->config->outputs.limit, &limit) && limit > 0 ? limit : 0;
}

static const char *limit_kind(const hlrp_batch_run *batch) {
    if (batch->shared_limit > 0)
        return HLRP_LIMIT_OF_BATCH;
    return limit_of(batch) > 0 ? HLRP_LIMIT_GIVEN : HLRP_LIMIT_OF_SLIDE;
}

/* Which tiles the shown map says nothing about. */
static hlrp_status find_unexplained(const hlrp_slide_run *run, hlrp_sink_input *in,
                                    hlrp_error *err) {
    hlrp_str text = {0};
    const hlrp_status status = hlrp_unexplained_count(in->result, in->plane, &in->unexplained, err);
    if (status == HLRP_OK)
        hlrp_unexplained_text(&in->unexplained,
                              hlrp_result_facts(in->result)->plane_names[in->plane], &text);
    if (text.length > 0)
        hlrp_logf(in->log, HLRP_LOG_INFO, "%s: %s", run->survey.path, text.text);
    hlrp_str_free(&text);
    return status;
}

/* ---- what they need besides the result ---- */

static hlrp_status write_regions(hlrp_slide_run *run, const hlrp_sink_input *in, const char *path,
                                 hlrp_error *err) {
    const hlrp_survey *s = &run->survey;
    uint8_t *hatched = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&hatched, s->tile_count, 1, "tiles", err));
    HLRP_TRY(hlrp_unexplained_tiles(in->result, in->plane, hatched, err));
    status = hlrp_region_picture(s->slide, s->region, &s->grid, s->tiles, s->tile_count, hatched,
                                 path, err);
    if (status == HLRP_E_INPUT) {
        hlrp_logf(in->log, HLRP_LOG_WARN, "%s: no regions.png: %s", s->path, err->what);
        status = HLRP_OK;
    }
out:
    free(hatched);
    return status;
}

/* What report.html says of this slide. */
static hlrp_status write_report(hlrp_slide_run *run, const hlrp_sink_input *in, const char *path,
                                hlrp_error *err) {
    char *regions = NULL;
    hlrp_slide_ground ground = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(run->folder.path, "regions.png", &regions, err));
    HLRP_TRY(hlrp_slide_ground_find(&run->survey, &ground, err));
    const hlrp_report_input report = {.sink = *in,
                                      .loss_named = run->batch->net->config->lrp.warn_share,
                                      .ground = &ground.ground,
                                      .regions = hlrp_file_exists(regions) ? regions : NULL};
    status = hlrp_report_slide(&report, path, err);
out:
    hlrp_slide_ground_free(&ground);
    free(regions);
    return status;
}

/* ---- all of them ---- */

/* Made by a sink from the result, or by what needs the slide's run too. */
typedef struct output {
    const char *file;
    bool wanted;
    hlrp_sink *sink;
    hlrp_status (*make)(hlrp_slide_run *run, const hlrp_sink_input *in, const char *path,
                        hlrp_error *err);
    const char *title; /* for people; NULL: the file's name */
} output;

static hlrp_status make_one(hlrp_slide_run *run, const output *o, const hlrp_sink_input *in,
                            hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_folder_go_on(&run->folder, o->title ? o->title : o->file, err));
    HLRP_TRY(hlrp_path_join(run->folder.path, o->file, &path, err));
    status = o->sink ? o->sink(in, path, err) : o->make(run, in, path, err);
out:
    free(path);
    return status;
}

static hlrp_status make_each(hlrp_slide_run *run, const hlrp_sink_input *in, hlrp_error *err) {
    const hlrp_config *c = run->batch->net->config;
    const output all[] = {{"regions.png", true, .make = write_regions},
                          {"overlay.tif", c->outputs.overlay, .sink = hlrp_sink_overlay},
                          {"relevance.ome.tif", c->outputs.ome_tiff, .sink = hlrp_sink_ome_tiff},
                          {"tiles.geojson", c->outputs.geojson, .sink = hlrp_sink_geojson},
                          {"tiles.csv", c->outputs.csv, .sink = hlrp_sink_csv},
                          {"qupath.groovy", c->outputs.qupath, .sink = hlrp_sink_qupath},
                          {".report.html", c->outputs.report, .make = write_report,
                           .title = "its part of the report"}};
    hlrp_status status = HLRP_OK;
    for (size_t i = 0; status == HLRP_OK && i < HLRP_COUNT(all); i++)
        if (all[i].wanted)
            status = make_one(run, &all[i], in, err);
    return status;
}

static hlrp_status make_outputs(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_config *c = run->batch->net->config;
    char *path = NULL;
    hlrp_result *result = NULL;
    hlrp_sink_input in = {.slide = run->survey.slide,
                          .plane = run->shown,
                          .unit = "relevance per map pixel",
                          .overlay_mpp = c->outputs.overlay_mpp,
                          .colormap = c->outputs.colormap,
                          .opacity = c->outputs.opacity,
                          .smoothing = c->outputs.smoothing,
                          .limit = limit_of(run->batch),
                          .limit_kind = limit_kind(run->batch),
                          .percentile = c->outputs.percentile,
                          .full = c->outputs.bounds == HLRP_CONFIG_BOUNDS_FULL,
                          .software = "histolrp " HLRP_VERSION,
                          .log = run->folder.log};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_warnings_of_outputs(run->folder.warnings, err));
    HLRP_TRY(hlrp_path_join(run->folder.path, "relevance.h5", &path, err));
    HLRP_TRY(hlrp_result_open(path, &result, err));
    in.result = result;
    HLRP_TRY(hlrp_bag_score_plane(result, c->outputs.class_name, run->shown, &in.plane, err));
    HLRP_TRY(find_unexplained(run, &in, err));
    if (!(in.limit > 0)) /* once for all of them */
        HLRP_TRY(hlrp_sink_limit(&in, &in.limit, err));
    status = make_each(run, &in, err);
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
    HLRP_TRY(hlrp_path_join(run->folder.path, ".outputs", &path, err));
    HLRP_TRY(hlrp_config_output_key(run->batch->net->config, &key, err));
    if (run->batch->shared_limit > 0)
        snprintf(limit, sizeof limit, "limit of the batch = %.17g\n", run->batch->shared_limit);
    if (!up_to_date(path, key, limit)) {
        HLRP_TRY(make_outputs(run, err));
        hlrp_str_addf(&text, "%s%s", key, limit);
        HLRP_TRY(hlrp_slide_folder_write(&run->folder, ".outputs", &text, err));
    }
out:
    run->output_seconds = hlrp_seconds() - began;
    hlrp_str_free(&text);
    free(path);
    free(key);
    return status;
}

#include "pipelines/estimate.h"

#include <stdlib.h>

#include "worker/account.h"

/* ---- how fast the network is here ---- */

/* What is measured: enough for a steady number, not more than a person waits for. */
enum { ROUNDS = 3, ENOUGH_SECONDS = 2, READ_TRIES = 8 };

typedef struct trial {
    const hlrp_network *net;
    int threads;
    _Atomic int64_t nanoseconds, batches;
} trial;

/* A way forward and back with empty tiles: the arithmetic is the same for all. */
static hlrp_status pass(hlrp_worker *w, hlrp_error *err) {
    const hlrp_lrp_watch watch = {.account = w->account};
    const hlrp_targets *targets = &w->net->targets;
    const int64_t passes = targets->predicted ? 1 : targets->planes;
    hlrp_status status = hlrp_lrp_forward(w->lrp, w->input, err);
    for (int64_t i = 0; status == HLRP_OK && i < passes; i++)
        status = hlrp_lrp_relevance(w->lrp, w->start, NULL, &watch, w->relevance, err);
    return status;
}

static hlrp_status trial_begin(void *ctx, int thread, void **state, hlrp_error *err) {
    (void)thread;
    const trial *t = ctx;
    hlrp_worker *w = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, "worker", err));
    *state = w; /* trial_end frees it, also where this fails half-way */
    HLRP_TRY(hlrp_worker_open(w, t->net, err));
    status = pass(w, err); /* the first one touches the memory */
out:
    return status;
}

static hlrp_status trial_item(void *ctx, void *state, int64_t index, hlrp_error *err) {
    trial *t = ctx;
    if (index >= t->threads && t->nanoseconds > (int64_t)ENOUGH_SECONDS * t->threads * 1000000000)
        return HLRP_OK;
    const double began = hlrp_seconds();
    const hlrp_status status = pass(state, err);
    t->nanoseconds += (int64_t)((hlrp_seconds() - began) * 1e9);
    t->batches++;
    return status;
}

static void trial_end(void *ctx, int thread, void *state) {
    (void)ctx;
    (void)thread;
    if (state)
        hlrp_worker_close(state);
    free(state);
}

hlrp_status hlrp_estimate_network(const hlrp_batch_run *batch, hlrp_dry_run *dry, hlrp_error *err) {
    if (dry->batch_seconds > 0)
        return HLRP_OK;
    dry->base_bytes = hlrp_peak_memory();
    trial t = {.net = batch->net, .threads = batch->threads};
    const hlrp_sched_job job = {.ctx = &t,
                                .thread_begin = trial_begin,
                                .item = trial_item,
                                .thread_end = trial_end,
                                .cancel = batch->cancel};
    const hlrp_status status =
        hlrp_sched_run(&job, batch->threads, (int64_t)ROUNDS * batch->threads, err);
    if (status == HLRP_OK)
        dry->batch_seconds = (double)t.nanoseconds / 1e9 / (double)t.batches;
    return status;
}

hlrp_status hlrp_estimate_reading_of(const hlrp_slide_run *run, hlrp_estimate_reading *out,
                                     hlrp_error *err) {
    const int64_t side = run->survey.grid.size;
    const int64_t tries = HLRP_MIN(run->survey.tile_count, READ_TRIES);
    hlrp_tile_faults faults = {0};
    hlrp_tile_reader *reader = NULL;
    hlrp_slide *slide = NULL;
    uint8_t *rgb = NULL;
    hlrp_status status = HLRP_OK;
    *out = (hlrp_estimate_reading){.tried = tries};
    HLRP_TRY(hlrp_calloc(&rgb, side * side, 3, "a tile", err));
    HLRP_TRY(hlrp_slide_open_again(run->survey.slide, &slide, err));
    HLRP_TRY(hlrp_tile_reader_open(slide, &run->survey.grid, NULL, &faults, &reader, err));
    const double began = hlrp_seconds();
    for (int64_t i = 0; i < tries; i++) {
        hlrp_tile_result result = HLRP_TILE_READ;
        const int64_t tile = run->survey.tiles[(2 * i + 1) * run->survey.tile_count / (2 * tries)];
        HLRP_TRY(hlrp_tile_read(reader, tile, rgb, &result, err));
    }
    out->seconds = tries > 0 ? (hlrp_seconds() - began) / (double)tries : 0;
    out->fallback = faults.fallback;
    out->unreadable = faults.unreadable;
out:
    hlrp_tile_reader_close(reader);
    free(rgb);
    return status;
}

/* ---- bytes ---- */

/* Of the map's values once they are compressed (float32, shuffled and deflated), as measured on real
 * and synthetic slides: relevance hardly shrinks; a pyramid adds a third. The overlay is a JPEG, the
 * tables a line a tile. */
#define H5_SHARE 1.0
#define OME_SHARE 1.4
#define OVERLAY_BYTES 0.4   /* a pixel with tissue under it */
#define GEOJSON_BYTES 650.0 /* a tile */
#define CSV_BYTES 200.0
#define PICTURE_BYTES 3e6 /* regions.png */
#define SPOOL_SHARE 0.25  /* of a pyramid: what lies above its base, a quarter of the whole */

/* What hlrp_pyramid_open takes: 2.1 · width · tile · bytes + 16 MB. */
static double pyramid_memory(double width, int bytes) {
    return 2.1 * width * 256 * bytes + 16e6;
}

static double overlay_scale(const hlrp_slide_run *run) {
    const hlrp_config *c = run->batch->config;
    const double asked = c->outputs.overlay_mpp > 0 ? c->outputs.overlay_mpp / run->survey.mpp.x
                                                    : (double)c->map.downsample / 2;
    return HLRP_MAX(asked, 1);
}

/* Tables of offsets that libtiff and OpenSlide keep of a slide in tiles of 256 pixels or more. */
static double table_bytes(hlrp_size size) {
    return (double)size.w * (double)size.h / (256 * 256) * 4 / 3 * 32;
}

/* The report looks for tissue and pen once more, beside the region that the tiles came from. Where that
 * was tissue, too, a first look is in the base already. */
static double report_memory(const hlrp_slide_run *run) {
    const hlrp_config *c = run->batch->config;
    const double cells =
        hlrp_tissue_cells(run->survey.grid.slide, run->survey.mpp, c->regions.tissue_cell_um);
    const bool looked = c->regions.source & HLRP_CONFIG_SOURCE_TISSUE;
    if (!c->outputs.report)
        return 0;
    return cells * (HLRP_MASK_CELL_BYTES + 1 + (looked ? 0 : HLRP_TISSUE_CELL_BYTES));
}

/* The part of the slide that tiles cover, 0 … 1. */
static double covered(const hlrp_slide_run *run) {
    const hlrp_rect tile = hlrp_grid_tile(&run->survey.grid, 0);
    const double stride = (double)run->survey.grid.stride / (double)run->survey.grid.size;
    const double area = tile.w * stride * tile.h * stride * (double)run->survey.tile_count;
    return HLRP_MIN(area / ((double)run->survey.grid.slide.w * (double)run->survey.grid.slide.h),
                    1);
}

static void disk_bytes(const hlrp_slide_run *run, hlrp_size map, double planes,
                       hlrp_estimate *out) {
    const hlrp_config *c = run->batch->config;
    const double tiles = (double)run->survey.tile_count, scale = overlay_scale(run);
    const double cells = (double)map.w * (double)map.h * covered(run);
    const double pixels = (double)run->survey.grid.slide.w * (double)run->survey.grid.slide.h *
                          covered(run) / (scale * scale);
    const double ome = c->outputs.ome_tiff ? cells * 4 * planes * OME_SHARE : 0;
    const double overlay = c->outputs.overlay ? pixels * OVERLAY_BYTES : 0;
    out->results =
        cells * 4 * planes * H5_SHARE + ome + overlay +
        tiles * ((c->outputs.geojson ? GEOJSON_BYTES : 0) + (c->outputs.csv ? CSV_BYTES : 0)) +
        PICTURE_BYTES;
    out->spool = SPOOL_SHARE * HLRP_MAX(ome, overlay); /* they are written one after the other */
}

void hlrp_estimate_bytes(const hlrp_slide_run *run, const hlrp_dry_run *dry, int64_t parts,
                         hlrp_estimate *out) {
    const hlrp_network *net = run->batch->net;
    const hlrp_size size = run->survey.grid.slide;
    const hlrp_size map = hlrp_map_size(size, run->batch->config->map.downsample);
    const double planes = (double)net->targets.planes, threads = run->batch->threads;
    const double explained = net->targets.predicted ? 1 : planes; /* planes a tile adds to */
    const double band = (double)map.w * 64 * 8 * (2 * planes + (double)net->classes + 1);
    const double pictures = HLRP_MAX(pyramid_memory((double)size.w / overlay_scale(run), 3),
                                     pyramid_memory((double)map.w, 4));
    const double tables = table_bytes(size);
    out->worker = (double)hlrp_tile_job_worker_bytes(net, parts) + tables;
    out->memory = (double)dry->base_bytes + (double)run->survey.tile_count * 64 +
                  report_memory(run) +
                  HLRP_MAX(out->worker * threads,
                           HLRP_MAX(band, pictures) + (double)HLRP_SLIDE_CACHE_BYTES + tables);
    out->journal = (double)run->survey.tile_count * 8 *
                   ((double)parts * explained + (double)hlrp_account_count(net));
    disk_bytes(run, map, explained, out);
}

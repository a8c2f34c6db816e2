#include "pipelines/estimate.h"

#include "pipelines/tile_worker.h"
#include "stitch/stitch.h"
#include "worker/account.h"

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

static double overlay_scale(const hlrp_survey *survey) {
    const hlrp_config *c = survey->config;
    const double asked = c->outputs.overlay_mpp > 0 ? c->outputs.overlay_mpp / survey->mpp.x
                                                    : (double)c->map.downsample / 2;
    return HLRP_MAX(asked, 1);
}

/* Tables of offsets that libtiff and OpenSlide keep of a slide in tiles of 256 pixels or more. */
static double table_bytes(hlrp_size size) {
    return (double)size.w * (double)size.h / (256 * 256) * 4 / 3 * 32;
}

/* The report looks for tissue and pen once more, beside the region that the tiles came from. Where that
 * was tissue, too, a first look is in the base already. */
static double report_memory(const hlrp_survey *survey) {
    const hlrp_config *c = survey->config;
    const double cells =
        hlrp_tissue_cells(survey->grid.slide, survey->mpp, c->regions.tissue_cell_um);
    const bool looked = c->regions.source & HLRP_CONFIG_SOURCE_TISSUE;
    if (!c->outputs.report)
        return 0;
    return cells * (HLRP_MASK_CELL_BYTES + 1 + (looked ? 0 : HLRP_TISSUE_CELL_BYTES));
}

/* The part of the slide that tiles cover, 0 … 1. */
static double covered(const hlrp_survey *survey) {
    const hlrp_rect tile = hlrp_grid_tile(&survey->grid, 0);
    const double stride = (double)survey->grid.stride / (double)survey->grid.size;
    const double area = tile.w * stride * tile.h * stride * (double)survey->tile_count;
    return HLRP_MIN(area / ((double)survey->grid.slide.w * (double)survey->grid.slide.h), 1);
}

static void disk_bytes(const hlrp_survey *survey, hlrp_size map, double planes,
                       hlrp_estimate *out) {
    const hlrp_config *c = survey->config;
    const double tiles = (double)survey->tile_count, scale = overlay_scale(survey);
    const double cells = (double)map.w * (double)map.h * covered(survey);
    const double pixels = (double)survey->grid.slide.w * (double)survey->grid.slide.h *
                          covered(survey) / (scale * scale);
    const double ome = c->outputs.ome_tiff ? cells * 4 * planes * OME_SHARE : 0;
    const double overlay = c->outputs.overlay ? pixels * OVERLAY_BYTES : 0;
    out->results =
        cells * 4 * planes * H5_SHARE + ome + overlay +
        tiles * ((c->outputs.geojson ? GEOJSON_BYTES : 0) + (c->outputs.csv ? CSV_BYTES : 0)) +
        PICTURE_BYTES;
    out->spool = SPOOL_SHARE * HLRP_MAX(ome, overlay); /* they are written one after the other */
}

/* Of a bag: its features on disk, their relevance too where it goes to pixels, and the head's layers. */
static hlrp_status add_bag(const hlrp_survey *survey, const hlrp_mil *mil, double base,
                           hlrp_estimate *out, hlrp_error *err) {
    const hlrp_targets *targets = &mil->head->targets;
    const double each = (double)mil->width * sizeof(float) * (double)survey->tile_count;
    const double planes = targets->predicted ? 1 : (double)targets->planes;
    hlrp_head_cost cost = {0};
    const hlrp_status status = hlrp_mil_cost(mil, survey->tile_count, &cost, err);
    out->head_seconds = cost.seconds;
    out->memory = HLRP_MAX(out->memory, base + (double)cost.bytes);
    out->journal += (survey->features ? 0 : each) + (mil->pixels.share > 0 ? planes * each : 0);
    return status;
}

hlrp_status hlrp_estimate_bytes(const hlrp_survey *survey, const hlrp_batch_run *batch,
                                int64_t base, hlrp_estimate *out, hlrp_error *err) {
    const hlrp_network *net = batch->net, *tile_net = batch->tile_net;
    const hlrp_size size = survey->grid.slide;
    const int64_t downsample = survey->config->map.downsample;
    const hlrp_size map = hlrp_map_size(size, downsample);
    const double planes = (double)net->targets.planes, tiles = (double)survey->tile_count;
    const double explained = net->targets.predicted ? 1 : planes; /* planes a tile adds to */
    const double band = (double)map.w * 64 * 8 * (2 * planes + (double)net->classes + 1);
    const double pictures = HLRP_MAX(pyramid_memory((double)size.w / overlay_scale(survey), 3),
                                     pyramid_memory((double)map.w, 4));
    const double tables = table_bytes(size);
    int64_t parts = 0;
    const hlrp_status status = hlrp_tile_job_parts(&survey->grid, downsample, &parts, err);
    if (status != HLRP_OK)
        return status;
    out->worker = (tile_net ? (double)hlrp_tile_job_worker_bytes(tile_net, parts) : 0) + tables;
    out->memory = (double)base + tiles * 64 + report_memory(survey) +
                  HLRP_MAX(out->worker * batch->threads,
                           HLRP_MAX(band, pictures) + (double)HLRP_SLIDE_CACHE_BYTES + tables);
    out->journal =
        tiles * 8 *
        ((double)parts * explained + (tile_net ? (double)hlrp_account_count(tile_net) : 0));
    disk_bytes(survey, map, explained, out);
    return batch->mil ? add_bag(survey, batch->mil, (double)base + tiles * 64, out, err) : HLRP_OK;
}

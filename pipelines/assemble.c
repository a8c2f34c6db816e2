#include "pipelines/assemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/slide_run.h"
#include "run/map_rows.h"
#include "run/tile_rows.h"
#include "worker/account.h"

enum { TILES_AT_ONCE = 4096 };

/* ---- the maps, band by band ---- */

/* The first tile of the run whose grid number is at least `number`. */
static int64_t lower_bound(const hlrp_assembly *a, int64_t number) {
    int64_t low = 0, high = a->survey->tile_count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (a->survey->tiles[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of a bag's tiles also what else its head said of them, as further planes. */
static void add_scores(const hlrp_assembly *a, hlrp_band *band, const hlrp_patch *patch,
                       const hlrp_record *r, float *row) {
    const int64_t classes = a->info.classes, scores = hlrp_score_count(&a->info);
    if (scores == 0) {
        hlrp_band_add_probability(band, patch, r->probability);
        return;
    }
    memcpy(row, r->probability, (size_t)classes * sizeof *row);
    memcpy(row + classes, a->score->scores + r->tile * scores, (size_t)scores * sizeof *row);
    hlrp_band_add_probability(band, patch, row);
}

static hlrp_status add_record(const hlrp_assembly *a, hlrp_band *band, const hlrp_patch *patch,
                              const hlrp_record *r, float *row, hlrp_error *err) {
    const hlrp_irect window = {r->x, r->y, r->w, r->h};
    hlrp_status status = HLRP_OK;
    if (r->status == HLRP_RECORD_UNREADABLE)
        return HLRP_OK;
    add_scores(a, band, patch, r, row);
    for (int64_t k = 0; k < r->explained; k++)
        HLRP_TRY(hlrp_band_add(band, patch, r->plane[k], window, r->parts + k * r->w * r->h, err));
out:
    return status;
}

/* A map pixel to spare at either side: which tiles a band only touches, it decides itself. */
static bool touches(const hlrp_patch *patch, double top, double bottom, double spare) {
    return patch->level0.y < bottom + spare && patch->level0.y + patch->level0.h > top - spare;
}

static hlrp_status fill_band(const hlrp_assembly *a, hlrp_band *band, int64_t y0, float *row,
                             hlrp_journal_buffer *buffer, hlrp_error *err) {
    const hlrp_survey *s = a->survey;
    const double d = (double)a->info.downsample, top = (double)y0 * d;
    int64_t first = 0, end = 0;
    hlrp_status status = hlrp_band_start(band, y0, err);
    const double bottom = top + (double)hlrp_band_rows(band) * d;
    hlrp_grid_rows(&s->grid, top, bottom, &first, &end);
    for (int64_t t = lower_bound(a, first);
         status == HLRP_OK && t < s->tile_count && s->tiles[t] < end; t++) {
        const hlrp_patch patch = hlrp_grid_patch(&s->grid, s->tiles[t]);
        hlrp_record record;
        if (!touches(&patch, top, bottom, d))
            continue;
        status = hlrp_journal_read(a->journal, t, buffer, &record, err);
        if (status == HLRP_OK)
            status = add_record(a, band, &patch, &record, row, err);
    }
    hlrp_band_finish(band);
    return status;
}

static hlrp_status write_maps(const hlrp_assembly *a, hlrp_result_writer *writer, hlrp_error *err) {
    hlrp_journal_buffer buffer = {0};
    hlrp_band *band = NULL;
    float *row = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_map_rows_band(&a->info, &band, err));
    HLRP_TRY(hlrp_calloc(&row, a->info.classes + hlrp_score_count(&a->info), sizeof *row, "scores",
                         err));
    for (int64_t y0 = 0; y0 < a->info.map.h; y0 += hlrp_band_rows(band)) {
        HLRP_TRY(a->go_on(a->ctx, err));
        HLRP_TRY(fill_band(a, band, y0, row, &buffer, err));
        HLRP_TRY(hlrp_map_rows_write(writer, &a->info, band, a->threads, err));
    }
out:
    hlrp_journal_buffer_free(&buffer);
    hlrp_band_free(band);
    free(row);
    return status;
}

/* ---- /tiles and /layers ---- */

/* The sums over all tiles of what the layers kept, and of a bag's planes. */
typedef struct sums {
    double *layers;        /* of the network that ran on tiles */
    hlrp_bag_sums *planes; /* [K] */
} sums;

static void add_sums(const hlrp_assembly *a, const hlrp_record *r, sums *s) {
    const int64_t layers = a->tile_net ? hlrp_account_count(a->tile_net) : 0;
    for (int64_t i = 0; i < layers; i++)
        s->layers[i] += r->layers[i];
    for (int64_t k = 0; a->score && k < a->info.planes; k++)
        hlrp_bag_sums_add(&s->planes[k], a->score->to_pixels[r->tile], r->start[k], r->sum[k],
                          r->outside[k]);
}

static hlrp_status write_sums(const hlrp_assembly *a, const sums *s, hlrp_result_writer *writer,
                              hlrp_error *err) {
    hlrp_account_part parts[2];
    int count = 0;
    hlrp_status status = HLRP_OK;
    if (a->score)
        parts[count++] = (hlrp_account_part){a->net, a->score->layers, a->tile_net ? "head/" : ""};
    if (a->tile_net)
        parts[count++] = (hlrp_account_part){a->tile_net, s->layers, ""};
    HLRP_TRY(hlrp_account_write(parts, count, writer, err));
    if (a->score)
        status = hlrp_slide_score_write(a->score, s->planes, &a->info, writer, err);
out:
    return status;
}

static hlrp_status write_tiles(const hlrp_assembly *a, hlrp_result_writer *writer,
                               hlrp_error *err) {
    const int64_t scores = hlrp_score_count(&a->info);
    hlrp_tile_table *table = NULL;
    sums s = {0};
    hlrp_journal_buffer buffer = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_table_new(&a->info, TILES_AT_ONCE, &table, err));
    HLRP_TRY(hlrp_calloc(&s.layers, a->tile_net ? hlrp_account_count(a->tile_net) : 0,
                         sizeof *s.layers, "layers", err));
    HLRP_TRY(hlrp_calloc(&s.planes, a->info.planes, sizeof *s.planes, "planes", err));
    for (int64_t first = 0; first < a->survey->tile_count; first += TILES_AT_ONCE) {
        const int64_t count = HLRP_MIN(TILES_AT_ONCE, a->survey->tile_count - first);
        HLRP_TRY(a->go_on(a->ctx, err));
        for (int64_t t = first; t < first + count; t++) {
            hlrp_record record;
            HLRP_TRY(hlrp_journal_read(a->journal, t, &buffer, &record, err));
            hlrp_tile_table_put(
                table, t - first,
                hlrp_rect_round(hlrp_grid_tile(&a->survey->grid, a->survey->tiles[t])), &record,
                scores > 0 ? a->score->scores + t * scores : NULL);
            add_sums(a, &record, &s);
        }
        HLRP_TRY(hlrp_tile_table_write(table, first, count, writer, err));
    }
    status = write_sums(a, &s, writer, err);
out:
    hlrp_journal_buffer_free(&buffer);
    hlrp_tile_table_free(table);
    free(s.layers);
    free(s.planes);
    return status;
}

/* /mil/features: NaN of tiles that could not be read. */
static hlrp_status write_features(const hlrp_assembly *a, hlrp_result_writer *writer,
                                  hlrp_error *err) {
    enum { ROWS = 256 };
    const int64_t width = a->features ? a->features->width : 0, tiles = a->info.tiles;
    float *rows = NULL;
    hlrp_status status = HLRP_OK;
    if (!a->features)
        return HLRP_OK;
    HLRP_TRY(hlrp_calloc(&rows, ROWS * width, sizeof *rows, "features", err));
    for (int64_t first = 0; first < tiles; first += ROWS) {
        const int64_t count = HLRP_MIN(ROWS, tiles - first);
        HLRP_TRY(a->go_on(a->ctx, err));
        for (int64_t i = 0; i < count; i++) {
            float *row = rows + i * width;
            if (hlrp_tile_features_has(a->features, first + i))
                HLRP_TRY(hlrp_tile_features_read(a->features, first + i, 1, row, err));
            else
                for (int64_t k = 0; k < width; k++)
                    row[k] = NAN;
        }
        HLRP_TRY(hlrp_result_write_array(writer, "/mil/features", tiles, width, first, count, rows,
                                         err));
    }
out:
    free(rows);
    return status;
}

/* ---- /model, /slide, /run ---- */

static hlrp_status describe(const hlrp_assembly *a, hlrp_result_writer *writer, hlrp_error *err) {
    const hlrp_network *net = a->net;
    hlrp_slide_identity identity = {0};
    const hlrp_grid *grid = &a->survey->grid;
    const double mpp = net->mpp > 0 ? net->mpp : grid->r_x * a->survey->mpp.x;
    hlrp_irect bounds = {0};
    char *effective = NULL, processor[HLRP_PROCESSOR_SIZE];
    hlrp_status status = HLRP_OK;
    hlrp_processor(processor);
    hlrp_slide_bounds(a->survey->slide, &bounds);
    const int64_t box[] = {bounds.x, bounds.y, bounds.w, bounds.h};
    HLRP_TRY(hlrp_slide_identify(a->survey->slide, &identity, err));
    HLRP_TRY(hlrp_config_effective(net->config, &effective, err));
    const struct {
        const char *group, *name, *value;
    } texts[] = {
        {"/model", "path", net->config->model.path},
        {"/model", "sha256", net->hash},
        {"/slide", "path", hlrp_slide_path(a->survey->slide)},
        {"/slide", "name", hlrp_slide_name(a->survey->slide)},
        {"/slide", "hash", identity.hash},
        {"/slide", "hash_kind", identity.kind},
        {"/slide", "mpp_source", a->survey->mpp_source},
        {"/run", "program", "histolrp " HLRP_VERSION},
        {"/run", "processor", processor},
        {"/run", "convolutions", hlrp_backend_version()},
        {"/run", "instructions", hlrp_backend_isa()},
        {"/run", "config", effective},
        {"/run", "result_key", a->key},
        {"/run", "composite", net->composite},
        {"/run", "start", net->config->lrp.start},
    };
    for (size_t i = 0; i < HLRP_COUNT(texts); i++)
        HLRP_TRY(hlrp_result_set_text(writer, texts[i].group, texts[i].name, texts[i].value, err));
    HLRP_TRY(hlrp_result_set_f64(writer, "/model", "mpp", &mpp, 1, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/model", "tile_size", &grid->size, 1, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/slide", "bytes", &identity.bytes, 1, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/slide", "bounds", box, 4, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/run", "tile_stride", &grid->stride, 1, err));
out:
    free(effective);
    return status;
}

hlrp_status hlrp_assemble(const hlrp_assembly *a, const char *path, hlrp_error *err) {
    hlrp_result_writer *writer = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_create(path, &a->info, &writer, err));
    HLRP_TRY(write_maps(a, writer, err));
    HLRP_TRY(write_tiles(a, writer, err));
    HLRP_TRY(write_features(a, writer, err));
    HLRP_TRY(describe(a, writer, err));
    HLRP_TRY(a->go_on(a->ctx, err));
    status = hlrp_result_commit(writer, err);
    writer = NULL;
out:
    hlrp_result_abort(writer);
    return status;
}

hlrp_status hlrp_assembly_begin(hlrp_assembly *a, hlrp_error *err) {
    const hlrp_network *net = a->net;
    const hlrp_survey *s = a->survey;
    const hlrp_status status =
        hlrp_calloc(&a->plane_names, net->targets.planes, sizeof *a->plane_names, "names", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t k = 0; k < net->targets.planes; k++)
        a->plane_names[k] = net->class_names[net->targets.classes[k]];
    a->info = (hlrp_result_info){.map = hlrp_map_size(s->grid.slide, net->config->map.downsample),
                                 .slide = s->grid.slide,
                                 .downsample = net->config->map.downsample,
                                 .mpp = s->mpp,
                                 .tiles = s->tile_count,
                                 .planes = net->targets.planes,
                                 .classes = net->classes,
                                 .plane_names = a->plane_names,
                                 .class_names = (const char *const *)net->class_names,
                                 .bag = a->score};
    if (a->score)
        memcpy(a->info.scores, a->score->widths, sizeof a->info.scores);
    return HLRP_OK;
}

void hlrp_assembly_end(hlrp_assembly *a) {
    free(a->plane_names);
    a->plane_names = NULL;
}

/* ---- as a step of a slide's run ---- */

static hlrp_status go_on(void *ctx, hlrp_error *err) {
    return hlrp_slide_folder_go_on(ctx, "relevance.h5", err);
}

hlrp_status hlrp_step_assemble(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    char *path = NULL;
    hlrp_tile_features features = {run->survey.features, run->features, 0, {0}};
    hlrp_assembly a = {.net = run->batch->net,
                       .tile_net = run->batch->tile_net,
                       .score = run->score,
                       .survey = &run->survey,
                       .journal = run->journal,
                       .key = run->key,
                       .threads = run->batch->threads,
                       .go_on = go_on,
                       .ctx = &run->folder};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(run->folder.path, "relevance.h5", &path, err));
    HLRP_TRY(hlrp_assembly_begin(&a, err));
    if (run->batch->mil && run->batch->net->config->mil.keep_features) {
        features.width = run->batch->mil->width;
        a.features = &features;
    }
    status = hlrp_assemble(&a, path, err);
    run->complete = status == HLRP_OK;
out:
    run->assemble_seconds = hlrp_seconds() - began;
    hlrp_assembly_end(&a);
    hlrp_tile_features_free(&features);
    free(path);
    return status;
}

#include "pipelines/assemble.h"

#include <stdlib.h>
#include <string.h>

#include "pipelines/slide_run.h"
#include "sched/sched.h"
#include "stitch/stitch.h"
#include "store/agreement.h"
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

static hlrp_status add_record(const hlrp_assembly *a, hlrp_band *band, const hlrp_record *r,
                              hlrp_error *err) {
    const hlrp_patch patch = hlrp_grid_patch(&a->survey->grid, a->survey->tiles[r->tile]);
    const hlrp_irect window = {r->x, r->y, r->w, r->h};
    hlrp_status status = HLRP_OK;
    if (r->status == HLRP_RECORD_UNREADABLE)
        return HLRP_OK;
    hlrp_band_add_probability(band, &patch, r->probability);
    for (int64_t k = 0; k < r->explained; k++)
        HLRP_TRY(hlrp_band_add(band, &patch, r->plane[k], window, r->parts + k * r->w * r->h, err));
out:
    return status;
}

static hlrp_status fill_band(const hlrp_assembly *a, hlrp_band *band, int64_t y0,
                             hlrp_journal_buffer *buffer, hlrp_error *err) {
    int64_t first = 0, end = 0;
    hlrp_status status = hlrp_band_start(band, y0, err);
    hlrp_grid_rows(&a->survey->grid, (double)(y0 * a->net->config->map.downsample),
                   (double)((y0 + hlrp_band_rows(band)) * a->net->config->map.downsample), &first,
                   &end);
    for (int64_t t = lower_bound(a, first);
         status == HLRP_OK && t < a->survey->tile_count && a->survey->tiles[t] < end; t++) {
        hlrp_record record;
        status = hlrp_journal_read(a->journal, t, buffer, &record, err);
        if (status == HLRP_OK)
            status = add_record(a, band, &record, err);
    }
    hlrp_band_finish(band);
    return status;
}

/* The chunks of one band: all planes of all three maps, packed side by side. */
typedef struct packing {
    hlrp_band *band;
    hlrp_size map;
    int64_t columns;
    int64_t planes, classes; /* maps: planes of relevance, of coverage, classes of probability */
    hlrp_chunk *chunks;
} packing;

static hlrp_map_kind map_of(const packing *p, int64_t map, int64_t *plane) {
    *plane = map < p->planes ? map : map < 2 * p->planes ? map - p->planes : map - 2 * p->planes;
    return map < p->planes       ? HLRP_MAP_RELEVANCE
           : map < 2 * p->planes ? HLRP_MAP_COVERAGE
                                 : HLRP_MAP_PROBABILITY;
}

static hlrp_status pack_chunk(void *ctx, void *state, int64_t index, hlrp_error *err) {
    (void)state;
    packing *p = ctx;
    int64_t plane = 0;
    const hlrp_map_kind kind = map_of(p, index / p->columns, &plane);
    const float *values = kind == HLRP_MAP_RELEVANCE  ? hlrp_band_relevance(p->band, plane)
                          : kind == HLRP_MAP_COVERAGE ? hlrp_band_coverage(p->band, plane)
                                                      : hlrp_band_probability(p->band, plane);
    return hlrp_chunk_pack(p->map, kind, values, hlrp_band_rows(p->band), index % p->columns,
                           &p->chunks[index], err);
}

static hlrp_status write_band(const hlrp_assembly *a, packing *p, hlrp_result_writer *writer,
                              hlrp_error *err) {
    const int64_t count = (2 * p->planes + p->classes) * p->columns;
    const hlrp_sched_job job = {.ctx = p, .item = pack_chunk};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&p->chunks, count, sizeof *p->chunks, "chunks", err));
    HLRP_TRY(hlrp_sched_run(&job, a->threads, count, err));
    for (int64_t i = 0; i < count; i++) {
        int64_t plane = 0;
        const hlrp_map_kind kind = map_of(p, i / p->columns, &plane);
        HLRP_TRY(hlrp_result_write_chunk(writer, kind, plane, hlrp_band_y0(p->band), i % p->columns,
                                         &p->chunks[i], err));
    }
out:
    for (int64_t i = 0; p->chunks && i < count; i++)
        free(p->chunks[i].bytes);
    free(p->chunks);
    p->chunks = NULL;
    return status;
}

static hlrp_status write_maps(const hlrp_assembly *a, hlrp_result_writer *writer, hlrp_error *err) {
    const hlrp_size map = hlrp_map_size(a->survey->grid.slide, a->net->config->map.downsample);
    const hlrp_size chunk = hlrp_chunk_size(map);
    packing p = {.map = map,
                 .columns = hlrp_ceil_div(map.w, chunk.w),
                 .planes = a->net->targets.planes,
                 .classes = a->net->classes};
    hlrp_journal_buffer buffer = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_band_new(a->survey->grid.slide, a->net->config->map.downsample, p.planes,
                           p.classes, chunk.h, &p.band, err));
    for (int64_t y0 = 0; y0 < map.h; y0 += chunk.h) {
        HLRP_TRY(a->go_on(a->ctx, err));
        HLRP_TRY(fill_band(a, p.band, y0, &buffer, err));
        HLRP_TRY(write_band(a, &p, writer, err));
    }
out:
    hlrp_journal_buffer_free(&buffer);
    hlrp_band_free(p.band);
    return status;
}

/* ---- /tiles and /layers ---- */

/* Columns of TILES_AT_ONCE tiles, and the sums over all tiles of what the layers kept. */
typedef struct columns {
    int64_t *x, *y, *width, *height;
    float *logit, *probability;
    double *start, *sum, *outside, *abs;
    int8_t *agrees;
    uint8_t *status;
    double *layers; /* [hlrp_account_count] */
} columns;

static void free_columns(columns *c) {
    void *const all[] = {c->x,           c->y,      c->width, c->height,  c->logit,
                         c->probability, c->start,  c->sum,   c->outside, c->abs,
                         c->agrees,      c->status, c->layers};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
}

static hlrp_status make_columns(const hlrp_network *net, columns *c, hlrp_error *err) {
    const int64_t n = TILES_AT_ONCE, k = net->targets.planes, classes = net->classes;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&c->x, n, sizeof *c->x, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->y, n, sizeof *c->y, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->width, n, sizeof *c->width, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->height, n, sizeof *c->height, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->logit, n * classes, sizeof *c->logit, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->probability, n * classes, sizeof *c->probability, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->start, n * k, sizeof *c->start, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->sum, n * k, sizeof *c->sum, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->outside, n * k, sizeof *c->outside, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->abs, n * k, sizeof *c->abs, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->agrees, n * k, sizeof *c->agrees, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->status, n, sizeof *c->status, "tiles", err));
    HLRP_TRY(hlrp_calloc(&c->layers, hlrp_account_count(net), sizeof *c->layers, "layers", err));
out:
    return status;
}

static void take_record(const hlrp_assembly *a, const hlrp_record *r, columns *c, int64_t row) {
    const int64_t k = a->net->targets.planes, classes = a->net->classes;
    const hlrp_irect frame =
        hlrp_rect_round(hlrp_grid_tile(&a->survey->grid, a->survey->tiles[r->tile]));
    c->x[row] = frame.x;
    c->y[row] = frame.y;
    c->width[row] = frame.w;
    c->height[row] = frame.h;
    c->status[row] = (uint8_t)r->status;
    memcpy(c->logit + row * classes, r->logit, (size_t)classes * sizeof *r->logit);
    memcpy(c->probability + row * classes, r->probability,
           (size_t)classes * sizeof *r->probability);
    memcpy(c->start + row * k, r->start, (size_t)k * sizeof *r->start);
    memcpy(c->sum + row * k, r->sum, (size_t)k * sizeof *r->sum);
    memcpy(c->outside + row * k, r->outside, (size_t)k * sizeof *r->outside);
    memcpy(c->abs + row * k, r->abs, (size_t)k * sizeof *r->abs);
    for (int64_t plane = 0; plane < k; plane++)
        c->agrees[row * k + plane] = (int8_t)hlrp_agrees(r->start[plane], r->sum[plane]);
    for (int64_t i = 0; i < hlrp_account_count(a->net); i++)
        c->layers[i] += r->layers[i];
}

static hlrp_status write_tiles(const hlrp_assembly *a, hlrp_result_writer *writer,
                               hlrp_error *err) {
    columns c = {0};
    hlrp_journal_buffer buffer = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(make_columns(a->net, &c, err));
    const hlrp_tile_rows rows = {c.x,     c.y,   c.width,   c.height, c.logit,  c.probability,
                                 c.start, c.sum, c.outside, c.abs,    c.agrees, c.status};
    for (int64_t first = 0; first < a->survey->tile_count; first += TILES_AT_ONCE) {
        const int64_t count = HLRP_MIN(TILES_AT_ONCE, a->survey->tile_count - first);
        HLRP_TRY(a->go_on(a->ctx, err));
        for (int64_t t = 0; t < count; t++) {
            hlrp_record record;
            HLRP_TRY(hlrp_journal_read(a->journal, first + t, &buffer, &record, err));
            take_record(a, &record, &c, t);
        }
        HLRP_TRY(hlrp_result_write_tiles(writer, first, count, &rows, err));
    }
    status = hlrp_account_write(a->net, c.layers, writer, err);
out:
    hlrp_journal_buffer_free(&buffer);
    free_columns(&c);
    return status;
}

/* ---- /model, /slide, /run ---- */

static hlrp_status describe(const hlrp_assembly *a, hlrp_result_writer *writer, hlrp_error *err) {
    const hlrp_network *net = a->net;
    hlrp_slide_identity identity = {0};
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
    HLRP_TRY(hlrp_result_set_f64(writer, "/model", "mpp", &net->mpp, 1, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/model", "tile_size", &net->height, 1, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/slide", "bytes", &identity.bytes, 1, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/slide", "bounds", box, 4, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/run", "tile_stride", &a->survey->grid.stride, 1, err));
out:
    free(effective);
    return status;
}

static hlrp_status create(const hlrp_assembly *a, const char *path, hlrp_result_writer **writer,
                          hlrp_error *err) {
    const hlrp_network *net = a->net;
    const char **planes = NULL;
    hlrp_status status =
        hlrp_calloc(&planes, net->targets.planes, sizeof *planes, "plane names", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t k = 0; k < net->targets.planes; k++)
        planes[k] = net->class_names[net->targets.classes[k]];
    const hlrp_result_info info = {
        .map = hlrp_map_size(a->survey->grid.slide, a->net->config->map.downsample),
        .slide = a->survey->grid.slide,
        .downsample = a->net->config->map.downsample,
        .mpp = a->survey->mpp,
        .tiles = a->survey->tile_count,
        .planes = net->targets.planes,
        .classes = net->classes,
        .plane_names = planes,
        .class_names = (const char *const *)net->class_names};
    status = hlrp_result_create(path, &info, writer, err);
    free(planes);
    return status;
}

hlrp_status hlrp_assemble(const hlrp_assembly *a, const char *path, hlrp_error *err) {
    hlrp_result_writer *writer = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(create(a, path, &writer, err));
    HLRP_TRY(write_maps(a, writer, err));
    HLRP_TRY(write_tiles(a, writer, err));
    HLRP_TRY(describe(a, writer, err));
    HLRP_TRY(a->go_on(a->ctx, err));
    status = hlrp_result_commit(writer, err);
    writer = NULL;
out:
    hlrp_result_abort(writer);
    return status;
}

/* ---- as a step of a slide's run ---- */

static hlrp_status go_on(void *ctx, hlrp_error *err) {
    return hlrp_slide_folder_go_on(ctx, "relevance.h5", err);
}

hlrp_status hlrp_step_assemble(hlrp_slide_run *run, hlrp_error *err) {
    const double began = hlrp_seconds();
    char *path = NULL;
    const hlrp_assembly a = {.net = run->batch->net,
                             .survey = &run->survey,
                             .journal = run->journal,
                             .key = run->key,
                             .threads = run->batch->threads,
                             .go_on = go_on,
                             .ctx = &run->folder};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(run->folder.path, "relevance.h5", &path, err));
    status = hlrp_assemble(&a, path, err);
    run->complete = status == HLRP_OK;
out:
    run->assemble_seconds = hlrp_seconds() - began;
    free(path);
    return status;
}

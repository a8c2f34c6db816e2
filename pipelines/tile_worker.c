#include "pipelines/tile_worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "worker/account.h"

/* ---- memory ---- */

static int64_t account_count(const hlrp_tile_job *job) {
    return job->net ? hlrp_account_count(job->net) : 0;
}

static hlrp_status share_out(hlrp_tile_worker *w, const hlrp_tile_job *job, int64_t parts_max,
                             hlrp_error *err) {
    const int64_t n = job->explained->batch, planes = job->explained->targets.planes;
    const int64_t floats = 2 * job->explained->classes, layers = account_count(job);
    const int64_t doubles = 4 * planes + layers + planes * parts_max;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w->samples, n, sizeof *w->samples, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->floats, n * floats, sizeof *w->floats, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->doubles, n * doubles, sizeof *w->doubles, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->ints, n * planes, sizeof *w->ints, "tiles", err));
    for (int64_t i = 0; i < n; i++) {
        hlrp_sample *s = &w->samples[i];
        s->logits = w->floats + i * floats;
        s->probability = s->logits + job->explained->classes;
        s->start = w->doubles + i * doubles;
        s->sum = s->start + planes;
        s->outside = s->sum + planes;
        s->abs = s->outside + planes;
        s->layers = s->abs + planes;
        s->parts = s->layers + layers;
        s->planes = w->ints + i * planes;
    }
out:
    return status;
}

static void free_worker(hlrp_tile_worker *w) {
    if (!w)
        return;
    hlrp_tile_reader_close(w->reader);
    hlrp_worker_close(&w->net);
    hlrp_pool_free(w->pool);
    void *const all[] = {w->rgb, w->samples, w->floats, w->doubles, w->ints};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
    free(w);
}

static hlrp_status open_pool(const hlrp_grid *grid, int64_t downsample, hlrp_pool **out,
                             hlrp_error *err) {
    const hlrp_patch tile = hlrp_grid_patch(grid, 0);
    return hlrp_pool_new(grid->slide, &tile, downsample, out, err);
}

hlrp_status hlrp_tile_job_parts(const hlrp_grid *grid, int64_t downsample, int64_t *parts,
                                hlrp_error *err) {
    hlrp_pool *pool = NULL;
    const hlrp_status status = open_pool(grid, downsample, &pool, err);
    if (status == HLRP_OK)
        *parts = hlrp_pool_capacity(pool);
    hlrp_pool_free(pool);
    return status;
}

/* The slide again, and the network. */
static hlrp_status open_network(const hlrp_tile_job *job, hlrp_tile_worker *w, hlrp_error *err) {
    const hlrp_survey *survey = job->survey;
    hlrp_slide *slide = NULL;
    hlrp_status status = HLRP_OK;
    if (!job->net)
        return HLRP_OK;
    HLRP_TRY(hlrp_slide_open_again(survey->slide, &slide, err));
    HLRP_TRY(
        hlrp_tile_reader_open(slide, &survey->grid, survey->log, job->faults, &w->reader, err));
    HLRP_TRY(job->forward_only ? hlrp_worker_open_forward(&w->net, job->net, err)
                               : hlrp_worker_open(&w->net, job->net, err));
    status = hlrp_calloc(&w->rgb, hlrp_worker_values(&w->net), 1, "a tile", err);
out:
    return status;
}

hlrp_status hlrp_tile_job_begin(void *ctx, int thread, void **state, hlrp_error *err) {
    (void)thread;
    const hlrp_tile_job *job = ctx;
    hlrp_tile_worker *w = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, "worker", err));
    *state = w; /* thread_end frees it, also where this fails half-way */
    HLRP_TRY(open_network(job, w, err));
    HLRP_TRY(open_pool(&job->survey->grid, job->explained->config->map.downsample, &w->pool, err));
    status = share_out(w, job, hlrp_pool_capacity(w->pool), err);
out:
    return status;
}

void hlrp_tile_worker_end_phase(hlrp_tile_worker *w, int phase) {
    const double now = hlrp_cpu_seconds();
    w->seconds[phase] += now - w->mark;
    w->mark = now;
}

static int64_t nanoseconds(double seconds) {
    return (int64_t)(seconds * 1e9);
}

void hlrp_tile_job_end(void *ctx, int thread, void *state) {
    (void)thread;
    const hlrp_tile_job *job = ctx;
    const hlrp_tile_worker *w = state;
    if (w) {
        job->times->read += nanoseconds(w->seconds[HLRP_PHASE_READ]);
        job->times->forward += nanoseconds(w->seconds[HLRP_PHASE_FORWARD]);
        job->times->relevance += nanoseconds(w->seconds[HLRP_PHASE_RELEVANCE]);
        job->times->keep += nanoseconds(w->seconds[HLRP_PHASE_KEEP]);
    }
    free_worker(state);
}

int64_t hlrp_tile_job_worker_bytes(const hlrp_network *net, int64_t parts_max) {
    const int64_t rgb = 3 * net->height * net->width, planes = net->targets.planes;
    return hlrp_worker_bytes(net) + HLRP_SLIDE_CACHE_BYTES + rgb +
           net->batch * (planes * parts_max + hlrp_account_count(net)) * (int64_t)sizeof(double);
}

/* ---- tiles ---- */

static void fill_nan(double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        values[i] = NAN;
}

void hlrp_sample_begin(const hlrp_tile_job *job, hlrp_sample *s, int64_t tile,
                       hlrp_record_status status) {
    const int64_t planes = job->explained->targets.planes, layers = account_count(job);
    s->number = job->survey->tiles[tile];
    s->record = (hlrp_record){.tile = tile,
                              .status = status,
                              .start = s->start,
                              .sum = s->sum,
                              .outside = s->outside,
                              .abs = s->abs,
                              .layers = layers > 0 ? s->layers : NULL,
                              .parts = s->parts,
                              .logit = s->logits,
                              .probability = s->probability,
                              .plane = s->planes};
    for (int64_t c = 0; c < job->explained->classes; c++)
        s->logits[c] = s->probability[c] = NAN;
    fill_nan(s->start, planes);
    fill_nan(s->sum, planes);
    fill_nan(s->outside, planes);
    fill_nan(s->abs, planes);
    memset(s->layers, 0, (size_t)layers * sizeof *s->layers);
}

static hlrp_status read_tiles(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t first,
                              int64_t count, hlrp_error *err) {
    const int64_t values = hlrp_worker_values(&w->net);
    for (int64_t i = 0; i < count; i++) {
        hlrp_tile_result result = HLRP_TILE_READ;
        const int64_t tile = job->places[first + i];
        const hlrp_status status =
            hlrp_tile_read(w->reader, job->survey->tiles[tile], w->rgb, &result, err);
        if (status != HLRP_OK)
            return status;
        hlrp_sample_begin(job, &w->samples[i], tile,
                          result == HLRP_TILE_UNREADABLE ? HLRP_RECORD_UNREADABLE
                                                         : HLRP_RECORD_EXPLAINED);
        hlrp_normalize(&job->net->normalizer, w->rgb, values / 3, w->net.input + i * values);
    }
    hlrp_worker_fill_up(&w->net, count);
    return HLRP_OK;
}

hlrp_status hlrp_tile_worker_forward(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t first,
                                     int64_t count, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    w->mark = hlrp_cpu_seconds();
    HLRP_TRY(read_tiles(job, w, first, count, err));
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_READ);
    HLRP_TRY(hlrp_lrp_forward(w->net.lrp, w->net.input, err));
    hlrp_tile_worker_end_phase(w, HLRP_PHASE_FORWARD);
out:
    return status;
}

/* Room in the record for one more plane of the tile. */
static hlrp_status place_plane(hlrp_tile_worker *w, hlrp_sample *s, const hlrp_patch *patch,
                               int64_t plane, double **parts, hlrp_error *err) {
    hlrp_irect window = {0};
    const hlrp_status status = hlrp_pool_place(w->pool, patch, &window, err);
    if (status != HLRP_OK)
        return status;
    *parts = s->parts + s->record.explained * window.w * window.h;
    s->record.x = window.x;
    s->record.y = window.y;
    s->record.w = window.w;
    s->record.h = window.h;
    s->planes[s->record.explained++] = (int32_t)plane;
    return HLRP_OK;
}

hlrp_status hlrp_tile_worker_keep(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t index,
                                  int64_t plane, hlrp_error *err) {
    hlrp_sample *s = &w->samples[index];
    const hlrp_patch patch = hlrp_grid_patch(&job->survey->grid, s->number);
    double *parts = NULL;
    const hlrp_status status = place_plane(w, s, &patch, plane, &parts, err);
    if (status != HLRP_OK)
        return status;
    hlrp_worker_sum_color(&w->net, index);
    hlrp_pool_tile(w->pool, w->net.plane, parts, &s->sum[plane], &s->outside[plane]);
    s->abs[plane] = hlrp_worker_magnitude(&w->net);
    if (!isfinite(s->sum[plane]))
        return hlrp_fail(err, HLRP_E_INPUT, hlrp_slide_name(job->survey->slide),
                         "try another composite, such as epsilon-plus",
                         "the relevance of tile %lld is not finite", (long long)s->number);
    hlrp_account_add(&w->net, index, s->layers);
    return HLRP_OK;
}

hlrp_status hlrp_tile_worker_spread(const hlrp_tile_job *job, hlrp_tile_worker *w, hlrp_sample *s,
                                    int64_t plane, double total, hlrp_error *err) {
    const hlrp_patch whole = {hlrp_grid_tile(&job->survey->grid, s->number), {1, 1}};
    const float one = 1;
    double *parts = NULL, sum = 0, outside = 0;
    const hlrp_status status = place_plane(w, s, &whole, plane, &parts, err);
    if (status != HLRP_OK)
        return status;
    hlrp_pool_tile(w->pool, &one, parts, &sum, &outside);
    for (int64_t i = 0; i < s->record.w * s->record.h; i++)
        parts[i] *= total;
    s->sum[plane] = total;
    s->outside[plane] = total * outside;
    s->abs[plane] = fabs(total);
    return HLRP_OK;
}

hlrp_status hlrp_tile_worker_append(const hlrp_tile_job *job, const hlrp_sample *s,
                                    hlrp_error *err) {
    const hlrp_status status = hlrp_lock_check(job->lock, err);
    return status == HLRP_OK ? hlrp_journal_append(job->journal, &s->record, err) : status;
}

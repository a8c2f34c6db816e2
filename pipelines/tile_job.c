#include "pipelines/tile_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stitch/stitch.h"
#include "worker/account.h"

/* What a sample of the micro-batch has come to; its arrays are the record's. */
typedef struct sample {
    hlrp_record record;
    int64_t number;              /* of the grid */
    float *logits, *probability; /* [C] */
    double *start, *sum, *outside, *abs, *layers, *parts;
    int32_t *planes;
} sample;

/* The phases of a micro-batch whose core time is kept apart. */
enum { READ, FORWARD, RELEVANCE, KEEP, PHASES };

typedef struct worker {
    double seconds[PHASES], mark; /* core time per phase; when the present one began */
    hlrp_tile_reader *reader;
    hlrp_worker net;
    hlrp_pool *pool;
    uint8_t *rgb;
    sample *samples; /* [N] */
    float *floats;   /* the samples' */
    double *doubles;
    int32_t *ints;
} worker;

/* ---- a worker's memory ---- */

static hlrp_status share_out(worker *w, const hlrp_network *net, int64_t parts_max,
                             hlrp_error *err) {
    const int64_t n = net->batch, planes = net->targets.planes;
    const int64_t floats = 2 * net->classes;
    const int64_t doubles = 4 * planes + hlrp_account_count(net) + planes * parts_max;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w->samples, n, sizeof *w->samples, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->floats, n * floats, sizeof *w->floats, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->doubles, n * doubles, sizeof *w->doubles, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->ints, n * planes, sizeof *w->ints, "tiles", err));
    for (int64_t i = 0; i < n; i++) {
        sample *s = &w->samples[i];
        s->logits = w->floats + i * floats;
        s->probability = s->logits + net->classes;
        s->start = w->doubles + i * doubles;
        s->sum = s->start + planes;
        s->outside = s->sum + planes;
        s->abs = s->outside + planes;
        s->layers = s->abs + planes;
        s->parts = s->layers + hlrp_account_count(net);
        s->planes = w->ints + i * planes;
    }
out:
    return status;
}

static void free_worker(worker *w) {
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

hlrp_status hlrp_tile_job_begin(void *ctx, int thread, void **state, hlrp_error *err) {
    (void)thread;
    const hlrp_tile_job *job = ctx;
    const hlrp_survey *survey = job->survey;
    hlrp_slide *slide = NULL;
    worker *w = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, "worker", err));
    *state = w; /* thread_end frees it, also where this fails half-way */
    HLRP_TRY(hlrp_slide_open_again(survey->slide, &slide, err));
    HLRP_TRY(
        hlrp_tile_reader_open(slide, &survey->grid, survey->log, job->faults, &w->reader, err));
    HLRP_TRY(hlrp_worker_open(&w->net, job->net, err));
    HLRP_TRY(hlrp_calloc(&w->rgb, hlrp_worker_values(&w->net), 1, "a tile", err));
    HLRP_TRY(open_pool(&survey->grid, job->net->config->map.downsample, &w->pool, err));
    status = share_out(w, job->net, hlrp_pool_capacity(w->pool), err);
out:
    return status;
}

static void end_phase(worker *w, int phase) {
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
    const worker *w = state;
    if (w) {
        job->times->read += nanoseconds(w->seconds[READ]);
        job->times->forward += nanoseconds(w->seconds[FORWARD]);
        job->times->relevance += nanoseconds(w->seconds[RELEVANCE]);
        job->times->keep += nanoseconds(w->seconds[KEEP]);
    }
    free_worker(state);
}

int64_t hlrp_tile_job_worker_bytes(const hlrp_network *net, int64_t parts_max) {
    const int64_t rgb = 3 * net->height * net->width, planes = net->targets.planes;
    return hlrp_worker_bytes(net) + HLRP_SLIDE_CACHE_BYTES + rgb +
           net->batch * (planes * parts_max + hlrp_account_count(net)) * (int64_t)sizeof(double);
}

/* ---- one micro-batch ---- */

static void begin_record(sample *s, int64_t tile, hlrp_tile_result read) {
    s->record = (hlrp_record){.tile = tile,
                              .status = read == HLRP_TILE_UNREADABLE ? HLRP_RECORD_UNREADABLE
                                                                     : HLRP_RECORD_EXPLAINED,
                              .start = s->start,
                              .sum = s->sum,
                              .outside = s->outside,
                              .abs = s->abs,
                              .layers = s->layers,
                              .parts = s->parts,
                              .logit = s->logits,
                              .probability = s->probability,
                              .plane = s->planes};
}

static hlrp_status read_tiles(const hlrp_tile_job *job, worker *w, int64_t first, int64_t count,
                              hlrp_error *err) {
    const int64_t values = hlrp_worker_values(&w->net);
    for (int64_t i = 0; i < count; i++) {
        hlrp_tile_result result = HLRP_TILE_READ;
        const int64_t tile = job->places[first + i];
        const int64_t number = job->survey->tiles[tile];
        w->samples[i].number = number;
        const hlrp_status status = hlrp_tile_read(w->reader, number, w->rgb, &result, err);
        if (status != HLRP_OK)
            return status;
        begin_record(&w->samples[i], tile, result);
        hlrp_normalize(&job->net->normalizer, w->rgb, values / 3, w->net.input + i * values);
    }
    hlrp_worker_fill_up(&w->net, count);
    return HLRP_OK;
}

static void fill_nan(double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        values[i] = NAN;
}

/* Logits, probabilities and the gate. An unreadable tile has neither. */
static hlrp_status take_forward(const hlrp_tile_job *job, const float *logits, sample *s,
                                hlrp_error *err) {
    const hlrp_network *net = job->net;
    const bool unreadable = s->record.status == HLRP_RECORD_UNREADABLE;
    hlrp_probabilities(net->probability, logits, net->outputs, s->probability);
    hlrp_probabilities(HLRP_PROBABILITY_NONE, logits, net->outputs, s->logits);
    for (int64_t k = 0; unreadable && k < net->classes; k++)
        s->logits[k] = s->probability[k] = NAN;
    if (!unreadable && net->gate >= 0 && s->probability[net->gate] < net->config->gate.probability)
        s->record.status = HLRP_RECORD_GATED;
    fill_nan(s->start, net->targets.planes);
    fill_nan(s->sum, net->targets.planes);
    fill_nan(s->outside, net->targets.planes);
    fill_nan(s->abs, net->targets.planes);
    memset(s->layers, 0, (size_t)hlrp_account_count(net) * sizeof *s->layers);
    for (int64_t k = 0; !unreadable && k < net->outputs; k++)
        if (!isfinite(logits[k]))
            return hlrp_fail(err, HLRP_E_INPUT, hlrp_slide_name(job->survey->slide),
                             "check model.scale, mean and std, and the network itself",
                             "the network's logits for tile %lld are not finite",
                             (long long)s->number);
    return HLRP_OK;
}

bool hlrp_tile_job_puts_off(int64_t passed, int64_t count) {
    return passed > 0 && 4 * passed < 3 * count;
}

static void put_off(worker *w, int64_t count) {
    int64_t passed = 0;
    for (int64_t i = 0; i < count; i++)
        passed += w->samples[i].record.status == HLRP_RECORD_EXPLAINED;
    if (!hlrp_tile_job_puts_off(passed, count))
        return;
    for (int64_t i = 0; i < count; i++)
        if (w->samples[i].record.status == HLRP_RECORD_EXPLAINED)
            w->samples[i].record.status = HLRP_RECORD_FORWARD;
}

/* The plane that pass `pass` explains for a sample; -1: none. With `predicted` one pass explains
 * every sample's own class. */
static int64_t plane_of(const hlrp_network *net, const sample *s, int64_t pass) {
    if (s->record.status != HLRP_RECORD_EXPLAINED)
        return -1;
    return net->targets.predicted ? hlrp_predicted(s->probability, net->classes) : pass;
}

/* One sample's relevance, pooled onto the map as one more explained plane. */
static hlrp_status keep_plane(const hlrp_tile_job *job, worker *w, int64_t index, int64_t plane,
                              hlrp_error *err) {
    sample *s = &w->samples[index];
    const hlrp_patch patch = hlrp_grid_patch(&job->survey->grid, s->number);
    hlrp_irect window = {0};
    const hlrp_status status = hlrp_pool_place(w->pool, &patch, &window, err);
    if (status != HLRP_OK)
        return status;
    double *parts = s->parts + s->record.explained * window.w * window.h;
    hlrp_worker_sum_color(&w->net, index);
    hlrp_pool_tile(w->pool, w->net.plane, parts, &s->sum[plane], &s->outside[plane]);
    s->abs[plane] = hlrp_worker_magnitude(&w->net);
    if (!isfinite(s->sum[plane]))
        return hlrp_fail(err, HLRP_E_INPUT, hlrp_slide_name(job->survey->slide),
                         "try another composite, such as epsilon-plus",
                         "the relevance of tile %lld is not finite", (long long)s->number);
    s->record.x = window.x;
    s->record.y = window.y;
    s->record.w = window.w;
    s->record.h = window.h;
    s->planes[s->record.explained++] = (int32_t)plane;
    hlrp_account_add(&w->net, index, s->layers);
    return HLRP_OK;
}

/* One way back for the whole micro-batch; samples that this pass does not explain start at 0. */
static hlrp_status explain_pass(const hlrp_tile_job *job, worker *w, int64_t count, int64_t pass,
                                hlrp_error *err) {
    const hlrp_network *net = job->net;
    bool any = false;
    hlrp_status status = HLRP_OK;
    hlrp_worker_clear_starts(&w->net);
    for (int64_t i = 0; i < count; i++) {
        sample *s = &w->samples[i];
        const int64_t plane = plane_of(net, s, pass);
        if (plane < 0)
            continue;
        s->start[plane] = hlrp_worker_start(&w->net, i, net->targets.classes[plane]);
        any = true;
    }
    if (!any)
        return HLRP_OK;
    const hlrp_lrp_watch watch = {.account = w->net.account};
    HLRP_TRY(
        hlrp_lrp_relevance(w->net.lrp, w->net.start, w->net.slope, &watch, w->net.relevance, err));
    end_phase(w, RELEVANCE);
    for (int64_t i = 0; status == HLRP_OK && i < count; i++) {
        const int64_t plane = plane_of(net, &w->samples[i], pass);
        if (plane >= 0)
            status = keep_plane(job, w, i, plane, err);
    }
    end_phase(w, KEEP);
out:
    return status;
}

static hlrp_status append(const hlrp_tile_job *job, const sample *s, hlrp_error *err) {
    const hlrp_status status = hlrp_lock_check(job->lock, err);
    return status == HLRP_OK ? hlrp_journal_append(job->journal, &s->record, err) : status;
}

hlrp_status hlrp_tile_job_item(void *ctx, void *state, int64_t index, hlrp_error *err) {
    const hlrp_tile_job *job = ctx;
    const hlrp_network *net = job->net;
    worker *w = state;
    const int64_t first = index * net->batch;
    const int64_t count = HLRP_MIN(net->batch, job->place_count - first);
    const int64_t passes = net->targets.predicted ? 1 : net->targets.planes;
    hlrp_status status = HLRP_OK;
    w->mark = hlrp_cpu_seconds();
    HLRP_TRY(read_tiles(job, w, first, count, err));
    end_phase(w, READ);
    HLRP_TRY(hlrp_lrp_forward(w->net.lrp, w->net.input, err));
    end_phase(w, FORWARD);
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(take_forward(job, hlrp_worker_logits(&w->net, i), &w->samples[i], err));
    if (job->gate)
        put_off(w, count);
    for (int64_t pass = 0; pass < passes; pass++)
        HLRP_TRY(explain_pass(job, w, count, pass, err));
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(append(job, &w->samples[i], err));
    end_phase(w, KEEP);
out:
    return status;
}

#include "pipelines/tile_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a sample of the micro-batch has come to. */
typedef struct sample {
    hlrp_record record;
    int64_t number;              /* of the grid */
    float *raw;                  /* [outputs] logits as the network gives them */
    float *logits, *probability; /* [C] */
    double *start, *sum, *outside, *abs, *layers, *parts;
    int32_t *planes;
} sample;

/* The phases of a micro-batch whose core time is kept apart. */
enum { READ, FORWARD, RELEVANCE, KEEP, PHASES };

typedef struct worker {
    double seconds[PHASES], mark; /* core time per phase; when the present one began */
    hlrp_tile_reader *reader;
    hlrp_lrp_worker *lrp;
    hlrp_pool *pool;
    uint8_t *rgb;
    float *input, *relevance, *start, *slope, *plane;
    hlrp_account *account; /* [node][N] */
    sample *samples;       /* [N] */
    float *floats;         /* the samples' */
    double *doubles;
    int32_t *ints;
} worker;

/* ---- a worker's memory ---- */

static int64_t layer_values(const hlrp_network *net) {
    return (int64_t)net->graph->node_count * HLRP_ACCOUNT_FIELDS;
}

static hlrp_status share_out(worker *w, const hlrp_network *net, int64_t parts_max,
                             hlrp_error *err) {
    const int64_t n = net->batch, planes = net->targets.planes;
    const int64_t floats = net->outputs + 2 * net->classes;
    const int64_t doubles = 4 * planes + layer_values(net) + planes * parts_max;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w->samples, n, sizeof *w->samples, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->floats, n * floats, sizeof *w->floats, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->doubles, n * doubles, sizeof *w->doubles, "tiles", err));
    HLRP_TRY(hlrp_calloc(&w->ints, n * planes, sizeof *w->ints, "tiles", err));
    for (int64_t i = 0; i < n; i++) {
        sample *s = &w->samples[i];
        s->raw = w->floats + i * floats;
        s->logits = s->raw + net->outputs;
        s->probability = s->logits + net->classes;
        s->start = w->doubles + i * doubles;
        s->sum = s->start + planes;
        s->outside = s->sum + planes;
        s->abs = s->outside + planes;
        s->layers = s->abs + planes;
        s->parts = s->layers + layer_values(net);
        s->planes = w->ints + i * planes;
    }
out:
    return status;
}

static void free_worker(worker *w) {
    if (!w)
        return;
    hlrp_tile_reader_close(w->reader);
    hlrp_lrp_worker_free(w->lrp);
    hlrp_pool_free(w->pool);
    void *const all[] = {w->rgb,     w->input,   w->relevance, w->start,   w->slope, w->plane,
                         w->account, w->samples, w->floats,    w->doubles, w->ints};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
    free(w);
}

static hlrp_status allocate(worker *w, const hlrp_network *net, hlrp_error *err) {
    const int64_t pixels = net->height * net->width, n = net->batch;
    const int64_t values = n * 3 * pixels;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w->rgb, 3 * pixels, 1, "a tile", err));
    HLRP_TRY(hlrp_calloc_aligned(&w->input, values, sizeof(float), "tiles", err));
    HLRP_TRY(hlrp_calloc_aligned(&w->relevance, values, sizeof(float), "relevance", err));
    HLRP_TRY(hlrp_calloc_aligned(&w->start, n * net->outputs, sizeof(float), "starts", err));
    HLRP_TRY(hlrp_calloc_aligned(&w->slope, n * net->outputs, sizeof(float), "starts", err));
    HLRP_TRY(hlrp_calloc(&w->plane, pixels, sizeof(float), "relevance", err));
    HLRP_TRY(
        hlrp_calloc(&w->account, n * net->graph->node_count, sizeof *w->account, "account", err));
out:
    return status;
}

hlrp_status hlrp_tile_job_begin(void *ctx, int thread, void **state, hlrp_error *err) {
    (void)thread;
    const hlrp_tile_job *job = ctx;
    hlrp_slide *slide = NULL;
    worker *w = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, "worker", err));
    *state = w; /* thread_end frees it, also where this fails half-way */
    HLRP_TRY(hlrp_slide_open_again(job->slide, &slide, err));
    HLRP_TRY(hlrp_tile_reader_open(slide, job->grid, job->log, job->faults, &w->reader, err));
    HLRP_TRY(hlrp_lrp_worker_new(job->net->lrp, &w->lrp, err));
    const hlrp_patch tile = hlrp_grid_patch(job->grid, 0);
    HLRP_TRY(hlrp_pool_new(job->grid->slide, &tile, job->downsample, &w->pool, err));
    HLRP_TRY(allocate(w, job->net, err));
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
    if (w && job->times) {
        job->times->read += nanoseconds(w->seconds[READ]);
        job->times->forward += nanoseconds(w->seconds[FORWARD]);
        job->times->relevance += nanoseconds(w->seconds[RELEVANCE]);
        job->times->keep += nanoseconds(w->seconds[KEEP]);
    }
    free_worker(state);
}

int64_t hlrp_tile_job_worker_bytes(const hlrp_network *net, int64_t parts_max) {
    const int64_t pixels = net->height * net->width, n = net->batch, k = net->targets.planes;
    return hlrp_lrp_worker_bytes(net->lrp) + HLRP_SLIDE_CACHE_BYTES + n * 6 * pixels * 4 +
           7 * pixels + n * (k * parts_max + layer_values(net)) * 8;
}

/* ---- one micro-batch ---- */

/* Reads the batch's tiles into the input; a short batch is filled up with copies of its last tile,
 * so that the network always runs at one size. */
static hlrp_status read_tiles(const hlrp_tile_job *job, worker *w, int64_t first, int64_t count,
                              hlrp_error *err) {
    const hlrp_network *net = job->net;
    const int64_t pixels = net->height * net->width;
    for (int64_t i = 0; i < net->batch; i++) {
        float *to = w->input + i * 3 * pixels;
        if (i >= count) {
            memcpy(to, to - 3 * pixels, (size_t)(3 * pixels) * sizeof *to);
            continue;
        }
        sample *s = &w->samples[i];
        hlrp_tile_result result = HLRP_TILE_READ;
        const int64_t tile = job->places[first + i];
        s->number = job->tiles[tile];
        const hlrp_status status = hlrp_tile_read(w->reader, s->number, w->rgb, &result, err);
        if (status != HLRP_OK)
            return status;
        s->record = (hlrp_record){.tile = tile};
        s->record.status =
            result == HLRP_TILE_UNREADABLE ? HLRP_RECORD_UNREADABLE : HLRP_RECORD_EXPLAINED;
        hlrp_normalize(&net->normalizer, w->rgb, pixels, to);
    }
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
    memcpy(s->raw, logits, (size_t)net->outputs * sizeof *logits);
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
    memset(s->layers, 0, (size_t)layer_values(net) * sizeof *s->layers);
    for (int64_t k = 0; !unreadable && k < net->outputs; k++)
        if (!isfinite(logits[k]))
            return hlrp_fail(err, HLRP_E_INPUT, hlrp_slide_name(job->slide),
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

static void add_account(const hlrp_network *net, const hlrp_account *account, int64_t index,
                        double *layers) {
    for (int node = 0; node < net->graph->node_count; node++) {
        const hlrp_account *a = &account[node * net->batch + index];
        const double values[HLRP_ACCOUNT_FIELDS] = {
            [HLRP_LAYERS_OUT] = a->out,   [HLRP_LAYERS_OUT_ABS] = a->out_abs,
            [HLRP_LAYERS_IN] = a->in,     [HLRP_LAYERS_IN_ABS] = a->in_abs,
            [HLRP_LAYERS_BIAS] = a->bias, [HLRP_LAYERS_STABILIZER] = a->stabilizer};
        for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
            layers[node * HLRP_ACCOUNT_FIELDS + f] += values[f];
    }
}

void hlrp_sum_over_color(const float *relevance, int64_t pixels, float *plane) {
#pragma omp simd
    for (int64_t p = 0; p < pixels; p++)
        plane[p] = relevance[p] + relevance[pixels + p] + relevance[2 * pixels + p];
}

double hlrp_plane_magnitude(const float *plane, int64_t pixels) {
    double sum = 0;
    for (int64_t p = 0; p < pixels; p++)
        sum += fabs((double)plane[p]);
    return sum;
}

/* One sample's relevance, pooled onto the map as one more explained plane. */
static hlrp_status keep_plane(const hlrp_tile_job *job, worker *w, int64_t index, int64_t plane,
                              hlrp_error *err) {
    const hlrp_network *net = job->net;
    const int64_t pixels = net->height * net->width;
    sample *s = &w->samples[index];
    const hlrp_patch patch = hlrp_grid_patch(job->grid, s->number);
    hlrp_irect window = {0};
    const hlrp_status status = hlrp_pool_place(w->pool, &patch, &window, err);
    if (status != HLRP_OK)
        return status;
    double *parts = s->parts + s->record.explained * window.w * window.h;
    hlrp_sum_over_color(w->relevance + index * 3 * pixels, pixels, w->plane);
    hlrp_pool_tile(w->pool, w->plane, parts, &s->sum[plane], &s->outside[plane]);
    s->abs[plane] = hlrp_plane_magnitude(w->plane, pixels);
    if (!isfinite(s->sum[plane]))
        return hlrp_fail(err, HLRP_E_INPUT, hlrp_slide_name(job->slide),
                         "try another composite, such as epsilon-plus",
                         "the relevance of tile %lld is not finite", (long long)s->number);
    s->record.x = window.x;
    s->record.y = window.y;
    s->record.w = window.w;
    s->record.h = window.h;
    s->planes[s->record.explained++] = (int32_t)plane;
    add_account(net, w->account, index, s->layers);
    return HLRP_OK;
}

/* One way back for the whole micro-batch; samples that this pass does not explain start at 0. */
static hlrp_status explain_pass(const hlrp_tile_job *job, worker *w, int64_t count, int64_t pass,
                                hlrp_error *err) {
    const hlrp_network *net = job->net;
    bool any = false;
    hlrp_status status = HLRP_OK;
    memset(w->start, 0, (size_t)(net->batch * net->outputs) * sizeof *w->start);
    memset(w->slope, 0, (size_t)(net->batch * net->outputs) * sizeof *w->slope);
    for (int64_t i = 0; i < count; i++) {
        sample *s = &w->samples[i];
        const int64_t plane = plane_of(net, s, pass);
        if (plane < 0)
            continue;
        float *row = w->start + i * net->outputs;
        double total = 0;
        hlrp_start_fill(&net->start, s->raw, net->outputs, net->targets.classes[plane], row,
                        w->slope + i * net->outputs);
        for (int64_t k = 0; k < net->outputs; k++)
            total += row[k];
        s->start[plane] = total;
        any = true;
    }
    if (!any)
        return HLRP_OK;
    const hlrp_lrp_watch watch = {.account = w->account};
    HLRP_TRY(hlrp_lrp_relevance(w->lrp, w->start, w->slope, &watch, w->relevance, err));
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

static hlrp_status append(const hlrp_tile_job *job, sample *s, hlrp_error *err) {
    hlrp_record *r = &s->record;
    r->start = s->start;
    r->sum = s->sum;
    r->outside = s->outside;
    r->abs = s->abs;
    r->layers = s->layers;
    r->parts = s->parts;
    r->logit = s->logits;
    r->probability = s->probability;
    r->plane = s->planes;
    const hlrp_status status = job->guard ? job->guard(job->guard_ctx, err) : HLRP_OK;
    return status == HLRP_OK ? hlrp_journal_append(job->journal, r, err) : status;
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
    HLRP_TRY(hlrp_lrp_forward(w->lrp, w->input, err));
    end_phase(w, FORWARD);
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(
            take_forward(job, hlrp_lrp_logits(w->lrp) + i * net->outputs, &w->samples[i], err));
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

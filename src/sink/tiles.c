#include "sink/tiles.h"

#include <math.h>
#include <stdlib.h>

#include "store/agreement.h"

#define UM2_PER_MM2 1e6

typedef struct dataset {
    const char *name;
    double **values;
    int64_t width;
} dataset;

/* The last two are not in records of earlier versions. */
#define DATASETS 12
#define OLD_DATASETS 10

static void list(hlrp_tiles *t, dataset out[DATASETS]) {
    const int64_t c = t->info->classes, k = t->info->planes;
    const dataset all[DATASETS] = {
        {"x", &t->x, 1},
        {"y", &t->y, 1},
        {"width", &t->width, 1},
        {"height", &t->height, 1},
        {"status", &t->status, 1},
        {"logit", &t->logit, c},
        {"probability", &t->probability, c},
        {"start", &t->start, k},
        {"relevance_sum", &t->sum, k},
        {"relevance_outside", &t->outside, k},
        {"relevance_abs", &t->abs, k},
        {"agrees", &t->agrees, k},
    };
    for (int i = 0; i < DATASETS; i++)
        out[i] = all[i];
}

hlrp_status hlrp_tiles_init(hlrp_tiles *t, const hlrp_result *result, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    dataset all[DATASETS];
    t->info = hlrp_result_facts(result);
    list(t, all);
    for (int i = 0; i < DATASETS; i++)
        HLRP_TRY(hlrp_calloc(all[i].values, HLRP_TILES_BATCH * all[i].width, sizeof(double),
                             "a batch of tiles", err));
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        if (t->info->scores[k] > 0)
            HLRP_TRY(hlrp_calloc(&t->scores[k], HLRP_TILES_BATCH * t->info->scores[k],
                                 sizeof(double), "a batch of tiles", err));
    HLRP_TRY(hlrp_calloc(&t->plus, HLRP_TILES_BATCH * t->info->planes, sizeof(double),
                         "a batch of tiles", err));
    status = hlrp_calloc(&t->minus, HLRP_TILES_BATCH * t->info->planes, sizeof(double),
                         "a batch of tiles", err);
    for (int64_t i = 0; status == HLRP_OK && i < HLRP_TILES_BATCH * t->info->planes; i++)
        t->abs[i] = NAN;
out:
    return status;
}

void hlrp_tiles_free(hlrp_tiles *t) {
    dataset all[DATASETS];
    if (!t->info)
        return;
    list(t, all);
    for (int i = 0; i < DATASETS; i++)
        free(*all[i].values);
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        free(t->scores[k]);
    free(t->plus);
    free(t->minus);
    free(t->rows);
    *t = (hlrp_tiles){0};
}

/* ---- for and against ---- */

/* Map pixels whose middle lies in [from, from+length), level-0 pixels. */
static void middles(double from, double length, int64_t downsample, int64_t n, int64_t *first,
                    int64_t *end) {
    const double d = (double)downsample;
    *first = HLRP_MAX(HLRP_MIN((int64_t)ceil(from / d - 0.5), n), 0);
    *end = HLRP_MAX(HLRP_MIN((int64_t)ceil((from + length) / d - 0.5), n), *first);
}

static void add_up(hlrp_tiles *t, int64_t i, int64_t plane, int64_t rows) {
    const hlrp_size map = t->info->map;
    const int64_t at = i * t->info->planes + plane;
    double plus = 0, minus = 0;
    int64_t x0, x1, known = 0;
    rows = t->status[i] == 0 ? rows : 0; /* explained ones alone */
    middles(t->x[i], t->width[i], t->info->downsample, map.w, &x0, &x1);
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = x0; x < x1; x++) {
            const float value = t->rows[y * map.w + x];
            known += isfinite(value);
            plus += value > 0 ? value : 0;
            minus += value < 0 ? value : 0;
        }
    t->plus[at] = known > 0 ? plus : NAN;
    t->minus[at] = known > 0 ? minus : NAN;
}

/* Tiles of one row of the grid share the map's rows: they are read once for all of them. */
static hlrp_status balance_row(hlrp_tiles *t, hlrp_result *result, int64_t first, int64_t end,
                               hlrp_error *err) {
    const hlrp_size map = t->info->map;
    int64_t y0, y1;
    hlrp_status status = HLRP_OK;
    middles(t->y[first], t->height[first], t->info->downsample, map.h, &y0, &y1);
    HLRP_TRY(hlrp_grow(&t->rows, &t->row_room, (y1 - y0) * map.w, sizeof *t->rows, err));
    for (int64_t plane = 0; plane < t->info->planes; plane++) {
        if (y1 > y0)
            HLRP_TRY(hlrp_result_read_rows(result, HLRP_MAP_RELEVANCE, plane, y0, y1 - y0, t->rows,
                                           err));
        for (int64_t i = first; i < end; i++)
            add_up(t, i, plane, y1 - y0);
    }
out:
    return status;
}

static hlrp_status balance(hlrp_tiles *t, hlrp_result *result, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0, end = 0; i < t->count; i = end) {
        while (end < t->count && t->y[end] == t->y[i] && t->height[end] == t->height[i])
            end++;
        HLRP_TRY(balance_row(t, result, i, end, err));
    }
out:
    return status;
}

hlrp_status hlrp_tiles_read(hlrp_tiles *t, hlrp_result *result, int64_t first, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    dataset all[DATASETS];
    list(t, all);
    t->first = first;
    t->count = HLRP_MIN(HLRP_TILES_BATCH, t->info->tiles - first);
    for (int i = 0; i < (hlrp_result_has_agreement(result) ? DATASETS : OLD_DATASETS); i++)
        HLRP_TRY(hlrp_result_read_tiles(result, all[i].name, first, t->count, all[i].width,
                                        *all[i].values, err));
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        if (t->info->scores[k] > 0)
            HLRP_TRY(hlrp_result_read_tiles(result, hlrp_score_dataset((hlrp_score_kind)k), first,
                                            t->count, t->info->scores[k], t->scores[k], err));
    status = balance(t, result, err);
out:
    return status;
}

double hlrp_tiles_score(const hlrp_tiles *t, int64_t i, int64_t m) {
    for (int k = 0; k < HLRP_SCORE_KINDS; m -= t->info->scores[k], k++)
        if (m < t->info->scores[k])
            return t->scores[k][i * t->info->scores[k] + m];
    return NAN;
}

const char *hlrp_tiles_status(const hlrp_tiles *t, int64_t i) {
    return t->status[i] == 0 ? "explained" : t->status[i] == 1 ? "gated" : "unreadable";
}

int64_t hlrp_tiles_predicted(const hlrp_tiles *t, int64_t i) {
    const double *p = t->probability + i * t->info->classes;
    int64_t best = -1;
    for (int64_t c = 0; c < t->info->classes; c++)
        if (!isnan(p[c]) && (best < 0 || p[c] > p[best]))
            best = c;
    return best;
}

double hlrp_tiles_density(const hlrp_tiles *t, int64_t i, int64_t plane) {
    const hlrp_mpp mpp = t->info->mpp;
    return t->sum[i * t->info->planes + plane] /
           (t->width[i] * mpp.x * t->height[i] * mpp.y / UM2_PER_MM2);
}

double hlrp_tiles_over_start(const hlrp_tiles *t, int64_t i, int64_t plane) {
    const int64_t at = i * t->info->planes + plane;
    return hlrp_over_start(t->start[at], t->abs[at]);
}

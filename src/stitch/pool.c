#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stitch/overlap.h"
#include "stitch/stitch.h"

struct hlrp_pool {
    hlrp_patch largest;
    hlrp_size slide, map;
    int64_t downsample, capacity;
    hlrp_span span_x, span_y; /* of the current patch */
    hlrp_axis x, y;
    double *rows;     /* [span_y most][columns]: model columns, already split over map rows */
    double *all, *on; /* [columns]: each model column's sum, and the part of it that is on the slide
                         as far as rows decide */
};

static hlrp_status check(hlrp_size slide, const hlrp_patch *largest, int64_t downsample,
                         hlrp_error *err) {
    if (downsample < 1)
        return hlrp_fail(err, HLRP_E_CONFIG, "map.downsample", "set it to 1 or more",
                         "a map of %lld level-0 pixels per pixel cannot be", (long long)downsample);
    if (largest->pixels.w < 1 || largest->pixels.h < 1 || !(largest->level0.w > 0.0) ||
        !(largest->level0.h > 0.0) || slide.w < 1 || slide.h < 1)
        return hlrp_fail(err, HLRP_E_INTERNAL, "map", NULL, "a patch without pixels");
    if (largest->level0.w / (double)downsample > 1e6 ||
        largest->level0.h / (double)downsample > 1e6)
        return hlrp_fail(err, HLRP_E_MEMORY, "map.downsample", "use a larger map.downsample",
                         "a tile covers over a million map pixels per axis");
    return HLRP_OK;
}

hlrp_status hlrp_pool_new(hlrp_size slide, const hlrp_patch *largest, int64_t downsample,
                          hlrp_pool **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_pool *pool = NULL;
    HLRP_TRY(check(slide, largest, downsample, err));
    HLRP_TRY(hlrp_calloc(&pool, 1, sizeof *pool, "pooling", err));
    pool->largest = *largest;
    pool->slide = slide;
    pool->downsample = downsample;
    pool->map = hlrp_map_size(slide, downsample);
    const double w = largest->level0.w, h = largest->level0.h;
    const int64_t columns = largest->pixels.w, most_y = hlrp_span_most(h, downsample);
    pool->capacity = hlrp_span_most(w, downsample) * most_y;
    HLRP_TRY(hlrp_axis_init(&pool->x, columns, w, downsample, err));
    HLRP_TRY(hlrp_axis_init(&pool->y, largest->pixels.h, h, downsample, err));
    HLRP_TRY(hlrp_calloc(&pool->rows, most_y * columns, sizeof *pool->rows, "pooling", err));
    HLRP_TRY(hlrp_calloc(&pool->all, columns, sizeof *pool->all, "pooling", err));
    HLRP_TRY(hlrp_calloc(&pool->on, columns, sizeof *pool->on, "pooling", err));
    *out = pool;
    pool = NULL;
out:
    hlrp_pool_free(pool);
    return status;
}

void hlrp_pool_free(hlrp_pool *pool) {
    if (!pool)
        return;
    hlrp_axis_free(&pool->x);
    hlrp_axis_free(&pool->y);
    free(pool->rows);
    free(pool->all);
    free(pool->on);
    free(pool);
}

int64_t hlrp_pool_capacity(const hlrp_pool *pool) {
    return pool->capacity;
}

/* Tables were made for patches up to the largest; its extent may come out a rounding larger. */
static bool fits(const hlrp_pool *pool, const hlrp_patch *patch) {
    const hlrp_patch *most = &pool->largest;
    return patch->pixels.w >= 1 && patch->pixels.w <= most->pixels.w && patch->pixels.h >= 1 &&
           patch->pixels.h <= most->pixels.h && patch->level0.w <= most->level0.w * (1 + 1e-9) &&
           patch->level0.h <= most->level0.h * (1 + 1e-9);
}

hlrp_status hlrp_pool_place(hlrp_pool *pool, const hlrp_patch *patch, hlrp_irect *window,
                            hlrp_error *err) {
    const hlrp_rect t = patch->level0;
    if (!fits(pool, patch))
        return hlrp_fail(err, HLRP_E_INTERNAL, "map", NULL,
                         "a patch is larger than its pool was made for");
    pool->x.size = patch->pixels.w;
    pool->y.size = patch->pixels.h;
    pool->span_x = hlrp_span_of(t.x, t.w, pool->downsample, pool->map.w);
    pool->span_y = hlrp_span_of(t.y, t.h, pool->downsample, pool->map.h);
    hlrp_axis_place(&pool->x, t.x, t.w, pool->downsample, pool->slide.w, pool->span_x);
    hlrp_axis_place(&pool->y, t.y, t.h, pool->downsample, pool->slide.h, pool->span_y);
    *window = (hlrp_irect){pool->span_x.lo, pool->span_y.lo, pool->span_x.n, pool->span_y.n};
    return HLRP_OK;
}

/* Splits every model row over the map's rows, column by column: the long loops run along memory. */
static void split_rows(hlrp_pool *pool, const float *relevance) {
    const hlrp_axis *y = &pool->y;
    const int64_t n = pool->x.size; /* columns */
    memset(pool->rows, 0, (size_t)(pool->span_y.n * n) * sizeof *pool->rows);
    memset(pool->all, 0, (size_t)n * sizeof *pool->all);
    memset(pool->on, 0, (size_t)n * sizeof *pool->on);
    for (int64_t i = 0; i < y->size; i++) {
        const float *from = relevance + i * n;
        const double inside = y->inside[i];
        for (int64_t j = 0; j < n; j++) {
            pool->all[j] += (double)from[j];
            pool->on[j] += (double)from[j] * inside;
        }
        for (int64_t k = y->offset[i]; k < y->offset[i + 1]; k++) {
            const double share = y->share[k];
            double *to = pool->rows + (y->first[i] + k - y->offset[i]) * n;
            for (int64_t j = 0; j < n; j++)
                to[j] += (double)from[j] * share;
        }
    }
}

void hlrp_pool_tile(hlrp_pool *pool, const float *relevance, double *parts, double *sum,
                    double *outside) {
    const hlrp_axis *x = &pool->x;
    const int64_t w = pool->span_x.n, h = pool->span_y.n;
    double total = 0.0, off = 0.0;
    split_rows(pool, relevance);
    memset(parts, 0, (size_t)(w * h) * sizeof *parts);
    for (int64_t m = 0; m < h; m++) {
        const double *row = pool->rows + m * x->size;
        for (int64_t j = 0; j < x->size; j++) {
            const int64_t first = m * w + x->first[j], offset = x->offset[j];
            for (int64_t k = offset; k < x->offset[j + 1]; k++)
                parts[first + k - offset] += row[j] * x->share[k];
        }
    }
    for (int64_t j = 0; j < x->size; j++) { /* exactly 0 off the slide for a tile inside it */
        total += pool->all[j];
        off += pool->all[j] - pool->on[j] * x->inside[j];
    }
    *sum = total;
    *outside = off;
}

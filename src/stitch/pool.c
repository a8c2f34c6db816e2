#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stitch/overlap.h"
#include "stitch/stitch.h"

struct hlrp_pool {
    hlrp_grid grid;
    hlrp_size map;
    int64_t downsample, capacity;
    hlrp_span span_x, span_y; /* of the current tile */
    hlrp_axis x, y;
    double *row; /* one row of model pixels, split over the span's columns */
};

static hlrp_status check(const hlrp_grid *grid, int64_t downsample, hlrp_error *err) {
    if (downsample < 1)
        return hlrp_fail(err, HLRP_E_CONFIG, "map.downsample", "set it to 1 or more",
                         "a map of %lld level-0 pixels per pixel cannot be", (long long)downsample);
    if (grid->size < 1 || !(grid->r_x > 0.0) || !(grid->r_y > 0.0) || grid->slide.w < 1 ||
        grid->slide.h < 1)
        return hlrp_fail(err, HLRP_E_INTERNAL, "map", NULL, "a grid without tiles");
    return HLRP_OK;
}

hlrp_status hlrp_pool_new(const hlrp_grid *grid, int64_t downsample, hlrp_pool **out,
                          hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_pool *pool = NULL;
    HLRP_TRY(check(grid, downsample, err));
    HLRP_TRY(hlrp_calloc(&pool, 1, sizeof *pool, "pooling", err));
    pool->grid = *grid;
    pool->downsample = downsample;
    pool->map = hlrp_map_size(grid->slide, downsample);
    const double w = (double)grid->size * grid->r_x, h = (double)grid->size * grid->r_y;
    if (w / (double)downsample > 1e6 || h / (double)downsample > 1e6) {
        status = hlrp_fail(err, HLRP_E_MEMORY, "map.downsample", "use a larger map.downsample",
                           "a tile covers over a million map pixels per axis");
        goto out;
    }
    const int64_t most_x = hlrp_span_most(w, downsample);
    pool->capacity = most_x * hlrp_span_most(h, downsample);
    HLRP_TRY(hlrp_axis_init(&pool->x, grid->size, w, downsample, err));
    HLRP_TRY(hlrp_axis_init(&pool->y, grid->size, h, downsample, err));
    HLRP_TRY(hlrp_calloc(&pool->row, most_x, sizeof *pool->row, "pooling", err));
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
    free(pool->row);
    free(pool);
}

int64_t hlrp_pool_capacity(const hlrp_pool *pool) {
    return pool->capacity;
}

hlrp_status hlrp_pool_place(hlrp_pool *pool, int64_t number, hlrp_irect *window, hlrp_error *err) {
    const hlrp_grid *g = &pool->grid;
    if (number < 0 || number >= g->nx * g->ny)
        return hlrp_fail(err, HLRP_E_INTERNAL, "map", NULL, "there is no tile %lld",
                         (long long)number);
    const hlrp_rect t = hlrp_grid_tile(g, number);
    pool->span_x = hlrp_span_of(t.x, t.w, pool->downsample, pool->map.w);
    pool->span_y = hlrp_span_of(t.y, t.h, pool->downsample, pool->map.h);
    hlrp_axis_place(&pool->x, t.x, t.w, pool->downsample, g->slide.w, pool->span_x);
    hlrp_axis_place(&pool->y, t.y, t.h, pool->downsample, g->slide.h, pool->span_y);
    *window = (hlrp_irect){pool->span_x.lo, pool->span_y.lo, pool->span_x.n, pool->span_y.n};
    return HLRP_OK;
}

/* Splits one row over the map's columns; its sum, and the part of that on the slide, in *inside. */
static double split_row(const hlrp_axis *x, const float *relevance, double *row, double *inside) {
    double sum = 0.0, in = 0.0;
    for (int64_t j = 0; j < x->size; j++) {
        const double r = (double)relevance[j];
        double *at = row + x->first[j] - x->offset[j];
        for (int64_t k = x->offset[j]; k < x->offset[j + 1]; k++)
            at[k] += r * x->share[k];
        sum += r;
        in += r * x->inside[j];
    }
    *inside = in;
    return sum;
}

void hlrp_pool_tile(hlrp_pool *pool, const float *relevance, double *parts, double *sum,
                    double *outside) {
    const hlrp_axis *y = &pool->y;
    const int64_t w = pool->span_x.n, h = pool->span_y.n;
    double total = 0.0, off = 0.0;
    memset(parts, 0, (size_t)(w * h) * sizeof *parts);
    for (int64_t i = 0; i < y->size; i++) {
        double inside = 0.0;
        memset(pool->row, 0, (size_t)w * sizeof *pool->row);
        const double all = split_row(&pool->x, relevance + i * y->size, pool->row, &inside);
        total += all;
        off += all - inside * y->inside[i];
        for (int64_t k = y->offset[i]; k < y->offset[i + 1]; k++) {
            double *to = parts + (y->first[i] + k - y->offset[i]) * w;
            for (int64_t m = 0; m < w; m++)
                to[m] += pool->row[m] * y->share[k];
        }
    }
    *sum = total;
    *outside = off;
}

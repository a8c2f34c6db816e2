/* Blending: sums, coverage, the same bits for any band height. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stitch/stitch.h"

/* cmocka's own compares as float. */
static void assert_near(double a, double b, double within) {
    if (!(fabs(a - b) <= within))
        fail_msg("%.17g is not %.17g within %g", a, b, within);
}

static double uniform(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* A whole little run: every tile gets random relevance in one of two planes, some are gated. */
typedef struct run {
    hlrp_grid grid;
    int64_t downsample, tiles, capacity;
    hlrp_size map;
    double *parts; /* [tiles][capacity] */
    hlrp_irect *window;
    int *plane;         /* -1: gated */
    float *probability; /* [tiles][3] */
    double inside[2], absolute;
} run;

static run make_run(int64_t w, int64_t h, double mpp, double model, int64_t size, double overlap,
                    int64_t d, uint64_t seed) {
    hlrp_error err = {0};
    run r = {.downsample = d};
    hlrp_pool *pool = NULL;
    assert_int_equal(hlrp_grid_init(&r.grid, (hlrp_size){w, h}, (hlrp_mpp){mpp, mpp}, model, size,
                                    overlap, &err),
                     HLRP_OK);
    const hlrp_patch tile = hlrp_grid_patch(&r.grid, 0);
    assert_int_equal(hlrp_pool_new(r.grid.slide, &tile, d, &pool, &err), HLRP_OK);
    r.map = hlrp_map_size(r.grid.slide, d);
    r.tiles = r.grid.nx * r.grid.ny;
    r.capacity = hlrp_pool_capacity(pool);
    r.parts = calloc((size_t)(r.tiles * r.capacity), sizeof *r.parts);
    r.window = calloc((size_t)r.tiles, sizeof *r.window);
    r.plane = calloc((size_t)r.tiles, sizeof *r.plane);
    r.probability = calloc((size_t)(3 * r.tiles), sizeof *r.probability);
    float *rel = malloc(sizeof *rel * (size_t)(size * size));
    for (int64_t t = 0; t < r.tiles; t++) {
        double sum = 0.0, outside = 0.0;
        r.plane[t] = (int)(uniform(&seed) * 3.0) - 1;
        for (int64_t i = 0; i < size * size; i++) {
            rel[i] = (float)(uniform(&seed) - 0.4);
            r.absolute += r.plane[t] < 0 ? 0.0 : fabs((double)rel[i]);
        }
        for (int c = 0; c < 3; c++)
            r.probability[3 * t + c] = (float)uniform(&seed);
        const hlrp_patch patch = hlrp_grid_patch(&r.grid, t);
        assert_int_equal(hlrp_pool_place(pool, &patch, &r.window[t], &err), HLRP_OK);
        hlrp_pool_tile(pool, rel, r.parts + t * r.capacity, &sum, &outside);
        if (r.plane[t] >= 0)
            r.inside[r.plane[t]] += sum - outside;
    }
    free(rel);
    hlrp_pool_free(pool);
    return r;
}

static void free_run(run *r) {
    free(r->parts);
    free(r->window);
    free(r->plane);
    free(r->probability);
}

/* The tiles that can touch map rows from y0 on. */
static void rows_of(const hlrp_grid *g, int64_t downsample, int64_t y0, int64_t rows,
                    int64_t *first, int64_t *end) {
    hlrp_grid_rows(g, (double)(y0 * downsample), (double)((y0 + rows) * downsample), first, end);
}

/* The finished map, 2 × relevance, 2 × coverage, 3 × probability, from bands of `rows`. */
static float *assemble(const run *r, int64_t rows) {
    hlrp_error err = {0};
    hlrp_band *band = NULL;
    const int64_t plane = r->map.w * r->map.h;
    float *map = malloc(sizeof *map * (size_t)(7 * plane));
    assert_int_equal(hlrp_band_new(r->grid.slide, r->downsample, 2, 3, rows, &band, &err), HLRP_OK);
    for (int64_t y0 = 0; y0 < r->map.h; y0 += rows) {
        int64_t first = 0, end = 0;
        assert_int_equal(hlrp_band_start(band, y0, &err), HLRP_OK);
        rows_of(&r->grid, r->downsample, y0, rows, &first, &end);
        for (int64_t t = first; t < end; t++) {
            const hlrp_patch patch = hlrp_grid_patch(&r->grid, t);
            if (r->plane[t] >= 0)
                assert_int_equal(hlrp_band_add(band, &patch, r->plane[t], r->window[t],
                                               r->parts + t * r->capacity, &err),
                                 HLRP_OK);
            hlrp_band_add_probability(band, &patch, r->probability + 3 * t);
        }
        hlrp_band_finish(band);
        const size_t bytes = (size_t)(hlrp_band_rows(band) * r->map.w) * sizeof *map;
        float *to = map + hlrp_band_y0(band) * r->map.w;
        for (int k = 0; k < 2; k++) {
            memcpy(to + k * plane, hlrp_band_relevance(band, k), bytes);
            memcpy(to + (2 + k) * plane, hlrp_band_coverage(band, k), bytes);
        }
        for (int c = 0; c < 3; c++)
            memcpy(to + (4 + c) * plane, hlrp_band_probability(band, c), bytes);
    }
    hlrp_band_free(band);
    return map;
}

static void check_sums(const run *r) {
    float *map = assemble(r, 5);
    const int64_t plane = r->map.w * r->map.h;
    for (int k = 0; k < 2; k++) {
        double sum = 0.0;
        for (int64_t i = 0; i < plane; i++)
            if (!isnan(map[k * plane + i]))
                sum += (double)map[k * plane + i];
        assert_near(sum, r->inside[k], 1e-5 * r->absolute);
    }
    free(map);
}

/* At overlap 0 nothing is gained or lost, whatever the scales. */
static void sum_identity(void **state) {
    (void)state;
    run r = make_run(1001, 777, 0.2527, 0.5, 32, 0.0, 7, 3);
    check_sums(&r);
    free_run(&r);
    uint64_t seed = 9;
    for (int k = 0; k < 40; k++) {
        r = make_run(50 + (int64_t)(300 * uniform(&seed)), 50 + (int64_t)(300 * uniform(&seed)),
                     0.1 + uniform(&seed), 0.1 + uniform(&seed), 4 + (int64_t)(30 * uniform(&seed)),
                     0.0, 1 + (int64_t)(12 * uniform(&seed)), seed);
        check_sums(&r);
        free_run(&r);
    }
}

/* Bits must not depend on how the map was cut into bands. */
static void any_band_height(void **state) {
    (void)state;
    run r = make_run(700, 500, 0.2527, 0.5, 32, 0.5, 7, 5);
    float *whole = assemble(&r, r.map.h);
    const size_t bytes = sizeof *whole * (size_t)(7 * r.map.w * r.map.h);
    for (int64_t rows = 1; rows < r.map.h; rows += 6) {
        float *map = assemble(&r, rows);
        assert_memory_equal(map, whole, bytes);
        free(map);
    }
    free(whole);
    free_run(&r);
}

/* D, P / max(1,D) and the mean probability by the definition, map pixel by map pixel. */
static void by_definition(void **state) {
    (void)state;
    run r = make_run(301, 260, 0.3, 0.5, 16, 0.4, 6, 8);
    float *map = assemble(&r, 7);
    const int64_t plane = r.map.w * r.map.h, d = r.downsample;
    for (int64_t i = 0; i < plane; i++) {
        const int64_t x = i % r.map.w, y = i / r.map.w;
        double p[2] = {0}, cover[2] = {0}, mean = 0.0, weight = 0.0;
        for (int64_t t = 0; t < r.tiles; t++) {
            const hlrp_rect q = hlrp_grid_tile(&r.grid, t);
            const hlrp_irect w = r.window[t];
            if (x < w.x || y < w.y || x >= w.x + w.w || y >= w.y + w.h)
                continue;
            const double share =
                hlrp_overlap(q.x, q.x + q.w, (double)(x * d), (double)((x + 1) * d)) *
                hlrp_overlap(q.y, q.y + q.h, (double)(y * d), (double)((y + 1) * d)) /
                (double)(d * d);
            mean += share * (double)r.probability[3 * t + 1];
            weight += share;
            if (r.plane[t] < 0)
                continue;
            cover[r.plane[t]] += share;
            p[r.plane[t]] += r.parts[t * r.capacity + (y - w.y) * w.w + x - w.x];
        }
        for (int k = 0; k < 2; k++) {
            assert_near(map[(2 + k) * plane + i], cover[k], 1e-5);
            if (cover[k] > 0.0)
                assert_near(map[k * plane + i], p[k] / fmax(1.0, cover[k]), 1e-4);
            else
                assert_true(isnan(map[k * plane + i]));
        }
        assert_near(map[5 * plane + i], mean / weight, 1e-5);
    }
    free(map);
    free_run(&r);
}

/* Every tile that touches a band is in the range that starting it gives. */
static void range_holds_all(void **state) {
    (void)state;
    run r = make_run(400, 1500, 0.2527, 0.5, 20, 0.3, 7, 11);
    hlrp_error err = {0};
    hlrp_band *band = NULL;
    assert_int_equal(hlrp_band_new(r.grid.slide, 7, 2, 3, 3, &band, &err), HLRP_OK);
    for (int64_t y0 = 0; y0 < r.map.h; y0 += 3) {
        int64_t first = -1, end = -1;
        assert_int_equal(hlrp_band_start(band, y0, &err), HLRP_OK);
        rows_of(&r.grid, 7, y0, 3, &first, &end);
        assert_true(first >= 0 && end <= r.tiles && end - first <= 8 * r.grid.nx);
        for (int64_t t = 0; t < r.tiles; t++)
            if (r.window[t].y < y0 + 3 && r.window[t].y + r.window[t].h > y0)
                assert_true(t >= first && t < end);
    }
    hlrp_band_free(band);
    free_run(&r);
}

static void refuses(void **state) {
    (void)state;
    hlrp_error err = {0};
    run r = make_run(100, 100, 0.5, 0.5, 20, 0.0, 7, 11);
    hlrp_band *band = NULL;
    const hlrp_patch tile = hlrp_grid_patch(&r.grid, 0), other = hlrp_grid_patch(&r.grid, 1);
    assert_int_equal(hlrp_band_new(r.grid.slide, 7, 0, 3, 3, &band, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_band_new(r.grid.slide, 7, 2, 3, 3, &band, &err), HLRP_OK);
    assert_int_equal(hlrp_band_start(band, r.map.h, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_band_start(band, 0, &err), HLRP_OK);
    /* a record of another grid must not be added somewhere else, or read past its end */
    hlrp_irect w = r.window[0];
    w.w++;
    assert_int_equal(hlrp_band_add(band, &tile, 0, w, r.parts, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_band_add(band, &tile, 2, r.window[0], r.parts, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_band_add(band, &other, 0, r.window[0], r.parts, &err), HLRP_E_INTERNAL);
    hlrp_band_free(band);
    hlrp_band_free(NULL);
    free_run(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_identity),  cmocka_unit_test(any_band_height),
        cmocka_unit_test(by_definition), cmocka_unit_test(range_holds_all),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

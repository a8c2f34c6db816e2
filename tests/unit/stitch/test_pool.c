/* Pooling against its definition: every model pixel with every map pixel, areas in long double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stitch/stitch.h"

/* cmocka's own compares as float. */
static void assert_near(double a, double b, double within) {
    if (!(fabs(a - b) <= within))
        fail_msg("%.17g is not %.17g within %g", a, b, within);
}

/* A small generator of its own, so that a failing case can be run again. */
static double uniform(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static hlrp_grid make_grid(int64_t w, int64_t h, double mpp_x, double mpp_y, double mpp_model,
                           int64_t size, double overlap) {
    hlrp_error err = {0};
    hlrp_grid grid = {0};
    assert_int_equal(hlrp_grid_init(&grid, (hlrp_size){w, h}, (hlrp_mpp){mpp_x, mpp_y}, mpp_model,
                                    size, overlap, &err),
                     HLRP_OK);
    return grid;
}

static long double meet(long double a0, long double a1, long double b0, long double b1) {
    const long double lo = a0 > b0 ? a0 : b0, hi = a1 < b1 ? a1 : b1;
    return hi > lo ? hi - lo : 0.0L;
}

/* The part of map pixel (mx,my), by the definition in stitch.h; with mx < 0 all that is inside. */
static double brute_part(const hlrp_grid *g, int64_t d, hlrp_rect t, const float *rel, int64_t mx,
                         int64_t my) {
    long double sum = 0.0L;
    const long double px = (long double)t.w / g->size, py = (long double)t.h / g->size;
    const long double x1 = mx < 0 ? g->slide.w : fminl((mx + 1) * d, g->slide.w);
    const long double y1 = mx < 0 ? g->slide.h : fminl((my + 1) * d, g->slide.h);
    const long double x0 = mx < 0 ? 0 : mx * d, y0 = mx < 0 ? 0 : my * d;
    for (int64_t i = 0; i < g->size; i++)
        for (int64_t j = 0; j < g->size; j++)
            sum += rel[i * g->size + j] * meet(t.x + j * px, t.x + (j + 1) * px, x0, x1) *
                   meet(t.y + i * py, t.y + (i + 1) * py, y0, y1) / (px * py);
    return (double)sum;
}

static hlrp_status new_pool(const hlrp_grid *g, int64_t downsample, hlrp_pool **out,
                            hlrp_error *err) {
    const hlrp_patch tile = hlrp_grid_patch(g, 0);
    return hlrp_pool_new(g->slide, &tile, downsample, out, err);
}

static hlrp_status place(hlrp_pool *pool, const hlrp_grid *g, int64_t number, hlrp_irect *window,
                         hlrp_error *err) {
    const hlrp_patch tile = hlrp_grid_patch(g, number);
    return hlrp_pool_place(pool, &tile, window, err);
}

static void check_tile(const hlrp_grid *g, int64_t d, hlrp_pool *pool, int64_t number,
                       const float *rel) {
    hlrp_error err = {0};
    hlrp_irect w = {0};
    double sum = 0.0, outside = 0.0, all = 0.0, abs = 0.0, inside = 0.0;
    double *parts = malloc(sizeof *parts * (size_t)hlrp_pool_capacity(pool));
    assert_int_equal(place(pool, g, number, &w, &err), HLRP_OK);
    assert_true(w.w * w.h <= hlrp_pool_capacity(pool));
    hlrp_pool_tile(pool, rel, parts, &sum, &outside);
    for (int64_t i = 0; i < g->size * g->size; i++) {
        all += (double)rel[i];
        abs += fabs((double)rel[i]);
    }
    const hlrp_rect t = hlrp_grid_tile(g, number);
    for (int64_t y = 0; y < w.h; y++)
        for (int64_t x = 0; x < w.w; x++) {
            assert_near(parts[y * w.w + x], brute_part(g, d, t, rel, w.x + x, w.y + y),
                        1e-5 * abs / 100);
            inside += parts[y * w.w + x];
        }
    assert_near(sum, all, 1e-12 * abs);
    assert_near(outside, all - brute_part(g, d, t, rel, -1, -1), 1e-6 * abs);
    assert_near(inside, sum - outside, 1e-9 * abs);
    free(parts);
}

static void check_grid(const hlrp_grid *g, int64_t d, uint64_t seed) {
    hlrp_error err = {0};
    hlrp_pool *pool = NULL;
    assert_int_equal(new_pool(g, d, &pool, &err), HLRP_OK);
    float *rel = malloc(sizeof *rel * (size_t)(g->size * g->size));
    const int64_t tiles = g->nx * g->ny, step = tiles > 6 ? tiles / 5 : 1;
    for (int64_t k = 0; k < tiles; k += step) {
        for (int64_t i = 0; i < g->size * g->size; i++)
            rel[i] = (float)(uniform(&seed) - 0.3);
        check_tile(g, d, pool, tiles - 1 - k, rel); /* the last tile reaches past both edges */
    }
    free(rel);
    hlrp_pool_free(pool);
}

/* Guards the case of the design: a scale that divides neither tile nor map. */
static void does_not_divide(void **state) {
    (void)state;
    const hlrp_grid g = make_grid(301, 197, 0.2527, 0.2527, 0.5, 24, 0.0);
    check_grid(&g, 7, 1);
}

static void random_scales(void **state) {
    (void)state;
    uint64_t seed = 42;
    for (int k = 0; k < 60; k++) {
        const double mpp = 0.1 + uniform(&seed), model = 0.1 + 1.5 * uniform(&seed);
        const int64_t w = 20 + (int64_t)(200 * uniform(&seed));
        const int64_t h = 20 + (int64_t)(200 * uniform(&seed));
        const int64_t size = 1 + (int64_t)(20 * uniform(&seed));
        const hlrp_grid g = make_grid(w, h, mpp, mpp * (0.8 + 0.4 * uniform(&seed)), model, size,
                                      k % 3 == 0 ? 0.0 : 0.7 * uniform(&seed));
        check_grid(&g, 1 + (int64_t)(16 * uniform(&seed)), seed);
    }
}

/* Tiles where a file says, past any edge of the slide. Guards: what lies left of the slide or above it
 * counted as on it, and lost. */
static void scattered(void **state) {
    (void)state;
    enum { W = 90, H = 70, COUNT = 5 };
    static const double corners[COUNT][2] = {{-7.5, 20}, {30, -3.25}, {-11, -11}, {80, 61}, {5, 9}};
    hlrp_grid g = {0};
    hlrp_error err = {0};
    for (int64_t d = 1; d <= 16; d = 2 * d + 1) {
        assert_int_equal(
            hlrp_grid_scatter(&g, (hlrp_size){W, H}, corners[0], COUNT, 15.5, 11, &err), HLRP_OK);
        check_grid(&g, d, (uint64_t)d);
    }
}

/* A tile far from the origin must neither lose relevance nor touch a row that it only borders on.
 */
static void far_from_origin(void **state) {
    (void)state;
    hlrp_error err = {0};
    const hlrp_grid g = make_grid(200000, 200000, 0.1, 0.1, 0.3, 16, 0.0); /* r = 3 or just not */
    hlrp_pool *pool = NULL;
    assert_int_equal(new_pool(&g, 8, &pool, &err), HLRP_OK);
    double parts[256], sum = 0.0, outside = 1.0;
    float rel[256];
    for (int i = 0; i < 256; i++)
        rel[i] = 1.0f;
    assert_true(hlrp_pool_capacity(pool) <= 256);
    for (int64_t k = 0; k < 4000; k += 13) { /* tiles of 48 level-0 pixels: 6 map pixels each */
        hlrp_irect w = {0};
        assert_int_equal(place(pool, &g, k * g.nx + k, &w, &err), HLRP_OK);
        assert_int_equal(w.x, 6 * k);
        assert_int_equal(w.w, 6);
        assert_int_equal(w.h, 6);
        hlrp_pool_tile(pool, rel, parts, &sum, &outside);
        assert_near(parts[0], 256.0 / 36.0, 1e-6);
        assert_true(outside == 0.0);
    }
    hlrp_pool_free(pool);
}

/* The part of the last map column that is padding gets nothing: it counts as outside. */
static void padding_is_outside(void **state) {
    (void)state;
    hlrp_error err = {0};
    const hlrp_grid g = make_grid(10, 10, 1.0, 1.0, 1.0, 16, 0.0); /* one tile, map of 2 × 2 */
    hlrp_pool *pool = NULL;
    assert_int_equal(new_pool(&g, 8, &pool, &err), HLRP_OK);
    float rel[256];
    for (int i = 0; i < 256; i++)
        rel[i] = 1.0f;
    hlrp_irect w = {0};
    double parts[16], sum = 0.0, outside = 0.0;
    assert_true(hlrp_pool_capacity(pool) <= 16);
    assert_int_equal(place(pool, &g, 0, &w, &err), HLRP_OK);
    hlrp_pool_tile(pool, rel, parts, &sum, &outside);
    assert_int_equal(w.w * w.h, 4);
    const double want[4] = {64, 16, 16, 4};
    for (int i = 0; i < 4; i++)
        assert_near(parts[i], want[i], 1e-12);
    assert_near(sum, 256.0, 0.0);
    assert_near(outside, 156.0, 1e-12);
    hlrp_pool_free(pool);
}

/* A window that is no tile: not square, on no grid, smaller than the largest. Model pixel (i, j) of value
 * 10·i + j on 2 × 3 pixels of 4 × 2 level-0 pixels each, one map pixel a model pixel. */
static void a_patch_of_its_own(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_pool *pool = NULL;
    hlrp_irect w = {0};
    const hlrp_patch largest = {{0, 0, 64, 64}, {16, 16}}, patch = {{8, 4, 12, 8}, {3, 2}};
    const float rel[6] = {0, 1, 2, 10, 11, 12};
    double parts[400], sum = 0, outside = 1;
    assert_int_equal(hlrp_pool_new((hlrp_size){100, 100}, &largest, 4, &pool, &err), HLRP_OK);
    assert_int_equal(hlrp_pool_place(pool, &patch, &w, &err), HLRP_OK);
    assert_true(w.x == 2 && w.y == 1 && w.w == 3 && w.h == 2);
    hlrp_pool_tile(pool, rel, parts, &sum, &outside);
    for (int i = 0; i < 6; i++)
        assert_near(parts[i], (double)rel[i], 1e-12);
    assert_near(sum, 36.0, 1e-12);
    assert_true(outside == 0.0);
    hlrp_pool_free(pool);
}

static void refuses(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_grid g = make_grid(100, 100, 1.0, 1.0, 1.0, 16, 0.0);
    hlrp_pool *pool = NULL;
    hlrp_irect w;
    assert_int_equal(new_pool(&g, 0, &pool, &err), HLRP_E_CONFIG);
    assert_null(pool);
    assert_int_equal(new_pool(&g, 8, &pool, &err), HLRP_OK);
    /* tables are for patches up to the largest: more pixels, or a larger extent, would overrun them */
    hlrp_patch larger = hlrp_grid_patch(&g, 0);
    larger.pixels.h++;
    assert_int_equal(hlrp_pool_place(pool, &larger, &w, &err), HLRP_E_INTERNAL);
    larger = hlrp_grid_patch(&g, 0);
    larger.level0.w += 1;
    assert_int_equal(hlrp_pool_place(pool, &larger, &w, &err), HLRP_E_INTERNAL);
    hlrp_pool_free(pool);
    hlrp_pool_free(NULL);
    pool = NULL;
    g.r_x = 1e9; /* a tile of absurd extent must not become an absurd allocation */
    assert_int_equal(new_pool(&g, 1, &pool, &err), HLRP_E_MEMORY);
    assert_null(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_not_divide),    cmocka_unit_test(random_scales),
        cmocka_unit_test(far_from_origin),    cmocka_unit_test(padding_is_outside),
        cmocka_unit_test(a_patch_of_its_own), cmocka_unit_test(refuses),
        cmocka_unit_test(scattered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

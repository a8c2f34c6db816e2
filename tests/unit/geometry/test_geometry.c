/* Rectangles and the tile grid against values worked out by hand or in integers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "geometry/geometry.h"

static void assert_irect(hlrp_irect r, int64_t x, int64_t y, int64_t w, int64_t h) {
    assert_int_equal(r.x, x);
    assert_int_equal(r.y, y);
    assert_int_equal(r.w, w);
    assert_int_equal(r.h, h);
}

/* Guards: a covering rectangle that misses a fraction of a row, or that takes in one more because
 * of the last bit of a product. */
static void cover_is_smallest(void **state) {
    (void)state;
    assert_irect(hlrp_rect_cover((hlrp_rect){0, 0, 4, 4}), 0, 0, 4, 4);
    assert_irect(hlrp_rect_cover((hlrp_rect){0.5, 1.25, 4, 4}), 0, 1, 5, 5);
    assert_irect(hlrp_rect_cover((hlrp_rect){-0.5, -2, 1, 2}), -1, -2, 2, 2);
    /* 3·0.1 = 0.30000000000000004: the product touches the next row by 4e-16 only. */
    assert_irect(hlrp_rect_cover((hlrp_rect){3 * 0.1 * 10, 0, 0.1 * 30, 1}), 3, 0, 3, 1);
    assert_irect(hlrp_rect_cover((hlrp_rect){2.9999999, 0, 3.0000002, 1}), 3, 0, 3, 1);
    assert_irect(hlrp_rect_cover((hlrp_rect){2.999, 0, 3.002, 1}), 2, 0, 5, 1);
    assert_irect(hlrp_rect_cover((hlrp_rect){7.5, 7.5, 0, 3}), 7, 7, 0, 0);
}

/* Guards: undefined casts of numbers a file or a config can bring about. */
static void cover_survives_anything(void **state) {
    (void)state;
    hlrp_irect r = hlrp_rect_cover((hlrp_rect){1e300, -1e300, 1e300, 1e300});
    assert_true(r.w >= 0 && r.h >= 0);
    r = hlrp_rect_cover((hlrp_rect){NAN, NAN, NAN, NAN});
    assert_int_equal(r.w, 0);
    r = hlrp_rect_round((hlrp_rect){INFINITY, -INFINITY, 1, 1});
    assert_true(r.x > 0 && r.y < 0);
}

static void rounding_keeps_neighbors_joined(void **state) {
    (void)state;
    assert_irect(hlrp_rect_round((hlrp_rect){0.5, -0.5, 1.2, 1}), 1, 0, 1, 1);
    /* Two tiles that touch still touch once rounded: edges are rounded, not widths. */
    double step = 443.2865731;
    for (int64_t i = 0; i < 1000; i++) {
        hlrp_irect a = hlrp_rect_round((hlrp_rect){(double)i * step, 0, step, 1});
        hlrp_irect b = hlrp_rect_round((hlrp_rect){(double)(i + 1) * step, 0, step, 1});
        assert_int_equal(a.x + a.w, b.x);
    }
}

static void intersections(void **state) {
    (void)state;
    hlrp_rect r = hlrp_rect_intersect((hlrp_rect){0, 0, 2, 2}, (hlrp_rect){1.5, 0.5, 5, 0.25});
    assert_true(r.x == 1.5 && r.y == 0.5 && r.w == 0.5 && r.h == 0.25);
    r = hlrp_rect_intersect((hlrp_rect){0, 0, 2, 2}, (hlrp_rect){2, 0, 2, 2});
    assert_true(r.w == 0 && r.h == 0);
    assert_irect(hlrp_irect_intersect((hlrp_irect){-5, -5, 10, 10}, (hlrp_irect){0, 0, 3, 9}), 0, 0,
                 3, 5);
    hlrp_irect none =
        hlrp_irect_intersect((hlrp_irect){0, 0, 3, 3}, (hlrp_irect){3, 0, INT64_MAX, 3});
    assert_true(none.w == 0 && none.h == 0);
    /* Guards: x + w past the range wrapping round to a negative edge. */
    assert_irect(
        hlrp_irect_intersect((hlrp_irect){5, 5, INT64_MAX, INT64_MAX}, (hlrp_irect){0, 0, 8, 9}), 5,
        5, 3, 4);
    assert_true(hlrp_overlap(0, 2, 1.5, 9) == 0.5);
    assert_true(hlrp_overlap(0, 1, 1, 2) == 0);
    assert_true(hlrp_overlap(0, 1, 5, 6) == 0);
}

static void outside_share(void **state) {
    (void)state;
    hlrp_size slide = {100, 50};
    assert_true(hlrp_rect_outside((hlrp_rect){0, 0, 100, 50}, slide) == 0);
    assert_true(hlrp_rect_outside((hlrp_rect){90, 40, 20, 20}, slide) == 0.75);
    assert_true(hlrp_rect_outside((hlrp_rect){100, 0, 5, 5}, slide) == 1);
    assert_true(hlrp_rect_outside((hlrp_rect){0, 0, 0, 0}, slide) == 1);
}

static hlrp_grid grid_of(hlrp_size slide, double mpp_slide, double mpp_model, int64_t size,
                         double overlap) {
    hlrp_grid grid;
    hlrp_error err = {0};
    hlrp_mpp mpp = {mpp_slide, mpp_slide};
    assert_int_equal(hlrp_grid_init(&grid, slide, mpp, mpp_model, size, overlap, &err), HLRP_OK);
    return grid;
}

/* Guards: starts that are summed up, and drift. Checked against long double products at more than
 * 200,000 pixels from the origin, for ratios that no binary fraction holds. */
static void no_drift(void **state) {
    (void)state;
    static const double slides[] = {0.2527, 0.499, 0.2265, 0.1213, 0.5026};
    static const double models[] = {0.5, 1.0, 0.88, 0.25, 1.0 / 3};
    for (size_t k = 0; k < HLRP_COUNT(slides); k++) {
        hlrp_grid g = grid_of((hlrp_size){260000, 1000}, slides[k], models[k], 224, 0.3);
        assert_int_equal(g.stride, 157);
        for (int64_t i = 0; i < g.nx; i += 97) {
            long double r = (long double)models[k] / slides[k];
            long double x = (long double)i * 157 * r;
            hlrp_rect t = hlrp_grid_tile(&g, g.nx * (g.ny - 1) + i);
            assert_true(fabsl(t.x - x) < 1e-9L);
            assert_true(fabsl(t.w - 224 * r) < 1e-9L);
            assert_true(fabsl(t.y - (long double)(g.ny - 1) * 157 * r) < 1e-9L);
        }
        hlrp_rect last = hlrp_grid_tile(&g, g.nx - 1);
        assert_true(last.x < 260000 && last.x > 200000);
        assert_true((double)g.nx * 157 * g.r_x >= 260000 - 1e-6);
    }
}

/* Guards: a column of tiles that lies wholly outside because a quotient came out a bit too big
 * (0.1/0.3 and its like), or a missing last column. */
static void grid_ends_at_the_edge(void **state) {
    (void)state;
    for (int64_t n = 1; n < 400; n += 7) {
        /* 3 level-0 pixels per model pixel, as a quotient of decimals. */
        hlrp_grid g = grid_of((hlrp_size){n * 30, n * 30 + 1}, 0.1, 0.3, 10, 0);
        assert_int_equal(g.nx, n);
        assert_int_equal(g.ny, n + 1);
    }
    hlrp_grid tiny = grid_of((hlrp_size){1, 1}, 0.5, 0.5, 224, 0);
    assert_int_equal(hlrp_grid_count(&tiny), 1);
}

/* Guards: axes mixed up, on a slide whose pixels are not square. */
static void axes_apart(void **state) {
    (void)state;
    hlrp_grid g;
    hlrp_error err = {0};
    hlrp_mpp mpp = {0.25, 0.5};
    assert_int_equal(hlrp_grid_init(&g, (hlrp_size){1000, 100}, mpp, 0.5, 100, 0.5, &err), HLRP_OK);
    assert_int_equal(g.nx, 10);
    assert_int_equal(g.ny, 2);
    hlrp_rect t = hlrp_grid_tile(&g, 13);
    assert_true(t.x == 300 && t.y == 50 && t.w == 200 && t.h == 100);
}

static void stride_rule(void **state) {
    (void)state;
    static const struct {
        int64_t size;
        double overlap;
        int64_t stride;
    } cases[] = {{224, 0, 224}, {224, 0.5, 112}, {224, 0.25, 168}, {224, 0.3, 157}, {224, 0.9, 22},
                 {5, 0.5, 3},   {1, 0.99, 1},    {224, 0.9999, 1}, {256, 0.999, 1}};
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        hlrp_grid g = grid_of((hlrp_size){3000, 3000}, 0.5, 0.5, cases[k].size, cases[k].overlap);
        assert_int_equal(g.stride, cases[k].stride);
    }
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        hlrp_size slide;
        double sx, sy, model;
        int64_t size;
        double overlap;
        hlrp_status status;
    } cases[] = {
        {{9, 9}, 1, 1, 1, 4, 1, HLRP_E_CONFIG},
        {{9, 9}, 1, 1, 1, 4, -0.1, HLRP_E_CONFIG},
        {{9, 9}, 1, 1, 1, 4, NAN, HLRP_E_CONFIG},
        {{9, 9}, 1, 1, 1, 0, 0, HLRP_E_CONFIG},
        {{9, 9}, 1, 1, 1, INT64_MAX, 0, HLRP_E_CONFIG},
        {{9, 9}, 0, 1, 1, 4, 0, HLRP_E_CONFIG},
        {{9, 9}, 1, -1, 1, 4, 0, HLRP_E_CONFIG},
        {{9, 9}, 1, 1, 0, 4, 0, HLRP_E_CONFIG},
        {{9, 9}, 1, 1, INFINITY, 4, 0, HLRP_E_CONFIG},
        {{9, 9}, 1e-12, 1, 1, 224, 0, HLRP_E_CONFIG},
        {{0, 9}, 1, 1, 1, 4, 0, HLRP_E_INPUT},
        {{INT64_MAX, 9}, 1, 1, 1, 4, 0, HLRP_E_INPUT},
        {{4000000000000, 4000000000000}, 1, 1, 1, 1, 0, HLRP_E_MEMORY},
        {{4000000000000, 1}, 1e9, 1, 1e-9, 1, 0, HLRP_E_MEMORY},
    };
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        hlrp_grid g;
        hlrp_error err = {0};
        hlrp_mpp mpp = {cases[k].sx, cases[k].sy};
        assert_int_equal(hlrp_grid_init(&g, cases[k].slide, mpp, cases[k].model, cases[k].size,
                                        cases[k].overlap, &err),
                         cases[k].status);
        assert_true(err.what[0] != 0 && err.mend[0] != 0);
    }
}

static void map_size(void **state) {
    (void)state;
    hlrp_size m = hlrp_map_size((hlrp_size){2220, 2967}, 8);
    assert_int_equal(m.w, 278);
    assert_int_equal(m.h, 371);
    m = hlrp_map_size((hlrp_size){16, 1}, 8);
    assert_int_equal(m.w, 2);
    assert_int_equal(m.h, 1);
    assert_int_equal(hlrp_ceil_div(INT64_MAX, 2), INT64_MAX / 2 + 1);
}

/* Guards: a tile's row of the grid asked where there are none, corners rounded, sizes of another tile. */
static void scattered_tiles(void **state) {
    (void)state;
    static const double corners[4][2] = {{-10, 3.5}, {100, 0}, {7, 250.25}, {7, 3}};
    const hlrp_size slide = {300, 200};
    hlrp_error err = {0};
    hlrp_grid g = {0};
    int64_t first = -1, end = -1;
    assert_int_equal(hlrp_grid_scatter(&g, slide, corners[0], 4, 64.5, 32, &err), HLRP_OK);
    assert_int_equal(hlrp_grid_count(&g), 4);
    for (int t = 0; t < 4; t++) {
        const hlrp_rect r = hlrp_grid_tile(&g, t);
        assert_true(r.x == corners[t][0] && r.y == corners[t][1]);
        assert_true(r.w == 64.5 && r.h == 64.5);
        assert_int_equal(hlrp_grid_patch(&g, t).pixels.w, 32);
    }
    hlrp_grid_rows(&g, 0, 10, &first, &end); /* any of them may touch any row */
    assert_true(first == 0 && end == 4);
    static const double wrong[][2] = {{NAN, 0}, {0, INFINITY}, {-0x1p40, 0}};
    for (size_t i = 0; i < 3; i++) {
        double moved[4][2];
        memcpy(moved, corners, sizeof moved);
        memcpy(moved[2], wrong[i], sizeof wrong[i]);
        assert_int_equal(hlrp_grid_scatter(&g, slide, moved[0], 4, 64.5, 32, &err), HLRP_E_INPUT);
        assert_non_null(strstr(err.what, "tile 2 lies at"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cover_is_smallest),
        cmocka_unit_test(cover_survives_anything),
        cmocka_unit_test(rounding_keeps_neighbors_joined),
        cmocka_unit_test(intersections),
        cmocka_unit_test(outside_share),
        cmocka_unit_test(no_drift),
        cmocka_unit_test(grid_ends_at_the_edge),
        cmocka_unit_test(axes_apart),
        cmocka_unit_test(stride_rule),
        cmocka_unit_test(refusals),
        cmocka_unit_test(map_size),
        cmocka_unit_test(scattered_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

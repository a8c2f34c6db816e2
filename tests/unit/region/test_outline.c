#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "region/outline.h"

static const hlrp_size SLIDE = {100000, 100000};
#define PI 3.14159265358979323846

static uint64_t state;

static double random_in(double low, double high) { /* xorshift64 */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
}

static GEOSGeometry *ring_of(hlrp_geos *g, const hlrp_vertex *v, int n) {
    GEOSCoordSequence *s = GEOSCoordSeq_create_r(g->handle, (unsigned)n + 1, 2);
    for (int i = 0; i <= n; i++)
        GEOSCoordSeq_setXY_r(g->handle, s, (unsigned)i, v[i % n].x, v[i % n].y);
    return GEOSGeom_createLinearRing_r(g->handle, s);
}

/* A ring around a place: one radius a direction, so that it never crosses itself. */
static GEOSGeometry *star(hlrp_geos *g, double x, double y, double low, double high, int n,
                          bool backwards) {
    hlrp_vertex v[600];
    for (int i = 0; i < n; i++) {
        const double turn = 2 * PI * i / n * (backwards ? -1 : 1), r = random_in(low, high);
        v[i] = (hlrp_vertex){x + r * cos(turn), y + r * sin(turn)};
    }
    return ring_of(g, v, n);
}

static GEOSGeometry *with_hole(hlrp_geos *g, double x, double y, double size, int n) {
    GEOSGeometry *hole = star(g, x, y, size / 10, size / 3, n, state & 1);
    return GEOSGeom_createPolygon_r(g->handle, star(g, x, y, size / 2, size, n, state & 2), &hole,
                                    1);
}

/* GEOS's own area of the part inside. */
static double by_geos(hlrp_geos *g, const GEOSGeometry *shape, hlrp_rect r) {
    GEOSGeometry *box = GEOSGeom_createRectangle_r(g->handle, r.x, r.y, r.x + r.w, r.y + r.h);
    GEOSGeometry *part = GEOSIntersection_r(g->handle, shape, box);
    const double area = hlrp_polygon_area(g, part);
    GEOSGeom_destroy_r(g->handle, part);
    GEOSGeom_destroy_r(g->handle, box);
    return area;
}

static hlrp_outline *outline_of(hlrp_geos *g, const GEOSGeometry *shape) {
    hlrp_error err = {0};
    hlrp_outline *o = NULL;
    assert_int_equal(GEOSisValid_r(g->handle, shape), 1);
    assert_int_equal(hlrp_outline_new(g, shape, SLIDE, &o, &err), HLRP_OK);
    return o;
}

static void compare(hlrp_geos *g, const hlrp_outline *o, const GEOSGeometry *shape, hlrp_rect r) {
    const double want = by_geos(g, shape, r), have = hlrp_outline_area(o, r);
    if (!(fabs(want - have) <= 1e-9 * r.w * r.h))
        fail_msg("%g x %g at %.3f, %.3f: %.12g, not %.12g", r.w, r.h, r.x, r.y, have, want);
}

/* Guards: a hole that adds, a ring that runs the other way, an edge that is cut at the wrong height,
 * halves that overlap, digits lost far from the origin. */
static void areas_are_those_of_geos(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_geos g = {0};
    state = UINT64_C(0x9e3779b97f4a7c15);
    assert_int_equal(hlrp_geos_begin(&g, &err), HLRP_OK);
    for (int k = 0; k < 40; k++) {
        GEOSGeometry *parts[5];
        const int count = 1 + k % 5, n = 3 + (int)random_in(0, k % 2 ? 500 : 12);
        for (int i = 0; i < count; i++) /* apart from each other */
            parts[i] =
                with_hole(&g, 90000 + 2000 * i, random_in(40000, 60000), random_in(300, 950), n);
        GEOSGeometry *shape =
            GEOSGeom_createCollection_r(g.handle, GEOS_MULTIPOLYGON, parts, (unsigned)count);
        hlrp_outline *o = outline_of(&g, shape);
        for (int t = 0; t < 60; t++) {
            hlrp_rect r = {random_in(88000, 99000), random_in(39000, 61000), 0, 0};
            r.w = random_in(1, t % 3 ? 300 : 9000);
            r.h = random_in(1, t % 2 ? 300 : 20000);
            compare(&g, o, shape, r);
        }
        compare(&g, o, shape, (hlrp_rect){88000, 30000, 12000, 40000});
        hlrp_outline_free(o);
        GEOSGeom_destroy_r(g.handle, shape);
    }
    hlrp_geos_end(&g);
}

/* Teeth of a comb, half as wide as they are apart, that lie across or along the rectangle; each edge
 * of the rectangle on an edge or a corner of them. */
static void combs_and_edges_that_coincide(void **unused) {
    (void)unused;
    enum { TEETH = 500 };
    hlrp_error err = {0};
    hlrp_geos g = {0};
    static hlrp_vertex v[4 * TEETH + 2];
    assert_int_equal(hlrp_geos_begin(&g, &err), HLRP_OK);
    for (int lying = 0; lying < 2; lying++) {
        int n = 0;
        for (int i = 0; i < TEETH; i++) {
            const double at = 2.0 * i;
            const hlrp_vertex tooth[4] = {{at, 10}, {at, 5000}, {at + 1, 5000}, {at + 1, 10}};
            for (int k = 0; k < 4; k++)
                v[n++] = lying ? (hlrp_vertex){tooth[k].y, tooth[k].x} : tooth[k];
        }
        v[n++] = lying ? (hlrp_vertex){0, 2 * TEETH - 1} : (hlrp_vertex){2 * TEETH - 1, 0};
        v[n++] = (hlrp_vertex){0, 0};
        GEOSGeometry *shape = GEOSGeom_createPolygon_r(g.handle, ring_of(&g, v, n), NULL, 0);
        hlrp_outline *o = outline_of(&g, shape);
        const hlrp_rect rects[] = {
            {0, 0, 999, 10},     {10, 10, 100, 100}, {10, 11, 1, 1},
            {11, 11, 1, 1},      {0.5, 20, 1, 1},    {3, 4999, 10, 10},
            {998, 100, 10, 900}, {0, 0, 5000, 5000}, {300.25, 300.5, 33, 7.125}};
        for (size_t i = 0; i < HLRP_COUNT(rects); i++) {
            compare(&g, o, shape, rects[i]);
            const hlrp_rect turned = {rects[i].y, rects[i].x, rects[i].h, rects[i].w};
            compare(&g, o, shape, turned);
        }
        assert_true(fabs(hlrp_outline_total(o) - (999 * 10 + 500 * 4990.0)) < 1e-6);
        hlrp_outline_free(o);
        GEOSGeom_destroy_r(g.handle, shape);
    }
    hlrp_geos_end(&g);
}

/* Guards: the raster of regions.png and of the report's ground against the areas cell by cell: a
 * chain that is settled for a whole band, edges beyond the raster's sides, a band's seam, the last
 * cells that reach over the slide. */
static void cells_are_those_of_the_areas(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_geos g = {0};
    const hlrp_mask rasters[] = {{.w = 77, .h = 1000, .cell_w = 1300, .cell_h = 100.25},
                                 {.w = 1500, .h = 1500, .cell_w = 67, .cell_h = 67},
                                 {.w = 5, .h = 5, .cell_w = 20001, .cell_h = 20001}};
    state = 77;
    assert_int_equal(hlrp_geos_begin(&g, &err), HLRP_OK);
    for (size_t k = 0; k < HLRP_COUNT(rasters); k++) {
        const hlrp_mask *m = &rasters[k];
        GEOSGeometry *parts[2] = {with_hole(&g, 45000, 60000, 50000, 500),
                                  with_hole(&g, 99000, 3000, 4000, 50)};
        GEOSGeometry *shape = GEOSGeom_createCollection_r(g.handle, GEOS_MULTIPOLYGON, parts, 2);
        hlrp_outline *o = outline_of(&g, shape);
        uint8_t *half = calloc((size_t)(m->w * m->h), 1);
        int64_t covered = 0;
        assert_non_null(half);
        assert_int_equal(hlrp_outline_cells(o, SLIDE, m, half, &err), HLRP_OK);
        for (int64_t y = 0; y < m->h; y++)
            for (int64_t x = 0; x < m->w; x++) {
                const hlrp_rect cell = {(double)x * m->cell_w, (double)y * m->cell_h, m->cell_w,
                                        m->cell_h};
                const hlrp_rect inside =
                    hlrp_rect_intersect(cell, (hlrp_rect){0, 0, (double)SLIDE.w, (double)SLIDE.h});
                const double whole = inside.w * inside.h, area = hlrp_outline_area(o, cell);
                covered += half[y * m->w + x];
                if (fabs(2 * area - whole) > 1e-6 * whole)
                    assert_int_equal(half[y * m->w + x], 2 * area > whole);
            }
        assert_true(covered > 0 && covered < m->w * m->h);
        free(half);
        hlrp_outline_free(o);
        GEOSGeom_destroy_r(g.handle, shape);
    }
    hlrp_geos_end(&g);
}

static void nothing_has_no_area(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_geos g = {0};
    assert_int_equal(hlrp_geos_begin(&g, &err), HLRP_OK);
    GEOSGeometry *shape = GEOSGeom_createEmptyPolygon_r(g.handle);
    hlrp_outline *o = outline_of(&g, shape);
    assert_true(hlrp_outline_total(o) == 0);
    assert_true(hlrp_outline_area(o, (hlrp_rect){0, 0, 10, 10}) == 0);
    hlrp_outline_free(o);
    hlrp_outline_free(NULL);
    GEOSGeom_destroy_r(g.handle, shape);
    hlrp_geos_end(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_are_those_of_geos), cmocka_unit_test(combs_and_edges_that_coincide),
        cmocka_unit_test(cells_are_those_of_the_areas), cmocka_unit_test(nothing_has_no_area)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

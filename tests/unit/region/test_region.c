/* Shares of rectangles against a naive sum, edges, and the picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/image.h"
#include "region/layer.h"
#include "unit/region/scene.h"

/* A raster of hashed kinds: 13 × 9 cells of 16.5 × 7.25 level-0 pixels on a slide of 210 × 62, so
 * that the last cells reach past it. */
static hlrp_region *hashed(void) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    uint8_t *kind = calloc(13 * 9, 1);
    for (int i = 0; i < 13 * 9; i++)
        kind[i] = (uint8_t)(scene_hash(i, 7) % 4);
    assert_int_equal(hlrp_region_new_mask((hlrp_size){210, 62}, (hlrp_size){13, 9}, 16.5, 7.25,
                                          kind, &region, &err),
                     HLRP_OK);
    return region;
}

static double naive(const hlrp_mask *m, hlrp_size slide, hlrp_rect r) {
    hlrp_rect in = hlrp_rect_intersect(r, (hlrp_rect){0, 0, (double)slide.w, (double)slide.h});
    double sum = 0;
    for (int64_t j = 0; j < m->h; j++)
        for (int64_t i = 0; i < m->w; i++)
            if (m->kind[j * m->w + i] == HLRP_CELL_TISSUE)
                sum += hlrp_overlap(in.x, in.x + in.w, (double)i * m->cell_w,
                                    (double)(i + 1) * m->cell_w) *
                       hlrp_overlap(in.y, in.y + in.h, (double)j * m->cell_h,
                                    (double)(j + 1) * m->cell_h);
    return in.w > 0 && in.h > 0 ? sum / (in.w * in.h) : 0;
}

static void shares_equal_the_naive_sum(void **unused) {
    (void)unused;
    hlrp_region *region = hashed();
    for (int n = 0; n < 3000; n++) {
        hlrp_rect r = {scene_hash(n, 1) % 2600 / 10.0 - 20, scene_hash(n, 2) % 900 / 10.0 - 20,
                       scene_hash(n, 3) % 1500 / 10.0, scene_hash(n, 4) % 500 / 10.0};
        double want = naive(hlrp_region_mask(region), (hlrp_size){210, 62}, r);
        assert_float_equal(hlrp_region_coverage(region, r), want, 1e-9);
    }
    hlrp_region_free(region);
}

/* A crumb of 1e-17 would make a tile of an empty one; 1 − 1e-16 would drop a full one at
 * min_coverage = 1. */
static void empty_and_full_are_exact(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    uint8_t *kind = calloc(300 * 300, 1);
    for (int i = 0; i < 300 * 300; i++)
        kind[i] = i % 300 < 150 ? HLRP_CELL_TISSUE : HLRP_CELL_PEN;
    assert_int_equal(hlrp_region_new_mask((hlrp_size){3000, 3000}, (hlrp_size){300, 300}, 10.01,
                                          10.01, kind, &region, &err),
                     HLRP_OK);
    for (int i = 0; i < 500; i++) {
        double y = i * 5.3;
        hlrp_rect full = {i * 2.7, y, 100.3, 97.7}, empty = {1501.5 + i * 2.7, y, 100.3, 97.7};
        assert_true(hlrp_region_coverage(region, full) == 1);
        assert_true(hlrp_region_coverage(region, empty) == 0);
    }
    hlrp_region_free(region);
}

/* The same below a part that has tissue: there the four corners of the sum differ. */
static void empty_below_tissue_is_exact(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    uint8_t *kind = calloc(300 * 300, 1);
    for (int i = 0; i < 300 * 100; i++)
        kind[i] = scene_hash(i, 3) % 3 == 0 ? HLRP_CELL_TISSUE : HLRP_CELL_GLASS;
    assert_int_equal(hlrp_region_new_mask((hlrp_size){3000, 3000}, (hlrp_size){300, 300}, 10.01,
                                          10.01, kind, &region, &err),
                     HLRP_OK);
    for (int i = 0; i < 500; i++) {
        hlrp_rect empty = {i * 5.1, 1002 + i * 3.7, 100.3, 97.7};
        assert_true(hlrp_region_coverage(region, empty) == 0);
    }
    hlrp_region_free(region);
}

/* Border tiles are judged by their pixels, not by their padding. */
static void the_slides_edge(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_region *all = NULL;
    assert_int_equal(hlrp_region_new_all((hlrp_size){100, 50}, &all, &err), HLRP_OK);
    assert_true(hlrp_region_coverage(all, (hlrp_rect){90, 40, 128, 128}) == 1);
    assert_true(hlrp_region_coverage(all, (hlrp_rect){-10, -10, 20, 20}) == 1);
    assert_true(hlrp_region_coverage(all, (hlrp_rect){100, 0, 10, 10}) == 0);
    assert_true(hlrp_region_coverage(all, (hlrp_rect){0, 0, 0, 10}) == 0);
    assert_true(hlrp_region_coverage(all, (hlrp_rect){0, 0, -5, 10}) == 0);
    assert_true(hlrp_region_share(all) == 1);
    assert_false(hlrp_region_is_empty(all));
    assert_null(hlrp_region_mask(all));
    hlrp_region_free(all);
    hlrp_region_free(NULL);
}

static void a_raster_too_large_is_refused(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    hlrp_size huge = {INT64_C(1) << 40, INT64_C(1) << 40};
    assert_int_equal(hlrp_region_new_mask(huge, huge, 1, 1, calloc(1, 1), &region, &err),
                     HLRP_E_MEMORY);
    assert_null(region);
}

static const uint8_t *pixel(const hlrp_image *image, int64_t x, int64_t y) {
    return image->data + 3 * (y * image->width + x);
}

static void the_picture_shows_outline_and_tiles(void **unused) {
    (void)unused;
    char folder[] = "/tmp/hlrp-region-XXXXXX", path[64];
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    hlrp_image image = {0};
    scene *s = scene_new(800, 600, GLASS, HLRP_CELL_GLASS);
    scene_rect(s, (hlrp_irect){200, 200, 400, 200}, EOSIN, HLRP_CELL_TISSUE);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/regions.png", folder);
    assert_non_null(scene_open(s));
    assert_int_equal(hlrp_region_new_tissue(s->slide, (hlrp_mpp){4, 4}, NULL, &region, &err),
                     HLRP_OK);
    hlrp_grid grid = {
        .slide = s->size, .r_x = 1, .r_y = 1, .size = 100, .stride = 100, .nx = 8, .ny = 6};
    const int64_t tiles[] = {2 * 8 + 3, 47}; /* from (300, 200); the slide's last */
    const uint8_t hatched[] = {0, 1};
    assert_int_equal(hlrp_region_picture(s->slide, region, &grid, tiles, 2, hatched, path, &err),
                     HLRP_OK);
    assert_int_equal(hlrp_image_read(path, &image, &err), HLRP_OK);
    assert_int_equal(image.width, 800);
    assert_int_equal(image.height, 600);
    assert_true(pixel(&image, 250, 300)[1] < 170); /* tissue keeps its color */
    assert_true(pixel(&image, 50, 50)[1] > 245);   /* glass is faded */
    assert_true(pixel(&image, 300, 250)[0] < 130); /* the tile's left border */
    assert_true(pixel(&image, 310, 250)[0] > 200); /* but not its inside */
    assert_true(pixel(&image, 799, 550)[0] < 150); /* a border tile's border is in the picture */
    /* The second tile, on faded glass, is hatched: lines 6 pixels apart. */
    assert_true(pixel(&image, 750, 546)[0] < 160 && pixel(&image, 744, 552)[0] < 160);
    assert_true(pixel(&image, 751, 546)[0] > 200 && pixel(&image, 747, 546)[0] > 200);
    assert_true(pixel(&image, 350, 250)[0] > 200 && pixel(&image, 352, 250)[0] > 200);
    bool outline = false;
    for (int64_t y = 190; y < 210; y++)
        outline |= pixel(&image, 500, y)[0] < 60 && pixel(&image, 500, y)[2] > 200;
    assert_true(outline);
    hlrp_image_free(&image);
    hlrp_region_free(region);
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* nothing else was left there */
    scene_free(s);
}

static void a_picture_that_cannot_be_written_is_an_error(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_region *all = NULL;
    hlrp_grid grid = {
        .slide = {30, 20}, .r_x = 1, .r_y = 1, .size = 8, .stride = 8, .nx = 4, .ny = 3};
    scene *s = scene_new(30, 20, GLASS, 0);
    assert_non_null(scene_open(s));
    assert_int_equal(hlrp_region_new_all(s->size, &all, &err), HLRP_OK);
    hlrp_status status =
        hlrp_region_picture(s->slide, all, &grid, NULL, 0, NULL, "/nonexistent/regions.png", &err);
    assert_int_not_equal(status, HLRP_OK);
    assert_true(err.what[0] != 0);
    hlrp_region_free(all);
    scene_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_equal_the_naive_sum),
        cmocka_unit_test(empty_and_full_are_exact),
        cmocka_unit_test(empty_below_tissue_is_exact),
        cmocka_unit_test(the_slides_edge),
        cmocka_unit_test(a_raster_too_large_is_refused),
        cmocka_unit_test(the_picture_shows_outline_and_tiles),
        cmocka_unit_test(a_picture_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

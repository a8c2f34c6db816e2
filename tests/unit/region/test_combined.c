/* Label masks, and what belongs to several regions at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "area.h"
#include "image/image.h"

/* A mask of w × h as grey PNG; labels[y][x] as given. */
static hlrp_status read_mask(const uint8_t *labels, int64_t w, int64_t h, hlrp_size slide,
                             const hlrp_annotation_options *o, hlrp_region **out, hlrp_error *err) {
    area_file f;
    hlrp_image image = {.width = w, .height = h, .channels = 1, .data = (uint8_t *)labels};
    area_write(&f, "mask.png", "", 0);
    assert_int_equal(hlrp_png_write(f.path, &image, err), HLRP_OK);
    const hlrp_status status = hlrp_region_new_label_mask(f.path, slide, o, out, err);
    area_remove(&f);
    return status;
}

static const uint8_t LABELS[4 * 4] = {0, 1, 1, 0, 0, 2, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0};

/* Scaled per axis; value = label, not brightness: 1 of 255 counts. */
static void labels_are_scaled_and_chosen(void **state) {
    const hlrp_size slide = {1000, 998};
    const char *const two[] = {"2", "Tumor"}, *const absent[] = {"7"};
    hlrp_error err = {0};
    hlrp_region *r = NULL;
    (void)state;
    assert_int_equal(read_mask(LABELS, 4, 4, slide, NULL, &r, &err), HLRP_OK);
    assert_float_equal(hlrp_region_share(r), 5 / 16.0, 1e-9);
    assert_float_equal(hlrp_region_coverage(r, (hlrp_rect){125, 0, 250, 249.5}), 0.5, 1e-9);
    hlrp_region_free(r);
    assert_int_equal(read_mask(LABELS, 4, 4, slide,
                               &(hlrp_annotation_options){.include = two, .include_count = 2}, &r,
                               &err),
                     HLRP_OK);
    assert_float_equal(hlrp_region_share(r), 2 / 16.0, 1e-9);
    hlrp_region_free(r);
    r = NULL;
    assert_int_equal(read_mask(LABELS, 4, 4, slide,
                               &(hlrp_annotation_options){.include = absent, .include_count = 1},
                               &r, &err),
                     HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "0, 1, 2, 3"));
    assert_null(r);
}

static void masks_that_cannot_be(void **state) {
    static const uint8_t color[3 * 16] = {9, 8, 7};
    hlrp_error err = {0};
    hlrp_region *r = NULL;
    area_file f;
    hlrp_image image = {.width = 4, .height = 4, .channels = 3, .data = (uint8_t *)color};
    (void)state;
    assert_int_equal(read_mask(LABELS, 4, 4, (hlrp_size){1000, 500}, NULL, &r, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "aspect ratio"));
    area_write(&f, "mask.png", "no picture", 10);
    assert_int_equal(hlrp_region_new_label_mask(f.path, (hlrp_size){4, 4}, NULL, &r, &err),
                     HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "neither PNG nor TIFF"));
    assert_int_equal(hlrp_png_write(f.path, &image, &err), HLRP_OK);
    assert_int_equal(hlrp_region_new_label_mask(f.path, (hlrp_size){4, 4}, NULL, &r, &err),
                     HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "colors"));
    area_remove(&f);
    assert_null(r);
}

/* A tiled TIFF of odd size, as the phantom writes its truth. */
static void masks_in_tiff(void **state) {
    enum { W = 301, H = 203 };
    static uint8_t rows[H][W];
    const hlrp_pyramid_spec spec = {.width = W, .height = H, .pixel = HLRP_PIXEL_GREY8, .tile = 64};
    hlrp_error err = {0};
    hlrp_pyramid *pyramid = NULL;
    hlrp_region *r = NULL;
    area_file f;
    (void)state;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            rows[y][x] = x >= 200 && y >= 100;
    area_write(&f, "mask.tif", "", 0);
    assert_int_equal(hlrp_pyramid_open(f.path, &spec, &pyramid, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_rows(pyramid, rows, H, W, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_finish(pyramid, &err), HLRP_OK);
    hlrp_pyramid_free(pyramid);
    assert_int_equal(hlrp_region_new_label_mask(f.path, (hlrp_size){2 * W, 2 * H}, NULL, &r, &err),
                     HLRP_OK);
    area_remove(&f);
    assert_float_equal(hlrp_region_coverage(r, (hlrp_rect){400, 200, 202, 206}), 1, 0);
    assert_float_equal(hlrp_region_coverage(r, (hlrp_rect){399, 199, 2, 2}), 0.25, 1e-9);
    assert_float_equal(hlrp_region_share(r), 101 * 103 / (double)(W * H), 1e-9);
    hlrp_region_free(r);
}

/* A triangle over a checkerboard mask: the sum over the cells of the polygon's area in them, by
 * Green's theorem. Guards against multiplying the shares of a tile. */
static void polygon_and_mask_meet_exactly(void **state) {
    static const double p[3][2] = {{100, 100}, {900, 200}, {300, 800}};
    static uint8_t checks[20 * 20];
    hlrp_error err = {0};
    hlrp_region *parts[3] = {NULL, NULL, NULL}, *r = NULL;
    char *words = NULL;
    uint64_t seed = 9;
    (void)state;
    for (int i = 0; i < 400; i++)
        checks[i] = (i / 20 + i) % 2;
    assert_int_equal(
        area_read("{\"type\":\"Polygon\",\"coordinates\":[[[100,100],[900,200],[300,800]]]}", NULL,
                  &parts[0], &err),
        HLRP_OK);
    assert_int_equal(read_mask(checks, 20, 20, (hlrp_size){1000, 1000}, NULL, &parts[1], &err),
                     HLRP_OK);
    assert_int_equal(hlrp_region_new_all((hlrp_size){1000, 1000}, &parts[2], &err), HLRP_OK);
    assert_int_equal(hlrp_region_new_intersection(parts, 3, &r, &err), HLRP_OK);
    for (int k = 0; k < 60; k++) {
        const hlrp_rect tile = {area_random(&seed, 0, 700), area_random(&seed, 0, 700),
                                area_random(&seed, 5, 300), area_random(&seed, 5, 300)};
        double area = 0;
        for (int i = 0; i < 400; i++) {
            const hlrp_rect cell = {50.0 * (i % 20), 50.0 * (double)(i / 20), 50, 50};
            const hlrp_rect both = hlrp_rect_intersect(cell, tile);
            if (checks[i] && both.w > 0 && both.h > 0)
                area += area_of_ring(p, 3, both);
        }
        assert_float_equal(hlrp_region_coverage(r, tile) * tile.w * tile.h, area, 1e-4);
    }
    assert_int_equal(hlrp_region_class_count(r), 1);
    assert_int_equal(hlrp_region_describe(r, &words, &err), HLRP_OK);
    assert_string_equal(
        words, "annotation (GeoJSON): unclassified 1 polygon & mask (20 x 20 cells) & all");
    free(words);
    hlrp_region_free(r);
}

static void regions_of_two_slides_do_not_meet(void **state) {
    hlrp_error err = {0};
    hlrp_region *parts[2] = {NULL, NULL}, *r = NULL;
    (void)state;
    assert_int_equal(hlrp_region_new_all((hlrp_size){10, 10}, &parts[0], &err), HLRP_OK);
    assert_int_equal(hlrp_region_new_all((hlrp_size){10, 11}, &parts[1], &err), HLRP_OK);
    assert_int_equal(hlrp_region_new_intersection(parts, 2, &r, &err), HLRP_E_INTERNAL);
    assert_null(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_scaled_and_chosen),
        cmocka_unit_test(masks_that_cannot_be),
        cmocka_unit_test(masks_in_tiff),
        cmocka_unit_test(polygon_and_mask_meet_exactly),
        cmocka_unit_test(regions_of_two_slides_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

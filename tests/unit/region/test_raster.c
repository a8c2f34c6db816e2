/* The raster filters against naive ones, and the colors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "region/raster.h"
#include "region/tissue.h"
#include "unit/region/scene.h"

static int by_value(const void *a, const void *b) {
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

static uint8_t naive_median(const uint8_t *in, const uint8_t *skip, hlrp_size z, int64_t x,
                            int64_t y, int64_t rx, int64_t ry) {
    uint8_t seen[1024];
    size_t n = 0;
    for (int64_t v = HLRP_MAX(y - ry, 0); v <= HLRP_MIN(y + ry, z.h - 1); v++)
        for (int64_t u = HLRP_MAX(x - rx, 0); u <= HLRP_MIN(x + rx, z.w - 1); u++)
            if (!skip || !skip[v * z.w + u])
                seen[n++] = in[v * z.w + u];
    qsort(seen, n, 1, by_value);
    return n ? seen[(n - 1) / 2] : 0;
}

static void median_equals_sorting(void **unused) {
    (void)unused;
    const hlrp_size sizes[] = {{1, 1}, {7, 1}, {1, 5}, {23, 17}};
    for (size_t k = 0; k < HLRP_COUNT(sizes); k++) {
        hlrp_size z = sizes[k];
        uint8_t in[400], skip[400], out[400];
        for (int64_t i = 0; i < z.w * z.h; i++) {
            in[i] = (uint8_t)(scene_hash(i, 1) >> (i % 3 * 8));
            skip[i] = scene_hash(i, 2) % 3 == 0;
        }
        for (int64_t r = 0; r < 9; r++) {
            const uint8_t *mask = r % 2 ? skip : NULL;
            hlrp_raster_median(in, mask, z, r, r / 2, out);
            for (int64_t i = 0; i < z.w * z.h; i++)
                assert_int_equal(out[i], naive_median(in, mask, z, i % z.w, i / z.w, r, r / 2));
        }
    }
}

static void highest_is_that_of_the_window(void **unused) {
    (void)unused;
    const hlrp_size z = {5, 4};
    uint8_t in[20] = {0}, out[20];
    hlrp_error err = {0};
    in[1 * 5 + 1] = 9;
    in[3 * 5 + 4] = 7;
    assert_int_equal(hlrp_raster_highest(in, z, 2, 1, out, &err), HLRP_OK);
    const uint8_t expected[20] = {9, 9, 9, 9, 0, 9, 9, 9, 9, 0, 9, 9, 9, 9, 7, 0, 0, 7, 7, 7};
    assert_memory_equal(out, expected, sizeof out);
}

/* Vignetting and JPEG make steps and slopes on glass: no line may be seen in them. */
static void lines_are_deep_steps_and_slopes_are_not(void **unused) {
    (void)unused;
    const hlrp_size z = {9, 9};
    uint8_t line[9 * 9 * 3], step[9 * 9 * 3], slope[9 * 9 * 3];
    for (int i = 0; i < 81; i++)
        for (int c = 0; c < 3; c++) {
            line[3 * i + c] = i % 9 == i / 9 ? 220 : 240; /* diagonal */
            step[3 * i + c] = i % 9 < 4 ? 220 : 240;
            slope[3 * i + c] = (uint8_t)(200 + 4 * (i % 9));
        }
    assert_int_equal(hlrp_raster_line_depth(line, z, 4, 4, 2, 2), 20);
    assert_int_equal(hlrp_raster_line_depth(line, z, 4, 3, 2, 2), 0);
    assert_int_equal(hlrp_raster_line_depth(line, z, 1, 1, 2, 2), 0); /* no neighbors: the edge */
    for (int x = 0; x < 9; x++) {
        assert_int_equal(hlrp_raster_line_depth(step, z, x, 4, 2, 2), 0);
        assert_int_equal(hlrp_raster_line_depth(slope, z, x, 4, 2, 2), 0);
    }
}

/* Naive dilation: any set cell within the ellipse. */
static bool near_set(const uint8_t *mask, hlrp_size z, int64_t x, int64_t y, double rx, double ry) {
    for (int64_t v = 0; v < z.h; v++)
        for (int64_t u = 0; u < z.w; u++) {
            double dx = (double)(u - x) / rx, dy = (double)(v - y) / ry;
            if (mask[v * z.w + u] && dx * dx + dy * dy <= 1 + 1e-12)
                return true;
        }
    return false;
}

static void dilation_equals_the_naive_one(void **unused) {
    (void)unused;
    hlrp_size z = {31, 19};
    const double radii[][2] = {{1, 1}, {2.5, 2.5}, {4, 4}, {5.2, 2.3}, {100, 100}};
    for (size_t k = 0; k < HLRP_COUNT(radii); k++) {
        uint8_t mask[31 * 19], got[31 * 19];
        hlrp_error err = {0};
        for (int64_t i = 0; i < z.w * z.h; i++)
            got[i] = mask[i] = scene_hash(i, 5) % 40 == 0;
        assert_int_equal(hlrp_raster_dilate(got, z, radii[k][0], radii[k][1], &err), HLRP_OK);
        for (int64_t i = 0; i < z.w * z.h; i++)
            assert_int_equal(got[i], near_set(mask, z, i % z.w, i / z.w, radii[k][0], radii[k][1]));
    }
}

/* Closing bridges what is narrower than the disk, leaves what is wider, keeps the outline of a
 * block, also at the raster's edge. */
static void closing(void **unused) {
    (void)unused;
    hlrp_size z = {40, 20};
    uint8_t mask[40 * 20], want[40 * 20];
    hlrp_error err = {0};
    for (int64_t i = 0; i < z.w * z.h; i++) {
        int64_t x = i % z.w;
        want[i] = x < 12 || x >= 30;           /* a gap of 18 stays */
        mask[i] = want[i] && x != 5 && x != 6; /* a gap of 2 goes */
    }
    assert_int_equal(hlrp_raster_close(mask, z, 3, 3, &err), HLRP_OK);
    assert_memory_equal(mask, want, sizeof mask);
}

static void no_radius_changes_nothing(void **unused) {
    (void)unused;
    uint8_t mask[] = {0, 1, 0, 0, 1, 1}, want[] = {0, 1, 0, 0, 1, 1};
    hlrp_error err = {0};
    assert_int_equal(hlrp_raster_close(mask, (hlrp_size){3, 2}, 0, 0, &err), HLRP_OK);
    assert_memory_equal(mask, want, sizeof mask);
}

static void parts_of_a_known_picture(void **unused) {
    (void)unused;
    const uint8_t mask[] = {1, 0, 1, 0, 1,  /**/
                            1, 0, 1, 1, 0,  /**/
                            1, 1, 1, 0, 1}; /* a U with a tail; corners touch at the right */
    hlrp_error err = {0};
    hlrp_parts parts = {0};
    hlrp_size z = {5, 3};
    assert_int_equal(hlrp_parts_find(mask, true, z, false, &parts, &err), HLRP_OK);
    assert_int_equal(parts.root[2], 0); /* both arms of the U are one part */
    assert_int_equal(parts.cells[0], 8);
    assert_int_equal(parts.cells[4], 1);
    assert_int_equal(parts.cells[14], 1);
    assert_int_equal(parts.root[1], -1);
    hlrp_parts_free(&parts);
    assert_int_equal(hlrp_parts_find(mask, true, z, true, &parts, &err), HLRP_OK);
    assert_int_equal(parts.cells[0], 10);
    hlrp_parts_free(&parts);
    assert_int_equal(hlrp_parts_find(mask, false, z, false, &parts, &err), HLRP_OK);
    assert_int_equal(parts.cells[1], 2);
    assert_int_equal(parts.root[6], 1);
    hlrp_parts_free(&parts);
}

/* A comb: its teeth are apart until the last row joins them, the hard case for union-find. */
static void teeth_of_a_comb_are_one_part(void **unused) {
    (void)unused;
    enum { W = 2001, H = 50 };
    uint8_t *mask = calloc(W * H, 1);
    hlrp_error err = {0};
    hlrp_parts parts = {0};
    int64_t n = 0;
    for (int64_t i = 0; i < W * H; i++)
        n += mask[i] = i % W % 2 == 0 || i / W == H - 1;
    assert_int_equal(hlrp_parts_find(mask, true, (hlrp_size){W, H}, false, &parts, &err), HLRP_OK);
    assert_int_equal(parts.cells[0], n);
    hlrp_parts_free(&parts);
    free(mask);
}

static void colors(void **unused) {
    (void)unused;
    const uint8_t red[3] = {255, 0, 0}, grey[3] = {90, 90, 90}, half[3] = {200, 100, 150},
                  dark_red[3] = {80, 10, 20};
    assert_int_equal(hlrp_saturation(red), 255);
    assert_int_equal(hlrp_saturation(grey), 0);
    assert_int_equal(hlrp_saturation(BLACK), 0);
    assert_int_equal(hlrp_saturation(half), 128);
    assert_float_equal(hlrp_hue(red), 0, 1e-12);
    assert_float_equal(hlrp_hue(half), 330, 1e-12);
    assert_float_equal(hlrp_hue(GREEN_PEN), 60 * (2 + 50.0 / 90), 1e-9);
    assert_true(hlrp_is_padding(BLACK, 85));
    assert_false(hlrp_is_padding(grey, 85));
    assert_false(hlrp_is_padding(dark_red, 85)); /* blood */
}

static void inks(void **unused) {
    (void)unused;
    const uint8_t bright_blue[3] = {150, 150, 155}, black[3] = {104, 100, 112},
                  fibers[3] = {60, 90, 170};
    hlrp_tissue_options o;
    hlrp_tissue_defaults(&o);
    assert_int_equal(hlrp_ink_of(BLUE_PEN, &o), HLRP_INK_BLUE);
    assert_int_equal(hlrp_ink_of(GREEN_PEN, &o), HLRP_INK_GREEN);
    assert_int_equal(hlrp_ink_of(black, &o), HLRP_INK_BLACK);
    assert_int_equal(hlrp_ink_of(NUCLEUS, &o), HLRP_INK_NONE);
    assert_int_equal(hlrp_ink_of(EOSIN, &o), HLRP_INK_NONE);
    assert_int_equal(hlrp_ink_of(bright_blue, &o),
                     HLRP_INK_PERHAPS); /* glass in a dim, cold light */
    o.pen_hue_to = 180;                 /* a trichrome stain: collagen is blue */
    assert_int_equal(hlrp_ink_of(fibers, &o), HLRP_INK_NONE);
    assert_int_equal(hlrp_ink_of(GREEN_PEN, &o), HLRP_INK_GREEN);
    o.pen_saturation = 255;
    assert_int_equal(hlrp_ink_of(GREEN_PEN, &o), HLRP_INK_PERHAPS);
    o.pen_density = 2;
    assert_int_equal(hlrp_ink_of(black, &o), HLRP_INK_PERHAPS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_equals_sorting),
        cmocka_unit_test(highest_is_that_of_the_window),
        cmocka_unit_test(lines_are_deep_steps_and_slopes_are_not),
        cmocka_unit_test(dilation_equals_the_naive_one),
        cmocka_unit_test(closing),
        cmocka_unit_test(no_radius_changes_nothing),
        cmocka_unit_test(parts_of_a_known_picture),
        cmocka_unit_test(teeth_of_a_comb_are_one_part),
        cmocka_unit_test(colors),
        cmocka_unit_test(inks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The reduced picture of the whole slide against means worked out directly. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slide/slide_memory.h"

static uint8_t *noise(hlrp_size size) {
    uint8_t *rgb = malloc((size_t)(size.w * size.h * 3));
    uint32_t h = 1;
    for (int64_t i = 0; i < size.w * size.h * 3; i++)
        rgb[i] = (uint8_t)((h = h * 1664525u + 1013904223u) >> 24);
    return rgb;
}

/* Mean over the level-0 square of one result pixel, white beyond the slide. */
static double mean(const uint8_t *rgb, hlrp_size size, hlrp_rect r, int c) {
    double sum = 0, area = 0;
    hlrp_irect cover = hlrp_rect_cover(r);
    for (int64_t y = cover.y; y < cover.y + cover.h; y++)
        for (int64_t x = cover.x; x < cover.x + cover.w; x++) {
            double a = hlrp_overlap(r.x, r.x + r.w, (double)x, (double)x + 1) *
                       hlrp_overlap(r.y, r.y + r.h, (double)y, (double)y + 1);
            sum += a * (x < size.w && y < size.h ? rgb[(y * size.w + x) * 3 + c] : 255);
            area += a;
        }
    return sum / area;
}

/* Guards: blocks that do not join (the slide is wider than one), fractional factors that drift,
 * and an edge that is stretched instead of padded. */
static void is_the_mean(void **state) {
    (void)state;
    static const double factors[][2] = {{1, 1}, {2, 2}, {3.7, 2.9}, {16, 16}, {41.3, 500}};
    hlrp_size size = {1500, 700}, got;
    uint8_t *rgb = noise(size);
    hlrp_memory_level level = {size, rgb, NULL};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    for (size_t k = 0; k < HLRP_COUNT(factors); k++) {
        double fx = factors[k][0], fy = factors[k][1];
        hlrp_error err = {0};
        hlrp_slide *slide = NULL;
        uint8_t *out = NULL;
        int64_t lost = -1;
        assert_int_equal(hlrp_slide_open_memory(&source, &slide, &err), HLRP_OK);
        assert_int_equal(hlrp_slide_overview(slide, fx, fy, &got, &out, &lost, &err), HLRP_OK);
        assert_int_equal(got.w, (int64_t)ceil((double)size.w / fx));
        assert_int_equal(got.h, (int64_t)ceil((double)size.h / fy));
        assert_int_equal(lost, 0);
        for (int64_t i = 0; i < got.w * got.h; i += got.w * got.h / 500 + 1) {
            hlrp_rect r = {(double)(i % got.w) * fx, (double)(i / got.w) * fy, fx, fy};
            for (int c = 0; c < 3; c++)
                assert_true(fabs(out[i * 3 + c] - mean(rgb, size, r, c)) < 0.51);
        }
        free(out);
        hlrp_slide_close(slide);
    }
    free(rgb);
}

/* A horizontal ramp at every level, each pixel the mean of the level-0 pixels under it: whichever
 * level is read, a result pixel has to show the mean of its own square. Guards: half a pixel of
 * shift, and drift from 1003/250 ≠ 4. */
static void no_shift_on_any_level(void **state) {
    (void)state;
    static const hlrp_size sizes[] = {{1003, 60}, {250, 15}, {62, 3}};
    static const double steps[] = {1, 4, 16}, factors[] = {1, 2, 4, 5.3, 16, 21};
    uint8_t *rgb[3];
    hlrp_memory_level levels[3];
    for (int l = 0; l < 3; l++) {
        rgb[l] = malloc((size_t)(sizes[l].w * sizes[l].h * 3));
        for (int64_t i = 0; i < sizes[l].w * sizes[l].h; i++) {
            double x = ((double)(i % sizes[l].w) + 0.5) * steps[l];
            memset(rgb[l] + 3 * i, (int)floor(x / 5 + 0.5), 3);
        }
        levels[l] = (hlrp_memory_level){sizes[l], rgb[l], NULL};
    }
    hlrp_memory_slide source = {.level_count = 3, .levels = levels};
    for (size_t k = 0; k < HLRP_COUNT(factors); k++) {
        hlrp_error err = {0};
        hlrp_slide *slide = NULL;
        uint8_t *out = NULL;
        hlrp_size got;
        assert_int_equal(hlrp_slide_open_memory(&source, &slide, &err), HLRP_OK);
        assert_int_equal(hlrp_slide_overview(slide, factors[k], factors[k], &got, &out, NULL, &err),
                         HLRP_OK);
        for (int64_t i = 0; i < got.w - 2; i++) {
            double x = ((double)i + 0.5) * factors[k];
            assert_true(fabs(out[i * 3] - x / 5) < 1.01); /* two roundings */
        }
        free(out);
        hlrp_slide_close(slide);
    }
    for (int l = 0; l < 3; l++)
        free(rgb[l]);
}

/* Guards: one damaged spot that costs the slide its thumbnail and its tissue. */
static void damaged_parts(void **state) {
    (void)state;
    hlrp_size size = {2400, 60}, got;
    uint8_t *fine = malloc(2400 * 60 * 3), *coarse = malloc(300 * 8 * 3), *out = NULL;
    memset(fine, 100, 2400 * 60 * 3);
    memset(coarse, 50, 300 * 8 * 3);
    hlrp_memory_level levels[2] = {{size, fine, NULL}, {{300, 8}, coarse, NULL}};
    hlrp_memory_fault faults[2] = {{0, {1200, 10, 5, 5}}, {1, {150, 0, 1, 8}}};
    hlrp_memory_slide source = {
        .level_count = 2, .levels = levels, .faults = faults, .fault_count = 1};
    hlrp_slide *slide = NULL;
    hlrp_error err = {0};
    int64_t lost = -1;
    assert_int_equal(hlrp_slide_open_memory(&source, &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_overview(slide, 2, 2, &got, &out, &lost, &err), HLRP_OK);
    assert_int_equal(lost, 0);
    assert_int_equal(out[3 * 10], 100); /* read as asked */
    assert_int_equal(out[3 * 600], 50); /* from the coarser level */
    free(out);
    source.fault_count = 2;
    assert_int_equal(hlrp_slide_overview(slide, 2, 2, &got, &out, &lost, &err), HLRP_OK);
    assert_int_equal(lost, 512 * 30);
    assert_int_equal(out[3 * 600], 255);
    assert_int_equal(out[3 * 1100], 100);
    free(out);
    faults[0].rect = (hlrp_irect){0, 0, 2400, 60};
    faults[1].rect = (hlrp_irect){0, 0, 300, 8};
    assert_int_equal(hlrp_slide_overview(slide, 2, 2, &got, &out, &lost, &err), HLRP_E_INPUT);
    assert_null(out);
    assert_non_null(strstr(err.what, "damaged"));
    hlrp_slide_close(slide);
    free(fine);
    free(coarse);
}

/* A pyramid whose coarsest level is damaged. Guards: a slide without tissue although every pixel of
 * level 0 is there. */
static void a_damaged_top_of_the_pyramid(void **state) {
    (void)state;
    hlrp_size size = {2400, 60}, got;
    uint8_t *fine = malloc(2400 * 60 * 3), *coarse = malloc(600 * 15 * 3), *out = NULL;
    memset(fine, 100, 2400 * 60 * 3);
    memset(coarse, 50, 600 * 15 * 3);
    hlrp_memory_level levels[2] = {{size, fine, NULL}, {{600, 15}, coarse, NULL}};
    hlrp_memory_fault fault = {1, {150, 0, 1, 8}};
    hlrp_memory_slide source = {
        .level_count = 2, .levels = levels, .faults = &fault, .fault_count = 1};
    hlrp_slide *slide = NULL;
    hlrp_error err = {0};
    int64_t lost = -1;
    assert_int_equal(hlrp_slide_open_memory(&source, &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_overview(slide, 4, 4, &got, &out, &lost, &err), HLRP_OK);
    assert_int_equal(lost, 0);
    for (int64_t i = 0; i < got.w * got.h * 3; i++)
        assert_int_equal(out[i], 100);
    free(out);
    hlrp_slide_close(slide);
    free(fine);
    free(coarse);
}

static void factors(void **state) {
    (void)state;
    static const uint8_t rgb[300 * 3] = {0};
    hlrp_memory_level level = {{300, 1}, rgb, NULL};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    hlrp_slide *slide = NULL;
    hlrp_error err = {0};
    hlrp_size got;
    uint8_t *out = NULL;
    assert_int_equal(hlrp_slide_open_memory(&source, &slide, &err), HLRP_OK);
    assert_true(hlrp_slide_overview_factor(slide, 100) == 3);
    assert_true(hlrp_slide_overview_factor(slide, 1000) == 1); /* never enlarged */
    assert_int_equal(hlrp_slide_overview(slide, 0.5, 1, &got, &out, NULL, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_slide_overview(slide, NAN, 1, &got, &out, NULL, &err), HLRP_E_INTERNAL);
    hlrp_slide_close(slide);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_mean),   cmocka_unit_test(no_shift_on_any_level),
        cmocka_unit_test(damaged_parts), cmocka_unit_test(a_damaged_top_of_the_pyramid),
        cmocka_unit_test(factors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Resampling beside PIL's own results, and on pictures whose result is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tile/tile.h"

#include "pil_reference.h"

/* The same noise as in make_pil_reference.py. */
static uint8_t *noise(hlrp_size size) {
    uint8_t *rgb = malloc((size_t)(size.w * size.h * 3)), *to = rgb;
    for (uint32_t y = 0; y < size.h; y++)
        for (uint32_t x = 0; x < size.w; x++)
            for (uint32_t c = 0; c < 3; c++)
                *to++ = (uint8_t)(((x * 73856093u ^ y * 19349663u ^ c * 83492791u) * 2654435761u) >>
                                  24);
    return rgb;
}

/* Guards: a filter without antialiasing, other rounding, axes in the other order, a box off by half
 * a pixel. The arithmetic is PIL's, so that the last bit agrees. */
static void equals_pil(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_resampler *resampler = NULL;
    assert_int_equal(hlrp_resampler_new(&resampler, &err), HLRP_OK);
    for (size_t k = 0; k < HLRP_COUNT(pil_cases); k++) {
        size_t n = (size_t)(pil_cases[k].out.w * pil_cases[k].out.h * 3);
        uint8_t *in = noise(pil_cases[k].in), *out = malloc(n);
        assert_int_equal(hlrp_resample(resampler, in, pil_cases[k].in, pil_cases[k].box,
                                       pil_cases[k].out, out, &err),
                         HLRP_OK);
        for (size_t i = 0; i < n; i++)
            if (out[i] != pil_cases[k].expected[i])
                fail_msg("%s: value %zu is %d, PIL has %d", pil_cases[k].name, i, out[i],
                         pil_cases[k].expected[i]);
        free(in);
        free(out);
    }
    hlrp_resampler_free(resampler);
}

/* Guards: strips that land in the wrong rows. */
static void parts_equal_the_whole(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_resampler *resampler = NULL;
    hlrp_size in = {31, 29}, size = {9, 11};
    hlrp_rect box = {0.4, 0.3, 30.1, 28.2};
    uint8_t *rgb = noise(in), whole[9 * 11 * 3], parts[9 * 11 * 3];
    assert_int_equal(hlrp_resampler_new(&resampler, &err), HLRP_OK);
    assert_int_equal(hlrp_resample(resampler, rgb, in, box, size, whole, &err), HLRP_OK);
    assert_int_equal(hlrp_resample_begin(resampler, in, box, size, &err), HLRP_OK);
    hlrp_resample_rows(resampler, rgb + 13 * in.w * 3, 13, 16);
    hlrp_resample_rows(resampler, rgb, 0, 13);
    hlrp_resample_end(resampler, parts);
    assert_memory_equal(whole, parts, sizeof whole);
    free(rgb);
    hlrp_resampler_free(resampler);
}

/* Guards: reads past the source where the box reaches a little beside it (a level's shift), and
 * filters kept from another question. Values: a flat picture stays flat. */
static void boxes_beside_the_picture(void **state) {
    (void)state;
    static const hlrp_rect boxes[] = {{-0.25, -0.25, 4, 4}, {0.25, 0.25, 4, 4}, {-9, -9, 3, 3},
                                      {9, 9, 3, 3},         {1, 1, 0.01, 0.01}, {0, 0, 4, 4}};
    hlrp_error err = {0};
    hlrp_resampler *resampler = NULL;
    assert_int_equal(hlrp_resampler_new(&resampler, &err), HLRP_OK);
    uint8_t *rgb = malloc(4 * 4 * 3), out[7 * 7 * 3];
    memset(rgb, 200, 4 * 4 * 3);
    for (size_t k = 0; k < HLRP_COUNT(boxes); k++) {
        memset(out, 0, sizeof out);
        assert_int_equal(hlrp_resample(resampler, rgb, (hlrp_size){4, 4}, boxes[k],
                                       (hlrp_size){7, 7}, out, &err),
                         HLRP_OK);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], 200);
    }
    free(rgb);
    hlrp_resampler_free(resampler);
}

/* Guards: a filter that is left out where pixels lie upon pixels on one axis only, or that takes the
 * wrong ones. Truth: the pixels under the box. */
static void unscaled_pixels_pass_unchanged(void **state) {
    (void)state;
    enum { W = 23, H = 19 };
    static const hlrp_rect boxes[] = {{0, 0, W, H}, {3, 2, 9, 7}, {14, 12, 9, 7}, {0, 5, 1, 1}};
    hlrp_error err = {0};
    hlrp_resampler *resampler = NULL;
    uint8_t *rgb = noise((hlrp_size){W, H}), out[W * H * 3];
    assert_int_equal(hlrp_resampler_new(&resampler, &err), HLRP_OK);
    for (size_t k = 0; k < HLRP_COUNT(boxes); k++) {
        const hlrp_rect b = boxes[k];
        const int64_t x = (int64_t)b.x, y = (int64_t)b.y, w = (int64_t)b.w, h = (int64_t)b.h;
        assert_int_equal(
            hlrp_resample(resampler, rgb, (hlrp_size){W, H}, b, (hlrp_size){w, h}, out, &err),
            HLRP_OK);
        for (int64_t j = 0; j < h; j++)
            assert_memory_equal(out + j * w * 3, rgb + ((y + j) * W + x) * 3, (size_t)(w * 3));
    }
    free(rgb);
    hlrp_resampler_free(resampler);
}

/* One value by the formula at the head of resample.c, in double. */
static double by_formula(const uint8_t *rgb, hlrp_size in, hlrp_rect box, hlrp_size size, int64_t i,
                         int64_t j, int c) {
    const double sx = box.w / (double)size.w, sy = box.h / (double)size.h;
    const double reach_x = fmax(sx, 1), reach_y = fmax(sy, 1);
    const double cx = box.x + ((double)i + 0.5) * sx, cy = box.y + ((double)j + 0.5) * sy;
    double sum = 0, total = 0;
    for (int64_t y = 0; y < in.h; y++)
        for (int64_t x = 0; x < in.w; x++) {
            const double wx = fmax(0, 1 - fabs((double)x + 0.5 - cx) / reach_x);
            const double wy = fmax(0, 1 - fabs((double)y + 0.5 - cy) / reach_y);
            sum += wx * wy * rgb[(y * in.w + x) * 3 + c];
            total += wx * wy;
        }
    return sum / total;
}

/* Guards: values that are lost between one vector and the next, at the end of a row, or where one
 * axis is scaled and the other is not. Truth: the formula, within one grey level (both passes round
 * to bytes). */
static void any_box_follows_the_formula(void **state) {
    (void)state;
    static const struct {
        hlrp_size in;
        hlrp_rect box;
        hlrp_size out;
    } cases[] = {{{33, 21}, {0, 0, 33, 21}, {16, 10}},
                 {{33, 21}, {0, 4, 33, 9}, {11, 9}},
                 {{33, 21}, {4, 0, 9, 21}, {9, 11}},
                 {{33, 21}, {0.5, 0.5, 9, 9}, {9, 9}},
                 {{5, 40}, {0, 0, 5, 40}, {1, 7}},
                 {{40, 1}, {0.3, 0, 39, 1}, {17, 1}},
                 {{1, 1}, {0, 0, 1, 1}, {3, 5}},
                 {{7, 7}, {1.2, 2.3, 3.1, 2.2}, {13, 9}},
                 {{64, 64}, {0.1, 0.2, 63.7, 63.6}, {5, 3}}};
    hlrp_error err = {0};
    hlrp_resampler *resampler = NULL;
    uint8_t out[17 * 13 * 3];
    assert_int_equal(hlrp_resampler_new(&resampler, &err), HLRP_OK);
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        const hlrp_size in = cases[k].in, size = cases[k].out;
        uint8_t *rgb = noise(in);
        assert_int_equal(hlrp_resample(resampler, rgb, in, cases[k].box, size, out, &err), HLRP_OK);
        for (int64_t at = 0; at < size.w * size.h * 3; at++) {
            const int64_t i = at / 3 % size.w, j = at / 3 / size.w;
            const double truth = by_formula(rgb, in, cases[k].box, size, i, j, (int)(at % 3));
            if (fabs(out[at] - truth) > 1)
                fail_msg("case %zu: value %lld is %d, not %g", k, (long long)at, out[at], truth);
        }
        free(rgb);
    }
    hlrp_resampler_free(resampler);
}

/* Guards: bgr that swaps the statistics instead of the pixels, and rows for planes. */
static void normalizing(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_normalizer n;
    static const double mean[3] = {0.485, 0.456, 0.406}, std[3] = {0.229, 0.224, 0.225};
    static const uint8_t rgb[6] = {0, 128, 255, 10, 20, 30};
    float out[6];
    assert_int_equal(hlrp_normalizer_init(&n, 1.0 / 255, mean, std, false, &err), HLRP_OK);
    hlrp_normalize(&n, rgb, 2, out);
    static const int from_rgb[6] = {0, 10, 128, 20, 255, 30};
    static const int from_bgr[6] = {255, 30, 128, 20, 0, 10};
    for (int i = 0; i < 6; i++)
        assert_true(fabs(out[i] - (from_rgb[i] / 255.0 - mean[i / 2]) / std[i / 2]) < 1e-6);
    assert_int_equal(hlrp_normalizer_init(&n, 1.0 / 255, mean, std, true, &err), HLRP_OK);
    hlrp_normalize(&n, rgb, 2, out);
    for (int i = 0; i < 6; i++)
        assert_true(fabs(out[i] - (from_bgr[i] / 255.0 - mean[i / 2]) / std[i / 2]) < 1e-6);
    static const double zero[3] = {1, 0, 1};
    assert_int_equal(hlrp_normalizer_init(&n, 1, mean, zero, false, &err), HLRP_E_CONFIG);
    assert_int_equal(hlrp_normalizer_init(&n, NAN, mean, std, false, &err), HLRP_E_CONFIG);
    assert_non_null(strstr(err.where, "std"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_pil),
        cmocka_unit_test(parts_equal_the_whole),
        cmocka_unit_test(boxes_beside_the_picture),
        cmocka_unit_test(unscaled_pixels_pass_unchanged),
        cmocka_unit_test(any_box_follows_the_formula),
        cmocka_unit_test(normalizing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

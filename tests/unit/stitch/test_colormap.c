/* Color tables: ends, middle, evenness, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stitch/colormap.h"

static hlrp_colormap made(const char *name) {
    hlrp_error err = {0};
    hlrp_colormap map;
    assert_int_equal(hlrp_colormap_init(&map, name, &err), HLRP_OK);
    return map;
}

/* CIE lightness of an sRGB color, 0 … 100. */
static double lightness(const uint8_t rgb[3]) {
    static const double weight[3] = {0.2126729, 0.7151522, 0.0721750};
    double y = 0;
    for (int c = 0; c < 3; c++) {
        const double s = rgb[c] / 255.0;
        y += weight[c] * (s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4));
    }
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27;
}

/* Guards the sign: relevance for the class is red, against it blue. */
static void positive_is_red_and_negative_blue(void **state) {
    (void)state;
    for (int i = 0; hlrp_colormap_name(i); i++) {
        const hlrp_colormap map = made(hlrp_colormap_name(i));
        for (double t = 0.3; t <= 1; t += 0.1) {
            const uint8_t *up = hlrp_colormap_at(&map, t), *down = hlrp_colormap_at(&map, -t);
            assert_true(up[0] > up[2] + 20);
            assert_true(down[2] > down[0] + 20);
        }
        assert_string_equal(hlrp_colormap_word(&map, 1), "red");
        assert_string_equal(hlrp_colormap_word(&map, -1), "blue");
    }
}

/* Guards legends that call the wrong color "for". */
static void words_follow_a_reversed_map(void **state) {
    (void)state;
    const hlrp_colormap map = made("vik_r");
    assert_string_equal(hlrp_colormap_word(&map, 1), "blue");
    assert_string_equal(hlrp_colormap_word(&map, -1), "red");
}

static void zero_is_neutral_and_lightest(void **state) {
    (void)state;
    for (int i = 0; hlrp_colormap_name(i); i++) {
        const hlrp_colormap map = made(hlrp_colormap_name(i));
        const uint8_t *zero = hlrp_colormap_at(&map, 0);
        assert_true(abs(zero[0] - zero[2]) <= 6);
        for (double t = -1; t <= 1; t += 0.125)
            assert_true(lightness(hlrp_colormap_at(&map, t)) <= lightness(zero) + 0.5);
    }
}

/* Guards perceptual evenness: equal steps of relevance are equal steps of lightness on both sides.
 */
static void lightness_falls_evenly(void **state) {
    (void)state;
    const hlrp_colormap map = made("vik");
    const double top = lightness(hlrp_colormap_at(&map, 0));
    for (int side = -1; side <= 1; side += 2) {
        const double end = lightness(hlrp_colormap_at(&map, side));
        for (int i = 1; i < 10; i++)
            assert_float_equal(lightness(hlrp_colormap_at(&map, side * i / 10.0)),
                               top + i / 10.0 * (end - top), 1.0);
    }
    assert_float_equal(lightness(hlrp_colormap_at(&map, 1)), lightness(hlrp_colormap_at(&map, -1)),
                       5);
}

/* Guards against a jump between neighboring entries. */
static void tables_are_smooth(void **state) {
    (void)state;
    for (int i = 0; hlrp_colormap_name(i); i++) {
        const hlrp_colormap map = made(hlrp_colormap_name(i));
        for (int e = 1; e <= 2 * HLRP_COLORMAP_HALF; e++)
            for (int c = 0; c < 3; c++)
                assert_true(abs(map.rgb[e][c] - map.rgb[e - 1][c]) <= 6);
    }
}

static void names_fold_case_and_reverse(void **state) {
    (void)state;
    const hlrp_colormap a = made("RdBu_r"), b = made("rdbu"), c = made("bwr"), d = made("BWR_R");
    for (int i = 0; i <= 2 * HLRP_COLORMAP_HALF; i++) {
        assert_memory_equal(a.rgb[i], b.rgb[2 * HLRP_COLORMAP_HALF - i], 3);
        assert_memory_equal(c.rgb[i], d.rgb[2 * HLRP_COLORMAP_HALF - i], 3);
    }
    static const uint8_t blue[] = {0, 0, 255}, red[] = {255, 0, 0}, paper[] = {255, 255, 255};
    assert_memory_equal(c.rgb[0], blue, 3);
    assert_memory_equal(c.rgb[HLRP_COLORMAP_HALF], paper, 3);
    assert_memory_equal(c.rgb[2 * HLRP_COLORMAP_HALF], red, 3);
    hlrp_error err = {0};
    hlrp_colormap map;
    assert_int_equal(hlrp_colormap_init(&map, "jet", &err), HLRP_E_CONFIG);
    assert_non_null(strstr(err.mend, "coolwarm"));
    assert_int_equal(hlrp_colormap_init(&map, "", &err), HLRP_E_CONFIG);
    assert_int_equal(hlrp_colormap_init(&map, "vik2", &err), HLRP_E_CONFIG);
}

static void what_is_beyond_the_limit_is_clamped(void **state) {
    (void)state;
    const hlrp_colormap map = made("vik");
    assert_memory_equal(hlrp_colormap_at(&map, 7), hlrp_colormap_at(&map, 1), 3);
    assert_memory_equal(hlrp_colormap_at(&map, -INFINITY), hlrp_colormap_at(&map, -1), 3);
    assert_memory_equal(hlrp_colormap_at(&map, NAN), hlrp_colormap_at(&map, 0), 3);
}

static void near_zero_is_transparent(void **state) {
    (void)state;
    assert_true(hlrp_colormap_alpha(0, 0.6) == 0);
    assert_true(hlrp_colormap_alpha(-0.019, 0.6) == 0);
    assert_true(hlrp_colormap_alpha(NAN, 0.6) == 0);
    assert_float_equal(hlrp_colormap_alpha(-0.21, 0.6), 0.3, 1e-9);
    assert_float_equal(hlrp_colormap_alpha(0.4, 0.6), 0.6, 1e-9);
    assert_float_equal(hlrp_colormap_alpha(-9, 0.6), 0.6, 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positive_is_red_and_negative_blue),
        cmocka_unit_test(words_follow_a_reversed_map),
        cmocka_unit_test(zero_is_neutral_and_lightest),
        cmocka_unit_test(lightness_falls_evenly),
        cmocka_unit_test(tables_are_smooth),
        cmocka_unit_test(names_fold_case_and_reverse),
        cmocka_unit_test(what_is_beyond_the_limit_is_clamped),
        cmocka_unit_test(near_zero_is_transparent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

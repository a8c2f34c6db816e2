/* The slide's promises on slides made of arrays: frames, compositing, faults, resolution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slide/slide_memory.h"

static hlrp_slide *open_slide(const hlrp_memory_slide *source) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    assert_int_equal(hlrp_slide_open_memory(source, &slide, &err), HLRP_OK);
    return slide;
}

/* A level whose pixels say where they are: R = x, G = y (both modulo 251), B = 7. */
static uint8_t *coordinates(hlrp_size size) {
    uint8_t *rgb = malloc((size_t)(size.w * size.h * 3)), *to = rgb;
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++, to += 3) {
            to[0] = (uint8_t)(x % 251);
            to[1] = (uint8_t)(y % 251);
            to[2] = 7;
        }
    return rgb;
}

/* Guards: pieces put in the wrong place (the request is larger than one piece on both axes), and
 * background where the slide is. */
static void reads_land_where_they_belong(void **state) {
    (void)state;
    hlrp_size size = {4500, 2300};
    uint8_t *rgb = coordinates(size);
    hlrp_memory_level level = {size, rgb, NULL};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    hlrp_slide *slide = open_slide(&source);
    hlrp_irect rect = {-10, -20, 4520, 2350};
    uint8_t *out = malloc((size_t)(rect.w * rect.h * 3));
    hlrp_error err = {0};
    assert_int_equal(hlrp_slide_read(slide, 0, rect, out, &err), HLRP_OK);
    int64_t wrong = 0;
    for (int64_t j = 0; j < rect.h; j++)
        for (int64_t i = 0; i < rect.w; i++) {
            const uint8_t *p = out + (j * rect.w + i) * 3;
            int64_t x = i + rect.x, y = j + rect.y;
            bool in = x >= 0 && x < size.w && y >= 0 && y < size.h;
            wrong += p[0] != (in ? x % 251 : 255) || p[1] != (in ? y % 251 : 255) ||
                     p[2] != (in ? 7 : 255);
        }
    assert_int_equal(wrong, 0);
    uint8_t far[12] = {0};
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){9000, 0, 2, 2}, far, &err), HLRP_OK);
    assert_int_equal(far[0], 255);
    hlrp_slide_close(slide);
    free(out);
    free(rgb);
}

/* Guards: sizes that overflow, levels that do not exist. */
static void refuses_impossible_requests(void **state) {
    (void)state;
    static const uint8_t pixel[3] = {1, 2, 3};
    hlrp_memory_level level = {{1, 1}, pixel, NULL};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    hlrp_slide *slide = open_slide(&source);
    uint8_t out[3];
    hlrp_error err = {0};
    hlrp_irect huge = {0, 0, INT64_MAX / 2, 16}, past = {INT64_MAX, 0, 1, 1}, one = {0, 0, 1, 1};
    assert_int_equal(hlrp_slide_read(slide, 0, huge, out, &err), HLRP_E_MEMORY);
    assert_int_equal(hlrp_slide_read(slide, 0, past, out, &err), HLRP_E_MEMORY);
    assert_int_equal(hlrp_slide_read(slide, 1, one, out, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_slide_read(slide, -1, one, out, &err), HLRP_E_INTERNAL);
    hlrp_slide_close(slide);
    source.level_count = 0;
    assert_int_equal(hlrp_slide_open_memory(&source, &slide, &err), HLRP_E_INPUT);
    assert_null(slide);
}

/* Guards: alpha applied twice (the pixels are premultiplied), black where nothing was scanned. */
static void transparent_pixels_show_the_background(void **state) {
    (void)state;
    static const uint8_t rgb[9] = {200, 100, 0, 200, 100, 0, 200, 100, 0};
    static const uint8_t alpha[3] = {255, 128, 0};
    static const hlrp_memory_property color = {"openslide.background-color", "F0E0a0"};
    hlrp_memory_level level = {{3, 1}, rgb, alpha};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    uint8_t out[9], background[3];
    hlrp_error err = {0};
    hlrp_slide *slide = open_slide(&source);
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){0, 0, 3, 1}, out, &err), HLRP_OK);
    static const uint8_t white[9] = {200, 100, 0, 227, 177, 127, 255, 255, 255};
    assert_memory_equal(out, white, 9);
    hlrp_slide_close(slide);

    source.properties = &color;
    source.property_count = 1;
    slide = open_slide(&source);
    hlrp_slide_background(slide, background);
    assert_int_equal(background[0], 0xf0);
    assert_int_equal(background[1], 0xe0);
    assert_int_equal(background[2], 0xa0);
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){0, 0, 3, 1}, out, &err), HLRP_OK);
    /* 200·128/255 = 100 premultiplied, + 240·127/255 = 120 */
    static const uint8_t tinted[9] = {200, 100, 0, 220, 162, 80, 0xf0, 0xe0, 0xa0};
    assert_memory_equal(out, tinted, 9);
    hlrp_slide_close(slide);
}

static void odd_background_colors_are_white(void **state) {
    (void)state;
    static const char *const odd[] = {"", "fff", "gggggg", "1234567", "-12345"};
    static const uint8_t pixel[3] = {0, 0, 0};
    hlrp_memory_level level = {{1, 1}, pixel, NULL};
    for (size_t k = 0; k < HLRP_COUNT(odd); k++) {
        hlrp_memory_property color = {"openslide.background-color", odd[k]};
        hlrp_memory_slide source = {
            .level_count = 1, .levels = &level, .properties = &color, .property_count = 1};
        uint8_t background[3] = {0};
        hlrp_slide *slide = open_slide(&source);
        hlrp_slide_background(slide, background);
        assert_true(background[0] == 255 && background[1] == 255 && background[2] == 255);
        hlrp_slide_close(slide);
    }
}

/* Guards: a handle that stays dead after one damaged spot, and a fault that goes unnoticed. */
static void a_fault_is_not_the_end(void **state) {
    (void)state;
    hlrp_size size = {40, 40};
    uint8_t *rgb = coordinates(size), out[4 * 4 * 3];
    hlrp_memory_level level = {size, rgb, NULL};
    hlrp_memory_fault fault = {0, {10, 10, 5, 5}};
    static const hlrp_memory_property key = {"a.key", "its value"};
    hlrp_memory_slide source = {.level_count = 1,
                                .levels = &level,
                                .faults = &fault,
                                .fault_count = 1,
                                .path = "d/x.svs",
                                .properties = &key,
                                .property_count = 1};
    hlrp_slide *slide = open_slide(&source);
    const char *value = hlrp_slide_property(slide, "a.key");
    hlrp_error err = {0};
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){12, 12, 4, 4}, out, &err),
                     HLRP_E_INPUT);
    assert_string_equal(err.where, "d/x.svs");
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){20, 20, 4, 4}, out, &err), HLRP_OK);
    assert_int_equal(out[0], 20);
    assert_string_equal(value, "its value"); /* a borrowed text outlives the reopening */
    /* The file is another one by now: an error that ends the slide, not one more damaged tile. */
    level.size = (hlrp_size){39, 40};
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){12, 12, 4, 4}, out, &err), HLRP_E_IO);
    level.size = size;
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){20, 20, 4, 4}, out, &err), HLRP_OK);
    hlrp_slide_close(slide);
    free(rgb);
}

/* Guards: a tile of coarser pixels, or none, for a network that failed for a moment. */
static void a_fault_that_passes_is_not_noticed(void **state) {
    (void)state;
    hlrp_size size = {40, 40};
    uint8_t *rgb = coordinates(size), out[4 * 4 * 3];
    int left = 1;
    hlrp_memory_level level = {size, rgb, NULL};
    hlrp_memory_fault fault = {0, {10, 10, 5, 5}};
    hlrp_memory_slide source = {.level_count = 1,
                                .levels = &level,
                                .faults = &fault,
                                .fault_count = 1,
                                .faults_left = &left};
    hlrp_slide *slide = open_slide(&source);
    hlrp_error err = {0};
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){12, 12, 4, 4}, out, &err), HLRP_OK);
    assert_int_equal(out[0], 12);
    assert_true(left < 1); /* it was met */
    left = 2;
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){12, 12, 4, 4}, out, &err),
                     HLRP_E_INPUT);
    hlrp_slide_close(slide);
    free(rgb);
}

/* Guards: quotients of cut sizes (1003/250 = 4.012), which drift by pixels at the lower right. */
static void downsamples(void **state) {
    (void)state;
    static const struct {
        hlrp_size base, size;
        double x, y;
    } cases[] = {
        {{1003, 807}, {250, 201}, 4, 4},
        {{1003, 807}, {251, 202}, 4, 4},
        {{1000, 800}, {500, 400}, 2, 2},
        {{100, 100}, {3, 3}, 32, 32},
        {{900, 900}, {300, 300}, 3, 3},
        {{1000, 1000}, {400, 400}, 2.5, 2.5},
        {{1000, 1000}, {500, 250}, 2, 4},
        {{11952, 10249}, {2988, 2562}, 4, 4},
        {{256, 256}, {1, 1}, 256, 256},
        {{200117, 90001}, {54085, 24324}, 3.7, 3.7},
        {{200117, 90001}, {80046, 36000}, 2.5, 2.5},
    };
    uint8_t *rgb = calloc(1, 1); /* nothing is read */
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        hlrp_memory_level levels[2] = {{cases[k].base, rgb, NULL}, {cases[k].size, rgb, NULL}};
        hlrp_memory_slide source = {.level_count = 2, .levels = levels};
        hlrp_slide *slide = open_slide(&source);
        double x = 0, y = 0;
        hlrp_slide_downsample(slide, 1, &x, &y);
        assert_true(x == cases[k].x && y == cases[k].y);
        hlrp_slide_downsample(slide, 0, &x, &y);
        assert_true(x == 1 && y == 1);
        hlrp_slide_close(slide);
    }
    free(rgb);
}

/* Guards: upsampling from a coarse level where a finer one exists, and reading 16 times too much
 * because 4.0002 is not 4. */
static void level_choice(void **state) {
    (void)state;
    uint8_t *rgb = calloc(3, 1);
    hlrp_memory_level levels[3] = {
        {{10001, 8003}, rgb, NULL}, {{2500, 2000}, rgb, NULL}, {{625, 500}, rgb, NULL}};
    hlrp_memory_slide source = {.level_count = 3, .levels = levels};
    hlrp_slide *slide = open_slide(&source);
    static const struct {
        double x, y;
        int level;
    } cases[] = {{0.5, 0.5, 0}, {1, 1, 0},       {3.9, 3.9, 0}, {3.97, 3.97, 1}, {4, 4, 1},
                 {8, 8, 1},     {15.9, 15.9, 2}, {8, 3, 0},     {100, 100, 2}};
    for (size_t k = 0; k < HLRP_COUNT(cases); k++)
        assert_int_equal(hlrp_slide_pick_level(slide, cases[k].x, cases[k].y), cases[k].level);
    hlrp_slide_close(slide);
    free(rgb);
}

static void bounds_and_properties(void **state) {
    (void)state;
    static const uint8_t rgb[300] = {0};
    hlrp_memory_level level = {{10, 10}, rgb, NULL};
    hlrp_memory_property p[5] = {{"openslide.bounds-x", "2"},
                                 {"openslide.bounds-y", "3"},
                                 {"openslide.bounds-width", "20"},
                                 {"openslide.bounds-height", "4"},
                                 {"other", "1"}};
    hlrp_memory_slide source = {
        .level_count = 1, .levels = &level, .properties = p, .property_count = 5};
    hlrp_irect b;
    hlrp_slide *slide = open_slide(&source);
    assert_true(hlrp_slide_bounds(slide, &b));
    assert_true(b.x == 2 && b.y == 3 && b.w == 8 && b.h == 4); /* cut to the slide */
    const char *key = NULL, *value = NULL;
    assert_int_equal(hlrp_slide_property_count(slide), 5);
    hlrp_slide_property_at(slide, 4, &key, &value);
    assert_string_equal(key, "other");
    assert_string_equal(value, "1");
    assert_null(hlrp_slide_property(slide, "openslide.bounds"));
    hlrp_slide_close(slide);
    p[3].value = "4.5"; /* no integer: not to be trusted */
    slide = open_slide(&source);
    assert_false(hlrp_slide_bounds(slide, &b));
    assert_true(b.x == 0 && b.y == 0 && b.w == 10 && b.h == 10);
    hlrp_slide_close(slide);
}

/* Guards: a slide that passes for another one, and a picture that is not looked at. */
static void identity(void **state) {
    (void)state;
    uint8_t rgb[300] = {0};
    hlrp_memory_level level = {{10, 10}, rgb, NULL};
    hlrp_memory_property hash = {"openslide.quickhash-1", "abc"};
    hlrp_memory_slide source = {
        .level_count = 1, .levels = &level, .properties = &hash, .property_count = 1};
    hlrp_error err = {0};
    hlrp_slide_identity a, b;
    hlrp_slide *slide = open_slide(&source);
    assert_int_equal(hlrp_slide_identify(slide, &a, &err), HLRP_OK);
    assert_string_equal(a.hash, "abc");
    assert_string_equal(a.kind, "openslide.quickhash-1");
    assert_int_equal(a.bytes, 300);
    hlrp_slide_close(slide);
    source.property_count = 0;
    slide = open_slide(&source);
    assert_int_equal(hlrp_slide_identify(slide, &a, &err), HLRP_OK);
    assert_int_equal(strlen(a.hash), 64);
    rgb[299] = 1;
    assert_int_equal(hlrp_slide_identify(slide, &b, &err), HLRP_OK);
    assert_string_not_equal(a.hash, b.hash);
    hlrp_slide_close(slide);
}

/* Levels smaller than their TIFF tiles read back blank or sheared without an error in OpenSlide
 * 3.4.1: the overview of such a slide was white, and its tissue "none". Other formats have tiles of
 * another kind. */
static void levels_smaller_than_a_tile_are_passed_over(void **state) {
    (void)state;
    static hlrp_memory_property tiles[] = {{"openslide.level[0].tile-width", "64"},
                                           {"openslide.level[1].tile-height", "33"},
                                           {"openslide.level[2].tile-width", "16"},
                                           {"openslide.vendor", "philips"}};
    uint8_t rgb[64 * 64 * 3] = {0};
    const hlrp_memory_level levels[] = {
        {{64, 64}, rgb, NULL}, {{32, 32}, rgb, NULL}, {{16, 16}, rgb, NULL}};
    const hlrp_memory_slide source = {
        .level_count = 3, .levels = levels, .property_count = 4, .properties = tiles};
    hlrp_slide *slide = open_slide(&source);
    assert_int_equal(hlrp_slide_pick_level(slide, 2, 2), 0);
    assert_int_equal(hlrp_slide_pick_level(slide, 4, 4), 2);
    assert_int_equal(hlrp_slide_next_level(slide, 0), 2);
    assert_int_equal(hlrp_slide_next_level(slide, 2), -1);
    hlrp_slide_close(slide);
    tiles[3].value = "hamamatsu";
    slide = open_slide(&source);
    assert_int_equal(hlrp_slide_next_level(slide, 0), 1);
    hlrp_slide_close(slide);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_land_where_they_belong),
        cmocka_unit_test(refuses_impossible_requests),
        cmocka_unit_test(transparent_pixels_show_the_background),
        cmocka_unit_test(odd_background_colors_are_white),
        cmocka_unit_test(a_fault_is_not_the_end),
        cmocka_unit_test(a_fault_that_passes_is_not_noticed),
        cmocka_unit_test(downsamples),
        cmocka_unit_test(level_choice),
        cmocka_unit_test(bounds_and_properties),
        cmocka_unit_test(identity),
        cmocka_unit_test(levels_smaller_than_a_tile_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* TIFFs whose pixels OpenSlide reads wrongly or not at all: refused by name, with a command that
 * mends it. Their like that it reads rightly are read. */
#include "unit/image/scratch.h"

#include "slide/slide_private.h"
#include "unit/slide/tiff_page.h"

#define CONVERT "convert it: vips tiffsave IN OUT.tif --tile --pyramid --compression jpeg --Q 90"
#define CONVERT_COLORS                                                                             \
    "convert it: vips colourspace IN 'OUT.tif[tile,pyramid,compression=jpeg,Q=90]' srgb"

static void assert_refused(const char *path, const char *what, const char *mend) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    assert_int_equal(hlrp_slide_open(path, &slide, &err), HLRP_E_INPUT);
    assert_null(slide);
    assert_string_equal(err.what, what);
    assert_string_equal(err.where, path);
    assert_string_equal(err.mend, mend);
}

/* Guards: tiles that are mirrored each in itself. */
static void only_upright(void **state) {
    for (int i = 2; i <= 8; i++) {
        const tiff_page page = {.w = 300, .h = 200, .orientation = (uint16_t)i};
        char what[200];
        snprintf(what, sizeof what,
                 "the TIFF's orientation is %d, not 1 (upright): OpenSlide would not turn the "
                 "picture as a whole",
                 i);
        assert_refused(tiff_write(*state, &page, 1), what,
                       "turn it: vips autorot IN 'OUT.tif[tile,pyramid,compression=jpeg,Q=90]'");
    }
}

/* Guards: a turned level that is used because level 0 is upright. */
static void a_level_that_is_not_upright(void **state) {
    static const tiff_page pages[] = {{.w = 600, .h = 400, .orientation = ORIENTATION_TOPLEFT},
                                      {.w = 300, .h = 200, .orientation = 2, .reduced = true}};
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    assert_int_equal(hlrp_slide_open(tiff_write(*state, pages, 2), &slide, &err), HLRP_OK);
    assert_null(hlrp_slide_level_unusable(slide, 0));
    assert_string_equal(hlrp_slide_level_unusable(slide, 1),
                        "not stored upright, and OpenSlide would not turn it as a whole");
    assert_int_equal(hlrp_slide_pick_level(slide, 2, 2), 0);
    hlrp_slide_close(slide);
}

static void strips(void **state) {
    static const tiff_page color = {.w = 300, .h = 200, .striped = true},
                           grey = {.w = 300, .h = 200, .striped = true, .samples = 1};
    static const char what[] = "this TIFF is stored in strips, and slides are in tiles";
    assert_refused(tiff_write(*state, &color, 1), what, CONVERT);
    assert_refused(tiff_write(*state, &grey, 1), what, CONVERT_COLORS);
}

/* The value of a tag of the first page that holds one short number (little-endian, classic). */
static void set_tag(const char *path, uint16_t tag, uint16_t value) {
    hlrp_error err = {0};
    char *text = NULL;
    int64_t size = 0;
    uint32_t at = 0;
    uint16_t count = 0, id = 0;
    assert_int_equal(hlrp_read_file(path, 1 << 24, &text, &size, &err), HLRP_OK);
    memcpy(&at, text + 4, 4);
    memcpy(&count, text + at, 2);
    for (at += 2; count > 0 && id != tag; count--, at += 12)
        memcpy(&id, text + at, 2);
    assert_int_equal(id, tag);
    memcpy(text + at - 4, &value, 2);
    assert_int_equal(hlrp_write_file(path, text, (size_t)size, &err), HLRP_OK);
    free(text);
}

/* Guards: "copy it anew" for a file that is whole, and a command that cannot read it either. */
static void compressions(void **state) {
    static const tiff_page page = {.w = 300, .h = 200};
    static const struct {
        uint16_t codec;
        const char *what, *mend;
    } cases[] = {
        {34712, "OpenSlide: Unsupported TIFF compression: 34712 (JPEG 2000)", CONVERT},
        {50002, "OpenSlide: Unsupported TIFF compression: 50002 (JPEG XL)",
         "write it anew as JPEG by the program that made it: libvips cannot read it either"},
        {59999, "OpenSlide: Unsupported TIFF compression: 59999",
         "write it anew as JPEG by the program that made it: libvips cannot read it either"}};
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        const char *path = tiff_write(*state, &page, 1);
        set_tag(path, TIFFTAG_COMPRESSION, cases[i].codec);
        assert_refused(path, cases[i].what, cases[i].mend);
    }
}

/* Guards: slides that are opened and of which every tile then is "damaged". */
static void samples_that_nobody_shows(void **state) {
    static const tiff_page page = {.w = 300, .h = 200, .bits = 32};
    assert_refused(tiff_write(*state, &page, 1),
                   "OpenSlide cannot read its pixels: Sorry, can not handle images with 32-bit "
                   "samples",
                   CONVERT);
}

/* Smaller than their tiles, and nothing but OpenSlide reads them: the command makes them color. */
static void small_ones(void **state) {
    static const char what[] =
        "its full resolution (level 0, 100 × 200 pixels) is smaller than its "
        "tiles, which OpenSlide reads wrongly";
    static const tiff_page grey = {.w = 100, .h = 200, .samples = 1},
                           deep = {.w = 100, .h = 200, .bits = 16};
    assert_refused(tiff_write(*state, &grey, 1), what, CONVERT_COLORS);
    assert_refused(tiff_write(*state, &deep, 1), what, CONVERT);
}

/* Guards: kinds refused that are read rightly: 16 bits (the upper eight), grey, and transparency
 * (laid over white: c·a + 255·(1 − a), within a rounding each way). */
static void what_is_read_all_the_same(void **state) {
    static const tiff_page pages[] = {{.w = 300, .h = 200, .bits = 16},
                                      {.w = 300, .h = 200, .samples = 1},
                                      {.w = 300, .h = 200, .samples = 4}};
    static uint8_t rgb[300 * 200 * 3];
    for (size_t k = 0; k < HLRP_COUNT(pages); k++) {
        hlrp_error err = {0};
        hlrp_slide *slide = NULL;
        const int samples = pages[k].samples;
        assert_int_equal(hlrp_slide_open(tiff_write(*state, &pages[k], 1), &slide, &err), HLRP_OK);
        assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){0, 0, 300, 200}, rgb, &err),
                         HLRP_OK);
        for (int i = 0; i < 300 * 200 * 3; i++) {
            const uint32_t x = (uint32_t)(i / 3 % 300), y = (uint32_t)(i / 900);
            const int v = tiff_value(0, x, y, samples == 1 ? 0 : i % 3);
            const int alpha = samples == 4 ? tiff_value(0, x, y, 3) : 255;
            const int want = (v * alpha + 255 * (255 - alpha) + 127) / 255;
            if (abs(rgb[i] - want) > (samples == 4 ? 1 : 0))
                fail_msg("kind %zu: %d, not %d at (%u, %u)", k, rgb[i], want, x, y);
        }
        hlrp_slide_close(slide);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_upright),
        cmocka_unit_test(a_level_that_is_not_upright),
        cmocka_unit_test(strips),
        cmocka_unit_test(compressions),
        cmocka_unit_test(samples_that_nobody_shows),
        cmocka_unit_test(small_ones),
        cmocka_unit_test(what_is_read_all_the_same),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}

/* Levels that are narrower or lower than their tiles. OpenSlide 3.4.1 gives other pixels there and
 * no error; libtiff's tiles are right. */
#include "unit/image/scratch.h"

#include "slide/slide_private.h"
#include "unit/slide/tiff_page.h"

/* The whole level against what was painted there. */
static void assert_level(hlrp_slide *slide, int level, int page) {
    hlrp_error err = {0};
    const hlrp_size size = hlrp_slide_size(slide, level);
    uint8_t *rgb = malloc((size_t)(size.w * size.h * 3));
    if (hlrp_slide_read(slide, level, (hlrp_irect){0, 0, size.w, size.h}, rgb, &err) != HLRP_OK)
        fail_msg("%s", err.what);
    for (int64_t i = 0; i < size.w * size.h * 3; i++) {
        const uint32_t x = (uint32_t)(i / 3 % size.w), y = (uint32_t)(i / 3 / size.w);
        if (rgb[i] != tiff_value(page, x, y, (int)(i % 3)))
            fail_msg("level %d of %lld x %lld differs at (%u, %u)", level, (long long)size.w,
                     (long long)size.h, x, y);
    }
    free(rgb);
}

static hlrp_slide *open_pages(scratch *s, const tiff_page *pages, int count) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    if (hlrp_slide_open(tiff_write(s, pages, count), &slide, &err) != HLRP_OK)
        fail_msg("%s", err.what);
    return slide;
}

/* Guards: a level 0 that comes back sheared (narrower), shifted (lower) or blank (both), because
 * libtiff's pixels were rejected for not being OpenSlide's broken ones; a second handle that does
 * not know. */
static void level_0_is_what_was_stored(void **state) {
    static const uint16_t codecs[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE};
    static const hlrp_size sizes[] = {{100, 300}, {300, 100}, {100, 100},
                                      {1, 1},     {128, 128}, {129, 127}};
    for (size_t k = 0; k < HLRP_COUNT(codecs) * HLRP_COUNT(sizes); k++) {
        const hlrp_size size = sizes[k / HLRP_COUNT(codecs)];
        const tiff_page page = {
            .w = (uint32_t)size.w, .h = (uint32_t)size.h, .codec = codecs[k % HLRP_COUNT(codecs)]};
        hlrp_error err = {0};
        hlrp_slide *again = NULL, *slide = open_pages(*state, &page, 1);
        assert_level(slide, 0, 0);
        assert_int_equal(hlrp_slide_open_again(slide, &again, &err), HLRP_OK);
        assert_level(again, 0, 0);
        hlrp_slide_close(again);
        hlrp_slide_close(slide);
    }
}

/* Guards: level 1 of an ordinary pyramid, lower than its tiles, used with OpenSlide's pixels; small
 * levels passed over that can be read. */
static void every_level_of_a_pyramid(void **state) {
    static const tiff_page pages[] = {
        {.w = 700, .h = 500, .tile_w = 256, .tile_h = 256},
        {.w = 350, .h = 250, .tile_w = 256, .tile_h = 256, .reduced = true},
        {.w = 175, .h = 125, .tile_w = 256, .tile_h = 256, .reduced = true}};
    hlrp_slide *slide = open_pages(*state, pages, 3);
    assert_int_equal(hlrp_slide_levels(slide), 3);
    assert_int_equal(hlrp_slide_pick_level(slide, 4, 4), 2);
    for (int i = 0; i < 3; i++)
        assert_level(slide, i, i);
    hlrp_slide_close(slide);
}

/* Guards: pixels of another page that has a level's size: libtiff's word would be about another
 * picture. */
static void a_page_that_is_no_level(void **state) {
    static const tiff_page pages[] = {{.w = 300, .h = 200},
                                      {.w = 150, .h = 100},
                                      {.w = 150, .h = 100, .reduced = true},
                                      {.w = 75, .h = 50, .reduced = true},
                                      {.w = 75, .h = 50, .reduced = true}};
    hlrp_slide *slide = open_pages(*state, pages, 5);
    assert_level(slide, 0, 0);
    assert_level(slide, 1, 2);
    assert_int_equal(hlrp_slide_levels(slide),
                     4); /* 75 × 50 twice, and no telling which is which */
    assert_string_equal(hlrp_slide_level_unusable(slide, 2),
                        "smaller than its tiles, which OpenSlide reads wrongly");
    assert_non_null(hlrp_slide_level_unusable(slide, 3));
    hlrp_slide_close(slide);
}

/* Guards: pixels of OpenSlide's where libtiff's cannot be had (here because of a fourth channel). */
static void no_other_reader_no_level(void **state) {
    static const tiff_page finest = {.w = 100, .h = 300, .samples = 4};
    static const tiff_page pages[] = {{.w = 400, .h = 300, .samples = 4},
                                      {.w = 200, .h = 150, .samples = 4, .reduced = true},
                                      {.w = 100, .h = 75, .samples = 4, .reduced = true}};
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    assert_int_equal(hlrp_slide_open(tiff_write(*state, &finest, 1), &slide, &err), HLRP_E_INPUT);
    assert_null(slide);
    assert_string_equal(err.what, "its full resolution (level 0, 100 × 300 pixels) is smaller than "
                                  "its tiles, which OpenSlide reads wrongly");
    slide = open_pages(*state, pages, 3);
    assert_null(hlrp_slide_level_unusable(slide, 1));
    assert_non_null(hlrp_slide_level_unusable(slide, 2));
    assert_int_equal(hlrp_slide_pick_level(slide, 4, 4), 1);
    assert_int_equal(hlrp_slide_next_level(slide, 1), -1);
    hlrp_slide_close(slide);
}

/* Guards: OpenSlide's pixels used though libtiff decodes others, for whatever reason that may be:
 * here as if it were not known that the level is smaller than its tiles. */
static void neither_is_believed_where_they_differ(void **state) {
    static const tiff_page page = {.w = 100, .h = 300};
    hlrp_error err = {0};
    hlrp_slide *slide = open_pages(*state, &page, 1);
    hlrp_direct_close(slide->direct);
    slide->levels[0].small = false;
    assert_int_equal(hlrp_slide_confirm(slide, NULL, &err), HLRP_E_INPUT);
    assert_string_equal(err.what, "its full resolution (level 0, 100 × 300 pixels) is read as "
                                  "different pixels by OpenSlide and by libtiff");
    hlrp_slide_close(slide);
}

/* Guards: a damaged tile of such a level handed to OpenSlide, which has an answer for it. */
static void a_damaged_tile_is_an_error(void **state) {
    static const tiff_page page = {.w = 100, .h = 300, .codec = COMPRESSION_ADOBE_DEFLATE};
    hlrp_error err = {0};
    char *text = NULL;
    int64_t size = 0;
    uint8_t rgb[8 * 8 * 3];
    const char *path = tiff_write(*state, &page, 1);
    TIFF *tif = TIFFOpen(path, "r");
    uint64_t *offsets = NULL, first = 0;
    assert_true(TIFFGetField(tif, TIFFTAG_TILEOFFSETS, &offsets));
    first = offsets[0];
    TIFFClose(tif);
    assert_int_equal(hlrp_read_file(path, 1 << 24, &text, &size, &err), HLRP_OK);
    memset(text + first, 0, 2000);
    assert_int_equal(hlrp_write_file(path, text, (size_t)size, &err), HLRP_OK);
    free(text);
    hlrp_slide *slide = NULL;
    assert_int_equal(hlrp_slide_open(path, &slide, &err), HLRP_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){0, 0, 8, 8}, rgb, &err),
                         HLRP_E_INPUT);
        assert_non_null(strstr(err.what, "libtiff: "));
        assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){0, 200, 8, 8}, rgb, &err), HLRP_OK);
        assert_int_equal(rgb[0], tiff_value(0, 0, 200, 0));
    }
    hlrp_slide_close(slide);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_0_is_what_was_stored),
        cmocka_unit_test(every_level_of_a_pyramid),
        cmocka_unit_test(a_page_that_is_no_level),
        cmocka_unit_test(no_other_reader_no_level),
        cmocka_unit_test(neither_is_believed_where_they_differ),
        cmocka_unit_test(a_damaged_tile_is_an_error),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}

/* Stored tiles read without OpenSlide, beside OpenSlide. */
#include <math.h>

#include "unit/image/scratch.h"

#include "image/image.h"
#include "slide/slide_private.h"

enum { W = 1001, H = 777, TILE = 128, ACROSS = 8, TILES = 56 }; /* of level 0 */

/* Tissue is smooth and noisy: colors that differ from pixel to pixel and from tile to tile. */
static uint8_t *paint(void) {
    uint8_t *rgb = malloc(3 * W * H);
    for (uint32_t y = 0; y < H; y++)
        for (uint32_t x = 0; x < W; x++)
            for (uint32_t c = 0; c < 3; c++)
                rgb[(y * W + x) * 3 + c] =
                    (uint8_t)(x / 5 + y / 4 + 40 * c +
                              (((x * 73856093u ^ y * 19349663u) * 2654435761u) >> 27));
    return rgb;
}

static const char *write_slide(scratch *s, const uint8_t *rgb, hlrp_codec codec, bool aperio) {
    static const char *const aperio_says[8] = {
        "Aperio Image Library v1\n1001x777 (128x128)|AppMag = 20|MPP = 0.5", "Aperio Image Library",
        "Aperio Image Library"};
    const hlrp_pyramid_spec spec = {.width = W,
                                    .height = H,
                                    .pixel = HLRP_PIXEL_RGB8,
                                    .tile = TILE,
                                    .codec = codec,
                                    .step = aperio ? 4 : 2,
                                    .layout = aperio ? HLRP_LAYOUT_APERIO : HLRP_LAYOUT_PAGES,
                                    .descriptions = aperio ? aperio_says : NULL};
    hlrp_error err = {0};
    hlrp_pyramid *out = NULL;
    const char *path = scratch_path(s, "slide.tif");
    assert_int_equal(hlrp_pyramid_open(path, &spec, &out, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_rows(out, rgb, H, 3 * W, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_finish(out, &err), HLRP_OK);
    hlrp_pyramid_free(out);
    return path;
}

static hlrp_slide *open_slide(const char *path, const char *vendor) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    if (hlrp_slide_open(path, &slide, &err) != HLRP_OK)
        fail_msg("%s", err.what);
    assert_string_equal(hlrp_slide_property(slide, "openslide.vendor"), vendor);
    return slide;
}

static uint8_t *read_rect(hlrp_slide *slide, int level, hlrp_irect rect) {
    hlrp_error err = {0};
    uint8_t *rgb = malloc((size_t)(rect.w * rect.h * 3));
    assert_int_equal(hlrp_slide_read(slide, level, rect, rgb, &err), HLRP_OK);
    return rgb;
}

/* The same rectangle both ways. */
static void compare(hlrp_slide *slide, int level, hlrp_irect rect) {
    uint8_t *a = read_rect(slide, level, rect);
    slide->levels[level].direct = false;
    uint8_t *b = read_rect(slide, level, rect);
    slide->levels[level].direct = true;
    assert_memory_equal(a, b, (size_t)(rect.w * rect.h * 3));
    free(a);
    free(b);
}

/* Guards: colors converted otherwise (YCbCr taken for RGB), tiles in the wrong place, the padding of
 * the last column and row, the page of another level. */
static void same_pixels_as_openslide(void **state) {
    static const hlrp_codec codecs[] = {HLRP_CODEC_DEFLATE, HLRP_CODEC_JPEG, HLRP_CODEC_JPEG_YCC444,
                                        HLRP_CODEC_JPEG_RGB};
    static const hlrp_irect rects[] = {{0, 0, W, H},      {1, 2, 300, 200},    {127, 127, 2, 2},
                                       {128, 128, 1, 1},  {900, 700, 101, 77}, {900, 700, 300, 300},
                                       {-20, -30, 60, 60}};
    uint8_t *rgb = paint();
    for (size_t k = 0; k < 2 * HLRP_COUNT(codecs); k++) {
        const bool aperio = k % 2 == 1;
        const char *path = write_slide(*state, rgb, codecs[k / 2], aperio);
        hlrp_slide *slide = open_slide(path, aperio ? "aperio" : "generic-tiff");
        assert_true(slide->levels[0].direct);
        for (size_t i = 0; i < HLRP_COUNT(rects); i++)
            compare(slide, 0, rects[i]);
        hlrp_slide_close(slide);
    }
    free(rgb);
}

/* OpenSlide interpolates between the pixels of a level whose sizes were rounded. Guards: that blur,
 * and a shift that is made up for though there is none. Truth: means of what was painted. */
static void levels_of_odd_sizes_are_their_own_pixels(void **state) {
    uint8_t *rgb = paint();
    hlrp_slide *slide = open_slide(write_slide(*state, rgb, HLRP_CODEC_DEFLATE, true), "aperio");
    double x = 1, y = 1;
    assert_int_equal(hlrp_slide_size(slide, 1).w, 251);
    assert_true(slide->levels[1].direct && slide->levels[1].step != 4);
    hlrp_slide_shift(slide, 1, (hlrp_irect){101, 99, 8, 8}, &x, &y);
    assert_true(x == 0 && y == 0);
    uint8_t *got = read_rect(slide, 1, (hlrp_irect){101, 99, 140, 90});
    for (int j = 0; j < 90; j++)
        for (int i = 0; i < 140; i++)
            for (int c = 0; c < 3; c++) {
                double sum = 0;
                for (int k = 0; k < 16; k++)
                    sum += rgb[((4 * (99 + j) + k / 4) * W + 4 * (101 + i) + k % 4) * 3 + c];
                if (fabs(got[(j * 140 + i) * 3 + c] - sum / 16) > 1.01) /* rounded twice */
                    fail_msg("(%d, %d) is %d, not %g", i, j, got[(j * 140 + i) * 3 + c], sum / 16);
            }
    free(got);
    free(rgb);
    hlrp_slide_close(slide);
}

/* ---- what is left to OpenSlide ---- */

static uint32_t number(const uint8_t *p, int bytes) {
    uint32_t v = 0;
    while (bytes-- > 0)
        v = v << 8 | p[bytes];
    return v;
}

/* The first page's array of 32-bit values under `tag` (little-endian, classic TIFF). */
static uint8_t *find_array(uint8_t *file, uint32_t tag) {
    uint8_t *directory = file + number(file + 4, 4);
    for (uint32_t i = 0; i < number(directory, 2); i++) {
        uint8_t *entry = directory + 2 + 12 * i;
        if (number(entry, 2) == tag) {
            assert_int_equal(number(entry + 2, 2), 4);
            assert_int_equal(number(entry + 4, 4), TILES);
            return file + number(entry + 8, 4);
        }
    }
    fail_msg("no tag %u", tag);
    return NULL;
}

enum { SCRAMBLED, HALVED, MISSING };

static void damage(const char *path, int tile, int how) {
    hlrp_error err = {0};
    char *text = NULL;
    int64_t size = 0;
    assert_int_equal(hlrp_read_file(path, 1 << 24, &text, &size, &err), HLRP_OK);
    uint8_t *file = (uint8_t *)text, *count = find_array(file, 325) + 4 * tile;
    const uint32_t offset = number(find_array(file, 324) + 4 * tile, 4), n = number(count, 4);
    if (how == SCRAMBLED)
        memset(file + offset + n / 2, 0x5a, n / 4);
    if (how == HALVED)
        memcpy(count, &(uint32_t){n / 2}, 4);
    if (how == MISSING)
        memset(count, 0, 4);
    assert_int_equal(hlrp_write_file(path, text, (size_t)size, &err), HLRP_OK);
    free(text);
}

/* Guards: a tile that was given up for another and is taken for it: a later one, one of another
 * level, or one that could not be decoded. */
static void a_small_cache(void **state) {
    uint8_t *rgb = paint(), *got = malloc(3 * W * H);
    const char *path = write_slide(*state, rgb, HLRP_CODEC_DEFLATE, false);
    damage(path, 0, HALVED);
    hlrp_slide *slide = open_slide(path, "generic-tiff");
    hlrp_direct *direct = NULL;
    uint8_t *half = read_rect(slide, 1, (hlrp_irect){TILE, 0, TILE, TILE});
    const hlrp_irect second = {TILE, 0, TILE, TILE}, rest = {0, TILE, W, H - TILE};
    for (int64_t tiles = 0; tiles < 4; tiles++) {
        hlrp_direct_open(slide, tiles * 3 * TILE * TILE, &direct);
        assert_non_null(direct);
        for (int again = 0; again < 2; again++) {
            assert_true(hlrp_direct_read(direct, 0, rest, got, (int64_t)3 * W));
            assert_memory_equal(got, rgb + 3 * TILE * W, 3 * W * (H - TILE));
            assert_true(hlrp_direct_read(direct, 0, second, got, 3 * TILE));
            assert_memory_equal(got, rgb + 3 * TILE, 3 * TILE);
            assert_true(hlrp_direct_read(direct, 1, second, got, 3 * TILE));
            assert_memory_equal(got, half, 3 * TILE * TILE);
            assert_false(hlrp_direct_read(direct, 0, (hlrp_irect){0, 0, 9, 9}, got, 3 * TILE));
            assert_true(hlrp_direct_read(direct, 1, second, got, 3 * TILE));
            assert_memory_equal(got, half, 3 * TILE * TILE);
        }
        hlrp_direct_close(direct);
    }
    free(half);
    free(got);
    free(rgb);
    hlrp_slide_close(slide);
}

/* Reads a rectangle both ways: the same status, and where it is fine the same pixels. */
static void compare_outcome(hlrp_slide *slide, hlrp_irect rect, bool readable) {
    hlrp_error err = {0};
    uint8_t *a = malloc((size_t)(rect.w * rect.h * 3)), *b = malloc((size_t)(rect.w * rect.h * 3));
    const hlrp_status status = hlrp_slide_read(slide, 0, rect, a, &err);
    if (status != (readable ? HLRP_OK : HLRP_E_INPUT))
        fail_msg("status %d: %s", status, err.what);
    assert_true(readable || strstr(err.what, "OpenSlide: "));
    slide->levels[0].direct = false;
    assert_int_equal(hlrp_slide_read(slide, 0, rect, b, &err), status);
    slide->levels[0].direct = true;
    if (readable)
        assert_memory_equal(a, b, (size_t)(rect.w * rect.h * 3));
    free(a);
    free(b);
}

/* Guards: pixels made up for a tile that is damaged, an error of ours where OpenSlide has an answer
 * (a missing tile), and a damaged tile that spoils its neighbors. */
static void openslide_has_the_last_word(void **state) {
    static const struct {
        hlrp_codec codec;
        bool aperio;
        int how;
        bool readable;
    } cases[] = {
        {HLRP_CODEC_DEFLATE, false, SCRAMBLED, false}, {HLRP_CODEC_DEFLATE, true, HALVED, false},
        {HLRP_CODEC_JPEG_RGB, false, SCRAMBLED, true}, {HLRP_CODEC_JPEG, true, HALVED, false},
        {HLRP_CODEC_JPEG, true, MISSING, true},        {HLRP_CODEC_JPEG, false, MISSING, false}};
    uint8_t *rgb = paint();
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        const bool aperio = cases[k].aperio;
        const char *path = write_slide(*state, rgb, cases[k].codec, aperio);
        damage(path, 2 * ACROSS + 1, cases[k].how); /* 128 … 255, 256 … 383 */
        hlrp_slide *slide = open_slide(path, aperio ? "aperio" : "generic-tiff");
        assert_true(slide->levels[0].direct);
        compare_outcome(slide, (hlrp_irect){300, 300, 90, 90}, true);
        compare_outcome(slide, (hlrp_irect){100, 300, 90, 90}, cases[k].readable);
        compare_outcome(slide, (hlrp_irect){100, 300, 28, 90}, true);
        hlrp_slide_close(slide);
    }
    free(rgb);
}

/* Guards: the shorter way taken where it was not seen to be the same, or by one worker and not by
 * the next. */
static void a_sample_decides(void **state) {
    hlrp_error err = {0};
    hlrp_slide *again = NULL;
    uint8_t *rgb = paint();
    const char *path = write_slide(*state, rgb, HLRP_CODEC_DEFLATE, false);
    damage(path, H / 2 / TILE * ACROSS + W / 2 / TILE, SCRAMBLED);
    hlrp_slide *slide = open_slide(path, "generic-tiff");
    assert_false(slide->levels[0].direct);
    assert_true(slide->levels[1].direct);
    uint8_t *got = read_rect(slide, 0, (hlrp_irect){0, 0, TILE, TILE});
    assert_memory_equal(got, rgb, 3 * TILE);
    slide->levels[0].direct = true;
    slide->levels[1].direct = false;
    assert_int_equal(hlrp_slide_open_again(slide, &again, &err), HLRP_OK);
    assert_true(again->levels[0].direct);
    assert_false(again->levels[1].direct);
    free(got);
    free(rgb);
    hlrp_slide_close(again);
    hlrp_slide_close(slide);
}

/* The same on a scanner's file, if there is one. */
static void a_real_slide(void **state) {
    (void)state;
    char path[1024];
    const char *root = getenv("HISTOLRP_TESTDATA");
    snprintf(path, sizeof path, "%s/slides/cmu1-small-region/CMU-1-Small-Region.svs",
             root ? root : "");
    if (!root || access(path, R_OK) != 0) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    hlrp_slide *slide = open_slide(path, "aperio");
    assert_true(slide->levels[0].direct);
    compare(slide, 0, (hlrp_irect){0, 0, 2220, 2967});
    hlrp_slide_close(slide);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_pixels_as_openslide),
        cmocka_unit_test(levels_of_odd_sizes_are_their_own_pixels),
        cmocka_unit_test(a_small_cache),
        cmocka_unit_test(openslide_has_the_last_word),
        cmocka_unit_test(a_sample_decides),
        cmocka_unit_test(a_real_slide),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}

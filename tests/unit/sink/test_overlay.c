/* Overlays are opened with OpenSlide, as users' viewers do, and looked at pixel by pixel. */
#include "unit/sink/sink_test.h"

#include "stitch/colormap.h"

/* The overlay's level as RGB. */
static uint8_t *read_level(hlrp_slide *overlay, int level, hlrp_size *size) {
    hlrp_error err = {0};
    *size = hlrp_slide_size(overlay, level);
    uint8_t *rgb = malloc((size_t)(size->w * size->h * 3));
    const hlrp_irect all = {0, 0, size->w, size->h};
    assert_int_equal(hlrp_slide_read(overlay, level, all, rgb, &err), HLRP_OK);
    return rgb;
}

static uint8_t *overlay_of(sink_test *t, hlrp_size *size) {
    hlrp_error err = {0};
    hlrp_slide *overlay = NULL;
    const char *path = scratch_path(&t->files, "overlay.tif");
    const hlrp_status status = hlrp_sink_overlay(&t->in, path, &err);
    assert_string_equal(err.what, "");
    assert_int_equal(status, HLRP_OK);
    assert_int_equal(hlrp_slide_open(path, &overlay, &err), HLRP_OK);
    uint8_t *rgb = read_level(overlay, 0, size);
    hlrp_slide_close(overlay);
    return rgb;
}

static void assert_within(int slack, const uint8_t *rgb, hlrp_size size, int64_t x, int64_t y,
                          int r, int g, int b) {
    const uint8_t *p = rgb + (y * size.w + x) * 3;
    if (abs(p[0] - r) > slack || abs(p[1] - g) > slack || abs(p[2] - b) > slack)
        fail_msg("(%lld,%lld) is %d %d %d, not %d %d %d", (long long)x, (long long)y, p[0], p[1],
                 p[2], r, g, b);
}

static void assert_near(const uint8_t *rgb, hlrp_size size, int64_t x, int64_t y, int r, int g,
                        int b) {
    assert_within(12, rgb, size, x, y, r, g, b);
}

static void set_map(sink_test *t, int x, int y, int w, int h, float value) {
    for (int j = y; j < y + h; j++)
        for (int i = x; i < x + w; i++)
            t->relevance[1][j * TEST_MAP_W + i] = value;
}

static void blended(double t, int base, int out[3]) {
    hlrp_error err = {0};
    hlrp_colormap map;
    assert_int_equal(hlrp_colormap_init(&map, "vik", &err), HLRP_OK);
    const double alpha = hlrp_colormap_alpha(t, 0.6);
    for (int c = 0; c < 3; c++)
        out[c] = (int)lround(base + alpha * (hlrp_colormap_at(&map, t)[c] - base));
}

/* Guards place, sign and strength of the colors: map pixel (m,n) is overlay pixels (2m…, 2n…) at
 * the default scale, and nothing else is tinted. */
static void relevance_is_painted_where_it_is(void **state) {
    sink_test *t = *state;
    int red[3], blue[3], faint[3];
    hlrp_size size;
    set_map(t, 8, 4, 4, 4, 2);
    set_map(t, 16, 12, 4, 4, -2);
    set_map(t, 8, 12, 4, 4, 0.4f);
    sink_test_start(t);
    t->in.limit = 2;
    uint8_t *rgb = overlay_of(t, &size);
    assert_int_equal(size.w, 151);
    assert_int_equal(size.h, 90);
    blended(1, 200, red);
    blended(-1, 200, blue);
    blended(0.2, 200, faint);
    assert_true(red[0] > red[2] + 50 && blue[2] > blue[0] + 50);
    assert_near(rgb, size, 19, 11, red[0], red[1], red[2]);
    assert_near(rgb, size, 35, 27, blue[0], blue[1], blue[2]);
    assert_near(rgb, size, 19, 27, faint[0], faint[1], faint[2]);
    assert_near(rgb, size, 4, 4, 200, 200, 200);   /* not explained */
    assert_near(rgb, size, 44, 6, 200, 200, 200);  /* zero */
    assert_near(rgb, size, 13, 11, 200, 200, 200); /* just left of the red */
    assert_near(rgb, size, 27, 11, 200, 200, 200); /* just right of it */
    free(rgb);
}

/* Guards against drift at a scale that divides nothing: a dark block and the heat on it stay
 * together, at every level of the pyramid. */
/* 30: JPEG rings beside a hard edge. */
static void slide_and_heat_stay_together_at_odd_scales(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_slide *overlay = NULL;
    for (int y = 96; y < 144; y++)
        memset(t->rgb + (y * TEST_W + 120) * 3, 40, 48 * 3);
    set_map(t, 15, 12, 6, 6, 5);
    sink_test_start(t);
    t->in.limit = 5;
    t->in.overlay_mpp = 0.7; /* 1.4 and 2.8 level-0 pixels */
    const char *path = scratch_path(&t->files, "overlay.tif");
    assert_int_equal(hlrp_sink_overlay(&t->in, path, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_open(path, &overlay, &err), HLRP_OK);
    int dark[3];
    blended(1, 40, dark);
    assert_int_equal(hlrp_slide_levels(overlay), 2);
    for (int k = 0; k < 2; k++) {
        hlrp_size size;
        uint8_t *rgb = read_level(overlay, k, &size);
        const double fx = 1.4 * (1 << k), fy = 2.8 * (1 << k);
        assert_int_equal(size.w, k ? 216 : 431);
        assert_int_equal(size.h, k ? 64 : 128);
        for (int64_t y = 0; y < size.h; y++)
            for (int64_t x = 0; x < size.w; x++) {
                const double x0 = (double)x * fx, y0 = (double)y * fy;
                const bool in = x0 >= 123 && x0 + fx < 165 && y0 >= 99 && y0 + fy < 141;
                const bool out = x0 + fx < 117 || x0 > 171 || y0 + fy < 93 || y0 > 147;
                if (in)
                    assert_within(30, rgb, size, x, y, dark[0], dark[1], dark[2]);
                else if (out)
                    assert_within(30, rgb, size, x, y, 200, 200, 200);
            }
        free(rgb);
    }
    hlrp_slide_close(overlay);
}

static void all_levels_open_and_the_resolution_is_told(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_slide *overlay = NULL;
    hlrp_mpp mpp;
    sink_test_start(t);
    t->in.overlay_mpp = 0.01; /* finer than the slide: the slide's pixels are the limit */
    const char *path = scratch_path(&t->files, "overlay.tif");
    assert_int_equal(hlrp_sink_overlay(&t->in, path, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_open(path, &overlay, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_size(overlay, 0).w, TEST_W);
    assert_int_equal(hlrp_slide_size(overlay, 0).h, TEST_H);
    assert_int_equal(hlrp_slide_levels(overlay), 3);
    for (int k = 0; k < 3; k++) {
        hlrp_size size;
        uint8_t *rgb = read_level(overlay, k, &size);
        assert_near(rgb, size, size.w - 1, size.h - 1, 200, 200, 200);
        free(rgb);
    }
    assert_string_equal(hlrp_slide_property(overlay, "tiff.ResolutionUnit"), "centimeter");
    assert_float_equal(strtod(hlrp_slide_property(overlay, "tiff.XResolution"), NULL), 20000, 0.1);
    assert_float_equal(strtod(hlrp_slide_property(overlay, "tiff.YResolution"), NULL), 40000, 0.1);
    assert_int_equal(hlrp_slide_mpp(overlay, &(hlrp_mpp){0.5, 0.25}, NULL, &mpp, NULL, &err),
                     HLRP_OK);
    hlrp_slide_close(overlay);
}

/* Levels of the slide, from level 0 down, that have no level of the overlay of their size. */
static int levels_without(hlrp_slide *slide, hlrp_slide *overlay) {
    int without = 0;
    for (int k = 0; k < hlrp_slide_levels(slide); k++) {
        const hlrp_size a = hlrp_slide_size(slide, k);
        const hlrp_size base = hlrp_slide_size(overlay, 0);
        bool found = a.w > base.w + 1 || a.h > base.h + 1; /* not coarser than the overlay */
        for (int i = 0; i < hlrp_slide_levels(overlay); i++) {
            const hlrp_size b = hlrp_slide_size(overlay, i);
            found = found || (llabs(a.w - b.w) <= 1 && llabs(a.h - b.h) <= 1);
        }
        without += !found;
    }
    return without;
}

/* Guards viewers that change levels of slide and overlay at different sizes: levels that are 4, 3 or
 * 10 times smaller, and sides rounded down. */
static void every_coarser_level_of_the_slide_has_its_like(void **state) {
    static const int factors[][3] = {{1, 4, 16}, {1, 3, 10}, {1, 2, 4}, {2, 5, 9}};
    static const double scales[] = {0, 0.01, 1.03, 1.7};
    sink_test *t = *state;
    hlrp_memory_level levels[4] = {t->level};
    sink_test_record(t);
    t->source.levels = levels;
    t->source.level_count = 4;
    for (size_t f = 0; f < HLRP_COUNT(factors) * HLRP_COUNT(scales); f++) {
        hlrp_error err = {0};
        hlrp_slide *overlay = NULL;
        int count = 1;
        for (int i = 0; i < 3; i++) {
            const int factor = factors[f / HLRP_COUNT(scales)][i];
            if (factor > 1)
                levels[count++] =
                    (hlrp_memory_level){{TEST_W / factor, TEST_H / factor}, t->rgb, NULL};
        }
        t->source.level_count = count;
        hlrp_slide_close(t->slide);
        assert_int_equal(hlrp_slide_open_memory(&t->source, &t->slide, &err), HLRP_OK);
        t->in = (hlrp_sink_input){.result = t->result,
                                  .slide = t->slide,
                                  .plane = 1,
                                  .overlay_mpp = scales[f % HLRP_COUNT(scales)]};
        const char *path = scratch_path(&t->files, "overlay.tif");
        assert_int_equal(hlrp_sink_overlay(&t->in, path, &err), HLRP_OK);
        assert_int_equal(hlrp_slide_open(path, &overlay, &err), HLRP_OK);
        /* At given scales overlay pixels are square, but this slide's are not: it has to open. */
        if (!(t->in.overlay_mpp > 1))
            assert_int_equal(levels_without(t->slide, overlay), 0);
        for (int k = 0; k < hlrp_slide_levels(overlay); k++) {
            hlrp_size size;
            uint8_t *rgb = read_level(overlay, k, &size);
            assert_near(rgb, size, size.w - 1, size.h - 1, 200, 200, 200);
            free(rgb);
        }
        hlrp_slide_close(overlay);
    }
}

/* Guards against a description that Bio-Formats would take for OME-TIFF. */
static void the_description_says_how_to_read_the_colors(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_slide *overlay = NULL;
    set_map(t, 3, 0, TEST_MAP_W - 3, TEST_MAP_H, 4);
    sink_test_start(t);
    t->in.unit = "logit <OME";
    t->in.colormap = "RdBu_r";
    const char *path = scratch_path(&t->files, "overlay.tif");
    assert_int_equal(hlrp_sink_overlay(&t->in, path, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_open(path, &overlay, &err), HLRP_OK);
    const char *text = hlrp_slide_property(overlay, "tiff.ImageDescription");
    assert_non_null(text);
    assert_non_null(strstr(text, "class: tumor, (b> \"q\" & ä\n"));
    assert_non_null(strstr(text, "limit: 4\n"));
    assert_non_null(strstr(text, "unit: logit (OME\n"));
    assert_non_null(strstr(text, "percentile: 99.5\n"));
    assert_non_null(strstr(text, "colormap: RdBu_r\n"));
    assert_null(strstr(text, "<OME"));
    hlrp_slide_close(overlay);
}

/* Guards the limit: finite values of the shown plane alone, by rank. */
static void the_limit_is_the_percentile_of_the_plane(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    double limit = 0;
    set_map(t, 3, 0, TEST_MAP_W - 3, TEST_MAP_H, -3);
    set_map(t, 3, 0, 1, 2, 100);
    sink_test_start(t);
    t->in.percentile = 99;
    assert_int_equal(hlrp_sink_limit(&t->in, &limit, &err), HLRP_OK);
    assert_true(limit == 3);
    t->in.percentile = 100;
    assert_int_equal(hlrp_sink_limit(&t->in, &limit, &err), HLRP_OK);
    assert_true(limit == 100);
    t->in.limit = 0.5;
    assert_int_equal(hlrp_sink_limit(&t->in, &limit, &err), HLRP_OK);
    assert_true(limit == 0.5);
}

static void warned(void *ctx, hlrp_log_level level, const char *line) {
    assert_int_equal(level, HLRP_LOG_WARN);
    assert_non_null(strstr(line, "could not be read"));
    ++*(int *)ctx;
}

/* Guards against one corrupt tile of the slide costing the whole overlay. */
static void unreadable_parts_become_background(void **state) {
    sink_test *t = *state;
    int warnings = 0;
    const hlrp_log log = {HLRP_LOG_INFO, warned, &warnings};
    hlrp_size size;
    t->fault = (hlrp_memory_fault){0, {150, 10, 5, 5}};
    t->source.fault_count = 1;
    sink_test_start(t);
    t->in.log = &log;
    uint8_t *rgb = overlay_of(t, &size);
    assert_int_equal(warnings, 1);
    assert_near(rgb, size, 38, 3, 255, 255, 255);
    free(rgb);
}

static void an_empty_map_shows_the_slide(void **state) {
    sink_test *t = *state;
    hlrp_size size;
    set_map(t, 0, 0, TEST_MAP_W, TEST_MAP_H, NAN);
    sink_test_start(t);
    uint8_t *rgb = overlay_of(t, &size);
    for (int64_t i = 0; i < size.w * size.h; i++)
        assert_near(rgb, size, i % size.w, i / size.w, 200, 200, 200);
    free(rgb);
}

static void what_cannot_be_drawn_is_refused(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    sink_test_start(t);
    const char *path = scratch_path(&t->files, "overlay.tif");
    const int before = scratch_count(&t->files, 0);
    t->in.plane = 2;
    assert_int_equal(hlrp_sink_overlay(&t->in, path, &err), HLRP_E_CONFIG);
    t->in.plane = 1;
    t->in.colormap = "jet";
    assert_int_equal(hlrp_sink_overlay(&t->in, path, &err), HLRP_E_CONFIG);
    t->in.colormap = NULL;
    t->in.percentile = 101;
    assert_int_equal(hlrp_sink_overlay(&t->in, path, &err), HLRP_E_CONFIG);
    assert_int_equal(scratch_count(&t->files, 0), before);
}

static void a_full_disk_leaves_no_overlay(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    sink_test_full_disk(t, hlrp_sink_overlay, "overlay.tif", 0);
    sink_test_full_disk(t, hlrp_sink_overlay, "overlay.tif", 900);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SINK_TEST(relevance_is_painted_where_it_is),
        SINK_TEST(slide_and_heat_stay_together_at_odd_scales),
        SINK_TEST(all_levels_open_and_the_resolution_is_told),
        SINK_TEST(every_coarser_level_of_the_slide_has_its_like),
        SINK_TEST(the_description_says_how_to_read_the_colors),
        SINK_TEST(the_limit_is_the_percentile_of_the_plane),
        SINK_TEST(unreadable_parts_become_background),
        SINK_TEST(an_empty_map_shows_the_slide),
        SINK_TEST(what_cannot_be_drawn_is_refused),
        SINK_TEST(a_full_disk_leaves_no_overlay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

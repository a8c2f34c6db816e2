/* What overlays are made of, slide and heat, band by band against means made the slow way. */
#include "unit/sink/sink_test.h"

#include "sink/backdrop.h"
#include "sink/heat.h"
#include "sink/shown.h"

static const double scales[][2] = {{1, 1}, {1.4, 2.8}, {3.7, 1}, {4, 4}, {8, 8}, {19.3, 11.1}};

static hlrp_size scaled_size(double fx, double fy) {
    return (hlrp_size){(int64_t)ceil(TEST_W / fx), (int64_t)ceil(TEST_H / fy)};
}

static void fill(uint8_t *bytes, size_t n) {
    uint32_t seed = 11;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

/* Mean of the level's pixels over the rectangle, by area; d level-0 pixels per pixel. */
static double slow_mean(const hlrp_memory_level *level, double d, hlrp_rect r, int channel) {
    double sum = 0, area = 0;
    const int64_t x1 = HLRP_MIN((int64_t)((r.x + r.w) / d) + 1, level->size.w);
    const int64_t y1 = HLRP_MIN((int64_t)((r.y + r.h) / d) + 1, level->size.h);
    for (int64_t y = (int64_t)(r.y / d); y < y1; y++)
        for (int64_t x = (int64_t)(r.x / d); x < x1; x++) {
            const double part = hlrp_overlap(r.x, r.x + r.w, (double)x * d, (double)(x + 1) * d) *
                                hlrp_overlap(r.y, r.y + r.h, (double)y * d, (double)(y + 1) * d);
            sum += part * level->rgb[(y * level->size.w + x) * 3 + channel];
            area += part;
        }
    return sum / area;
}

static void check_backdrop(hlrp_slide *slide, const hlrp_memory_level *level, double d, double fx,
                           double fy, double slack) {
    hlrp_error err = {0};
    hlrp_backdrop *backdrop = NULL;
    const hlrp_size size = scaled_size(fx, fy);
    uint8_t *rgb = malloc((size_t)(64 * size.w * 3));
    assert_int_equal(hlrp_backdrop_new(slide, fx, fy, &backdrop, &err), HLRP_OK);
    const int64_t band = hlrp_backdrop_rows(backdrop);
    assert_in_range(band, 1, 64);
    for (int64_t y0 = 0; y0 < size.h; y0 += band) {
        const int64_t rows = HLRP_MIN(band, size.h - y0);
        assert_int_equal(hlrp_backdrop_read(backdrop, y0, rows, size.w, rgb, &err), HLRP_OK);
        for (int64_t i = 0; i < rows * size.w; i += 53) {
            const hlrp_rect r = {(double)(i % size.w) * fx, (double)(y0 + i / size.w) * fy, fx, fy};
            for (int c = 0; c < 3; c++)
                assert_true(fabs(rgb[3 * i + c] - slow_mean(level, d, r, c)) <= slack);
        }
    }
    assert_int_equal(hlrp_backdrop_lost(backdrop), 0);
    hlrp_backdrop_free(backdrop);
    free(rgb);
}

/* Guards place and weights at every scale, in every band, the slide's far edges included. */
static void the_backdrop_is_the_mean_of_the_slide(void **state) {
    sink_test *t = *state;
    fill(t->rgb, (size_t)TEST_W * TEST_H * 3);
    sink_test_start(t);
    for (size_t i = 0; i < 4; i++)
        check_backdrop(t->slide, &t->level, 1, scales[i][0], scales[i][1], 0.51);
}

/* Guards the use of a coarser level, and its frame: a step of 26 per pixel at most, so that 4 is a
 * sixth of a pixel. */
static void a_coarser_level_is_used_in_its_own_frame(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    const hlrp_size half = {(TEST_W + 1) / 2, (TEST_H + 1) / 2};
    uint8_t *rgb = malloc((size_t)(half.w * half.h * 3));
    for (int64_t i = 0; i < half.w * half.h * 3; i++)
        rgb[i] =
            (uint8_t)(128 + 100 * sin(0.26 * (double)(i % 3 ? i / 3 / half.w : i / 3 % half.w)));
    const hlrp_memory_level levels[] = {t->level, {half, rgb, NULL}};
    const hlrp_memory_slide source = {.level_count = 2, .levels = levels};
    assert_int_equal(hlrp_slide_open_memory(&source, &slide, &err), HLRP_OK);
    check_backdrop(slide, &levels[1], 2, 4, 4, 4);
    check_backdrop(slide, &levels[1], 2, 5.3, 2.5, 4);
    hlrp_slide_close(slide);
    free(rgb);
}

static float slow_heat(const sink_test *t, hlrp_rect r) {
    const double d = TEST_DOWN;
    double sum = 0, area = 0;
    for (int64_t y = (int64_t)(r.y / d); y < TEST_MAP_H && (double)y * d < r.y + r.h; y++)
        for (int64_t x = (int64_t)(r.x / d); x < TEST_MAP_W && (double)x * d < r.x + r.w; x++) {
            const double part = hlrp_overlap(r.x, r.x + r.w, (double)x * d, (double)(x + 1) * d) *
                                hlrp_overlap(r.y, r.y + r.h, (double)y * d, (double)(y + 1) * d);
            const float value = t->relevance[1][y * TEST_MAP_W + x];
            if (isnan(value) || part < 1e-4)
                continue;
            sum += part * value;
            area += part;
        }
    return area > 0 ? (float)(sum / area) : NAN;
}

/* Guards weights, NaN beside values (which must not spread), and the rows held between bands. */
static void the_heat_is_the_mean_of_the_known_map(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    for (int i = 0; i < TEST_MAP_W * TEST_MAP_H; i++)
        t->relevance[1][i] = i * 37 % 10 < 3 ? NAN : (float)(i * 7919 % 101) - 50;
    sink_test_start(t);
    for (size_t s = 0; s < HLRP_COUNT(scales); s++) {
        hlrp_heat *heat = NULL;
        const double fx = scales[s][0], fy = scales[s][1];
        const hlrp_size size = scaled_size(fx, fy);
        float *values = malloc((size_t)(size.w * 17) * sizeof *values);
        assert_int_equal(hlrp_heat_new(t->result, 1, 0, fx, fy, &heat, &err), HLRP_OK);
        for (int64_t y0 = 0; y0 < size.h; y0 += 17) {
            const int64_t rows = HLRP_MIN(17, size.h - y0);
            assert_int_equal(hlrp_heat_read(heat, y0, rows, size.w, values, &err), HLRP_OK);
            for (int64_t i = 0; i < rows * size.w; i += 7) {
                const float want =
                    slow_heat(t, (hlrp_rect){(double)(i % size.w) * fx,
                                             (double)(y0 + i / size.w) * fy, fx, fy});
                if (isnan(want))
                    assert_true(isnan(values[i]));
                else
                    assert_true(fabsf(values[i] - want) <= 1e-3f); /* false for NaN */
            }
        }
        hlrp_heat_free(heat);
        free(values);
    }
}

static float slow_shown(const sink_test *t, int64_t x, int64_t y, double sigma) {
    const int64_t r = (int64_t)ceil(3 * sigma);
    double sum = 0, weights = 0;
    for (int64_t j = HLRP_MAX(y - r, 0); j <= HLRP_MIN(y + r, TEST_MAP_H - 1); j++)
        for (int64_t i = HLRP_MAX(x - r, 0); i <= HLRP_MIN(x + r, TEST_MAP_W - 1); i++) {
            const double d2 = (double)((i - x) * (i - x) + (j - y) * (j - y));
            const float value = t->relevance[1][j * TEST_MAP_W + i];
            const double weight = exp(-d2 / (2 * sigma * sigma));
            sum += isnan(value) ? 0 : weight * value;
            weights += isnan(value) ? 0 : weight;
        }
    return isnan(t->relevance[1][y * TEST_MAP_W + x]) ? NAN : (float)(sum / weights);
}

static void read_shown(sink_test *t, double sigma, int64_t band, float *values) {
    hlrp_error err = {0};
    hlrp_shown *shown = NULL;
    assert_int_equal(hlrp_shown_new(t->result, 1, sigma, &shown, &err), HLRP_OK);
    for (int64_t y = 0; y < TEST_MAP_H; y += band)
        assert_int_equal(hlrp_shown_read(shown, y, HLRP_MIN(band, TEST_MAP_H - y),
                                         values + y * TEST_MAP_W, &err),
                         HLRP_OK);
    hlrp_shown_free(shown);
}

/* Guards: NaN that spreads or is filled in, weights at the edges, bands that show. */
static void the_shown_map_is_the_mean_around(void **state) {
    static const double sigmas[] = {0.4, 1, 2.5};
    sink_test *t = *state;
    float *values = malloc(sizeof t->relevance[1]), *whole = malloc(sizeof t->relevance[1]);
    for (int i = 0; i < TEST_MAP_W * TEST_MAP_H; i++)
        t->relevance[1][i] = i * 37 % 10 < 3 ? NAN : (float)(i * 7919 % 101) - 50;
    sink_test_start(t);
    for (size_t s = 0; s < HLRP_COUNT(sigmas); s++) {
        read_shown(t, sigmas[s], 7, values);
        read_shown(t, sigmas[s], TEST_MAP_H, whole);
        assert_memory_equal(values, whole, sizeof t->relevance[1]);
        for (int64_t i = 0; i < TEST_MAP_W * TEST_MAP_H; i++) {
            const float want = slow_shown(t, i % TEST_MAP_W, i / TEST_MAP_W, sigmas[s]);
            assert_true(isnan(want) ? isnan(values[i]) : fabsf(values[i] - want) <= 1e-4f);
        }
    }
    read_shown(t, 0, 7, values);
    assert_memory_equal(values, t->relevance[1], sizeof t->relevance[1]);
    free(values);
    free(whole);
}

/* The script for QuPath smooths by itself: test_qupath.sh sees the same number. */
static void a_ramp_ends_at_100_519(void **state) {
    sink_test *t = *state;
    float *values = malloc(sizeof t->relevance[1]);
    for (int i = 0; i < TEST_MAP_W * TEST_MAP_H; i++)
        t->relevance[1][i] = 100 + (float)(i % TEST_MAP_W);
    sink_test_start(t);
    read_shown(t, 1, TEST_MAP_H, values);
    assert_float_equal(values[0], 100.5194, 5e-5);
    assert_float_equal(values[32], 132, 1e-5);
    free(values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SINK_TEST(the_backdrop_is_the_mean_of_the_slide),
        SINK_TEST(a_coarser_level_is_used_in_its_own_frame),
        SINK_TEST(the_heat_is_the_mean_of_the_known_map),
        SINK_TEST(the_shown_map_is_the_mean_around),
        SINK_TEST(a_ramp_ends_at_100_519),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

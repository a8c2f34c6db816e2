/* Levels of a pyramid that no halving gives. */
#include "unit/image/scratch.h"

#include <math.h>
#include <stdlib.h>
#include <tiffio.h>

#include "image/image.h"

enum { W = 299, H = 203 };

static uint8_t noise(int64_t x, int64_t y) {
    return (uint8_t)((uint64_t)(x * 7919 + y * 104729 + x * y * 31) * 2654435761u >> 24);
}

/* Mean of level 0 under a pixel, by area, slowly. */
static double under(hlrp_size size, int64_t x, int64_t y) {
    const double sx = (double)W / (double)size.w, sy = (double)H / (double)size.h;
    const hlrp_rect r = {(double)x * sx, (double)y * sy, sx, sy};
    double sum = 0, area = 0;
    for (int64_t j = (int64_t)r.y; j < H && (double)j < r.y + r.h; j++)
        for (int64_t i = (int64_t)r.x; i < W && (double)i < r.x + r.w; i++) {
            const double part = hlrp_overlap(r.x, r.x + r.w, (double)i, (double)i + 1) *
                                hlrp_overlap(r.y, r.y + r.h, (double)j, (double)j + 1);
            sum += part * noise(i, j);
            area += part;
        }
    return sum / area;
}

static void check_level(TIFF *tif, int number, hlrp_size size, bool between) {
    static uint8_t tile[32 * 32];
    uint32_t w = 0, h = 0;
    float resolution = 0;
    assert_true(TIFFSetDirectory(tif, (tdir_t)number));
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &h);
    TIFFGetField(tif, TIFFTAG_XRESOLUTION, &resolution);
    assert_int_equal(w, size.w);
    assert_int_equal(h, size.h);
    for (int64_t y = 0; between && y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++) {
            const uint32_t at = TIFFComputeTile(tif, (uint32_t)x, (uint32_t)y, 0, 0);
            assert_int_equal(TIFFReadEncodedTile(tif, at, tile, sizeof tile), sizeof tile);
            assert_true(fabs(tile[y % 32 * 32 + x % 32] - under(size, x, y)) <= 0.5 + 1e-6);
        }
    if (between)
        assert_float_equal(resolution, 10000.0 * (double)size.w / W, 0.1);
}

/* Guards order, sizes, values at the edges, and resolution. */
static void levels_between_are_means_of_what_they_cover(void **state) {
    static const hlrp_size between[] = {{99, 67}, {298, 203}, {29, 20}};
    static const hlrp_size all[] = {{299, 203}, {298, 203}, {150, 102}, {99, 67},
                                    {75, 51},   {38, 26},   {29, 20},   {19, 13}};
    hlrp_error err = {0};
    hlrp_pyramid *pyramid = NULL;
    const hlrp_pyramid_spec spec = {
        .width = W, .height = H, .tile = 32, .mpp = {1, 1}, .between = between, .between_count = 3};
    const char *path = scratch_path(*state, "between.tif");
    assert_int_equal(hlrp_pyramid_open(path, &spec, &pyramid, &err), HLRP_OK);
    for (int64_t y = 0; y < H; y++) {
        uint8_t row[W];
        for (int64_t x = 0; x < W; x++)
            row[x] = noise(x, y);
        assert_int_equal(hlrp_pyramid_rows(pyramid, row, 1, W, &err), HLRP_OK);
    }
    assert_int_equal(hlrp_pyramid_finish(pyramid, &err), HLRP_OK);
    hlrp_pyramid_free(pyramid);
    TIFF *tif = TIFFOpen(path, "r");
    assert_int_equal(TIFFNumberOfDirectories(tif), HLRP_COUNT(all));
    for (size_t k = 0; k < HLRP_COUNT(all); k++) {
        bool is_between = false;
        for (size_t i = 0; i < HLRP_COUNT(between); i++)
            is_between = is_between || between[i].w == all[k].w;
        check_level(tif, (int)k, all[k], is_between);
    }
    TIFFClose(tif);
}

static void what_cannot_lie_between_is_refused(void **state) {
    static const hlrp_size wide[] = {{50, 10}}, empty[] = {{0, 10}}, fine[] = {{20, 20}};
    const hlrp_pyramid_spec bad[] = {
        {.width = 50, .height = 50, .between = wide, .between_count = 1},
        {.width = 50, .height = 50, .between = empty, .between_count = 1},
        {.width = 50, .height = 50, .between = fine, .between_count = 9},
        {.width = 50, .height = 50, .pixel = HLRP_PIXEL_F32, .between = fine, .between_count = 1},
    };
    for (size_t i = 0; i < HLRP_COUNT(bad); i++) {
        hlrp_error err = {0};
        hlrp_pyramid *pyramid = NULL;
        assert_int_equal(hlrp_pyramid_open(scratch_path(*state, "a.tif"), &bad[i], &pyramid, &err),
                         HLRP_E_INPUT);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(levels_between_are_means_of_what_they_cover),
        TEST(what_cannot_lie_between_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

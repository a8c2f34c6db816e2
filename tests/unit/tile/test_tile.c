/* Tiles: their frame on every level, their edges, damaged slides, the list of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "slide/slide_memory.h"
#include "tile/tile.h"

static hlrp_tile_reader *open_reader(const hlrp_memory_slide *source, const hlrp_grid *grid,
                                     const hlrp_log *log, hlrp_tile_faults *faults) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    hlrp_tile_reader *reader = NULL;
    assert_int_equal(hlrp_slide_open_memory(source, &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_tile_reader_open(slide, grid, log, faults, &reader, &err), HLRP_OK);
    return reader;
}

static hlrp_grid grid_of(hlrp_size slide, double r, int64_t size) {
    hlrp_grid grid;
    hlrp_error err = {0};
    assert_int_equal(hlrp_grid_init(&grid, slide, (hlrp_mpp){1, 1}, r, size, 0, &err), HLRP_OK);
    return grid;
}

static hlrp_tile_result read_tile(hlrp_tile_reader *reader, int64_t number, uint8_t *rgb) {
    hlrp_error err = {0};
    hlrp_tile_result result = HLRP_TILE_UNREADABLE;
    assert_int_equal(hlrp_tile_read(reader, number, rgb, &result, &err), HLRP_OK);
    return result;
}

/* A triangle wave of slope ±1/2 and period 1,000 level-0 pixels. */
static double wave(double x) {
    return fabs(fmod(x, 1000) - 500) / 2;
}

/* +1 or −1 where the wave is straight for `reach` level-0 pixels around x, else 0. */
static int slope(double x, double reach) {
    double phase = fmod(x, 500);
    if (phase < reach || phase > 500 - reach)
        return 0;
    return fmod(x, 1000) < 500 ? -1 : 1;
}

/* R waves along x and G along y: each pixel of a level is the mean of the `step`² level-0 pixels
 * that it stands for. */
static uint8_t *waves(hlrp_size size, double step) {
    uint8_t *rgb = malloc((size_t)(size.w * size.h * 3)), *to = rgb;
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++, to += 3) {
            to[0] = (uint8_t)floor(wave(((double)x + 0.5) * step) + 0.5);
            to[1] = (uint8_t)floor(wave(((double)y + 0.5) * step) + 0.5);
            to[2] = 0;
        }
    return rgb;
}

typedef struct offset {
    double sum[2]; /* grey levels along the rising wave: positive is too far left or up */
    int64_t count[2];
} offset;

static void add_offsets(const hlrp_grid *grid, int64_t number, double reach, const uint8_t *rgb,
                        offset *o) {
    hlrp_rect t = hlrp_grid_tile(grid, number);
    for (int64_t p = 0; p < grid->size * grid->size; p++) {
        double at[2] = {t.x + ((double)(p % grid->size) + 0.5) * grid->r_x,
                        t.y + ((double)(p / grid->size) + 0.5) * grid->r_y};
        for (int c = 0; c < 2; c++) {
            int s = slope(at[c], reach);
            o->sum[c] += s * (rgb[3 * p + c] - wave(at[c]));
            o->count[c] += s != 0;
        }
    }
}

/* Guards: half a pixel of shift on any level, for any ratio, near the origin and far from it; and
 * drift on a pyramid whose sizes were cut (4003/1000, 4003/250) and whose axes disagree about the
 * downsample (2100/525 is exactly 4), so that OpenSlide's addresses follow neither. */
static void no_shift(void **state) {
    (void)state;
    static const hlrp_size sizes[] = {{4003, 2100}, {1000, 525}, {250, 131}};
    static const double steps[] = {1, 4, 16};
    static const struct {
        double r;
        int level;
    } cases[] = {{0.8, 0}, {1, 0},   {1.9786, 0}, {0.5 / 0.2527, 0}, {3.3, 0},
                 {4, 1},   {7.7, 1}, {16, 2},     {18.1, 2}};
    hlrp_memory_level levels[3];
    uint8_t *pixels[3], rgb[24 * 24 * 3];
    for (int l = 0; l < 3; l++) {
        pixels[l] = waves(sizes[l], steps[l]);
        levels[l] = (hlrp_memory_level){sizes[l], pixels[l], NULL};
    }
    hlrp_memory_slide source = {.level_count = 3, .levels = levels};
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        hlrp_grid grid = grid_of(sizes[0], cases[k].r, 24);
        hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
        offset o = {{0, 0}, {0, 0}}, far = {{0, 0}, {0, 0}};
        double reach = 2 * cases[k].r + 2 * steps[cases[k].level];
        assert_int_equal(hlrp_tile_reader_level(reader), cases[k].level);
        for (int64_t j = 0; j < grid.ny - 1; j++)
            for (int64_t i = 0; i < grid.nx - 1; i += HLRP_MAX((grid.nx - 2) / 4, 1)) {
                assert_int_equal(read_tile(reader, j * grid.nx + i, rgb), HLRP_TILE_READ);
                bool late = i > grid.nx / 2 && j > grid.ny / 2;
                add_offsets(&grid, j * grid.nx + i, reach, rgb, late ? &far : &o);
            }
        for (int c = 0; c < 2; c++) {
            assert_true(o.count[c] > 200 && far.count[c] > 100);
            /* Half a level-0 pixel is a quarter of a grey level; the rest is rounding to bytes,
             * which at ratios near 2 hardly averages out. */
            assert_true(fabs(o.sum[c] / (double)o.count[c]) < 0.2);
            assert_true(fabs(far.sum[c] / (double)far.count[c]) < 0.2);
        }
        hlrp_tile_reader_close(reader);
    }
    for (int l = 0; l < 3; l++)
        free(pixels[l]);
}

/* Guards: one axis' ratio used for both, on a slide whose pixels are not square: 0.25 × 0.4 µm, read
 * at 0.6 µm from level 0 (2.4 × 1.5 pixels), and at 1.7 µm from a level that halves both. */
static void pixels_that_are_not_square(void **state) {
    (void)state;
    static const hlrp_size sizes[] = {{4003, 2100}, {2002, 1050}};
    hlrp_memory_level levels[2];
    uint8_t *pixels[2], rgb[24 * 24 * 3];
    for (int l = 0; l < 2; l++) {
        pixels[l] = waves(sizes[l], l + 1);
        levels[l] = (hlrp_memory_level){sizes[l], pixels[l], NULL};
    }
    hlrp_memory_slide source = {.level_count = 2, .levels = levels};
    for (int k = 0; k < 2; k++) {
        hlrp_grid grid;
        hlrp_error err = {0};
        offset o = {{0, 0}, {0, 0}};
        assert_int_equal(
            hlrp_grid_init(&grid, sizes[0], (hlrp_mpp){0.25, 0.4}, k ? 1.7 : 0.6, 24, 0, &err),
            HLRP_OK);
        hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
        assert_int_equal(hlrp_tile_reader_level(reader), k);
        for (int64_t n = 0; n < hlrp_grid_count(&grid); n += 7) {
            if (n % grid.nx == grid.nx - 1 || n / grid.nx == grid.ny - 1)
                continue;
            assert_int_equal(read_tile(reader, n, rgb), HLRP_TILE_READ);
            add_offsets(&grid, n, 2 * grid.r_x + 4, rgb, &o);
        }
        for (int c = 0; c < 2; c++)
            assert_true(o.count[c] > 1000 && fabs(o.sum[c] / (double)o.count[c]) < 0.2);
        hlrp_tile_reader_close(reader);
    }
    free(pixels[0]);
    free(pixels[1]);
}

/* A ramp of 4 grey levels per level-0 pixel, 200,000 pixels from the origin, on levels that were made
 * by any factor and cut to whole pixels. Guards: drift: half a level-0 pixel is 2 grey levels. */
static void no_drift_far_from_the_origin(void **state) {
    (void)state;
    enum { W = 202117, H = 480, SIZE = 20, ROWS = 32 /* that are read */ };
    static const double factors[] = {1.5, 2, 2.5, 3, 3.7, 4, 5, 7.3, 8, 10, 16, 21.7};
    uint8_t *fine = calloc(W * H, 3), *coarse = calloc(W * H, 3), rgb[SIZE * SIZE * 3];
    for (size_t k = 0; k < HLRP_COUNT(factors); k++) {
        const double f = factors[k];
        for (int cut = 0; cut < 3; cut++) { /* sizes rounded, down, up */
            const double w = W / f, h = H / f;
            const hlrp_size size = {(int64_t)(cut == 0   ? floor(w + 0.5)
                                              : cut == 1 ? floor(w)
                                                         : ceil(w)),
                                    (int64_t)fmax(cut == 0   ? floor(h + 0.5)
                                                  : cut == 1 ? floor(h)
                                                             : ceil(h),
                                                  1)};
            hlrp_grid grid = grid_of((hlrp_size){W, H}, f, SIZE);
            const int64_t tile = (int64_t)(W / (SIZE * f)) - 1;
            const double start = (double)tile * SIZE * f + 8 * f; /* of the ramp, level 0 */
            for (int64_t i = 0; i < size.w * HLRP_MIN(size.h, ROWS); i++) {
                const double x = ((double)(i % size.w) + 0.5) * f;
                memset(coarse + 3 * i, (int)floor(fmin(fmax(4 * (x - start), 0), 255) + 0.5), 3);
            }
            const hlrp_memory_level levels[2] = {{{W, H}, fine, NULL}, {size, coarse, NULL}};
            hlrp_memory_slide source = {.level_count = 2, .levels = levels};
            hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
            assert_int_equal(hlrp_tile_reader_level(reader), 1);
            assert_int_equal(read_tile(reader, tile, rgb), HLRP_TILE_READ);
            double worst = -1;
            for (int i = 9; i < SIZE - 1; i++) {
                const double truth = 4 * ((i + 0.5) - 8) * f;
                if (truth < 255 - 4 * f)
                    worst = fmax(worst, fabs(rgb[3 * i] - truth));
            }
            if (worst < 0 || worst > 2)
                fail_msg("factor %g, size %lld: %g level-0 pixels off", f, (long long)size.w,
                         worst / 4);
            hlrp_tile_reader_close(reader);
        }
    }
    free(fine);
    free(coarse);
}

/* The top of some pyramids is a single pixel. Guards: a division by a level's size less one, a read
 * beside the level. */
static void a_level_of_one_pixel(void **state) {
    (void)state;
    static const uint8_t top[3] = {10, 20, 30};
    uint8_t *fine = malloc(64 * 64 * 3), rgb[4 * 4 * 3];
    memset(fine, 200, 64 * 64 * 3);
    const hlrp_memory_level levels[2] = {{{64, 64}, fine, NULL}, {{1, 1}, top, NULL}};
    hlrp_memory_fault fault = {0, {0, 0, 64, 64}};
    hlrp_memory_slide source = {.level_count = 2, .levels = levels, .faults = &fault};
    hlrp_grid grid = grid_of((hlrp_size){64, 64}, 64, 4);
    hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
    assert_int_equal(hlrp_tile_reader_level(reader), 1);
    assert_int_equal(read_tile(reader, 0, rgb), HLRP_TILE_READ);
    assert_memory_equal(rgb, top, 3);
    assert_int_equal(rgb[3], 255); /* past the slide */
    hlrp_tile_reader_close(reader);
    source.fault_count = 1; /* and as what is left of a damaged slide */
    grid = grid_of((hlrp_size){64, 64}, 16, 4);
    reader = open_reader(&source, &grid, NULL, NULL);
    assert_int_equal(read_tile(reader, 0, rgb), HLRP_TILE_FALLBACK);
    for (int i = 0; i < 16; i++)
        assert_memory_equal(rgb + 3 * i, top, 3);
    hlrp_tile_reader_close(reader);
    free(fine);
}

/* A steep ramp where OpenSlide's addresses miss a level's pixels most: level pixel 1,900 lies at
 * 1,900 · 2.00025 = 3,800.475, is asked for at 3,800 and comes back interpolated from 0.24 pixels
 * further left. Guards: a tile that takes those pixels for the level's own: 2.4 grey levels off. */
static void addresses_between_pixels(void **state) {
    (void)state;
    static const hlrp_size sizes[] = {{4001, 40}, {2000, 20}};
    hlrp_memory_level levels[2];
    uint8_t *pixels[2], rgb[20 * 20 * 3];
    for (int l = 0; l < 2; l++) {
        pixels[l] = malloc((size_t)(sizes[l].w * sizes[l].h * 3));
        for (int64_t i = 0; i < sizes[l].w * sizes[l].h; i++) {
            double x = ((double)(i % sizes[l].w) + 0.5) * (l + 1);
            memset(pixels[l] + 3 * i, (int)fmin(fmax(5 * (x - 3795), 0), 255), 3);
        }
        levels[l] = (hlrp_memory_level){sizes[l], pixels[l], NULL};
    }
    hlrp_memory_slide source = {.level_count = 2, .levels = levels};
    hlrp_grid grid = grid_of(sizes[0], 2, 20);
    hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
    assert_int_equal(hlrp_tile_reader_level(reader), 1);
    assert_int_equal(read_tile(reader, 95, rgb), HLRP_TILE_READ);
    for (int i = 2; i < 18; i++)
        assert_true(fabs(rgb[3 * i] - 5 * (3800 + 2 * (i + 0.5) - 3795)) < 1.01);
    hlrp_tile_reader_close(reader);
    free(pixels[0]);
    free(pixels[1]);
}

/* Guards: a tile that is resampled where there is nothing to resample, and edges that are stretched
 * or wrapped instead of padded. */
static void native_pixels_and_edges(void **state) {
    (void)state;
    hlrp_size size = {50, 40};
    uint8_t *pixels = malloc(50 * 40 * 3), rgb[32 * 32 * 3];
    for (int i = 0; i < 50 * 40 * 3; i++)
        pixels[i] = (uint8_t)(i * 37 % 250);
    hlrp_memory_level level = {size, pixels, NULL};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    hlrp_grid grid = grid_of(size, 1, 32);
    hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
    assert_int_equal(hlrp_grid_count(&grid), 4);
    for (int64_t n = 0; n < 4; n++) {
        assert_int_equal(read_tile(reader, n, rgb), HLRP_TILE_READ);
        for (int64_t p = 0; p < 32 * 32; p++) {
            int64_t x = n % 2 * 32 + p % 32, y = n / 2 * 32 + p / 32;
            for (int c = 0; c < 3; c++)
                assert_int_equal(rgb[3 * p + c],
                                 x < 50 && y < 40 ? pixels[(y * 50 + x) * 3 + c] : 255);
        }
    }
    hlrp_tile_reader_close(reader);
    free(pixels);
}

/* Guards: strips of a tile that is too large to hold at once, joined wrongly. */
static void large_tiles_come_in_strips(void **state) {
    (void)state;
    hlrp_size size = {2400, 2400};
    uint8_t *pixels = malloc(2400 * 2400 * 3), rgb[8 * 8 * 3];
    for (int64_t i = 0; i < 2400 * 2400; i++)
        memset(pixels + 3 * i, (int)(i / 2400 / 10), 3);
    hlrp_memory_level level = {size, pixels, NULL};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    hlrp_grid grid = grid_of(size, 300, 8);
    hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
    assert_int_equal(read_tile(reader, 0, rgb), HLRP_TILE_READ);
    for (int j = 1; j < 7; j++)
        for (int i = 0; i < 8; i++)
            assert_true(fabs(rgb[(j * 8 + i) * 3] - ((j + 0.5) * 30 - 0.5)) < 1.01);
    hlrp_tile_reader_close(reader);
    free(pixels);
}

static void keep_lines(void *ctx, hlrp_log_level level, const char *line) {
    (void)level;
    hlrp_str_addf(ctx, "%s\n", line);
}

static int lines_of(const hlrp_str *text) {
    int n = 0;
    for (size_t i = 0; i < text->length; i++)
        n += text->text[i] == '\n';
    return n;
}

/* Guards: one damaged tile that ends a slide, a log line for each of thousands, and a fallback that
 * shows another place. */
static void damaged_tiles(void **state) {
    (void)state;
    hlrp_size size = {160, 32}, half = {80, 16};
    uint8_t *fine = calloc(160 * 32 * 3, 1), *coarse = calloc(80 * 16 * 3, 1), rgb[32 * 32 * 3];
    for (int i = 0; i < 160 * 32 * 3; i++)
        fine[i] = (uint8_t)(i / 3 % 160);
    for (int i = 0; i < 80 * 16 * 3; i++)
        coarse[i] = (uint8_t)(i / 3 % 80 * 2 + 1);
    hlrp_memory_level levels[2] = {{size, fine, NULL}, {half, coarse, NULL}};
    /* tiles 1 and 2 are damaged on level 0; tile 2 also on level 1; tiles 3 and 4 on neither */
    static const hlrp_memory_fault faults[] = {{0, {40, 5, 50, 1}}, {1, {34, 5, 10, 1}}};
    hlrp_memory_slide source = {
        .level_count = 2, .levels = levels, .faults = faults, .fault_count = 2};
    hlrp_grid grid = grid_of(size, 1, 32);
    hlrp_str lines = {0};
    hlrp_log log = {HLRP_LOG_WARN, keep_lines, &lines};
    hlrp_tile_faults counts = {0};
    hlrp_tile_reader *a = open_reader(&source, &grid, &log, &counts);
    hlrp_tile_reader *b = open_reader(&source, &grid, &log, &counts);
    assert_int_equal(read_tile(a, 0, rgb), HLRP_TILE_READ);
    assert_int_equal(read_tile(a, 1, rgb), HLRP_TILE_FALLBACK);
    for (int i = 2; i < 30; i++) /* the coarse level's ramp, enlarged: within its rounding */
        assert_true(abs(rgb[3 * i] - (32 + i)) <= 1);
    assert_int_equal(read_tile(a, 2, rgb), HLRP_TILE_UNREADABLE);
    assert_int_equal(rgb[0], 255);
    assert_int_equal(read_tile(a, 3, rgb), HLRP_TILE_READ);
    assert_int_equal(rgb[0], 96);
    assert_int_equal(lines_of(&lines), 2); /* one of each kind */
    assert_int_equal(read_tile(b, 1, rgb), HLRP_TILE_FALLBACK);
    assert_int_equal(read_tile(b, 2, rgb), HLRP_TILE_UNREADABLE);
    assert_int_equal(lines_of(&lines), 2); /* also over two readers */
    assert_int_equal(counts.fallback, 2);
    assert_int_equal(counts.unreadable, 2);
    assert_non_null(strstr(lines.text, "memory: tile 2 is unreadable"));
    /* A slide that is gone is an error, not thousands of unreadable tiles. */
    levels[0].size.w = 159;
    hlrp_error err = {0};
    hlrp_tile_result result;
    assert_int_equal(hlrp_tile_read(a, 1, rgb, &result, &err), HLRP_E_IO);
    hlrp_tile_reader_close(a);
    hlrp_tile_reader_close(b);
    hlrp_str_free(&lines);
    free(fine);
    free(coarse);
}

static double share_of_left_half(const void *regions, hlrp_rect r) {
    return hlrp_overlap(r.x, r.x + r.w, 0, *(const double *)regions) / r.w;
}

static void assert_list(const hlrp_grid *grid, double edge, double min_coverage,
                        const int64_t *expected, int64_t n) {
    int64_t *numbers = NULL, count = -1;
    hlrp_error err = {0};
    assert_int_equal(hlrp_tile_list(grid, edge < 0 ? NULL : share_of_left_half, &edge, min_coverage,
                                    &numbers, &count, &err),
                     HLRP_OK);
    assert_non_null(numbers);
    assert_int_equal(count, n);
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(numbers[i], expected[i]);
    free(numbers);
}

/* Guards: a border tile that falls out because half is compared with ">", another order, and a
 * min_coverage of 0 that lets in tiles without any tissue. */
static void lists(void **state) {
    (void)state;
    hlrp_grid grid = grid_of((hlrp_size){40, 20}, 1, 10); /* 4 × 2 tiles */
    static const int64_t all[] = {0, 1, 2, 3, 4, 5, 6, 7}, left[] = {0, 1, 4, 5}, one[] = {0, 4};
    assert_list(&grid, -1, 0.5, all, 8);
    assert_list(&grid, 15, 0.5, left, 4);
    assert_list(&grid, 14.99, 0.5, one, 2);
    assert_list(&grid, 10.1, 0, left, 4);
    assert_list(&grid, 15, 1, one, 2);
    assert_list(&grid, 0, 0, NULL, 0);
}

static void one_pixel_slide(void **state) {
    (void)state;
    /* Guards: a handle that leaks or is freed twice when the reader cannot be made. */
    static const uint8_t pixel[3] = {9, 9, 9};
    hlrp_memory_level level = {{1, 1}, pixel, NULL};
    hlrp_memory_slide source = {.level_count = 1, .levels = &level};
    hlrp_grid grid = grid_of((hlrp_size){1, 1}, 1, 4);
    hlrp_tile_reader *reader = open_reader(&source, &grid, NULL, NULL);
    uint8_t rgb[4 * 4 * 3];
    assert_int_equal(read_tile(reader, 0, rgb), HLRP_TILE_READ);
    assert_int_equal(rgb[0], 9);
    assert_int_equal(rgb[3], 255);
    assert_string_equal(hlrp_slide_name(hlrp_tile_reader_slide(reader)), "memory");
    hlrp_tile_reader_close(reader);
    hlrp_tile_reader_close(NULL);
}

/* ---- real slides ---- */

static hlrp_tile_reader *open_file(const char *name, double mpp_model, int64_t size,
                                   hlrp_grid *grid, hlrp_tile_faults *faults) {
    char path[1024];
    const char *root = getenv("HISTOLRP_TESTDATA");
    snprintf(path, sizeof path, "%s/slides/%s", root ? root : "", name);
    if (!root || access(path, R_OK) != 0) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    hlrp_mpp mpp;
    hlrp_tile_reader *reader = NULL;
    assert_int_equal(hlrp_slide_open(path, &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_mpp(slide, NULL, NULL, &mpp, NULL, &err), HLRP_OK);
    assert_int_equal(hlrp_grid_init(grid, hlrp_slide_size(slide, 0), mpp, mpp_model, size, 0, &err),
                     HLRP_OK);
    assert_int_equal(hlrp_tile_reader_open(slide, grid, NULL, faults, &reader, &err), HLRP_OK);
    return reader;
}

static void unreadable_file(void **state) {
    (void)state;
    hlrp_grid grid;
    hlrp_tile_faults faults = {0};
    uint8_t rgb[16 * 16 * 3];
    hlrp_tile_reader *reader =
        open_file("openslide-python-fixtures/unreadable.svs", 0.499, 16, &grid, &faults);
    assert_int_equal(read_tile(reader, 0, rgb), HLRP_TILE_UNREADABLE);
    assert_int_equal(read_tile(reader, 0, rgb), HLRP_TILE_UNREADABLE);
    assert_int_equal(faults.unreadable, 2);
    hlrp_tile_reader_close(reader);
}

/* Guards: any dependence of a tile on what was read before it (buffers, filters, caches). */
static void order_does_not_matter(void **state) {
    (void)state;
    hlrp_grid grid;
    hlrp_tile_reader *a =
        open_file("cmu1-small-region/CMU-1-Small-Region.svs", 0.88, 96, &grid, NULL);
    hlrp_tile_reader *b =
        open_file("cmu1-small-region/CMU-1-Small-Region.svs", 0.88, 96, &grid, NULL);
    int64_t count = hlrp_grid_count(&grid);
    size_t bytes = 96 * 96 * 3;
    uint8_t *forward = malloc(bytes * (size_t)count), *backward = malloc(bytes);
    for (int64_t n = 0; n < count; n += 3)
        assert_int_equal(read_tile(a, n, forward + (size_t)n * bytes), HLRP_TILE_READ);
    for (int64_t n = (count - 1) / 3 * 3; n >= 0; n -= 3) {
        assert_int_equal(read_tile(b, n, backward), HLRP_TILE_READ);
        assert_memory_equal(backward, forward + (size_t)n * bytes, bytes);
    }
    hlrp_tile_reader_close(a);
    hlrp_tile_reader_close(b);
    free(forward);
    free(backward);
}

/* Mean absolute difference of a tile's inner part to 4 × 4 means of level 0, channel G, with
 * the tile moved by (dx, dy) of its pixels. */
static double difference(const uint8_t *tile, const uint8_t *level0, int dx, int dy) {
    double sum = 0;
    for (int y = 2; y < 126; y++)
        for (int x = 2; x < 126; x++) {
            int mean = 0;
            for (int k = 0; k < 16; k++)
                mean += level0[((4 * y + k / 4) * 512 + 4 * x + k % 4) * 3 + 1];
            sum += fabs(tile[((y + dy) * 128 + x + dx) * 3 + 1] - mean / 16.0);
        }
    return sum / (124 * 124);
}

/* The same tissue from level 1 and from level 0, far from the origin. Guards: levels that are
 * shifted against each other in a real pyramid, by a pixel or by most of one. */
static void levels_of_a_file_agree(void **state) {
    (void)state;
    hlrp_grid grid;
    hlrp_error err = {0};
    hlrp_tile_reader *reader = open_file("luna-1065626/1065626.svs", 4 * 0.5026, 128, &grid, NULL);
    uint8_t *tile = malloc(128 * 128 * 3), *level0 = malloc(512 * 512 * 3);
    assert_int_equal(hlrp_tile_reader_level(reader), 1);
    assert_int_equal(read_tile(reader, 14 * grid.nx + 15, tile), HLRP_TILE_READ);
    hlrp_irect rect = {15 * 512, 14 * 512, 512, 512};
    assert_int_equal(hlrp_slide_read(hlrp_tile_reader_slide(reader), 0, rect, level0, &err),
                     HLRP_OK);
    double here = difference(tile, level0, 0, 0);
    for (int k = 0; k < 9; k++)
        if (k != 4)
            assert_true(difference(tile, level0, k % 3 - 1, k / 3 - 1) > 1.5 * here);
    hlrp_tile_reader_close(reader);
    free(tile);
    free(level0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_shift),
        cmocka_unit_test(pixels_that_are_not_square),
        cmocka_unit_test(no_drift_far_from_the_origin),
        cmocka_unit_test(a_level_of_one_pixel),
        cmocka_unit_test(addresses_between_pixels),
        cmocka_unit_test(native_pixels_and_edges),
        cmocka_unit_test(large_tiles_come_in_strips),
        cmocka_unit_test(damaged_tiles),
        cmocka_unit_test(lists),
        cmocka_unit_test(one_pixel_slide),
        cmocka_unit_test(unreadable_file),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(levels_of_a_file_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

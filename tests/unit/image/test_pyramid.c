/* Pyramids are read back with libtiff and compared with levels made the slow way. */
#include "unit/image/scratch.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <tiffio.h>

#include "image/image.h"

/* ---- reading back ---- */

typedef struct picture {
    int64_t w, h;
    size_t pixel; /* bytes */
    uint8_t *data;
} picture;

static picture new_picture(int64_t w, int64_t h, size_t pixel) {
    return (picture){w, h, pixel, calloc((size_t)(w * h), pixel)};
}

/* Decodes the handle's current directory from its tiles; every tile must be there. */
static picture decode(TIFF *tif, size_t pixel) {
    uint32_t w = 0, h = 0, tw = 0, th = 0;
    uint16_t photometric = 0;
    assert_true(TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &w));
    assert_true(TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &h));
    assert_true(TIFFGetField(tif, TIFFTAG_TILEWIDTH, &tw));
    assert_true(TIFFGetField(tif, TIFFTAG_TILELENGTH, &th));
    assert_true(TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &photometric));
    if (photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    picture p = new_picture(w, h, pixel);
    uint8_t *tile = malloc((size_t)tw * th * pixel);
    for (uint32_t y = 0; y < h; y += th)
        for (uint32_t x = 0; x < w; x += tw) {
            const uint32_t n = TIFFComputeTile(tif, x, y, 0, 0);
            assert_true(TIFFGetStrileByteCount(tif, n) > 0);
            assert_int_equal(TIFFReadEncodedTile(tif, n, tile, (tmsize_t)((size_t)tw * th * pixel)),
                             (size_t)tw * th * pixel);
            for (uint32_t r = 0; r < th && y + r < h; r++)
                memcpy(p.data + ((size_t)(y + r) * w + x) * pixel, tile + (size_t)r * tw * pixel,
                       HLRP_MIN(tw, w - x) * pixel);
        }
    free(tile);
    return p;
}

/* The level below, straight from the definition. */
static picture reduce(const picture *p, bool floats) {
    picture out = new_picture((p->w + 1) / 2, (p->h + 1) / 2, p->pixel);
    const int channels = floats ? 1 : (int)p->pixel;
    for (int64_t y = 0; y < out.h; y++)
        for (int64_t x = 0; x < out.w; x++)
            for (int c = 0; c < channels; c++) {
                double sum = 0;
                int n = 0;
                for (int64_t v = 2 * y; v < HLRP_MIN(2 * y + 2, p->h); v++)
                    for (int64_t u = 2 * x; u < HLRP_MIN(2 * x + 2, p->w); u++) {
                        const double value = floats ? ((float *)p->data)[v * p->w + u]
                                                    : p->data[(v * p->w + u) * channels + c];
                        sum += isnan(value) ? 0 : value;
                        n += !isnan(value);
                    }
                if (floats)
                    ((float *)out.data)[y * out.w + x] = n ? (float)(sum / n) : NAN;
                else
                    out.data[(y * out.w + x) * channels + c] = (uint8_t)nearbyint(sum / n);
            }
    return out;
}

static picture noise(int64_t w, int64_t h, size_t pixel, uint32_t seed) {
    picture p = new_picture(w, h, pixel);
    for (int64_t i = 0; i < w * h * (int64_t)pixel; i++) {
        seed = seed * 1664525u + 1013904223u;
        p.data[i] = (uint8_t)(seed >> 24);
    }
    return p;
}

/* ---- writing ---- */

static hlrp_status push(hlrp_pyramid *pyramid, const picture *p, int64_t rows_at_once,
                        hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const size_t stride = (size_t)p->w * p->pixel;
    for (int64_t y = 0; y < p->h && status == HLRP_OK; y += rows_at_once)
        status = hlrp_pyramid_rows(pyramid, p->data + (size_t)y * stride,
                                   HLRP_MIN(rows_at_once, p->h - y), stride, err);
    return status;
}

static hlrp_status write_planes(const char *path, const hlrp_pyramid_spec *spec,
                                const picture *planes, int64_t rows_at_once, hlrp_error *err) {
    hlrp_pyramid *pyramid = NULL;
    hlrp_status status = hlrp_pyramid_open(path, spec, &pyramid, err);
    for (int i = 0; i < HLRP_MAX(spec->planes, 1) && status == HLRP_OK; i++)
        status = push(pyramid, &planes[i], rows_at_once, err);
    if (status == HLRP_OK)
        status = hlrp_pyramid_finish(pyramid, err);
    hlrp_pyramid_free(pyramid);
    return status;
}

static void write_ok(const char *path, const hlrp_pyramid_spec *spec, const picture *planes) {
    hlrp_error err = {0};
    const hlrp_status status = write_planes(path, spec, planes, 7, &err);
    assert_string_equal(err.what, "");
    assert_int_equal(status, HLRP_OK);
}

static void assert_same(const picture *a, const picture *b) {
    assert_int_equal(a->w, b->w);
    assert_int_equal(a->h, b->h);
    assert_memory_equal(a->data, b->data, (size_t)(a->w * a->h) * a->pixel);
}

/* ---- tests ---- */

/* Guards sizes and values of every level at odd sizes and at the edges of tiles. */
static void every_level_is_the_mean_of_the_one_before(void **state) {
    static const int64_t sizes[][2] = {{1, 1},   {1, 300},   {300, 1},   {257, 255},
                                       {16, 16}, {256, 512}, {511, 513}, {33, 700}};
    for (size_t i = 0; i < HLRP_COUNT(sizes); i++)
        for (int step = 2; step <= 4; step += 2) {
            picture p = noise(sizes[i][0], sizes[i][1], 3, (uint32_t)i);
            const hlrp_pyramid_spec spec = {.width = p.w,
                                            .height = p.h,
                                            .pixel = HLRP_PIXEL_RGB8,
                                            .tile = 32,
                                            .min_size = 1,
                                            .step = step};
            const char *path = scratch_path(*state, "a.tif");
            write_ok(path, &spec, &p);
            TIFF *tif = TIFFOpen(path, "r");
            const int levels = hlrp_pyramid_levels(&spec);
            assert_int_equal(TIFFNumberOfDirectories(tif), levels);
            for (int k = 0; k < levels; k++) {
                assert_true(TIFFSetDirectory(tif, (tdir_t)k));
                picture got = decode(tif, 3);
                assert_int_equal(got.w, hlrp_pyramid_level_size(&spec, k).w);
                assert_same(&got, &p);
                free(got.data);
                for (int half = 1; half < step; half *= 2) {
                    picture less = reduce(&p, false);
                    free(p.data);
                    p = less;
                }
            }
            TIFFClose(tif);
            free(p.data);
        }
}

/* Guards against levels whose sizes are rounded down or whose pixels slide to the lower right. */
static void landmarks_do_not_drift(void **state) {
    picture p = new_picture(1003, 779, 1);
    static const int64_t marks[][2] = {{0, 0}, {976, 16}, {496, 752}, {16, 400}};
    for (size_t m = 0; m < HLRP_COUNT(marks); m++)
        for (int i = 0; i < 256; i++)
            p.data[(marks[m][1] + i / 16) * p.w + marks[m][0] + i % 16] = 200;
    const hlrp_pyramid_spec spec = {.width = p.w, .height = p.h, .tile = 64};
    const char *path = scratch_path(*state, "a.tif");
    write_ok(path, &spec, &p);
    TIFF *tif = TIFFOpen(path, "r");
    for (int k = 0; k <= 4; k++) {
        assert_true(TIFFSetDirectory(tif, (tdir_t)k));
        picture got = decode(tif, 1);
        int64_t lit = 0;
        for (int64_t i = 0; i < got.w * got.h; i++)
            lit += got.data[i] == 200;
        assert_int_equal(lit, (int64_t)HLRP_COUNT(marks) * (256 >> 2 * k));
        for (size_t m = 0; m < HLRP_COUNT(marks); m++)
            assert_int_equal(got.data[(marks[m][1] >> k) * got.w + (marks[m][0] >> k)], 200);
        free(got.data);
    }
    TIFFClose(tif);
    free(p.data);
}

/* Guards the order of planes and their SubIFDs, and means that skip NaN. */
static void floats_skip_nan_and_keep_planes_apart(void **state) {
    picture planes[3];
    for (int i = 0; i < 3; i++) {
        planes[i] = new_picture(301, 203, 4);
        float *v = (float *)planes[i].data;
        for (int64_t j = 0; j < 301 * 203; j++)
            v[j] = (j * 7 + i) % 5 < 2 || j % 301 < 100 ? NAN : (float)(1000 * i + (j * 37) % 101);
    }
    const hlrp_pyramid_spec spec = {.width = 301,
                                    .height = 203,
                                    .pixel = HLRP_PIXEL_F32,
                                    .planes = 3,
                                    .tile = 64,
                                    .layout = HLRP_LAYOUT_SUBIFDS};
    const char *path = scratch_path(*state, "a.tif");
    write_ok(path, &spec, planes);
    TIFF *tif = TIFFOpen(path, "r");
    assert_int_equal(TIFFNumberOfDirectories(tif), 3);
    for (int i = 0; i < 3; i++) {
        assert_true(TIFFSetDirectory(tif, (tdir_t)i));
        uint16_t count = 0;
        uint64_t *offsets = NULL, kept[16];
        assert_true(TIFFGetField(tif, TIFFTAG_SUBIFD, &count, &offsets));
        assert_int_equal(count, hlrp_pyramid_levels(&spec) - 1);
        memcpy(kept, offsets, count * sizeof *kept);
        picture want = planes[i];
        for (int k = 0; k <= count; k++) {
            uint32_t type = 7;
            assert_true(k == 0 || TIFFSetSubDirectory(tif, kept[k - 1]));
            TIFFGetFieldDefaulted(tif, TIFFTAG_SUBFILETYPE, &type);
            assert_int_equal(type, k ? FILETYPE_REDUCEDIMAGE : 0);
            picture got = decode(tif, 4);
            assert_same(&got, &want);
            free(got.data);
            picture less = reduce(&want, true);
            free(want.data);
            want = less;
        }
        free(want.data);
    }
    TIFFClose(tif);
}

static double mean_error(const picture *a, const picture *b) {
    double sum = 0;
    for (size_t i = 0; i < (size_t)(a->w * a->h) * a->pixel; i++)
        sum += abs((int)a->data[i] - b->data[i]);
    return sum / (double)((size_t)(a->w * a->h) * a->pixel);
}

/* Smooth tissue-like colors in the middle of blank glass: tiles of one color and others mix. */
static picture smooth(int64_t w, int64_t h) {
    picture p = new_picture(w, h, 3);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            const bool in = x > w / 3 && x < w / 2;
            uint8_t *rgb = p.data + (y * w + x) * 3;
            rgb[0] = in ? (uint8_t)(180 + 40 * sin((double)x / 90)) : 241;
            rgb[1] = in ? (uint8_t)(120 + 40 * sin((double)y / 70)) : 243;
            rgb[2] = in ? 190 : 240;
        }
    return p;
}

/* Guards JPEG tables: copied tiles of one color must decode with the tables of their directory, at
 * every quality, also where a whole directory is blank. */
static void jpeg_stays_close_at_all_levels(void **state) {
    static const hlrp_codec codecs[] = {HLRP_CODEC_JPEG, HLRP_CODEC_JPEG_YCC444,
                                        HLRP_CODEC_JPEG_RGB};
    for (size_t i = 0; i < HLRP_COUNT(codecs); i++)
        for (int quality = 50; quality <= 95; quality += 45) {
            picture p = smooth(1200, 700);
            const hlrp_pyramid_spec spec = {.width = p.w,
                                            .height = p.h,
                                            .pixel = HLRP_PIXEL_RGB8,
                                            .codec = codecs[i],
                                            .quality = quality,
                                            .min_size = 150,
                                            .tile = 64};
            const char *path = scratch_path(*state, "a.tif");
            write_ok(path, &spec, &p);
            TIFF *tif = TIFFOpen(path, "r");
            for (int k = 0; k < hlrp_pyramid_levels(&spec); k++) {
                assert_true(TIFFSetDirectory(tif, (tdir_t)k));
                picture got = decode(tif, 3);
                assert_int_equal(got.w, p.w);
                assert_true(mean_error(&got, &p) < (quality > 90 ? 1.0 : 2.5));
                for (int c = 0; c < 3; c++)
                    assert_in_range(got.data[c], p.data[c] - 2, p.data[c] + 2);
                free(got.data);
                picture less = reduce(&p, false);
                free(p.data);
                p = less;
            }
            TIFFClose(tif);
            free(p.data);
        }
}

/* Guards the store of encoded blank tiles: more colors than it holds, in stripes of whole tiles, at
 * level 0; and directories that hold nothing but blank tiles. */
static void blank_tiles_keep_their_colors(void **state) {
    for (int stripes = 1; stripes <= 7; stripes += 6)
        for (int jpeg = 0; jpeg < 2; jpeg++) {
            picture p = new_picture(448, 300, 3);
            for (int64_t i = 0; i < p.w * p.h; i++)
                memset(p.data + 3 * i, (int)(60 + 25 * (i % p.w / 64 % stripes)), 3);
            const hlrp_pyramid_spec spec = {
                .width = p.w,
                .height = p.h,
                .pixel = HLRP_PIXEL_RGB8,
                .codec = jpeg ? HLRP_CODEC_JPEG : HLRP_CODEC_DEFLATE,
                .quality = 60,
                .tile = 64,
            };
            const char *path = scratch_path(*state, "a.tif");
            write_ok(path, &spec, &p);
            TIFF *tif = TIFFOpen(path, "r");
            for (int k = 0; k < hlrp_pyramid_levels(&spec); k++) {
                assert_true(TIFFSetDirectory(tif, (tdir_t)k));
                picture got = decode(tif, 3);
                for (int64_t i = 0; i < 3 * got.w * got.h && (k == 0 || stripes == 1); i++)
                    assert_in_range(got.data[i], p.data[k ? 0 : i] - 2, p.data[k ? 0 : i] + 2);
                free(got.data);
            }
            TIFFClose(tif);
            free(p.data);
        }
}

static size_t slurp(const char *path, char **out) {
    hlrp_error err = {0};
    int64_t size = 0;
    assert_int_equal(hlrp_read_file(path, INT64_C(1) << 30, out, &size, &err), HLRP_OK);
    return (size_t)size;
}

/* Guards against a dependence on how rows arrive. */
static void pieces_do_not_matter(void **state) {
    char *bytes[2] = {NULL, NULL};
    size_t size[2];
    hlrp_error err = {0};
    picture p = smooth(500, 333);
    const hlrp_pyramid_spec spec = {.width = p.w,
                                    .height = p.h,
                                    .pixel = HLRP_PIXEL_RGB8,
                                    .codec = HLRP_CODEC_JPEG,
                                    .mpp = {0.5, 0.5}};
    for (int i = 0; i < 2; i++) {
        const char *path = scratch_path(*state, "a.tif");
        assert_int_equal(write_planes(path, &spec, &p, i ? 333 : 1, &err), HLRP_OK);
        size[i] = slurp(path, &bytes[i]);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    free(p.data);
}

static const char *text_tag(TIFF *tif, uint32_t tag) {
    char *text = NULL;
    return TIFFGetField(tif, tag, &text) ? text : NULL;
}

/* Guards the page order and tags that OpenSlide's Aperio reader goes by. */
static void aperio_layout_has_its_pages(void **state) {
    picture p = smooth(1000, 600);
    const char *const descriptions[] = {"Aperio level 0|MPP = 0.5", "Aperio level 1"};
    const hlrp_pyramid_spec spec = {.width = p.w,
                                    .height = p.h,
                                    .pixel = HLRP_PIXEL_RGB8,
                                    .codec = HLRP_CODEC_JPEG,
                                    .layout = HLRP_LAYOUT_APERIO,
                                    .step = 4,
                                    .min_size = 400,
                                    .mpp = {0.5, 0.25},
                                    .descriptions = descriptions,
                                    .thumbnail = "Aperio thumbnail",
                                    .software = "test"};
    const char *path = scratch_path(*state, "a.svs");
    write_ok(path, &spec, &p);
    TIFF *tif = TIFFOpen(path, "r");
    assert_int_equal(TIFFNumberOfDirectories(tif), 3);
    static const struct {
        const char *description;
        uint32_t width;
        bool tiled;
        float x, y;
    } want[] = {{"Aperio level 0|MPP = 0.5", 1000, true, 20000, 40000},
                {"Aperio thumbnail", 250, false, 0, 0},
                {"Aperio level 1", 250, true, 5000, 10000}};
    for (int i = 0; i < 3; i++) {
        assert_true(TIFFSetDirectory(tif, (tdir_t)i));
        uint32_t width = 0, type = 7;
        float x = 0, y = 0;
        TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width);
        TIFFGetFieldDefaulted(tif, TIFFTAG_SUBFILETYPE, &type);
        TIFFGetField(tif, TIFFTAG_XRESOLUTION, &x);
        TIFFGetField(tif, TIFFTAG_YRESOLUTION, &y);
        assert_string_equal(text_tag(tif, TIFFTAG_IMAGEDESCRIPTION), want[i].description);
        assert_int_equal(width, want[i].width);
        assert_int_equal(type, 0);
        assert_int_equal(TIFFIsTiled(tif) != 0, want[i].tiled);
        assert_float_equal(x, want[i].x, 0.01);
        assert_float_equal(y, want[i].y, 0.01);
    }
    TIFFClose(tif);
    free(p.data);
}

/* The thumbnail is the smallest level, JPEG strips aside. */
static void the_thumbnail_shows_the_smallest_level(void **state) {
    picture p = smooth(1000, 604);
    const hlrp_pyramid_spec spec = {.width = p.w,
                                    .height = p.h,
                                    .pixel = HLRP_PIXEL_RGB8,
                                    .min_size = 250,
                                    .thumbnail = "thumbnail"};
    const char *path = scratch_path(*state, "a.tif");
    write_ok(path, &spec, &p);
    TIFF *tif = TIFFOpen(path, "r");
    assert_true(TIFFSetDirectory(tif, 3));
    picture least = decode(tif, 3);
    assert_true(TIFFSetDirectory(tif, 1));
    assert_int_equal(least.w, 250);
    for (int64_t y = 0; y < least.h; y++) {
        uint8_t row[750];
        assert_int_equal(TIFFReadScanline(tif, row, (uint32_t)y, 0), 1);
        assert_memory_equal(row, least.data + y * 750, 750);
    }
    TIFFClose(tif);
    free(least.data);
    free(p.data);
}

/* Guards against partial files: a disk that fills up at any point leaves nothing, and says so. */
static void a_full_disk_leaves_nothing(void **state) {
    static const rlim_t rooms[] = {0, 100, 3000, 20000, 200000, 600000};
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was;
    getrlimit(RLIMIT_FSIZE, &was);
    picture p = noise(600, 400, 3, 5);
    const hlrp_pyramid_spec spec = {
        .width = p.w, .height = p.h, .pixel = HLRP_PIXEL_RGB8, .tile = 64};
    for (size_t i = 0; i < HLRP_COUNT(rooms); i++) {
        hlrp_error err = {0};
        const char *path = scratch_path(*state, "full.tif");
        const struct rlimit small = {rooms[i], was.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        const hlrp_status status = write_planes(path, &spec, &p, 50, &err);
        setrlimit(RLIMIT_FSIZE, &was);
        assert_int_equal(status, HLRP_E_IO);
        assert_non_null(strstr(err.where, "full.tif"));
        assert_non_null(strstr(err.what, "File too large"));
        assert_int_equal(scratch_count(*state, 0), 0);
    }
    free(p.data);
}

static void what_is_not_finished_leaves_nothing(void **state) {
    hlrp_error err = {0};
    hlrp_pyramid *pyramid = NULL;
    picture p = noise(100, 100, 1, 1);
    const hlrp_pyramid_spec spec = {.width = 100, .height = 100, .tile = 16};
    const char *path = scratch_path(*state, "a.tif");
    assert_int_equal(hlrp_pyramid_open(path, &spec, &pyramid, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_rows(pyramid, p.data, 99, 100, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_rows(pyramid, p.data, 2, 100, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_pyramid_finish(pyramid, &err), HLRP_E_INTERNAL);
    hlrp_pyramid_free(pyramid);
    assert_int_equal(scratch_count(*state, 0), 0);
    free(p.data);
}

static void bad_specs_are_refused(void **state) {
    const hlrp_pyramid_spec bad[] = {
        {.width = 0, .height = 5},
        {.width = 5, .height = INT64_C(1) << 40},
        {.width = 5, .height = 5, .tile = 100},
        {.width = 5, .height = 5, .tile = -16},
        {.width = 5, .height = 5, .step = 3},
        {.width = 5, .height = 5, .quality = 101},
        {.width = 5, .height = 5, .min_size = -1},
        {.width = 5, .height = 5, .planes = 2},
        {.width = 5, .height = 5, .mpp = {-1, 1}},
        {.width = 5, .height = 5, .mpp = {NAN, 1}},
        {.width = 5, .height = 5, .thumbnail = "t"},
        {.width = 9000, .height = 5, .pixel = HLRP_PIXEL_RGB8, .min_size = 9000, .thumbnail = "t"},
        {.width = 5, .height = 5, .pixel = HLRP_PIXEL_F32, .codec = HLRP_CODEC_JPEG},
    };
    for (size_t i = 0; i < HLRP_COUNT(bad); i++) {
        hlrp_error err = {0};
        hlrp_pyramid *pyramid = NULL;
        assert_int_equal(hlrp_pyramid_open(scratch_path(*state, "a.tif"), &bad[i], &pyramid, &err),
                         HLRP_E_INPUT);
        assert_null(pyramid);
        assert_true(err.what[0] != '\0');
    }
    hlrp_error err = {0};
    hlrp_pyramid *pyramid = NULL;
    const hlrp_pyramid_spec spec = {.width = 5, .height = 5};
    assert_int_equal(hlrp_pyramid_open("/nowhere/at/all.tif", &spec, &pyramid, &err), HLRP_E_IO);
    assert_non_null(strstr(err.where, "/nowhere/at/all.tif"));
}

/* Guards the stated bound: memory follows the width, not the height. */
static void memory_follows_the_width_alone(void **state) {
#if defined(__SANITIZE_ADDRESS__)
    skip();
#endif
    hlrp_error err = {0};
    hlrp_pyramid *pyramid = NULL;
    const int64_t w = 6000, h = 30000;
    const hlrp_pyramid_spec spec = {
        .width = w, .height = h, .pixel = HLRP_PIXEL_RGB8, .codec = HLRP_CODEC_JPEG};
    uint8_t *row = malloc((size_t)w * 3);
    memset(row, 230, (size_t)w * 3);
    const int64_t before = hlrp_peak_memory();
    assert_int_equal(hlrp_pyramid_open(scratch_path(*state, "a.tif"), &spec, &pyramid, &err),
                     HLRP_OK);
    for (int64_t y = 0; y < h; y++)
        assert_int_equal(hlrp_pyramid_rows(pyramid, row, 1, (size_t)w * 3, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_finish(pyramid, &err), HLRP_OK);
    hlrp_pyramid_free(pyramid);
    const int64_t tiles = w / 256 * (h / 256) * 4 / 3;
    const double bound = 2.1 * (double)w * 256 * 3 + 32.0 * (double)tiles + 16e6;
    assert_true((double)(hlrp_peak_memory() - before) < bound);
    free(row);
}

/* Guards the choice of BigTIFF: the header's version is 43 where 2 GB could be passed, else 42. */
static void large_pictures_are_bigtiff(void **state) {
    static const struct {
        int64_t side;
        int version;
    } cases[] = {{1000, 42}, {40000, 43}};
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        hlrp_error err = {0};
        hlrp_pyramid *pyramid = NULL;
        const hlrp_pyramid_spec spec = {
            .width = cases[i].side, .height = cases[i].side, .pixel = HLRP_PIXEL_RGB8};
        assert_int_equal(hlrp_pyramid_open(scratch_path(*state, "a.tif"), &spec, &pyramid, &err),
                         HLRP_OK);
        scratch *s = *state;
        DIR *dir = opendir(s->folder);
        uint8_t head[4] = {0};
        for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
            const int fd = openat(dirfd(dir), e->d_name, O_RDONLY);
            if (e->d_name[0] == '.' && strlen(e->d_name) > 2)
                assert_int_equal(read(fd, head, 4), 4);
            close(fd);
        }
        closedir(dir);
        assert_int_equal(head[2], cases[i].version);
        hlrp_pyramid_free(pyramid);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        TEST(every_level_is_the_mean_of_the_one_before),
        TEST(landmarks_do_not_drift),
        TEST(floats_skip_nan_and_keep_planes_apart),
        TEST(jpeg_stays_close_at_all_levels),
        TEST(blank_tiles_keep_their_colors),
        TEST(pieces_do_not_matter),
        TEST(aperio_layout_has_its_pages),
        TEST(the_thumbnail_shows_the_smallest_level),
        TEST(a_full_disk_leaves_nothing),
        TEST(what_is_not_finished_leaves_nothing),
        TEST(bad_specs_are_refused),
        TEST(memory_follows_the_width_alone),
        TEST(large_pictures_are_bigtiff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

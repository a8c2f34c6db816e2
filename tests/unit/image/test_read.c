/* Pictures made with the libraries themselves, read back; then cut and damaged in every way. */
#include "unit/image/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>

#include "image/image.h"

/* ---- makers ---- */

typedef struct png_kind {
    int color, depth;
    bool interlaced;
} png_kind;

/* w × h samples as libpng wants them; palette of 4: red, green, blue, half-transparent black. */
static void make_png(const char *path, png_kind kind, uint32_t w, uint32_t h, const uint8_t *rows,
                     size_t stride) {
    FILE *f = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, w, h, kind.depth, kind.color,
                 kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    const png_color palette[] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {0, 0, 0}};
    const png_byte alpha[] = {255, 255, 255, 128};
    if (kind.color == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 4);
        png_set_tRNS(png, info, alpha, 4, NULL);
    }
    png_bytep *pointers = malloc(h * sizeof *pointers);
    for (uint32_t y = 0; y < h; y++)
        pointers[y] = (png_bytep)(uintptr_t)(rows + y * stride);
    png_set_rows(png, info, pointers);
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&png, &info);
    free(pointers);
    fclose(f);
}

static void make_jpeg(const char *path, int w, int h, int channels, const uint8_t *rows) {
    FILE *f = fopen(path, "wb");
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, f);
    jpeg.image_width = (JDIMENSION)w;
    jpeg.image_height = (JDIMENSION)h;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < h; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(rows + (size_t)y * (size_t)(w * channels));
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(f);
}

static void make_tiff(const char *path, uint32_t w, uint32_t h, int samples, int bits,
                      const void *rows, bool alpha) {
    TIFF *tif = TIFFOpen(path, "w");
    const uint16_t extra = EXTRASAMPLE_UNASSALPHA;
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, w);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, h);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT, bits == 32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, 4);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    if (alpha)
        TIFFSetField(tif, TIFFTAG_EXTRASAMPLES, 1, &extra);
    const size_t stride = (size_t)w * (size_t)(samples * bits / 8);
    for (uint32_t y = 0; y < h; y++) {
        uint8_t row[4096];
        memcpy(row, (const uint8_t *)rows + y * stride, stride);
        TIFFWriteScanline(tif, row, y, 0);
    }
    TIFFClose(tif);
}

static void fill(uint8_t *bytes, size_t n) {
    uint32_t seed = 9;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static hlrp_image read_ok(const char *path, int64_t w, int64_t h) {
    hlrp_error err = {0};
    hlrp_image image = {0};
    const hlrp_status status = hlrp_image_read(path, &image, &err);
    assert_string_equal(err.what, "");
    assert_int_equal(status, HLRP_OK);
    assert_int_equal(image.width, w);
    assert_int_equal(image.height, h);
    assert_int_equal(image.channels, 3);
    return image;
}

static void read_fails(const char *path, const char *why) {
    hlrp_error err = {0};
    hlrp_image image = {0};
    assert_int_equal(hlrp_image_read(path, &image, &err), HLRP_E_INPUT);
    assert_null(image.data);
    assert_int_equal(image.width, 0);
    if (!strstr(err.what, why))
        fail_msg("\"%s\" does not say \"%s\"", err.what, why);
    assert_string_equal(err.where, path);
}

static void assert_pixel(const hlrp_image *image, int64_t i, int r, int g, int b) {
    const uint8_t *p = image->data + 3 * i;
    if (p[0] != r || p[1] != g || p[2] != b)
        fail_msg("pixel %lld is %d %d %d, not %d %d %d", (long long)i, p[0], p[1], p[2], r, g, b);
}

/* ---- PNG ---- */

static void png_of_every_kind_becomes_rgb(void **state) {
    const char *path = scratch_path(*state, "a.png");
    static const uint8_t grey[] = {0, 77, 255}, grey16[] = {0, 0, 0x80, 0x00, 0xff, 0xff};
    static const uint8_t rgb16[] = {0xff, 0xff, 0, 0, 0x12, 0xff};
    static const uint8_t palette[] = {0, 1, 2, 3}, bits[] = {0xa0};
    static const uint8_t grey_alpha[] = {100, 255, 100, 0, 100, 51};
    make_png(path, (png_kind){PNG_COLOR_TYPE_GRAY, 8, false}, 3, 1, grey, 3);
    hlrp_image a = read_ok(path, 3, 1);
    assert_pixel(&a, 1, 77, 77, 77);
    hlrp_image_free(&a);
    make_png(path, (png_kind){PNG_COLOR_TYPE_GRAY, 16, false}, 3, 1, grey16, 6);
    a = read_ok(path, 3, 1);
    assert_pixel(&a, 1, 128, 128, 128);
    assert_pixel(&a, 2, 255, 255, 255);
    hlrp_image_free(&a);
    make_png(path, (png_kind){PNG_COLOR_TYPE_RGB, 16, false}, 1, 1, rgb16, 6);
    a = read_ok(path, 1, 1);
    assert_pixel(&a, 0, 255, 0, 0x13) /* rounded, not cut */;
    hlrp_image_free(&a);
    make_png(path, (png_kind){PNG_COLOR_TYPE_PALETTE, 8, false}, 2, 2, palette, 2);
    a = read_ok(path, 2, 2);
    assert_pixel(&a, 1, 0, 255, 0);
    assert_pixel(&a, 3, 127, 127, 127);
    hlrp_image_free(&a);
    make_png(path, (png_kind){PNG_COLOR_TYPE_GRAY, 1, false}, 3, 1, bits, 1);
    a = read_ok(path, 3, 1);
    assert_pixel(&a, 0, 255, 255, 255);
    assert_pixel(&a, 1, 0, 0, 0);
    hlrp_image_free(&a);
    make_png(path, (png_kind){PNG_COLOR_TYPE_GRAY_ALPHA, 8, false}, 3, 1, grey_alpha, 6);
    a = read_ok(path, 3, 1);
    assert_pixel(&a, 0, 100, 100, 100);
    assert_pixel(&a, 1, 255, 255, 255);
    assert_pixel(&a, 2, 224, 224, 224);
    hlrp_image_free(&a);
}

static void png_comes_back_as_written(void **state) {
    for (int channels = 1; channels <= 4; channels++) {
        if (channels == 2)
            continue;
        hlrp_error err = {0};
        hlrp_image image = {0};
        const char *path = scratch_path(*state, "a.png");
        assert_int_equal(hlrp_image_init(&image, 37, 23, channels, &err), HLRP_OK);
        fill(image.data, (size_t)(37 * 23 * channels));
        for (int64_t i = 0; channels == 4 && i < 37 * 23; i++)
            image.data[4 * i + 3] = i % 2 ? 255 : 0;
        assert_int_equal(hlrp_png_write(path, &image, &err), HLRP_OK);
        assert_int_equal(scratch_count(*state, 0), 1);
        hlrp_image back = read_ok(path, 37, 23);
        for (int64_t i = 0; i < 37 * 23; i++) {
            const uint8_t *p = image.data + channels * i;
            if (channels == 1)
                assert_pixel(&back, i, p[0], p[0], p[0]);
            else if (channels == 3 || p[3] == 255)
                assert_pixel(&back, i, p[0], p[1], p[2]);
            else
                assert_pixel(&back, i, 255, 255, 255);
        }
        hlrp_image_free(&back);
        hlrp_image_free(&image);
    }
}

static void interlaced_png_is_read(void **state) {
    uint8_t rgb[50 * 31 * 3];
    fill(rgb, sizeof rgb);
    const char *path = scratch_path(*state, "a.png");
    make_png(path, (png_kind){PNG_COLOR_TYPE_RGB, 8, true}, 50, 31, rgb, 150);
    hlrp_image a = read_ok(path, 50, 31);
    assert_memory_equal(a.data, rgb, sizeof rgb);
    hlrp_image_free(&a);
}

/* Guards against a PNG left half written under its name. */
static void a_full_disk_leaves_no_png(void **state) {
    hlrp_error err = {0};
    hlrp_image image = {0};
    struct rlimit was;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(hlrp_image_init(&image, 200, 200, 3, &err), HLRP_OK);
    fill(image.data, 200 * 200 * 3);
    const struct rlimit small = {5000, was.rlim_max};
    const char *path = scratch_path(*state, "a.png");
    setrlimit(RLIMIT_FSIZE, &small);
    const hlrp_status status = hlrp_png_write(path, &image, &err);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(status, HLRP_E_IO);
    assert_string_equal(err.where, path);
    assert_non_null(strstr(err.what, "File too large"));
    assert_int_equal(scratch_count(*state, 0), 0);
    assert_int_equal(hlrp_png_write("/nowhere/a.png", &image, &err), HLRP_E_IO);
    hlrp_image_free(&image);
}

/* ---- JPEG ---- */

static void jpeg_is_read(void **state) {
    uint8_t rgb[40 * 30 * 3], grey[40 * 30], cmyk[40 * 30 * 4] = {0};
    for (int i = 0; i < 40 * 30; i++) {
        rgb[3 * i] = 200;
        rgb[3 * i + 1] = (uint8_t)(4 * (i / 40));
        rgb[3 * i + 2] = 90;
        grey[i] = (uint8_t)(5 * (i % 40));
    }
    const char *path = scratch_path(*state, "a.jpg");
    make_jpeg(path, 40, 30, 3, rgb);
    hlrp_image a = read_ok(path, 40, 30);
    for (size_t i = 0; i < sizeof rgb; i++)
        assert_in_range(a.data[i] + 10, rgb[i] + 10 - 5, rgb[i] + 10 + 5);
    hlrp_image_free(&a);
    make_jpeg(path, 40, 30, 1, grey);
    a = read_ok(path, 40, 30);
    for (int i = 0; i < 40 * 30; i++)
        assert_in_range(a.data[3 * i + 1] + 10, grey[i] + 10 - 5, grey[i] + 10 + 5);
    hlrp_image_free(&a);
    make_jpeg(path, 40, 30, 4, cmyk);
    read_fails(path, "CMYK");
}

/* ---- TIFF ---- */

static void tiff_is_read(void **state) {
    const char *path = scratch_path(*state, "a.tif");
    static const uint8_t rgb[] = {1, 2, 3, 250, 251, 252};
    static const uint8_t rgba[] = {10, 20, 30, 255, 10, 20, 30, 0};
    static const uint16_t grey16[] = {0, 0x8080};
    static const float real[] = {0, 1};
    make_tiff(path, 2, 1, 3, 8, rgb, false);
    hlrp_image a = read_ok(path, 2, 1);
    assert_pixel(&a, 0, 1, 2, 3);
    assert_pixel(&a, 1, 250, 251, 252);
    hlrp_image_free(&a);
    make_tiff(path, 2, 1, 4, 8, rgba, true);
    a = read_ok(path, 2, 1);
    assert_pixel(&a, 0, 10, 20, 30);
    assert_pixel(&a, 1, 255, 255, 255);
    hlrp_image_free(&a);
    make_tiff(path, 2, 1, 1, 16, grey16, false);
    a = read_ok(path, 2, 1);
    assert_pixel(&a, 1, 128, 128, 128);
    hlrp_image_free(&a);
    make_tiff(path, 2, 1, 1, 32, real, false);
    read_fails(path, "32-bit");
}

/* Guards the row order of tiled TIFFs, which libtiff hands out bottom up unless told otherwise. */
static void tiled_tiff_is_read(void **state) {
    hlrp_error err = {0};
    hlrp_pyramid *pyramid = NULL;
    uint8_t grey[50 * 70];
    fill(grey, sizeof grey);
    const hlrp_pyramid_spec spec = {.width = 50, .height = 70, .tile = 16};
    const char *path = scratch_path(*state, "a.tif");
    assert_int_equal(hlrp_pyramid_open(path, &spec, &pyramid, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_rows(pyramid, grey, 70, 50, &err), HLRP_OK);
    assert_int_equal(hlrp_pyramid_finish(pyramid, &err), HLRP_OK);
    hlrp_pyramid_free(pyramid);
    hlrp_image a = read_ok(path, 50, 70);
    for (int i = 0; i < 50 * 70; i++)
        assert_pixel(&a, i, grey[i], grey[i], grey[i]);
    hlrp_image_free(&a);
}

/* ---- damage ---- */

static void write_bytes(const char *path, const char *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* Whatever the bytes, there is a picture or a clear error; a sanitizer sees what is read. */
static void try_file(const char *path) {
    hlrp_error err = {0};
    hlrp_image image = {0};
    const hlrp_status status = hlrp_image_read(path, &image, &err);
    if (status == HLRP_OK) {
        assert_non_null(image.data);
    } else {
        assert_true(status == HLRP_E_INPUT || status == HLRP_E_MEMORY);
        assert_null(image.data);
        assert_true(err.what[0] != '\0');
    }
    hlrp_image_free(&image);
}

static void put_byte(int fd, size_t at, char byte) {
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

/* Changes single bytes in place, then cuts from the end: every byte of the headers, samples after.
 */
static void damage(scratch *s, const char *name) {
    char path[400], *bytes = NULL;
    int64_t size = 0;
    hlrp_error err = {0};
    snprintf(path, sizeof path, "%s", scratch_path(s, name));
    assert_int_equal(hlrp_read_file(path, 1 << 20, &bytes, &size, &err), HLRP_OK);
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < (size_t)size; i += i < 300 ? 1 : 61) {
        put_byte(fd, i, (char)0xff);
        try_file(path);
        put_byte(fd, i, bytes[i] ^ 0x11);
        try_file(path);
        put_byte(fd, i, bytes[i]);
    }
    for (int64_t cut = size; cut > 0; cut -= cut < 300 ? 1 : 61) {
        assert_int_equal(ftruncate(fd, (off_t)cut), 0);
        try_file(path);
        if (cut < size / 2 + 61 && cut >= size / 2)
            read_fails(path, "cannot read the picture: ");
    }
    close(fd);
    free(bytes);
}

static void damaged_files_end_in_an_error(void **state) {
    static uint8_t rgb[60 * 50 * 3];
    fill(rgb, sizeof rgb);
    make_png(scratch_path(*state, "a.png"), (png_kind){PNG_COLOR_TYPE_RGB, 8, true}, 60, 50, rgb,
             180);
    damage(*state, "a.png");
    make_jpeg(scratch_path(*state, "a.jpg"), 60, 50, 3, rgb);
    damage(*state, "a.jpg");
    make_tiff(scratch_path(*state, "a.tif"), 60, 50, 3, 8, rgb, false);
    damage(*state, "a.tif");
}

static void what_is_no_picture_is_said(void **state) {
    const char *path = scratch_path(*state, "a.png");
    write_bytes(path, "", 0);
    read_fails(path, "empty");
    write_bytes(path, "hello, world", 12);
    read_fails(path, "neither PNG, JPEG nor TIFF");
    read_fails("/nowhere/a.png", "No such file");
    read_fails("/tmp", "Is a directory");
}

/* Guards the limit: the header alone must be enough to refuse. */
static void giants_are_refused_by_their_header(void **state) {
    hlrp_error err = {0};
    hlrp_image image = {0};
    const char *path = scratch_path(*state, "a.tif");
    TIFF *tif = TIFFOpen(path, "w");
    uint8_t row[60000] = {0};
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, 60000);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, 60000);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFWriteScanline(tif, row, 0, 0);
    TIFFClose(tif);
    read_fails(path, "limit");
    assert_int_equal(hlrp_image_init(&image, 0, 5, 3, &err), HLRP_E_INPUT);
    assert_int_equal(hlrp_image_init(&image, INT64_MAX, 5, 3, &err), HLRP_E_INPUT);
}

static void versions_are_numbers(void **state) {
    (void)state;
    assert_int_equal(hlrp_tiff_version()[0], '4');
    assert_non_null(strchr(hlrp_png_version(), '.'));
    assert_non_null(strpbrk(hlrp_jpeg_version(), "0123456789"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        TEST(png_of_every_kind_becomes_rgb),
        TEST(png_comes_back_as_written),
        TEST(interlaced_png_is_read),
        TEST(a_full_disk_leaves_no_png),
        TEST(jpeg_is_read),
        TEST(tiff_is_read),
        TEST(tiled_tiff_is_read),
        TEST(damaged_files_end_in_an_error),
        TEST(what_is_no_picture_is_said),
        TEST(giants_are_refused_by_their_header),
        TEST(versions_are_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

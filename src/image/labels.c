#include "image/labels.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "image/tiff_io.h"

enum { MOST_SIDE = 1 << 20 };

static hlrp_status bad(const char *path, const char *why, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_INPUT, path, "save the mask as 8-bit grey PNG or TIFF, lossless",
                     "cannot read the mask: %s", why);
}

static hlrp_status check_size(const char *path, hlrp_size size, hlrp_error *err) {
    int64_t pixels = 0;
    if (size.w < 1 || size.h < 1 || size.w > MOST_SIDE || size.h > MOST_SIDE ||
        !hlrp_mul_size(size.w, size.h, &pixels) || pixels > HLRP_LABELS_MAX_PIXELS)
        return hlrp_fail(err, HLRP_E_INPUT, path, "make a smaller mask: it is scaled to the slide",
                         "a mask of %lld x %lld pixels is too large", (long long)size.w,
                         (long long)size.h);
    return HLRP_OK;
}

/* The layout of a row: samples of `bits` bits, `samples` interleaved per pixel. */
typedef struct layout {
    int bits, samples;
} layout;

static uint32_t sample_at(const uint8_t *row, layout l, int64_t i) {
    uint16_t two = 0;
    uint32_t four = 0;
    if (l.bits == 8)
        return row[i];
    if (l.bits == 16) {
        memcpy(&two, row + 2 * i, sizeof two);
        return two;
    }
    if (l.bits == 32) {
        memcpy(&four, row + 4 * i, sizeof four);
        return four;
    }
    const int64_t bit = i * l.bits; /* 1, 2 or 4: the first pixel in the highest bits */
    return (uint32_t)row[bit / 8] >> (8 - l.bits - bit % 8) & ((1U << l.bits) - 1);
}

/* False where a pixel has a color. */
static bool to_labels(const uint8_t *row, layout l, int64_t count, uint32_t *out) {
    for (int64_t x = 0; x < count; x++) {
        const int64_t i = x * l.samples;
        out[x] = sample_at(row, l, i);
        if (l.samples == 2 && sample_at(row, l, i + 1) == 0)
            out[x] = 0;
        if (l.samples < 3)
            continue;
        if (l.samples == 4 && sample_at(row, l, i + 3) == 0)
            out[x] = 0;
        else if (sample_at(row, l, i + 1) != out[x] || sample_at(row, l, i + 2) != out[x])
            return false;
    }
    return true;
}

static const char COLORED[] = "it has colors, not labels";

/* ---- PNG ---- */

/* libpng reports errors by longjmp: what must survive the jump lives here. */
typedef struct png_job {
    jmp_buf jump;
    char why[200];
    png_structp png;
    png_infop info;
    hlrp_size size;
    layout layout;
    int kind, interlace;
} png_job;

static void on_error(png_structp png, png_const_charp message) {
    png_job *job = png_get_error_ptr(png);
    snprintf(job->why, sizeof job->why, "%s", message);
    longjmp(job->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static bool png_header(png_job *job, FILE *stream) {
    if (setjmp(job->jump))
        return false;
    png_init_io(job->png, stream);
    png_set_user_limits(job->png, MOST_SIDE, MOST_SIDE);
    png_read_info(job->png, job->info);
    job->size = (hlrp_size){png_get_image_width(job->png, job->info),
                            png_get_image_height(job->png, job->info)};
    job->kind = png_get_color_type(job->png, job->info);
    job->interlace = png_get_interlace_type(job->png, job->info);
    if (png_get_bit_depth(job->png, job->info) == 16)
        png_set_swap(job->png);
    png_set_packing(job->png);
    png_read_update_info(job->png, job->info);
    job->layout =
        (layout){png_get_bit_depth(job->png, job->info), png_get_channels(job->png, job->info)};
    return true;
}

static bool png_row(png_job *job, uint8_t *row) {
    if (setjmp(job->jump))
        return false;
    png_read_row(job->png, row, NULL);
    return true;
}

static hlrp_status png_rows(png_job *job, const char *path, const hlrp_label_reader *reader,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    uint8_t *row = NULL;
    uint32_t *labels = NULL;
    HLRP_TRY(check_size(path, job->size, err));
    if (job->interlace != PNG_INTERLACE_NONE) {
        status = bad(path, "it is interlaced", err);
        goto out;
    }
    HLRP_TRY(hlrp_calloc(&row, (int64_t)png_get_rowbytes(job->png, job->info), 1, "a row", err));
    HLRP_TRY(hlrp_calloc(&labels, job->size.w, sizeof *labels, "a row", err));
    HLRP_TRY(reader->begin(reader->user, job->size, err));
    for (int64_t y = 0; y < job->size.h; y++) {
        if (!png_row(job, row) || !to_labels(row, job->layout, job->size.w, labels)) {
            status = bad(path, job->why[0] ? job->why : COLORED, err);
            goto out;
        }
        HLRP_TRY(reader->row(reader->user, y, labels, err));
    }
out:
    free(row);
    free(labels);
    return status;
}

static hlrp_status read_png(const char *path, FILE *stream, const hlrp_label_reader *reader,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    png_job job = {.layout = {8, 1}};
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    if (job.png)
        job.info = png_create_info_struct(job.png);
    if (!job.info)
        status = hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "no memory left for a PNG");
    else if (!png_header(&job, stream))
        status = bad(path, job.why, err);
    else
        status = png_rows(&job, path, reader, err);
    png_destroy_read_struct(&job.png, &job.info, NULL);
    return status;
}

/* ---- TIFF ---- */

typedef struct tiff_job {
    TIFF *tif;
    hlrp_tiff_note note;
    const char *path;
    hlrp_size size, tile; /* tile.w = 0: strips */
    layout layout;
    uint8_t *tiles, *row;
    int64_t row_bytes, tile_row_bytes, tile_bytes;
} tiff_job;

/* Why this page is no label mask; NULL where it may be one. */
static const char *page_refusal(TIFF *tif, layout l) {
    uint16_t photometric = 0, planar = PLANARCONFIG_CONTIG, format = SAMPLEFORMAT_UINT, codec = 0;
    TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &photometric);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &codec);
    if (codec == COMPRESSION_JPEG || codec == COMPRESSION_OJPEG)
        return "JPEG compression changes labels";
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_INT && format != SAMPLEFORMAT_VOID)
        return "its values are not whole numbers";
    if (photometric > PHOTOMETRIC_PALETTE)
        return COLORED;
    if (l.samples > 1 && (planar != PLANARCONFIG_CONTIG || l.bits != 8 || l.samples > 4))
        return "it has several values per pixel";
    if (l.bits != 1 && l.bits != 2 && l.bits != 4 && l.bits != 8 && l.bits != 16 && l.bits != 32)
        return "its bits per pixel are none of 1, 2, 4, 8, 16 and 32";
    return NULL;
}

static hlrp_status tiff_header(tiff_job *job, hlrp_error *err) {
    uint32_t w = 0, h = 0, tw = 0, th = 0;
    uint16_t bits = 1, samples = 1;
    TIFFGetField(job->tif, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(job->tif, TIFFTAG_IMAGELENGTH, &h);
    TIFFGetFieldDefaulted(job->tif, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(job->tif, TIFFTAG_SAMPLESPERPIXEL, &samples);
    job->size = (hlrp_size){w, h};
    job->layout = (layout){bits, samples};
    const char *why = page_refusal(job->tif, job->layout);
    if (why)
        return bad(job->path, why, err);
    hlrp_status status = check_size(job->path, job->size, err);
    if (status != HLRP_OK || !TIFFIsTiled(job->tif))
        return status;
    TIFFGetField(job->tif, TIFFTAG_TILEWIDTH, &tw);
    TIFFGetField(job->tif, TIFFTAG_TILELENGTH, &th);
    job->tile = (hlrp_size){tw, th};
    if (tw < 1 || th < 1 || tw > MOST_SIDE || th > MOST_SIDE)
        return bad(job->path, "its tiles have no sensible size", err);
    return HLRP_OK;
}

/* Buffers of the sizes that libtiff says, which must be those that the header says. */
static hlrp_status tiff_buffers(tiff_job *job, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t per_pixel = (int64_t)job->layout.bits * job->layout.samples;
    int64_t across = 0, all = 0;
    job->row_bytes = hlrp_ceil_div(job->size.w * per_pixel, 8);
    if (job->tile.w == 0) {
        if ((int64_t)TIFFScanlineSize64(job->tif) != job->row_bytes)
            return bad(job->path, "its rows are not as long as it says", err);
        return hlrp_calloc(&job->row, job->row_bytes, 1, "a row", err);
    }
    across = hlrp_ceil_div(job->size.w, job->tile.w);
    job->tile_row_bytes = hlrp_ceil_div(job->tile.w * per_pixel, 8);
    job->tile_bytes = job->tile_row_bytes * job->tile.h;
    if ((int64_t)TIFFTileSize64(job->tif) != job->tile_bytes || job->tile.w * per_pixel % 8 != 0)
        return bad(job->path, "its tiles are not as large as it says", err);
    if (!hlrp_mul_size(job->tile_bytes, across, &all) || all > INT64_C(1) << 31)
        return bad(job->path, "its tiles are too large", err);
    HLRP_TRY(hlrp_calloc(&job->tiles, all, 1, "a row of tiles", err));
    HLRP_TRY(hlrp_calloc(&job->row, across * job->tile_row_bytes, 1, "a row", err));
out:
    return status;
}

static bool load_tiles(tiff_job *job, int64_t y) {
    const int64_t across = hlrp_ceil_div(job->size.w, job->tile.w);
    for (int64_t i = 0; i < across; i++) {
        const uint32_t number =
            TIFFComputeTile(job->tif, (uint32_t)(i * job->tile.w), (uint32_t)y, 0, 0);
        if (TIFFReadEncodedTile(job->tif, number, job->tiles + i * job->tile_bytes,
                                (tmsize_t)job->tile_bytes) < 0)
            return false;
    }
    return true;
}

static bool load_row(tiff_job *job, int64_t y) {
    if (job->tile.w == 0)
        return TIFFReadScanline(job->tif, job->row, (uint32_t)y, 0) == 1;
    const int64_t across = hlrp_ceil_div(job->size.w, job->tile.w), in = y % job->tile.h;
    if (in == 0 && !load_tiles(job, y))
        return false;
    for (int64_t i = 0; i < across; i++)
        memcpy(job->row + i * job->tile_row_bytes,
               job->tiles + i * job->tile_bytes + in * job->tile_row_bytes,
               (size_t)job->tile_row_bytes);
    return true;
}

static hlrp_status tiff_rows(tiff_job *job, const hlrp_label_reader *reader, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    uint32_t *labels = NULL;
    HLRP_TRY(tiff_header(job, err));
    HLRP_TRY(tiff_buffers(job, err));
    HLRP_TRY(hlrp_calloc(&labels, job->size.w, sizeof *labels, "a row", err));
    HLRP_TRY(reader->begin(reader->user, job->size, err));
    for (int64_t y = 0; y < job->size.h; y++) {
        if (!load_row(job, y)) {
            status =
                bad(job->path, job->note.text[0] ? job->note.text : "its data are damaged", err);
            goto out;
        }
        if (!to_labels(job->row, job->layout, job->size.w, labels)) {
            status = bad(job->path, COLORED, err);
            goto out;
        }
        HLRP_TRY(reader->row(reader->user, y, labels, err));
    }
out:
    free(labels);
    return status;
}

static hlrp_status read_tiff(const char *path, const hlrp_label_reader *reader, hlrp_error *err) {
    tiff_job job = {.path = path};
    job.tif = hlrp_tiff_open(path, "r", &job.note);
    if (!job.tif)
        return bad(path, job.note.text, err);
    hlrp_status status = tiff_rows(&job, reader, err);
    TIFFClose(job.tif);
    free(job.tiles);
    free(job.row);
    return status;
}

/* ---- both ---- */

hlrp_status hlrp_labels_read(const char *path, const hlrp_label_reader *reader, hlrp_error *err) {
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    uint8_t head[8] = {0};
    FILE *stream = fopen(path, "rbe");
    if (!stream)
        return hlrp_fail(err, HLRP_E_INPUT, path, "check the path", "cannot read the mask: %s",
                         strerror(errno));
    const size_t n = fread(head, 1, sizeof head, stream);
    hlrp_status status = HLRP_OK;
    rewind(stream);
    if (n == 8 && memcmp(head, png, 8) == 0)
        status = read_png(path, stream, reader, err);
    else if (n >= 4 && (memcmp(head, "II", 2) == 0 || memcmp(head, "MM", 2) == 0))
        status = read_tiff(path, reader, err);
    else
        status = bad(path, "it is neither PNG nor TIFF", err);
    fclose(stream);
    return status;
}

/* Pictures in files. The only module that includes tiffio.h, png.h and jpeglib.h: it reads PNG,
 * JPEG and TIFF, writes PNG, and writes tiled TIFF pyramids in one pass. No shared state: separate
 * objects may be used by separate threads. The libraries' own messages are caught, never printed.
 */
#ifndef HLRP_IMAGE_H
#define HLRP_IMAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geometry/geometry.h"
#include "util/util.h"

/* ---- pictures ---- */

/* Largest picture that hlrp_image_read takes: a tile or a thumbnail, not a slide. */
#define HLRP_IMAGE_MAX_SIDE 65500
#define HLRP_IMAGE_MAX_PIXELS (INT64_C(1) << 27)

/* 8-bit pixels, `channels` interleaved bytes each, rows from the top without gaps:
 * data[(y·width + x)·channels + c]. channels: 1 grey, 3 RGB, 4 RGB and straight alpha. */
typedef struct hlrp_image {
    int64_t width, height;
    int channels;
    uint8_t *data; /* owned */
    hlrp_mpp
        mpp; /* µm per pixel as a file says; 0: it does not. Screens' 72 dpi are such a word, too */
} hlrp_image;

/* A zeroed picture in *out; free it with hlrp_image_free. Fails with HLRP_E_INPUT where a size is
 * below 1 or over the limits above, HLRP_E_MEMORY where memory is short. */
hlrp_status hlrp_image_init(hlrp_image *out, int64_t width, int64_t height, int channels,
                            hlrp_error *err);
void hlrp_image_free(hlrp_image *image); /* also an empty one; leaves it empty */

/* Reads the file's first picture as 8-bit RGB (channels = 3). The kind is told by content: PNG,
 * JPEG or TIFF (any layout that libtiff turns into RGB). Alpha is laid over white, grey and
 * palettes become RGB, 16 bits become 8 by rounding. Colour profiles, gamma and EXIF orientation
 * are left alone, as PIL does. Fails with HLRP_E_INPUT on a missing, truncated, damaged, oversized
 * or unsupported file; *out is then empty. */
hlrp_status hlrp_image_read(const char *path, hlrp_image *out, hlrp_error *err);

/* Writes grey, RGB or RGBA as PNG; the file appears whole or not at all (HLRP_E_IO). */
hlrp_status hlrp_png_write(const char *path, const hlrp_image *image, hlrp_error *err);

/* Grey or RGB as a JPEG file in memory, quality 1…100; *bytes is the caller's to free.
 * HLRP_E_MEMORY. */
hlrp_status hlrp_jpeg_encode(const hlrp_image *image, int quality, uint8_t **bytes, size_t *size,
                             hlrp_error *err);

/* ---- pyramids ---- */

typedef enum hlrp_pixel {
    HLRP_PIXEL_GREY8, /* uint8 */
    HLRP_PIXEL_RGB8,  /* 3 × uint8 */
    HLRP_PIXEL_F32    /* float, NaN = nothing known */
} hlrp_pixel;

typedef enum hlrp_codec {
    HLRP_CODEC_DEFLATE,     /* lossless, horizontal predictor */
    HLRP_CODEC_JPEG,        /* YCbCr 4:2:0 for RGB8, plain for GREY8 */
    HLRP_CODEC_JPEG_YCC444, /* YCbCr without chroma subsampling */
    HLRP_CODEC_JPEG_RGB     /* RGB8 stored as RGB */
} hlrp_codec;

typedef enum hlrp_pyramid_layout {
    HLRP_LAYOUT_PAGES,  /* levels are pages; reduced ones have NewSubfileType 1 */
    HLRP_LAYOUT_APERIO, /* levels are pages with NewSubfileType 0, as Aperio's files have it */
    HLRP_LAYOUT_SUBIFDS /* levels ≥ 1 hang on their plane's page by tag 330, large to small */
} hlrp_pyramid_layout;

/* What to write. Zero-initialise; a 0 or NULL stands for the default in brackets. */
typedef struct hlrp_pyramid_spec {
    int64_t width, height; /* level 0, pixels, ≥ 1 */
    hlrp_pixel pixel;
    int planes;       /* [1]; more need HLRP_LAYOUT_SUBIFDS: one page chain each */
    int tile;         /* [256]; a multiple of 16 up to 4096 */
    hlrp_codec codec; /* JPEG takes GREY8 and RGB8 */
    int quality;      /* [85] JPEG, 1…100 */
    hlrp_pyramid_layout layout;
    int step;         /* [2] each level is 2 or 4 times smaller than the one before */
    int64_t min_size; /* [tile] levels are added until both sides are at most this */
    /* Sizes of further levels among those, each narrower than level 0: GREY8 or RGB8, pages. A pixel
     * is the mean of what it covers of level 0, edge to edge. [none] */
    const hlrp_size *between;
    int between_count;    /* at most 8 */
    hlrp_mpp mpp;         /* µm per level-0 pixel; 0: no resolution tags */
    const char *software; /* [none] */
    /* ImageDescription per level, hlrp_pyramid_levels() entries, each may be NULL; [none]. With
     * planes, the first one's: the other planes have none. Copied by _open. */
    const char *const *descriptions;
    /* A stripped page after level 0, as Aperio's files have: the smallest level (which must be at
     * most 2048 on each side) under this description. RGB8 and page layouts only. [none] */
    const char *thumbnail;
} hlrp_pyramid_spec;

/* Number of levels, level 0 included. The spec must be one that _open accepts. */
int hlrp_pyramid_levels(const hlrp_pyramid_spec *spec);
/* Size of a level, from large to small: ceil(level-0 size / step^k), or one of `between`. Pixel i of
 * such a level covers exactly the level-0 pixels [i·step^k, (i+1)·step^k) that exist, whatever the
 * size: levels do not drift. */
hlrp_size hlrp_pyramid_level_size(const hlrp_pyramid_spec *spec, int level);

typedef struct hlrp_pyramid hlrp_pyramid;

/* Begins the file. Nothing bears the final name before _finish; level 0 goes to a temporary file in
 * the same folder, smaller levels to unlinked ones there. Memory: less than
 * 2.1 · width · tile · bytes per pixel + 32 bytes per tile + 16 MB, whatever the height (a width of
 * 100,000 RGB pixels in tiles of 256: 160 MB + 7 MB). Shrinking is the mean of 2×2 pixels, rounded
 * half to even; of those that exist at an odd edge; of those that are not NaN for F32. BigTIFF is
 * chosen where the raw size says that 2 GB could be passed. Fails with HLRP_E_INPUT on a bad spec,
 * HLRP_E_IO on a file that cannot be made. The caller frees *out. */
hlrp_status hlrp_pyramid_open(const char *path, const hlrp_pyramid_spec *spec, hlrp_pyramid **out,
                              hlrp_error *err);

/* Pushes the next `count` rows of level 0, from the top, plane after plane (plane 1 begins when
 * plane 0 has its height rows; one call may not cross from one plane to the next). Row i begins
 * `stride` bytes after row i−1. The pixels are copied. Fails with HLRP_E_IO (disk full) or
 * HLRP_E_INTERNAL (too many rows); the pyramid can then only be freed. */
hlrp_status hlrp_pyramid_rows(hlrp_pyramid *pyramid, const void *rows, int64_t count, size_t stride,
                              hlrp_error *err);

/* Appends the smaller levels, syncs and gives the file its name. All rows must have been pushed. */
hlrp_status hlrp_pyramid_finish(hlrp_pyramid *pyramid, hlrp_error *err);

/* Frees it; without a successful _finish nothing is left on disk. NULL is fine. */
void hlrp_pyramid_free(hlrp_pyramid *pyramid);

/* ---- libraries ---- */

/* Version numbers such as "4.5.0"; borrowed, static. */
const char *hlrp_tiff_version(void);
const char *hlrp_png_version(void);
const char *hlrp_jpeg_version(void);

/* ---- libtiff's own words ---- */

/* As libtiff calls it: the part of it that speaks, and printf's format; from any thread. */
typedef void (*hlrp_tiff_say)(const char *part, const char *format, va_list args);

/* For a program's start: who hears what libtiff says of files that other libraries (OpenSlide) have
 * it read. It has one such place per process, and prints on standard error before this. Files of
 * this module never end there. */
void hlrp_tiff_redirect(hlrp_tiff_say warning, hlrp_tiff_say error);

#endif

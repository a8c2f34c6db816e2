/* A tiled TIFF's pages, tile by tile: for who needs some pixels of a picture too large to hold. */
#ifndef HLRP_IMAGE_TIFF_TILES_H
#define HLRP_IMAGE_TIFF_TILES_H

#include "geometry/geometry.h"
#include "util/util.h"

/* One thread at a time. */
typedef struct hlrp_tiff_tiles hlrp_tiff_tiles;

/* HLRP_E_INPUT where the file is no TIFF. */
hlrp_status hlrp_tiff_tiles_open(const char *path, hlrp_tiff_tiles **out, hlrp_error *err);
void hlrp_tiff_tiles_close(hlrp_tiff_tiles *tiles); /* NULL is allowed */

/* How a page stores its pixels. */
typedef struct hlrp_tiff_kind {
    bool tiled;         /* else in strips */
    bool has_decoder;   /* libtiff's, for its compression */
    int compression;    /* the TIFF tag's number, and so the next */
    int orientation;    /* 1: upright */
    int samples;        /* channels */
    bool inks;          /* CMYK */
    char lacking[1024]; /* why libtiff makes no RGB of it; "": it does */
} hlrp_tiff_kind;

/* Of the first tiled page of this size on the main chain; 0 × 0: of the first page. False: there is
 * none. */
bool hlrp_tiff_tiles_kind(hlrp_tiff_tiles *tiles, hlrp_size size, hlrp_tiff_kind *out);

/* The one page of the main chain that is tiled and has this size; behind the first page only those
 * that are marked as reduced count where only_reduced. False: there is none, there are several, or it
 * is not made of tiles of 3 × 8 bits RGB (also as JPEG of any colors) in a codec that libtiff knows. */
bool hlrp_tiff_tiles_find(hlrp_tiff_tiles *tiles, hlrp_size size, bool only_reduced, int *page,
                          hlrp_size *tile);

/* The stored tile with pixel (x, y) of a page that was found, to rgb [tile.h, tile.w, 3]: what lies
 * past the page's edge is whatever the file has there. False where the tile is not stored, or where
 * libtiff has anything to say against it, be it a warning. */
bool hlrp_tiff_tiles_read(hlrp_tiff_tiles *tiles, int page, int64_t x, int64_t y, uint8_t *rgb);

/* What libtiff said against the tile that could not be read last; "": nothing. Borrowed, until the
 * next call. */
const char *hlrp_tiff_tiles_words(const hlrp_tiff_tiles *tiles);

#endif

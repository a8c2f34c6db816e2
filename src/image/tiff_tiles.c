#include "image/tiff_tiles.h"

#include <stdlib.h>

#include "image/tiff_io.h"

/* Pages that are looked at; slides have a dozen. */
#define MOST_PAGES 100

struct hlrp_tiff_tiles {
    TIFF *tif;
    hlrp_tiff_note note;
    int page; /* the one that is set; −1: none */
};

hlrp_status hlrp_tiff_tiles_open(const char *path, hlrp_tiff_tiles **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tiff_tiles *t = NULL;
    *out = NULL;
    HLRP_TRY(hlrp_calloc(&t, 1, sizeof *t, "a TIFF", err));
    t->page = -1;
    t->tif = hlrp_tiff_open(path, "r", &t->note);
    if (!t->tif) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, "check the file with tiffinfo",
                           "this is no TIFF: %s", t->note.text);
        goto out;
    }
    *out = t;
    t = NULL;
out:
    free(t);
    return status;
}

void hlrp_tiff_tiles_close(hlrp_tiff_tiles *tiles) {
    if (!tiles)
        return;
    TIFFClose(tiles->tif);
    free(tiles);
}

static bool set_page(hlrp_tiff_tiles *t, int page) {
    if (page == t->page)
        return true;
    t->page = -1;
    if (!TIFFSetDirectory(t->tif, (tdir_t)page))
        return false;
    uint16_t codec = 0;
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_COMPRESSION, &codec);
    if (codec == COMPRESSION_JPEG)
        TIFFSetField(t->tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    t->page = page;
    return true;
}

/* Whether the page that is set holds what _read hands out. */
static bool is_rgb_tiles(TIFF *tif) {
    uint16_t bits = 0, samples = 0, planar = 0, colors = 0, codec = 0, orientation = 0;
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &codec);
    TIFFGetFieldDefaulted(tif, TIFFTAG_ORIENTATION, &orientation);
    if (!TIFFIsTiled(tif) || !TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &colors))
        return false;
    const bool rgb =
        colors == PHOTOMETRIC_RGB || (colors == PHOTOMETRIC_YCBCR && codec == COMPRESSION_JPEG);
    return rgb && bits == 8 && samples == 3 && planar == PLANARCONFIG_CONTIG &&
           orientation == ORIENTATION_TOPLEFT && codec != COMPRESSION_OJPEG &&
           TIFFIsCODECConfigured(codec) == 1;
}

/* Whether the page that is set may be a level of this size. */
static bool is_level(TIFF *tif, hlrp_size size, bool only_reduced) {
    uint32_t w = 0, h = 0, kind = 0;
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &h);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SUBFILETYPE, &kind);
    return w == size.w && h == size.h && TIFFIsTiled(tif) &&
           (!only_reduced || (kind & FILETYPE_REDUCEDIMAGE) != 0);
}

static void describe(TIFF *tif, hlrp_tiff_kind *out) {
    uint16_t codec = 0, orientation = 0, samples = 0, colors = 0;
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &codec);
    TIFFGetFieldDefaulted(tif, TIFFTAG_ORIENTATION, &orientation);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &colors);
    *out = (hlrp_tiff_kind){.tiled = TIFFIsTiled(tif) != 0,
                            .has_decoder = TIFFIsCODECConfigured(codec) == 1,
                            .compression = codec,
                            .orientation = orientation,
                            .samples = samples,
                            .inks = colors == PHOTOMETRIC_SEPARATED};
    if (TIFFRGBAImageOK(tif, out->lacking))
        out->lacking[0] = '\0';
}

bool hlrp_tiff_tiles_kind(hlrp_tiff_tiles *tiles, hlrp_size size, hlrp_tiff_kind *out) {
    const bool any = size.w == 0 && size.h == 0;
    for (int i = 0; i < MOST_PAGES && set_page(tiles, i); i++)
        if (any || is_level(tiles->tif, size, false)) {
            describe(tiles->tif, out);
            return true;
        }
    return false;
}

/* Its tiles, where _read can hand them out. */
static bool tiles_of(TIFF *tif, hlrp_size *tile) {
    uint32_t w = 0, h = 0;
    if (!is_rgb_tiles(tif) || !TIFFGetField(tif, TIFFTAG_TILEWIDTH, &w) ||
        !TIFFGetField(tif, TIFFTAG_TILELENGTH, &h) || TIFFTileSize64(tif) != (uint64_t)3 * w * h)
        return false;
    *tile = (hlrp_size){w, h};
    return true;
}

bool hlrp_tiff_tiles_find(hlrp_tiff_tiles *tiles, hlrp_size size, bool only_reduced, int *page,
                          hlrp_size *tile) {
    bool good = false;
    int found = 0;
    for (int i = 0; i < MOST_PAGES && set_page(tiles, i); i++) {
        if (!is_level(tiles->tif, size, only_reduced && i > 0))
            continue;
        if (found++ > 0)
            return false;
        *page = i;
        good = tiles_of(tiles->tif, tile);
    }
    return good;
}

bool hlrp_tiff_tiles_read(hlrp_tiff_tiles *tiles, int page, int64_t x, int64_t y, uint8_t *rgb) {
    if (!set_page(tiles, page))
        return false;
    const uint32_t tile = TIFFComputeTile(tiles->tif, (uint32_t)x, (uint32_t)y, 0, 0);
    tiles->note = (hlrp_tiff_note){0};
    const tmsize_t size = TIFFTileSize(tiles->tif);
    return TIFFReadEncodedTile(tiles->tif, tile, rgb, size) == size &&
           tiles->note.text[0] == '\0' && tiles->note.warnings == 0;
}

const char *hlrp_tiff_tiles_words(const hlrp_tiff_tiles *tiles) {
    return tiles->note.text;
}

/* TIFFs written page by page with libtiff, for what hlrp_pyramid does not write. Pixels are a hash
 * of page and place, so that nothing moved, mirrored or taken from elsewhere passes for right. */
#ifndef TEST_TIFF_PAGE_H
#define TEST_TIFF_PAGE_H

#include <tiffio.h>

/* What is 0 is left at: 3 samples of 8 bits, uncompressed, not reduced, tiles of 128. */
typedef struct tiff_page {
    uint32_t w, h, tile_w, tile_h;
    uint16_t codec, samples, bits, orientation;
    bool reduced, striped;
    const char *description;
} tiff_page;

static inline uint8_t tiff_value(int page, uint32_t x, uint32_t y, int c) {
    return (uint8_t)(((x + 1) * 73856093u ^ (y + 1) * 19349663u ^ (uint32_t)(page * 4 + c) * 977u) *
                         2654435761u >>
                     24);
}

static inline void tiff_set_tags(TIFF *tif, const tiff_page *p) {
    const int samples = p->samples ? p->samples : 3;
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, p->w);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, p->h);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, p->bits ? p->bits : 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, samples < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, p->codec ? p->codec : COMPRESSION_NONE);
    TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(tif, TIFFTAG_XRESOLUTION, 20000.0); /* 0.5 µm per pixel */
    TIFFSetField(tif, TIFFTAG_YRESOLUTION, 20000.0);
    if (samples == 4)
        TIFFSetField(tif, TIFFTAG_EXTRASAMPLES, 1, &(uint16_t){EXTRASAMPLE_UNASSALPHA});
    if (p->orientation)
        TIFFSetField(tif, TIFFTAG_ORIENTATION, p->orientation);
    if (p->reduced)
        TIFFSetField(tif, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
    if (p->description)
        TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, p->description);
    if (p->striped)
        TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, 16);
    else {
        TIFFSetField(tif, TIFFTAG_TILEWIDTH, p->tile_w ? p->tile_w : 128);
        TIFFSetField(tif, TIFFTAG_TILELENGTH, p->tile_h ? p->tile_h : 128);
    }
}

/* One tile or strip with its upper left at (x, y); past the page's edge it is 99. */
static inline void tiff_write_block(TIFF *tif, const tiff_page *p, int page, uint32_t x, uint32_t y,
                                    uint32_t w, uint32_t h) {
    const int samples = p->samples ? p->samples : 3, bytes = (p->bits ? p->bits : 8) / 8;
    uint8_t *block = malloc((size_t)w * h * (size_t)(samples * bytes)), *at = block;
    for (uint32_t j = y; j < y + h; j++)
        for (uint32_t i = x; i < x + w; i++)
            for (int c = 0; c < samples; c++, at += bytes)
                memset(at, i < p->w && j < p->h ? tiff_value(page, i, j, c) : 99, (size_t)bytes);
    if (p->striped)
        assert_true(TIFFWriteEncodedStrip(tif, TIFFComputeStrip(tif, y, 0), block, at - block) > 0);
    else
        assert_true(TIFFWriteEncodedTile(tif, TIFFComputeTile(tif, x, y, 0, 0), block, at - block) >
                    0);
    free(block);
}

static inline void tiff_write_page(TIFF *tif, const tiff_page *p, int page) {
    const uint32_t w = p->striped ? p->w : p->tile_w ? p->tile_w : 128;
    const uint32_t h = p->striped ? 16 : p->tile_h ? p->tile_h : 128;
    tiff_set_tags(tif, p);
    for (uint32_t y = 0; y < p->h; y += h)
        for (uint32_t x = 0; x < p->w; x += w)
            tiff_write_block(tif, p, page, x, y, w, p->striped && y + h > p->h ? p->h - y : h);
    assert_true(TIFFWriteDirectory(tif));
}

static inline const char *tiff_write(scratch *s, const tiff_page *pages, int count) {
    const char *path = scratch_path(s, "pages.tif");
    TIFF *tif = TIFFOpen(path, "w");
    assert_non_null(tif);
    for (int i = 0; i < count; i++)
        tiff_write_page(tif, &pages[i], i);
    TIFFClose(tif);
    return path;
}

#endif

#include <stdlib.h>

#include "image/read.h"
#include "image/tiff_io.h"

/* libtiff hands out rows from the top, packed ABGR, colors already multiplied by alpha. */
static void unpack(const uint32_t *raster, hlrp_image *out) {
    const int64_t count = out->width * out->height;
    for (int64_t i = 0; i < count; i++) {
        const uint32_t v = raster[i], rest = 255 - TIFFGetA(v);
        const uint32_t rgb[3] = {TIFFGetR(v), TIFFGetG(v), TIFFGetB(v)};
        for (int c = 0; c < 3; c++)
            out->data[3 * i + c] = (uint8_t)HLRP_MIN(rgb[c] + rest, 255);
    }
}

static hlrp_mpp mpp_of(TIFF *tif) {
    float x = 0, y = 0;
    uint16_t unit = RESUNIT_NONE;
    TIFFGetFieldDefaulted(tif, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (!TIFFGetField(tif, TIFFTAG_XRESOLUTION, &x) ||
        !TIFFGetField(tif, TIFFTAG_YRESOLUTION, &y) || !(x > 0 && y > 0))
        return (hlrp_mpp){0};
    const double um = unit == RESUNIT_INCH         ? HLRP_UM_PER_INCH
                      : unit == RESUNIT_CENTIMETER ? HLRP_UM_PER_CM
                                                   : 0;
    return (hlrp_mpp){um / (double)x, um / (double)y};
}

hlrp_status hlrp_image_read_tiff(const char *path, hlrp_image *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tiff_note note = {0};
    char why[1024] = "";
    uint32_t width = 0, height = 0;
    uint32_t *raster = NULL;
    TIFF *tif = hlrp_tiff_open(path, "r", &note);
    if (!tif)
        return hlrp_image_bad(path, note.text, err);
    if (!TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width) ||
        !TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &height)) {
        status = hlrp_image_bad(path, "it does not say its size", err);
        goto out;
    }
    HLRP_TRY(hlrp_image_init(out, width, height, 3, err));
    out->mpp = mpp_of(tif);
    HLRP_TRY(hlrp_calloc(&raster, out->width * out->height, sizeof *raster, "a picture", err));
    if (!TIFFRGBAImageOK(tif, why))
        status = hlrp_image_bad(path, why, err);
    else if (!TIFFReadRGBAImageOriented(tif, width, height, raster, ORIENTATION_TOPLEFT, 1))
        status = hlrp_image_bad(path, note.text[0] ? note.text : "its data are damaged", err);
    else
        unpack(raster, out);
out:
    TIFFClose(tif);
    free(raster);
    return status;
}

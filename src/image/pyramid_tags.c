#include "image/pyramid_tags.h"

#define MICROMETRES_PER_CM 10000.0
#define BIGTIFF_FROM (INT64_C(1) << 31)
/* JPEG at usual qualities stays well below half the raw size, even on noise. */
#define JPEG_SURE_QUALITY 90

static bool is_jpeg(const hlrp_pyramid *p) {
    return p->spec.codec != HLRP_CODEC_DEFLATE;
}

static bool set_pixel_tags(const hlrp_pyramid *p, TIFF *tif) {
    const int samples = p->spec.pixel == HLRP_PIXEL_RGB8 ? 3 : 1;
    const bool is_float = p->spec.pixel == HLRP_PIXEL_F32;
    return TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, samples) &&
           TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, is_float ? 32 : 8) &&
           TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT,
                        is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT) &&
           TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
           TIFFSetField(tif, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
}

/* Everything is said outright: a directory of copied tiles never meets the encoder, which would
 * fill in the rest. */
static bool set_ycbcr_tags(const hlrp_pyramid *p, TIFF *tif) {
    static const float range[6] = {0, 255, 128, 255, 128, 255};
    const int every = p->spec.codec == HLRP_CODEC_JPEG ? 2 : 1;
    return TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_YCBCR) &&
           TIFFSetField(tif, TIFFTAG_YCBCRSUBSAMPLING, every, every) &&
           TIFFSetField(tif, TIFFTAG_REFERENCEBLACKWHITE, range) &&
           TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}

static bool set_codec_tags(const hlrp_pyramid *p, TIFF *tif) {
    const bool rgb = p->spec.pixel == HLRP_PIXEL_RGB8;
    if (!TIFFSetField(tif, TIFFTAG_COMPRESSION,
                      is_jpeg(p) ? COMPRESSION_JPEG : COMPRESSION_ADOBE_DEFLATE))
        return false;
    if (is_jpeg(p) && !TIFFSetField(tif, TIFFTAG_JPEGQUALITY, p->spec.quality))
        return false;
    /* Predictor 3 is refused by Bio-Formats, and 2 gains nothing on floats. */
    if (!is_jpeg(p) && p->spec.pixel != HLRP_PIXEL_F32 &&
        !TIFFSetField(tif, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL))
        return false;
    if (rgb && is_jpeg(p) && p->spec.codec != HLRP_CODEC_JPEG_RGB)
        return set_ycbcr_tags(p, tif);
    return TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, rgb ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
}

static bool set_size_tags(TIFF *tif, hlrp_size size) {
    return TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)size.w) &&
           TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)size.h);
}

static bool set_text_tag(TIFF *tif, uint32_t tag, const char *text) {
    return !text || TIFFSetField(tif, tag, text);
}

/* Pixels per centimetre. */
static bool set_resolution_tags(const hlrp_pyramid *p, TIFF *tif, int number) {
    hlrp_rung rungs[HLRP_PYRAMID_MAX_LEVELS];
    if (p->spec.mpp.x <= 0 || p->spec.mpp.y <= 0)
        return true;
    hlrp_pyramid_ladder(&p->spec, rungs);
    const double x = p->spec.mpp.x * rungs[number].step_x, y = p->spec.mpp.y * rungs[number].step_y;
    return TIFFSetField(tif, TIFFTAG_XRESOLUTION, MICROMETRES_PER_CM / x) &&
           TIFFSetField(tif, TIFFTAG_YRESOLUTION, MICROMETRES_PER_CM / y) &&
           TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
}

bool hlrp_ptiff_set_tags(const hlrp_pyramid *p, TIFF *tif, int number) {
    const bool reduced = number > 0 && p->spec.layout != HLRP_LAYOUT_APERIO;
    if (!set_size_tags(tif, hlrp_pyramid_level_size(&p->spec, number)) || !set_pixel_tags(p, tif) ||
        !set_codec_tags(p, tif) || !set_resolution_tags(p, tif, number) ||
        !TIFFSetField(tif, TIFFTAG_SUBFILETYPE, reduced ? FILETYPE_REDUCEDIMAGE : 0) ||
        !TIFFSetField(tif, TIFFTAG_TILEWIDTH, (uint32_t)p->spec.tile) ||
        !TIFFSetField(tif, TIFFTAG_TILELENGTH, (uint32_t)p->spec.tile) ||
        !set_text_tag(tif, TIFFTAG_SOFTWARE, p->software))
        return false;
    if (!set_text_tag(tif, TIFFTAG_IMAGEDESCRIPTION, p->plane ? NULL : p->descriptions[number]))
        return false;
    const uint64_t later[HLRP_PYRAMID_MAX_LEVELS] = {0}; /* libtiff fills in the offsets */
    if (p->spec.layout != HLRP_LAYOUT_SUBIFDS || number > 0 || p->stored == 1)
        return true;
    return TIFFSetField(tif, TIFFTAG_SUBIFD, (uint16_t)(p->stored - 1), later);
}

bool hlrp_ptiff_set_thumbnail_tags(const hlrp_pyramid *p, TIFF *tif) {
    return set_size_tags(tif, hlrp_pyramid_level_size(&p->spec, p->stored - 1)) &&
           set_pixel_tags(p, tif) && set_codec_tags(p, tif) &&
           TIFFSetField(tif, TIFFTAG_SUBFILETYPE,
                        p->spec.layout == HLRP_LAYOUT_APERIO ? 0 : FILETYPE_REDUCEDIMAGE) &&
           TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, HLRP_THUMBNAIL_STRIP) &&
           set_text_tag(tif, TIFFTAG_IMAGEDESCRIPTION, p->thumbnail);
}

const char *hlrp_ptiff_mode(const hlrp_pyramid *p) {
    double bytes = 0;
    for (int i = 0; i < p->stored; i++) {
        const hlrp_size size = hlrp_pyramid_level_size(&p->spec, i);
        bytes += (double)size.w * (double)size.h * (double)p->pixel_bytes * p->spec.planes;
    }
    if (is_jpeg(p) && p->spec.quality <= JPEG_SURE_QUALITY)
        bytes /= 2;
    return bytes >= (double)BIGTIFF_FROM ? "w8" : "w";
}

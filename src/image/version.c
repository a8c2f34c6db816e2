#include <stdio.h>

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>

#include "image/image.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *hlrp_tiff_version(void) {
    return TEXT(TIFFLIB_MAJOR_VERSION) "." TEXT(TIFFLIB_MINOR_VERSION) "." TEXT(
        TIFFLIB_MICRO_VERSION);
}

const char *hlrp_png_version(void) {
    return png_get_libpng_ver(NULL);
}

const char *hlrp_jpeg_version(void) {
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " TEXT(LIBJPEG_TURBO_VERSION);
#else
    return "libjpeg " TEXT(JPEG_LIB_VERSION);
#endif
}

/* One reader per kind of picture. Each gives RGB in *out, which is empty on failure. */
#ifndef HLRP_IMAGE_READ_H
#define HLRP_IMAGE_READ_H

#include "image/image.h"

#define HLRP_UM_PER_INCH 25400.0
#define HLRP_UM_PER_CM 1e4

/* The stream stands at its beginning; the caller closes it. */
hlrp_status hlrp_image_read_png(const char *path, FILE *stream, hlrp_image *out, hlrp_error *err);
hlrp_status hlrp_image_read_jpeg(const char *path, FILE *stream, hlrp_image *out, hlrp_error *err);
hlrp_status hlrp_image_read_tiff(const char *path, hlrp_image *out, hlrp_error *err);

/* HLRP_E_INPUT "cannot read the picture: <why>". */
hlrp_status hlrp_image_bad(const char *path, const char *why, hlrp_error *err);

/* c over white, alpha of 255, rounded. */
static inline uint8_t hlrp_over_white(unsigned c, unsigned alpha) {
    return (uint8_t)((c * alpha + 255 * (255 - alpha) + 127) / 255);
}

#endif

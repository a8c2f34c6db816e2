/* The tags of a pyramid's directories. */
#ifndef HLRP_IMAGE_PYRAMID_TAGS_H
#define HLRP_IMAGE_PYRAMID_TAGS_H

#include "image/pyramid_tiff.h"

/* Sets every tag of level `number` on the handle's fresh directory. */
bool hlrp_ptiff_set_tags(const hlrp_pyramid *p, TIFF *tif, int number);

/* The same for the stripped thumbnail page. */
bool hlrp_ptiff_set_thumbnail_tags(const hlrp_pyramid *p, TIFF *tif);

/* Rows per strip of the thumbnail. */
#define HLRP_THUMBNAIL_STRIP 16

/* libtiff's mode for the target: "w8", BigTIFF, where the file could pass 2 GB, else "w". */
const char *hlrp_ptiff_mode(const hlrp_pyramid *p);

#endif

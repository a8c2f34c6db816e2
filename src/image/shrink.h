/* One row of a pyramid's next level. */
#ifndef HLRP_IMAGE_SHRINK_H
#define HLRP_IMAGE_SHRINK_H

#include "image/image.h"

size_t hlrp_pixel_bytes(hlrp_pixel pixel);

/* out[i], i < ceil(width/2), is the mean of the pixels 2i and 2i+1 of rows a and b; of those that
 * exist at an odd edge (b is NULL below the last row). Bytes are rounded half to even, so that many
 * levels do not brighten; floats skip NaN, and are NaN where all are. out overlaps neither row. */
void hlrp_shrink_rows(hlrp_pixel pixel, const void *a, const void *b, int64_t width, void *out);

#endif

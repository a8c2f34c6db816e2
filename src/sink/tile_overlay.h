/* One tile under its heatmap, with a color bar: what explain writes for a picture. */
#ifndef HLRP_TILE_OVERLAY_H
#define HLRP_TILE_OVERLAY_H

#include "image/image.h"

/* picture: RGB; relevance [height][width] of it, in full color at ±limit; label: below the color
 * bar, such as "for tumor". Writes a PNG in which small tiles are enlarged by a whole number. */
hlrp_status hlrp_tile_overlay_write(const char *path, const hlrp_image *picture,
                                    const float *relevance, double limit, const char *colormap,
                                    const char *label, hlrp_error *err);

#endif

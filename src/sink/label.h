/* Text and shapes drawn into pictures, with a small bitmap font of this project's own. */
#ifndef HLRP_LABEL_H
#define HLRP_LABEL_H

#include "image/image.h"

/* Pixels that a character takes at scale 1, the gap with it. */
#define HLRP_LABEL_WIDTH 6
#define HLRP_LABEL_HEIGHT 10

/* Draws text with its upper left corner at (x, y), each dot scale × scale pixels; what lies outside
 * the RGB picture is cut. ASCII; other characters of UTF-8 become a box each. */
void hlrp_label_draw(hlrp_image *image, int64_t x, int64_t y, int scale, const uint8_t rgb[3],
                     const char *text);

/* Pixels that the text is wide. */
int64_t hlrp_label_width(int scale, const char *text);

/* A filled rectangle, cut at the picture's edges. */
void hlrp_label_fill(hlrp_image *image, hlrp_irect rect, const uint8_t rgb[3]);

#endif

/* Diverging color tables for signed relevance: negative, zero, positive. */
#ifndef HLRP_COLORMAP_H
#define HLRP_COLORMAP_H

#include "util/util.h"

/* Colors on each side of zero. */
#define HLRP_COLORMAP_HALF 255

/* rgb[HLRP_COLORMAP_HALF] is the color of exactly 0. Owns nothing. */
typedef struct hlrp_colormap {
    uint8_t rgb[2 * HLRP_COLORMAP_HALF + 1][3];
} hlrp_colormap;

/* Fills the table called `name` (letter case aside): vik (dark blue, white, dark red; lightness
 * falls evenly on both sides), or the like of matplotlib's RdBu_r, seismic, bwr, coolwarm; each
 * also reversed with an added or dropped "_r". HLRP_E_CONFIG on another name, listing the known. */
hlrp_status hlrp_colormap_init(hlrp_colormap *map, const char *name, hlrp_error *err);

/* The color of t in −1 … 1 (clamped; NaN counts as 0). Borrowed. */
const uint8_t *hlrp_colormap_at(const hlrp_colormap *map, double t);

/* Opacity of a heatmap: 0 where |t| is below 0.02 or NaN, rising evenly to `opacity` at |t| = 0.4.
 */
double hlrp_colormap_alpha(double t, double opacity);

/* "red" or "blue": what the colors of positive (t > 0) or negative values look like; of a reversed
 * map red is negative. Static. */
const char *hlrp_colormap_word(const hlrp_colormap *map, double t);

/* Known names, from index 0; NULL after the last. Static. */
const char *hlrp_colormap_name(int index);

#endif

/* What a cell's color says: glass, stain, pen, or nothing was there. */
#include "region/tissue.h"

#include <math.h>

#include "region/raster.h"

/* Hematoxylin and eosin lie between 255° (blue violet) through 300° to 20° (red); DAB reaches 45°.
 * Green, cyan and blue felt-tip lie in between, strongly saturated. From HUE_BLUE on nuclei can
 * come near: ask for more. */
#define HUE_BLUE 190.0

/* Black felt-tip takes all channels alike; hematoxylin's optical densities differ by three quarters
 * of their mean, eosin's by more. How far the channels may differ, in means; and what is perhaps
 * pen: dim corners of a field of view reach 0.36, but are not beside ink. */
#define BLACK_RANGE 0.35
#define BLACK_PERHAPS 0.1

enum {
    PADDING_CHROMA = 30, /* max − min of the channels: HSV's quotient is noise in the dark */
    PEN_WEAK = 28,
    PEN_BLUE_MORE = 20
};

static int top(const uint8_t c[3]) {
    return HLRP_MAX(HLRP_MAX(c[0], c[1]), c[2]);
}

static int chroma(const uint8_t c[3]) {
    return top(c) - HLRP_MIN(HLRP_MIN(c[0], c[1]), c[2]);
}

uint8_t hlrp_saturation(const uint8_t rgb[3]) {
    int v = top(rgb);
    return v == 0 ? 0 : (uint8_t)((255 * chroma(rgb) + v / 2) / v);
}

double hlrp_hue(const uint8_t rgb[3]) {
    double r = rgb[0], g = rgb[1], b = rgb[2], d = chroma(rgb), h = 0;
    if (d <= 0)
        return 0;
    if (top(rgb) == rgb[0])
        h = (g - b) / d;
    else if (top(rgb) == rgb[1])
        h = 2 + (b - r) / d;
    else
        h = 4 + (r - g) / d;
    return h < 0 ? 60 * (h + 6) : 60 * h;
}

bool hlrp_is_padding(const uint8_t rgb[3], int dark_value) {
    return top(rgb) < dark_value && chroma(rgb) <= PADDING_CHROMA;
}

uint8_t hlrp_brightness(const uint8_t rgb[3]) {
    return (uint8_t)lround(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);
}

double hlrp_density(int level) {
    return log(HLRP_WHITE / HLRP_MAX(level, 1));
}

/* Felt-tip of a color: hue and saturation. */
static hlrp_ink colored_pen(const uint8_t rgb[3], const hlrp_tissue_options *o) {
    const int s = hlrp_saturation(rgb);
    const double hue = hlrp_hue(rgb);
    const bool blue = hue >= HUE_BLUE;
    if (hue < o->pen_hue_from || hue > o->pen_hue_to)
        return HLRP_INK_NONE;
    if (s >= o->pen_saturation + (blue ? PEN_BLUE_MORE : 0))
        return blue ? HLRP_INK_BLUE : HLRP_INK_GREEN;
    return s >= PEN_WEAK ? HLRP_INK_PERHAPS : HLRP_INK_NONE;
}

static hlrp_ink black_pen(const uint8_t rgb[3], const hlrp_tissue_options *o) {
    const double high = hlrp_density(HLRP_MIN(HLRP_MIN(rgb[0], rgb[1]), rgb[2]));
    const double low = hlrp_density(top(rgb)), mean = (high + low) / 2;
    if (high - low > BLACK_RANGE * mean)
        return HLRP_INK_NONE;
    return mean >= o->pen_density  ? HLRP_INK_BLACK
           : mean >= BLACK_PERHAPS ? HLRP_INK_PERHAPS
                                   : HLRP_INK_NONE;
}

hlrp_ink hlrp_ink_of(const uint8_t rgb[3], const hlrp_tissue_options *options) {
    const hlrp_ink colored = colored_pen(rgb, options);
    return colored > HLRP_INK_PERHAPS ? colored : HLRP_MAX(colored, black_pen(rgb, options));
}

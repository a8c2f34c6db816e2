/* What a cell's color says: glass, stain, pen, or nothing was there. */
#include "region/tissue.h"

#include <math.h>

#include "region/raster.h"

/* Hematoxylin and eosin lie between 255° (blue violet) through 300° to 20° (red); DAB reaches 45°.
 * Green, cyan and blue felt-tip lie in between, strongly saturated. */
#define PEN_HUE_FROM 75.0
#define PEN_HUE_TO 245.0
#define PEN_HUE_BLUE 190.0 /* from here on nuclei can come near: ask for more */

#define WHITE 245.0 /* light through glass */
/* Mean optical density (natural log) of black pen, and how far its channels may differ, in means.*/
#define BLACK_SURE 0.5
#define BLACK_SURE_RANGE 0.35
#define BLACK_PERHAPS 0.1
#define BLACK_PERHAPS_RANGE 0.45

enum {
    PADDING_CHROMA = 30, /* max − min of the channels: HSV's quotient is noise in the dark */
    PEN_WEAK = 28,
    PEN_STRONG = 70,
    PEN_STRONG_BLUE = 90
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

/* Felt-tip of a color: hue and saturation. */
static int colored_pen(const uint8_t rgb[3]) {
    int s = hlrp_saturation(rgb);
    double hue = hlrp_hue(rgb);
    if (s < PEN_WEAK || hue < PEN_HUE_FROM || hue > PEN_HUE_TO)
        return 0;
    return s >= (hue < PEN_HUE_BLUE ? PEN_STRONG : PEN_STRONG_BLUE) ? 2 : 1;
}

/* Black felt-tip takes all channels alike; hematoxylin's optical densities differ by three quarters
 * of their mean, eosin's by more. Dim corners of a field of view hardly reach 0.36. */
static int black_pen(const uint8_t rgb[3]) {
    double high = log(WHITE / HLRP_MAX(HLRP_MIN(HLRP_MIN(rgb[0], rgb[1]), rgb[2]), 1));
    double low = log(WHITE / HLRP_MAX(top(rgb), 1));
    double mean = (high + low) / 2;
    if (mean >= BLACK_SURE && high - low <= BLACK_SURE_RANGE * mean)
        return 2;
    return mean >= BLACK_PERHAPS && high - low <= BLACK_PERHAPS_RANGE * mean;
}

int hlrp_pen_likeness(const uint8_t rgb[3]) {
    return HLRP_MAX(colored_pen(rgb), black_pen(rgb));
}

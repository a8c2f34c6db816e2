/* What a cell's color says: glass, stain, pen, or nothing was there. */
#include "region/tissue.h"

#include "region/raster.h"

/* Hematoxylin and eosin lie between 255° (blue violet) through 300° to 20° (red); DAB reaches 45°.
 * Green, cyan and blue felt-tip lie in between, strongly saturated. */
#define PEN_HUE_FROM 75.0
#define PEN_HUE_TO 245.0
#define PEN_HUE_BLUE 190.0 /* from here on nuclei can come near: ask for more */

enum {
    PADDING_CHROMA = 30, /* max − min of the channels: HSV's quotient is noise in the dark */
    GLASS_SPREAD = 8,    /* glass seldom strays further above its commonest saturation */
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

int hlrp_pen_likeness(const uint8_t rgb[3]) {
    int s = hlrp_saturation(rgb);
    double hue = hlrp_hue(rgb);
    if (s < PEN_WEAK || hue < PEN_HUE_FROM || hue > PEN_HUE_TO)
        return 0;
    return s >= (hue < PEN_HUE_BLUE ? PEN_STRONG : PEN_STRONG_BLUE) ? 2 : 1;
}

/* The commonest of the values 0 … most, the lowest of equals. */
static int mode_below(const int64_t counts[256], int most) {
    int mode = 0;
    for (int i = 1; i <= most; i++)
        if (counts[i] > counts[mode])
            mode = i;
    return mode;
}

/* Otsu finds the valley between glass and stain where a slide has both, but cuts it far too high
 * where the stain is strong: pale stroma and fat lie just above the glass. So the threshold stays
 * near the glass, the peak of the lower class. A slide that is all tissue has no glass, and its
 * lower class is tissue: above the ceiling everything is stain. Where the classes hardly differ
 * there is but one population, noise is all that Otsu could split, and the ceiling says which one
 * it is. Below the floor nothing is stain. */
int hlrp_saturation_threshold(const int64_t counts[256], int floor, int ceiling) {
    double low = 0, high = 0;
    int t = hlrp_otsu(counts, &low, &high);
    if (high - low < GLASS_SPREAD)
        return HLRP_MAX(floor, ceiling);
    t = HLRP_MIN(t, mode_below(counts, t) + GLASS_SPREAD);
    return HLRP_MAX(floor, HLRP_MIN(t, ceiling));
}

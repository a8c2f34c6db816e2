/* What the empty parts of this slide look like. No scanner's glass is quite white, and lamps fade
 * towards the corners of each field of view; but the ratios between the channels stay the same
 * there, so that glass is the commonest pair of ratios among the cells that hardly have color.
 * Compression rounds colors: glass of one color may come out in several, each a sharp peak. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/tissue.h"

enum {
    BINS = 64,          /* per ratio */
    GLASS_BRIGHT = 150, /* of 255: darker cells are shadow, dust, ink */
    SAME_GLASS = 12,    /* bins: as far as compression moves the color of glass */
    STAIN_APART = 8     /* bins (3 % of light): two peaks this far apart are not both glass */
};
#define BIN (1.0 / 256) /* of ln(R/G) and ln(B/G): a level, near white */

/* Of the commonest peak: a greener one this strong is the glass, and the commonest pale tissue; one
 * close by is another color of the glass. */
#define OTHER_PEAK 0.1

/* Of the cells that hardly have color: less in the peak's surroundings is no peak. */
#define LEAST_PEAK 0.05

/* Of the cells that hardly have color: so many may lie beyond the spread. */
#define STRAY 0.01

typedef struct ratios {
    int64_t count[BINS][BINS]; /* [ln(R/G)][ln(B/G)] */
    int64_t total;
} ratios;

static bool bin_of(const uint8_t c[3], int *u, int *v) {
    if (c[1] == 0)
        return false;
    *u = (int)lround(log((double)c[0] / c[1]) / BIN) + BINS / 2;
    *v = (int)lround(log((double)c[2] / c[1]) / BIN) + BINS / 2;
    return *u > 0 && *v > 0 && *u < BINS - 1 && *v < BINS - 1;
}

/* The color in the light of the slide's own white. */
static void seen(const double white[3], const uint8_t rgb[3], uint8_t out[3]) {
    for (int c = 0; c < 3; c++)
        out[c] = (uint8_t)lround(HLRP_MIN(rgb[c] * white[c], 255.0));
}

static bool may_be_glass(const uint8_t c[3], int ceiling) {
    return HLRP_MAX(HLRP_MAX(c[0], c[1]), c[2]) >= GLASS_BRIGHT && hlrp_saturation(c) <= ceiling;
}

/* On a tinted slide pure white is what was not scanned, and would pass for a second glass. */
static void count(const uint8_t *rgb, const uint8_t *skip, int64_t n, const hlrp_glass *glass,
                  int ceiling, ratios *r) {
    int u, v;
    memset(r, 0, sizeof *r);
    for (int64_t i = 0; i < n; i++) {
        uint8_t c[3];
        seen(glass->white, rgb + 3 * i, c);
        if (!skip[i] && !(glass->tinted && hlrp_is_filler(rgb + 3 * i)) &&
            may_be_glass(c, ceiling) && bin_of(c, &u, &v)) {
            r->count[u][v]++;
            r->total++;
        }
    }
}

static int64_t around(const ratios *r, int u, int v) {
    int64_t sum = 0;
    for (int i = u - 1; i <= u + 1; i++)
        for (int j = v - 1; j <= v + 1; j++)
            sum += r->count[i][j];
    return sum;
}

/* The fullest place whose ratios add up to at most `most` bins; 0 where there is none. */
static int64_t peak(const ratios *r, int most, int *u, int *v) {
    int64_t best = 0;
    for (int i = 1; i < BINS - 1; i++) {
        for (int j = 1; j < BINS - 1 && i + j <= most; j++) {
            int64_t here = around(r, i, j);
            if (here > best) {
                best = here;
                *u = i;
                *v = j;
            }
        }
    }
    return best;
}

/* All stains take green light before red and blue: tissue raises the sum of the ratios. */
static bool find_peak(const ratios *r, int *u, int *v) {
    int64_t best = peak(r, 2 * BINS, u, v);
    if (best == 0 || (double)best < LEAST_PEAK * (double)r->total)
        return false;
    for (;;) {
        int u2 = 0, v2 = 0;
        int64_t greener = peak(r, *u + *v - 2 * STAIN_APART, &u2, &v2);
        if ((double)greener < OTHER_PEAK * (double)best)
            return true;
        *u = u2;
        *v = v2;
    }
}

/* The mean of the cells around the peak, as what a channel must be multiplied by. */
static void center(const ratios *r, int u, int v, double gain[3]) {
    double n = 0, su = 0, sv = 0;
    for (int i = u - 1; i <= u + 1; i++) {
        for (int j = v - 1; j <= v + 1; j++) {
            n += (double)r->count[i][j];
            su += (double)r->count[i][j] * (i - BINS / 2);
            sv += (double)r->count[i][j] * (j - BINS / 2);
        }
    }
    gain[0] = exp(-su / n * BIN);
    gain[1] = 1;
    gain[2] = exp(-sv / n * BIN);
}

static void clear_around(ratios *r, int u, int v, int radius, bool inside) {
    for (int i = 0; i < BINS; i++)
        for (int j = 0; j < BINS; j++)
            if ((abs(i - u) <= radius && abs(j - v) <= radius) == inside)
                r->count[i][j] = 0;
}

hlrp_status hlrp_glass_find(const uint8_t *rgb, const uint8_t *skip, hlrp_size size, int ceiling,
                            hlrp_glass *glass, hlrp_error *err) {
    ratios r;
    int u = 0, v = 0;
    *glass = (hlrp_glass){.colors = 1, .gain = {{1, 1, 1}}};
    const hlrp_status status = hlrp_white_find(rgb, skip, size, glass->white, &glass->tinted, err);
    if (status != HLRP_OK)
        return status;
    count(rgb, skip, size.w * size.h, glass, ceiling, &r);
    if (!find_peak(&r, &u, &v))
        return HLRP_OK;
    glass->found = true;
    glass->colors = 0;
    double first = (double)around(&r, u, v);
    clear_around(&r, u, v, SAME_GLASS, false);
    do {
        double *gain = glass->gain[glass->colors++];
        center(&r, u, v, gain);
        for (int c = 0; c < 3; c++)
            gain[c] *= glass->white[c];
        clear_around(&r, u, v, 1, true);
    } while (glass->colors < HLRP_GLASS_COLORS &&
             (double)peak(&r, 2 * BINS, &u, &v) >= OTHER_PEAK * first);
    return HLRP_OK;
}

static double distance(const double gain[3], const uint8_t rgb[3]) {
    double r = rgb[0] * gain[0], g = rgb[1], b = rgb[2] * gain[2];
    double high = fmax(fmax(r, g), b), low = fmin(fmin(r, g), b);
    return high > 0 ? 255 * (1 - low / high) : 0;
}

double hlrp_glass_distance(const hlrp_glass *glass, const uint8_t rgb[3]) {
    if (hlrp_is_filler(rgb))
        return 0;
    double least = distance(glass->gain[0], rgb);
    for (int i = 1; i < glass->colors; i++)
        least = fmin(least, distance(glass->gain[i], rgb));
    return least;
}

/* Whether the color is on the side of glass where no stain is. */
static bool is_greener(const hlrp_glass *glass, const uint8_t rgb[3]) {
    return 2.0 * rgb[1] > rgb[0] * glass->gain[0][0] + rgb[2] * glass->gain[0][2];
}

int hlrp_glass_spread(const hlrp_glass *glass, const uint8_t *rgb, const uint8_t *skip, int64_t n,
                      int ceiling) {
    int64_t greener[256] = {0}, all = 0, beyond = 0;
    for (int64_t i = 0; i < n; i++) {
        int d = (int)lround(hlrp_glass_distance(glass, rgb + 3 * i));
        if (skip[i] || d > ceiling)
            continue;
        greener[d] += is_greener(glass, rgb + 3 * i);
        all++;
    }
    for (int d = ceiling; d > 0; d--) {
        beyond += greener[d];
        if ((double)beyond > STRAY * (double)all)
            return d;
    }
    return 0;
}

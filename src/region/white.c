/* What white is on this slide. Mounting media yellow with age and cover glasses have a tint: glass
 * may have more color than pale stain has on another slide. But glass is the bright part of a slide,
 * it is even where tissue has texture, and no stain lies on its side of grey: stains take green light
 * before red and blue, so that pale stain is pink, violet or brown with R·B > G². */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/tissue.h"

enum {
    BINS = 128,         /* per ratio */
    LEAST_BRIGHT = 100, /* of 255, */
    TINT_MOST = 128,    /* saturation, of 255: glass that has more is colored on purpose */
    NEUTRAL = 20,       /* saturation up to which glass hardly has color, whatever its tint */
    EVEN = 4,           /* levels by which neighbors on glass differ at most */
    FILLER = 254        /* all channels: no scanner's glass, but what it writes where it saw none */
};
#define BIN (1.0 / 64)    /* of ln(R/G) and ln(B/G): about 4 levels, near white */
#define SHARE_BRIGHT 0.85 /* of the brightest: the lamp fades towards corners, tissue is darker */
#define SHARE_BRIGHTEST 0.01 /* of the cells: so many may be brighter than the brightest */
#define LEAST_GLASS 0.05     /* of the cells: less is no glass to go by */
#define LEAST_EVEN 0.7       /* of the cells of that color: tissue reaches half of it */
#define OTHER_WHITE 0.1 /* of them: so many colorless cells, as bright and even, are the glass */

typedef struct modes {
    int64_t all[BINS][BINS], even[BINS][BINS]; /* of tinted cells: [ln(R/G)][ln(B/G)] */
    int64_t light[BINS][BINS];                 /* sum of the brightness of even ones */
    int64_t colorless[256];                    /* even ones, by brightness */
} modes;

bool hlrp_is_filler(const uint8_t rgb[3]) {
    return rgb[0] >= FILLER && rgb[1] >= FILLER && rgb[2] >= FILLER;
}

static int top(const uint8_t c[3]) {
    return HLRP_MAX(HLRP_MAX(c[0], c[1]), c[2]);
}

/* The level that one in a hundred cells is brighter than, and how many cells there are. */
static int brightest(const uint8_t *rgb, const uint8_t *skip, int64_t n, int64_t *cells) {
    int64_t count[256] = {0}, brighter = 0;
    *cells = 0;
    for (int64_t i = 0; i < n; i++) {
        if (skip[i] || hlrp_is_filler(rgb + 3 * i))
            continue;
        count[top(rgb + 3 * i)]++;
        ++*cells;
    }
    for (int level = 255; level > 0; level--) {
        brighter += count[level];
        if ((double)brighter > SHARE_BRIGHTEST * (double)*cells)
            return level;
    }
    return 0;
}

static bool alike(const uint8_t a[3], const uint8_t b[3]) {
    for (int c = 0; c < 3; c++)
        if (abs(a[c] - b[c]) > EVEN)
            return false;
    return true;
}

/* Whether the cells to the right and below are the same. */
static bool is_even(const uint8_t *rgb, hlrp_size size, int64_t i) {
    const uint8_t *c = rgb + 3 * i;
    return (i % size.w == size.w - 1 || alike(c, c + 3)) &&
           (i / size.w == size.h - 1 || alike(c, c + 3 * size.w));
}

static bool bin_of(const uint8_t c[3], int *u, int *v) {
    if (c[0] == 0 || c[1] == 0 || c[2] == 0)
        return false;
    const double red = log((double)c[0] / c[1]), blue = log((double)c[2] / c[1]);
    *u = (int)lround(red / BIN) + BINS / 2;
    *v = (int)lround(blue / BIN) + BINS / 2;
    return red + blue <= 0 && *u > 0 && *v > 0 && *u < BINS - 1 && *v < BINS - 1;
}

static void count(const uint8_t *rgb, const uint8_t *skip, hlrp_size size, int bright, modes *m) {
    int u = 0, v = 0;
    for (int64_t i = 0; i < size.w * size.h; i++) {
        const uint8_t *c = rgb + 3 * i;
        if (skip[i] || top(c) < bright || hlrp_is_filler(c))
            continue;
        const int saturation = hlrp_saturation(c), even = is_even(rgb, size, i);
        if (saturation <= NEUTRAL) {
            m->colorless[hlrp_brightness(c)] += even;
        } else if (saturation <= TINT_MOST && bin_of(c, &u, &v)) {
            m->all[u][v]++;
            m->even[u][v] += even;
            m->light[u][v] += even * hlrp_brightness(c);
        }
    }
}

static int64_t around(int64_t bins[BINS][BINS], int u, int v) {
    int64_t sum = 0;
    for (int i = u - 1; i <= u + 1; i++)
        for (int j = v - 1; j <= v + 1; j++)
            sum += bins[i][j];
    return sum;
}

static int64_t fullest(modes *m, int *u, int *v) {
    int64_t best = 0;
    for (int i = 1; i < BINS - 1; i++)
        for (int j = 1; j < BINS - 1; j++) {
            const int64_t here = around(m->even, i, j);
            if (here > best) {
                best = here;
                *u = i;
                *v = j;
            }
        }
    return best;
}

/* Colorless cells as bright as those around a place: behind tinted glass pale stain may be grey, but
 * it is darker than the glass. */
static int64_t rivals(modes *m, int u, int v) {
    const int64_t light = around(m->light, u, v) / HLRP_MAX(around(m->even, u, v), 1);
    int64_t sum = 0;
    for (int64_t level = HLRP_MAX(light - EVEN, 0); level < 256; level++)
        sum += m->colorless[level];
    return sum;
}

/* The mean ratio around a place, as what blue (or red) must be multiplied by. */
static double gain(modes *m, int u, int v, bool blue) {
    double n = 0, sum = 0;
    for (int i = u - 1; i <= u + 1; i++)
        for (int j = v - 1; j <= v + 1; j++) {
            n += m->even[i][j];
            sum += (double)m->even[i][j] * ((blue ? j : i) - BINS / 2);
        }
    return exp(-sum / n * BIN);
}

hlrp_status hlrp_white_find(const uint8_t *rgb, const uint8_t *skip, hlrp_size size,
                            double white[3], bool *tinted, hlrp_error *err) {
    modes *m = NULL;
    int64_t cells = 0;
    int u = 0, v = 0;
    white[0] = white[1] = white[2] = 1;
    *tinted = false;
    hlrp_status status = hlrp_calloc(&m, 1, sizeof *m, "tissue detection", err);
    if (status != HLRP_OK)
        return status;
    const int most = brightest(rgb, skip, size.w * size.h, &cells);
    count(rgb, skip, size, HLRP_MAX((int)(SHARE_BRIGHT * most), LEAST_BRIGHT), m);
    const double even = (double)fullest(m, &u, &v);
    if (even > 0 && even >= LEAST_GLASS * (double)cells &&
        even >= LEAST_EVEN * (double)around(m->all, u, v) &&
        (double)rivals(m, u, v) < OTHER_WHITE * even) {
        *tinted = true;
        white[0] = gain(m, u, v, false);
        white[2] = gain(m, u, v, true);
    }
    free(m);
    return HLRP_OK;
}

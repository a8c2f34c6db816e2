/* Private to src/region: what a cell's color says. */
#ifndef HLRP_REGION_TISSUE_H
#define HLRP_REGION_TISSUE_H

#include "region/region.h"

/* Saturation of HSV in 0 … 255: 255·(max − min)/max, rounded; 0 for black. */
uint8_t hlrp_saturation(const uint8_t rgb[3]);

/* Hue of HSV in degrees, 0 ≤ h < 360; 0 for grey. */
double hlrp_hue(const uint8_t rgb[3]);

/* Whether the color is black or a shadow: no channel reaches dark_value and they hardly differ. */
bool hlrp_is_padding(const uint8_t rgb[3], int dark_value);

/* Brightness (Y of BT.601) in 0 … 255: what compression keeps sharpest. */
uint8_t hlrp_brightness(const uint8_t rgb[3]);

/* Light through glass, and the optical density (natural log) of a level against it. */
#define HLRP_WHITE 245.0
double hlrp_density(int level);

/* What felt-tip pen a color looks like. */
typedef enum hlrp_ink {
    HLRP_INK_NONE,
    HLRP_INK_PERHAPS, /* a stroke's soft edge, and tissue beside it */
    HLRP_INK_BLACK,   /* from here on: surely */
    HLRP_INK_GREEN,
    HLRP_INK_BLUE,
    HLRP_INKS
} hlrp_ink;

hlrp_ink hlrp_ink_of(const uint8_t rgb[3], const hlrp_tissue_options *options);

/* The cells that pen covers, also over tissue: 1 in `pen` [size.h][size.w], else 0. Fails with
 * HLRP_E_MEMORY. */
hlrp_status hlrp_pen_find(const uint8_t *rgb, hlrp_size size, double um_x, double um_y,
                          const hlrp_tissue_options *options, uint8_t *pen, hlrp_error *err);

enum { HLRP_GLASS_COLORS = 8 };

/* The slide's glass: a cell of channels in the ratio 1/gain is empty. */
typedef struct hlrp_glass {
    double white[3]; /* what channels are multiplied by in the light of the slide's own white */
    bool tinted;     /* else white is {1, 1, 1} */
    bool found;      /* else the only gain is 1, as if glass were white */
    int colors;      /* 1 … HLRP_GLASS_COLORS */
    double gain[HLRP_GLASS_COLORS][3]; /* of green: 1 */
} hlrp_glass;

/* Among the cells (rgb [size.h][size.w][3], those of skip left out) whose saturation, in the light of
 * the slide's own white, is at most `ceiling`. HLRP_E_MEMORY. */
hlrp_status hlrp_glass_find(const uint8_t *rgb, const uint8_t *skip, hlrp_size size, int ceiling,
                            hlrp_glass *glass, hlrp_error *err);

/* The slide's own white: what channels must be multiplied by for its glass to be colorless; {1, 1, 1}
 * where that hardly has color, or there is none (then not *tinted). HLRP_E_MEMORY. */
hlrp_status hlrp_white_find(const uint8_t *rgb, const uint8_t *skip, hlrp_size size,
                            double white[3], bool *tinted, hlrp_error *err);

/* Whether the color is what scanners write where nothing was scanned. */
bool hlrp_is_filler(const uint8_t rgb[3]);

/* How far from glass a color is, 0 … 255: its saturation in the light of the glass. Black, and what
 * was not scanned: 0. */
double hlrp_glass_distance(const hlrp_glass *glass, const uint8_t rgb[3]);

/* How far glass strays from its colors, 0 … ceiling: the distance that all but one cell in a
 * hundred keep on the side on which no stain can be. */
int hlrp_glass_spread(const hlrp_glass *glass, const uint8_t *rgb, const uint8_t *skip, int64_t n,
                      int ceiling);

#endif

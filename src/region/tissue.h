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

/* How much a color looks like felt-tip pen: 0 not at all, 1 perhaps (a stroke's soft edge, and
 * tissue beside it), 2 surely. */
int hlrp_pen_likeness(const uint8_t rgb[3]);

/* The saturation above which a cell is tissue, from the slide's histogram. */
int hlrp_saturation_threshold(const int64_t counts[256], int floor, int ceiling);

#endif

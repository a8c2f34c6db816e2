/* Private to src/region: filters on rasters of one byte per cell, [h][w]. Nothing here knows of
 * slides or µm; radii are in cells, per axis, because cells need not be square. */
#ifndef HLRP_REGION_RASTER_H
#define HLRP_REGION_RASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "geometry/geometry.h"
#include "util/util.h"

/* Median over the window of ±rx × ±ry cells, of those that exist and are not skipped (skip NULL:
 * none; else nonzero cells); 0 where none is left. Of an even number the lower middle one. `out`
 * must not be `in`. Cannot fail. */
void hlrp_raster_median(const uint8_t *in, const uint8_t *skip, hlrp_size size, int64_t rx,
                        int64_t ry, uint8_t *out);

/* The highest value within ±rx × ±ry cells. Fails with HLRP_E_MEMORY. */
hlrp_status hlrp_raster_highest(const uint8_t *in, hlrp_size size, int64_t rx, int64_t ry,
                                uint8_t *out, hlrp_error *err);

/* How much darker (green, in levels) the cell is than both cells at ±rx, ±ry beside it, in the
 * direction where that is most: the depth of a thin dark line. 0 on steps and slopes. */
int hlrp_raster_line_depth(const uint8_t *rgb, hlrp_size size, int64_t x, int64_t y, int64_t rx,
                           int64_t ry);

/* Dilation of the nonzero cells by an ellipse of radii rx, ry; cells become 0 or 1. Outside the
 * raster nothing is set. */
hlrp_status hlrp_raster_dilate(uint8_t *mask, hlrp_size size, double rx, double ry,
                               hlrp_error *err);

/* Closing: dilation, then erosion; the raster's edge does not erode. */
hlrp_status hlrp_raster_close(uint8_t *mask, hlrp_size size, double rx, double ry, hlrp_error *err);

/* Connected parts of the cells whose value (zero or not) is `set`. */
typedef struct hlrp_parts {
    int32_t *root;  /* [h][w]: the part's first cell in reading order; −1: belongs to none */
    int32_t *cells; /* [h][w]: at a part's first cell its number of cells, else 0 */
} hlrp_parts;

/* Fails with HLRP_E_MEMORY; size.w·size.h must be below 2³¹. */
hlrp_status hlrp_parts_find(const uint8_t *mask, bool set, hlrp_size size, bool diagonal,
                            hlrp_parts *out, hlrp_error *err);
void hlrp_parts_free(hlrp_parts *parts);

#endif

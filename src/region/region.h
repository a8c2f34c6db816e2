/* Which parts of a slide are worth explaining.
 *
 * A region answers one question: what share of a level-0 rectangle belongs to it. Tissue detection
 * works on a raster of cells of about 8 µm (the mask); the shares are exact for that raster.
 *
 * At the slide's edge the share is of the part of the rectangle that lies inside the slide, so that
 * a border tile is judged by its pixels and not by its padding, and `all` means every tile. A
 * rectangle wholly outside has the share 0. */
#ifndef HLRP_REGION_H
#define HLRP_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "geometry/geometry.h"
#include "slide/slide.h"
#include "util/util.h"

/* Immutable once made: any number of threads may ask at once. */
typedef struct hlrp_region hlrp_region;

/* What a cell of the mask is. */
typedef enum hlrp_cell {
    HLRP_CELL_GLASS = 0,
    HLRP_CELL_TISSUE = 1,
    HLRP_CELL_PEN = 2,    /* felt-tip pen on the cover glass */
    HLRP_CELL_PADDING = 3 /* black or shadow: nothing was scanned there, or the holder was */
} hlrp_cell;

typedef enum hlrp_pen { HLRP_PEN_KEEP, HLRP_PEN_DROP } hlrp_pen;

/* How tissue is found. Lengths in µm on the slide; levels are of 0 … 255. */
typedef struct hlrp_tissue_options {
    double cell_um;         /* edge of a mask cell; never finer than a level-0 pixel */
    double median_um;       /* diameter of the median filter on saturation; 0: none */
    double closing_um;      /* radius of the closing; 0: none */
    double min_object_um;   /* objects of less than this squared are dropped */
    double max_hole_um;     /* holes of less than this squared are filled (fat) */
    int saturation_floor;   /* a saturation up to this one is never tissue */
    int saturation_ceiling; /* a saturation above this one always is: Otsu never goes higher */
    int dark_value;         /* darker pixels of low saturation are padding or shadow */
    hlrp_pen pen;           /* drop: pen marks are no tissue; keep: they are, like any color */
} hlrp_tissue_options;

void hlrp_tissue_defaults(hlrp_tissue_options *options);

/* The whole slide. The caller frees *out with hlrp_region_free. */
hlrp_status hlrp_region_new_all(hlrp_size slide, hlrp_region **out, hlrp_error *err);

/* The tissue on the slide. `mpp` is the slide's, at level 0, after any override. NULL options are
 * the defaults. Fails with HLRP_E_CONFIG on options out of range, HLRP_E_INPUT where the slide
 * cannot be read, HLRP_E_MEMORY. No tissue is a result, not an error. The slide is used only
 * during the call. */
hlrp_status hlrp_region_new_tissue(hlrp_slide *slide, hlrp_mpp mpp,
                                   const hlrp_tissue_options *options, hlrp_region **out,
                                   hlrp_error *err);

void hlrp_region_free(hlrp_region *region); /* NULL is fine */

/* Share (0 … 1) of the part of `level0` inside the slide that belongs to the region. */
double hlrp_region_coverage(const hlrp_region *region, hlrp_rect level0);

/* Area that belongs to the region over the slide's area, 0 … 1. */
double hlrp_region_share(const hlrp_region *region);

/* Whether nothing belongs to the region ("no tissue"). */
bool hlrp_region_is_empty(const hlrp_region *region);

/* The raster behind a region. Cell (i,j) covers the level-0 rectangle from (i·cell_w, j·cell_h),
 * cell_w wide and cell_h high. */
typedef struct hlrp_mask {
    int64_t w, h;          /* cells */
    double cell_w, cell_h; /* level-0 pixels per cell */
    const uint8_t *kind;   /* [h][w] of hlrp_cell */
} hlrp_mask;

/* Borrowed, lives as long as the region; NULL for a region without a raster (`all`). */
const hlrp_mask *hlrp_region_mask(const hlrp_region *region);

/* regions.png: the outline of the region and the chosen tiles over a thumbnail of at most 2,048
 * pixels a side. Appears whole under `path` or not at all. */
hlrp_status hlrp_region_picture(hlrp_slide *slide, const hlrp_region *region, const hlrp_grid *grid,
                                const int64_t *tiles, int64_t tile_count, const char *path,
                                hlrp_error *err);

#endif

/* Frames and rectangles. All rounding of the program lives here.
 *
 * Frames: level-0 pixels (the slide's finest level, origin at its upper left), level pixels
 * (level-0 divided by that level's downsample per axis), model pixels (level-0 divided by
 * r = mpp_model / mpp_slide per axis) and map pixels (level-0 divided by an integer downsample).
 * A real-valued rectangle covers [x, x+w) × [y, y+h); pixel i covers [i, i+1). */
#ifndef HLRP_GEOMETRY_H
#define HLRP_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/util.h"

typedef struct hlrp_rect {
    double x, y, w, h;
} hlrp_rect;

typedef struct hlrp_irect {
    int64_t x, y, w, h;
} hlrp_irect;

typedef struct hlrp_size {
    int64_t w, h;
} hlrp_size;

typedef struct hlrp_mpp {
    double x, y; /* µm per pixel */
} hlrp_mpp;

/* The smallest integer rectangle that covers r; w = h = 0 where r is empty. Edges within 1e-6 of an
 * integer count as on it, so that i·stride·r computed in floating point does not drag in a row that
 * it only touches. */
hlrp_irect hlrp_rect_cover(hlrp_rect r);

/* x, y, x+w and y+h each rounded to nearest. */
hlrp_irect hlrp_rect_round(hlrp_rect r);

/* Scales from level-0 pixels to the frame with `downsample` level-0 pixels per pixel. */
hlrp_rect hlrp_rect_scale(hlrp_rect r, double downsample_x, double downsample_y);

hlrp_rect hlrp_rect_intersect(hlrp_rect a, hlrp_rect b);     /* w = h = 0 where disjoint */
hlrp_irect hlrp_irect_intersect(hlrp_irect a, hlrp_irect b); /* w = h = 0 where disjoint */

/* The share, 0 to 1, of r's area that lies outside the slide; 1 for an empty rectangle. */
double hlrp_rect_outside(hlrp_rect r, hlrp_size slide);

/* Length of [a0, a1) ∩ [b0, b1). */
double hlrp_overlap(double a0, double a1, double b0, double b1);

int64_t hlrp_ceil_div(int64_t a, int64_t b); /* a ≥ 0, b > 0 */

/* The grid of tiles of a slide. Tile (i,j) has number j·nx + i and covers the real-valued level-0
 * rectangle from (i·stride·r_x, j·stride·r_y), size·r wide and high: computed, never accumulated.
 * Tiles start inside the slide; those at its right and lower edge may reach past it. Where a file says
 * where its tiles lie, they are no grid: corners says so, nx is their number and ny 1. */
typedef struct hlrp_grid {
    hlrp_size slide; /* level-0 pixels */
    double r_x, r_y; /* level-0 pixels per model pixel */
    int64_t size;    /* model pixels */
    int64_t stride;  /* model pixels, ≥ 1 */
    int64_t nx, ny;
    const double
        *corners; /* [nx][2]: x and y of each tile's upper left, level-0; borrowed. NULL: a grid */
} hlrp_grid;

/* stride = max(1, round(size·(1−overlap))), halves rounded up. Fails with HLRP_E_CONFIG on overlap
 * outside [0,1), a size outside 1 … 2^31−1 or mpp ≤ 0, or where a tile would be 2^40 level-0 pixels
 * or more wide; with HLRP_E_INPUT on an empty slide; and with HLRP_E_MEMORY where the number of
 * tiles does not fit in 62 bits. */
hlrp_status hlrp_grid_init(hlrp_grid *grid, hlrp_size slide, hlrp_mpp mpp_slide, double mpp_model,
                           int64_t size, double overlap, hlrp_error *err);
/* `count` tiles with these corners, each `extent` level-0 pixels wide and high, of `size` model pixels.
 * HLRP_E_INPUT where a corner is not finite or lies 2^40 or more away. */
hlrp_status hlrp_grid_scatter(hlrp_grid *grid, hlrp_size slide, const double *corners,
                              int64_t count, double extent, int64_t size, hlrp_error *err);
int64_t hlrp_grid_count(const hlrp_grid *grid);                  /* nx·ny */
hlrp_rect hlrp_grid_tile(const hlrp_grid *grid, int64_t number); /* 0 ≤ number < nx·ny */

/* A piece of a slide that a network looks at: where it lies, and the model pixels that come of it. A tile
 * of a grid is one; windows of a shared field are others. */
typedef struct hlrp_patch {
    hlrp_rect level0;
    hlrp_size pixels;
} hlrp_patch;

hlrp_patch hlrp_grid_patch(const hlrp_grid *grid, int64_t number); /* a tile as a patch */
/* The numbers [*first, *end) of all tiles that can touch the level-0 rows [top, bottom): whole rows of
 * the grid. */
void hlrp_grid_rows(const hlrp_grid *grid, double top, double bottom, int64_t *first, int64_t *end);

/* The map: ceil(level-0 size / downsample), origin at the slide's (0,0). downsample ≥ 1. */
hlrp_size hlrp_map_size(hlrp_size slide, int64_t downsample);

#endif

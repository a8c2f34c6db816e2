/* The slide at the overlay's resolution, band by band. */
#ifndef HLRP_BACKDROP_H
#define HLRP_BACKDROP_H

#include "slide/slide.h"

typedef struct hlrp_backdrop hlrp_backdrop;

/* Pixel (i,j) is the mean of the level-0 rectangle [i·fx, (i+1)·fx) × [j·fy, (j+1)·fy), cut at the
 * slide's edges, fx, fy ≥ 1. Memory: one piece of the level read, at most about 2048 × 2048 RGB.
 * The slide must outlive it. */
hlrp_status hlrp_backdrop_new(hlrp_slide *slide, double fx, double fy, hlrp_backdrop **out,
                              hlrp_error *err);
void hlrp_backdrop_free(hlrp_backdrop *backdrop); /* NULL is fine */

/* Rows that one read is best asked for. */
int64_t hlrp_backdrop_rows(const hlrp_backdrop *backdrop);

/* Rows [y0, y0+rows) of `width` pixels to rgb [rows][width][3]. What cannot be read is taken from
 * coarser levels, else becomes background and counts as lost; it fails for want of memory alone. */
hlrp_status hlrp_backdrop_read(hlrp_backdrop *backdrop, int64_t y0, int64_t rows, int64_t width,
                               uint8_t *rgb, hlrp_error *err);

/* Pixels that no level could give. */
int64_t hlrp_backdrop_lost(const hlrp_backdrop *backdrop);

#endif

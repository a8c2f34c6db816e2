/* One axis of pooling: which model pixel lies in which map pixel, and by how much. */
#ifndef HLRP_OVERLAP_H
#define HLRP_OVERLAP_H

#include "geometry/geometry.h"

/* Map pixels [lo, lo + n) of one axis that a tile touches, cut at the map's ends. */
typedef struct hlrp_span {
    int64_t lo, n;
} hlrp_span;

/* Model pixel i has the shares share[offset[i]] … share[offset[i+1] − 1] in the map pixels from
 * first[i] on, counted from the span's first; inside[i] of it is on the slide. */
typedef struct hlrp_axis {
    int64_t size;     /* model pixels */
    int64_t capacity; /* of share */
    int64_t *first, *offset;
    double *share, *inside;
} hlrp_axis;

/* Map pixels that a tile of `extent` level-0 pixels can touch at most. */
int64_t hlrp_span_most(double extent, int64_t downsample);

/* The span of the level-0 extent [start, start + extent) on a map of `map` pixels. */
hlrp_span hlrp_span_of(double start, double extent, int64_t downsample, int64_t map);

/* The share of map pixel m that [start, start + extent) covers. */
double hlrp_span_cover(double start, double extent, int64_t downsample, int64_t m);

hlrp_status hlrp_axis_init(hlrp_axis *axis, int64_t size, double extent, int64_t downsample,
                           hlrp_error *err);
void hlrp_axis_free(hlrp_axis *axis);

/* Sets the tables for a tile on [start, start + extent); slide is the slide's level-0 extent. */
void hlrp_axis_place(hlrp_axis *axis, double start, double extent, int64_t downsample,
                     int64_t slide, hlrp_span span);

#endif

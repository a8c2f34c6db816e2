/* Private to src/region: areas by GEOS, whose every call lives in polygon.c and outline.c. */
#ifndef HLRP_REGION_POLYGON_H
#define HLRP_REGION_POLYGON_H

#include <stdbool.h>

#include <geos_c.h>

#include "region/annotation.h"

/* A GEOS context with its last message. One thread at a time. Must not move once begun. */
typedef struct hlrp_geos {
    GEOSContextHandle_t handle;
    char message[300];
} hlrp_geos;

hlrp_status hlrp_geos_begin(hlrp_geos *geos, hlrp_error *err);
void hlrp_geos_end(hlrp_geos *geos); /* also one that was never begun */

/* HLRP_E_INPUT with GEOS's own words. */
hlrp_status hlrp_geos_failed(const hlrp_geos *geos, const char *path, hlrp_error *err);

/* The union of the shapes of one class (-1: of all), or of its negative ones, as a valid geometry
 * without parts of no area; empty where there are none. *repaired counts the shapes that had to be. */
hlrp_status hlrp_polygon_of_group(hlrp_geos *geos, const hlrp_drawing *drawing, int64_t group,
                                  bool negative, int64_t *repaired, GEOSGeometry **out,
                                  hlrp_error *err);

/* How many negative shapes meet none of the others; *first is the number of the first of them. */
hlrp_status hlrp_polygon_idle_cuts(hlrp_geos *geos, const hlrp_drawing *drawing, int64_t *count,
                                   int64_t *first, hlrp_error *err);

/* a becomes a ∪ b, or a without b. On failure a is as before. */
hlrp_status hlrp_polygon_add(hlrp_geos *geos, GEOSGeometry **a, const GEOSGeometry *b,
                             hlrp_error *err);
hlrp_status hlrp_polygon_cut(hlrp_geos *geos, GEOSGeometry **a, const GEOSGeometry *b,
                             hlrp_error *err);

double hlrp_polygon_area(hlrp_geos *geos, const GEOSGeometry *a);

#endif

/* Private to src/region: the outline of a valid shape, asked for areas. */
#ifndef HLRP_REGION_OUTLINE_H
#define HLRP_REGION_OUTLINE_H

#include "region/polygon.h"
#include "region/region.h"

/* Immutable: any number of threads may ask at once. Owns a copy of what it needs. */
typedef struct hlrp_outline hlrp_outline;

/* Of a valid polygon or several that do not overlap; other kinds of geometries have no area. The
 * caller frees *out. */
hlrp_status hlrp_outline_new(const hlrp_geos *geos, const GEOSGeometry *shape, hlrp_size slide,
                             hlrp_outline **out, hlrp_error *err);
void hlrp_outline_free(hlrp_outline *outline);

/* Area inside `rect`, level-0 pixels². */
double hlrp_outline_area(const hlrp_outline *outline, hlrp_rect rect);
/* half [cells.h][cells.w]: 1 where at least half of a cell, or of its part on the slide, is covered,
 * else 0. cells: number and size of the cells, from the slide's (0,0). */
hlrp_status hlrp_outline_cells(const hlrp_outline *outline, hlrp_size slide, const hlrp_mask *cells,
                               uint8_t *half, hlrp_error *err);
/* Area inside the slide. */
double hlrp_outline_total(const hlrp_outline *outline);

#endif

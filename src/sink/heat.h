/* The map's values at the overlay's resolution, band by band. */
#ifndef HLRP_HEAT_H
#define HLRP_HEAT_H

#include "store/store.h"

typedef struct hlrp_heat hlrp_heat;

/* Values of one plane as shown.h has it; pixel (i,j) is the area-weighted mean of the finite ones in
 * the level-0 rectangle [i·fx, (i+1)·fx) × [j·fy, (j+1)·fy), NaN where there are none. Memory: as
 * shown.h, and the map rows under those asked for. The result must outlive it; free *out also where
 * this fails. */
hlrp_status hlrp_heat_new(hlrp_result *result, int64_t plane, double smoothing, double fx,
                          double fy, hlrp_heat **out, hlrp_error *err);
void hlrp_heat_free(hlrp_heat *heat); /* NULL is fine */

/* Rows [y0, y0+rows) of `width` pixels to values [rows][width]. Bands are asked for from the top;
 * the record is then read once. */
hlrp_status hlrp_heat_read(hlrp_heat *heat, int64_t y0, int64_t rows, int64_t width, float *values,
                           hlrp_error *err);

#endif

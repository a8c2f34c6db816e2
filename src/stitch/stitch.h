/* From tiles to the map: pooling a tile's relevance onto the map's grid, and blending tiles.
 *
 * Definitions. Map pixel m covers level-0 [m·d, (m+1)·d) per axis, d the map's downsample. A tile
 * of n × n model pixels covers a real-valued level-0 rectangle; model pixel i is the i-th of its n
 * equal parts per axis. Relevance of a model pixel is spread evenly over its area and split by
 * area:
 *
 *     part(tile, m) = Σ_i R_i · |pixel_i ∩ m ∩ slide| / |pixel_i|
 *     outside(tile) = Σ_i R_i · |pixel_i \ slide| / |pixel_i|
 *     share(tile, m) = |tile ∩ m| / d²
 *     P = Σ part,  D = Σ share (tiles in tile order),  relevance = P / max(1, D), NaN where D = 0
 *
 * All of it is separable and in float64. The slide, not the map, bounds what is inside: the last
 * map row and column may reach past the slide, and relevance that falls there counts as outside.
 * The share is of the whole map pixel, also in that last row and column, whether or not it is on
 * the slide. A tile edge within 1e-6 map pixels of a map pixel's edge counts as on it
 * (hlrp_rect_cover), so that rounding of i·stride·r never touches a further row.
 *
 * At overlap 0 D never exceeds 1, so the sum of a plane is Σ (sum − outside) of its tiles. */
#ifndef HLRP_STITCH_H
#define HLRP_STITCH_H

#include "geometry/geometry.h"

/* ---- pooling: one per thread ---- */

typedef struct hlrp_pool hlrp_pool;

/* Tables for patches of at most the extent and the pixels of `largest` (where it lies does not matter), on
 * a map with `downsample` level-0 pixels per map pixel. HLRP_E_CONFIG where downsample < 1,
 * HLRP_E_MEMORY where the workspace does not fit. */
hlrp_status hlrp_pool_new(hlrp_size slide, const hlrp_patch *largest, int64_t downsample,
                          hlrp_pool **out, hlrp_error *err);
void hlrp_pool_free(hlrp_pool *pool); /* NULL is fine */

/* Doubles that the parts of any one patch and plane need at most. */
int64_t hlrp_pool_capacity(const hlrp_pool *pool);

/* Makes a patch the current one and gives its window in map pixels, inside the map (w or h is 0 for a
 * patch that only touches the slide's edge). HLRP_E_INTERNAL where it is larger than the largest. */
hlrp_status hlrp_pool_place(hlrp_pool *pool, const hlrp_patch *patch, hlrp_irect *window,
                            hlrp_error *err);

/* Splits relevance [pixels.h, pixels.w] (row-major, summed over color) of the current patch. parts: window.w
 * × window.h doubles, row-major, overwritten. *sum: all of it; *outside: what fell off the slide.
 * Values that are not finite spread into parts and sum: the caller looks at *sum. Cannot fail. */
void hlrp_pool_tile(hlrp_pool *pool, const float *relevance, double *parts, double *sum,
                    double *outside);

/* ---- blending: bands of map rows, tiles added in tile order ---- */

typedef struct hlrp_band hlrp_band;

/* A band of at most `rows` map rows with K relevance planes and C probability planes.
 * Memory: map width × rows × 8 bytes × (2K + C + 1), plus 4 bytes × (2K + C) for what is read out.
 */
hlrp_status hlrp_band_new(hlrp_size slide, int64_t downsample, int64_t planes, int64_t classes,
                          int64_t rows, hlrp_band **out, hlrp_error *err);
void hlrp_band_free(hlrp_band *band); /* NULL is fine */

/* Empties the band and sets it on map rows [y0, y0+rows), cut at the map's lower edge. */
hlrp_status hlrp_band_start(hlrp_band *band, int64_t y0, hlrp_error *err);

/* Adds an explained patch's parts to one plane, as hlrp_pool_tile made them. Call in tile order: the
 * bits of the result then depend on neither the band's height nor on who pooled. HLRP_E_INTERNAL
 * where plane or window do not fit (a record of another run). */
hlrp_status hlrp_band_add(hlrp_band *band, const hlrp_patch *patch, int64_t plane,
                          hlrp_irect window, const double *parts, hlrp_error *err);

/* Adds the probabilities [C] of a patch whose forward result is known, gated or explained. */
void hlrp_band_add_probability(hlrp_band *band, const hlrp_patch *patch, const float *probability);

/* Rows of the band now set; its first row. */
int64_t hlrp_band_rows(const hlrp_band *band);
int64_t hlrp_band_y0(const hlrp_band *band);

/* Finished rows, [hlrp_band_rows][map width] float32 row-major, borrowed until the next start or
 * free. Relevance: P / max(1,D), NaN where D = 0. Coverage: D, 0 where nothing lies. Probability:
 * area-weighted mean, NaN where nothing lies. Each is a pure read: threads may take planes in
 * parallel once hlrp_band_finish was called. */
void hlrp_band_finish(hlrp_band *band);
const float *hlrp_band_relevance(const hlrp_band *band, int64_t plane);
const float *hlrp_band_coverage(const hlrp_band *band, int64_t plane);
const float *hlrp_band_probability(const hlrp_band *band, int64_t class_index);

#endif

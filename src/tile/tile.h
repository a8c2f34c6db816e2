/* Tiles: which ones, their pixels as the network wants them.
 *
 * A tile covers a real-valued level-0 rectangle (geometry.h, hlrp_grid). Its pixels are read from
 * the coarsest level that is fine enough, as the covering integer rectangle of that level, and
 * resampled from the real-valued box by an antialiased triangle filter with the arithmetic of
 * PIL's Image.resize((size, size), BILINEAR, box=…): networks were trained on that. */
#ifndef HLRP_TILE_H
#define HLRP_TILE_H

#include <stdatomic.h>

#include "geometry/geometry.h"
#include "region/region.h"
#include "slide/slide.h"
#include "util/util.h"

/* ---- which tiles ---- */

/* The share, 0 to 1, of a level-0 rectangle that the regions cover. Called from one thread. */
typedef double (*hlrp_tile_coverage)(const void *regions, hlrp_rect level0);

/* The numbers of the tiles whose coverage is above 0 and at least min_coverage, ascending, in
 * *numbers (the caller's to free); coverage NULL: every tile. No tile is not an error. */
hlrp_status hlrp_tile_list(const hlrp_grid *grid, hlrp_tile_coverage coverage, const void *regions,
                           double min_coverage, int64_t **numbers, int64_t *count, hlrp_error *err);

/* The same with a region; its share at the slide's edge is region.h's. */
hlrp_status hlrp_tile_list_region(const hlrp_grid *grid, const hlrp_region *region,
                                  double min_coverage, int64_t **numbers, int64_t *count,
                                  hlrp_error *err);

/* ---- resampling ---- */

/* Buffers and filter tables of one thread; they grow to the largest use and stay. */
typedef struct hlrp_resampler hlrp_resampler;

hlrp_status hlrp_resampler_new(hlrp_resampler **out, hlrp_error *err);
void hlrp_resampler_free(hlrp_resampler *resampler); /* NULL is allowed */

/* rgb [in.h, in.w, 3] to out [size.h, size.w, 3]: output pixel (i,j) is centered at box.x +
 * (i+½)·box.w/size.w (pixels of rgb). The filter may reach past the box, never past rgb.
 * Fails with HLRP_E_MEMORY only. */
hlrp_status hlrp_resample(hlrp_resampler *resampler, const uint8_t *rgb, hlrp_size in,
                          hlrp_rect box, hlrp_size size, uint8_t *out, hlrp_error *err);

/* The same in parts, for a source that is too large to hold: begin, then rows (every row of the
 * source once, in any order, `count` rows from `first` at `rgb`), then end. */
hlrp_status hlrp_resample_begin(hlrp_resampler *resampler, hlrp_size in, hlrp_rect box,
                                hlrp_size size, hlrp_error *err);
void hlrp_resample_rows(hlrp_resampler *resampler, const uint8_t *rgb, int64_t first,
                        int64_t count);
void hlrp_resample_end(hlrp_resampler *resampler, uint8_t *out);

/* ---- pixels of a tile ---- */

typedef enum hlrp_tile_result {
    HLRP_TILE_READ,
    HLRP_TILE_FALLBACK,  /* read from the next coarser level, because the right one is damaged */
    HLRP_TILE_UNREADABLE /* neither could be read */
} hlrp_tile_result;

/* Faults of one slide, shared by its readers so that each kind is logged once. Zero-initialise. */
typedef struct hlrp_tile_faults {
    _Atomic int64_t fallback, unreadable; /* tiles */
} hlrp_tile_faults;

/* One thread's reader: owns its slide handle and its buffers, which grow to the largest tile and
 * stay. */
typedef struct hlrp_tile_reader hlrp_tile_reader;

/* Takes the handle over, also where it fails. The grid is copied; log (may be NULL) and faults are
 * borrowed; faults may be NULL. */
hlrp_status hlrp_tile_reader_open(hlrp_slide *slide, const hlrp_grid *grid, const hlrp_log *log,
                                  hlrp_tile_faults *faults, hlrp_tile_reader **out,
                                  hlrp_error *err);
void hlrp_tile_reader_close(hlrp_tile_reader *reader); /* NULL is allowed */
hlrp_slide *hlrp_tile_reader_slide(hlrp_tile_reader *reader);
int hlrp_tile_reader_level(const hlrp_tile_reader *reader); /* the level it reads */

/* Tile `number` to rgb [size, size, 3]. A damaged slide is no error: *result says so, and rgb of an
 * unreadable tile is background. Fails with HLRP_E_MEMORY, or HLRP_E_INPUT where the slide can no
 * longer be opened. */
hlrp_status hlrp_tile_read(hlrp_tile_reader *reader, int64_t number, uint8_t *rgb,
                           hlrp_tile_result *result, hlrp_error *err);

/* ---- what the network gets ---- */

/* x = (v·scale − mean[c]) / std[c] for v in 0…255, c in the network's channel order, as a table:
 * the values are rounded to float32 once. */
typedef struct hlrp_normalizer {
    int source[3]; /* which of R, G, B channel c is */
    float value[3][256];
} hlrp_normalizer;

/* Fails with HLRP_E_CONFIG where std is 0 or anything is not finite. */
hlrp_status hlrp_normalizer_init(hlrp_normalizer *normalizer, double scale, const double mean[3],
                                 const double std[3], bool bgr, hlrp_error *err);

/* rgb [pixels, 3] to planes [3, pixels]: one sample of an NCHW tensor. */
void hlrp_normalize(const hlrp_normalizer *normalizer, const uint8_t *rgb, int64_t pixels,
                    float *planes);

#endif

/* One block of the slide: amounts of stain, then light. Private to the module. */
#ifndef HLRP_PHANTOM_PAINT_H
#define HLRP_PHANTOM_PAINT_H

#include "phantom/world.h"

/* Blocks lie on a fixed grid of the slide, so that a pixel never depends on the window asked for.
 */
enum { HLRP_BLOCK = 128, HLRP_BLOCK_PIXELS = HLRP_BLOCK * HLRP_BLOCK };

/* The spacing of the lattice in pixels is a power of two up to 16. */
enum { HLRP_LATTICE_MAX = HLRP_BLOCK + 1 };

typedef struct hlrp_block {
    const hlrp_phantom *world;
    int64_t x0, y0;                   /* level-0 pixels, multiples of HLRP_BLOCK */
    int step;                         /* pixels between lattice points */
    bool glass;                       /* nothing but bare glass */
    hlrp_field *lattice;              /* [BLOCK/step + 1]² */
    hlrp_field row[HLRP_LATTICE_MAX]; /* the lattice interpolated to one row of pixels */
    float grain_x[HLRP_BLOCK];        /* texels of the columns' pixels */
    float dim_x[HLRP_BLOCK];          /* vignetting of the columns */
    float h[HLRP_BLOCK_PIXELS];       /* hematoxylin, [y][x] */
    float e[HLRP_BLOCK_PIXELS];       /* eosin */
    float ink[HLRP_BLOCK_PIXELS];     /* pen */
    uint8_t mask[HLRP_BLOCK_PIXELS];
} hlrp_block;

/* The stains of the block at (x0, y0): tissue in block.c, nuclei in chromatin.c. */
void hlrp_block_fill(hlrp_block *b, int64_t x0, int64_t y0);
void hlrp_block_add_nuclei(hlrp_block *b);

/* What vignetting takes along one axis at a pixel: 0 in the middle of a field of view, half the
 * option at its edge. */
float hlrp_vignette(const hlrp_phantom *w, int64_t pixel);

/* Light of `count` pixels from (x, y) of the block on, as [count][3] bytes. */
void hlrp_block_light(const hlrp_block *b, int x, int y, int count, uint8_t *rgb);

/* Clamped to [0, 1], 1/2 at 0. */
static inline float hlrp_ramp(float v) {
    v += 0.5F;
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

#endif

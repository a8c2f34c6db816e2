/* One tile and its relevance under several rules, side by side: what compare writes. */
#ifndef HLRP_PANEL_H
#define HLRP_PANEL_H

#include "image/image.h"
#include "stitch/colormap.h"

/* Cells in rows, counted from the upper left, each a square picture with text above and below; the first one is the
 * tile's. Zero-initialise; the image is the owner's to free. */
typedef struct hlrp_panel {
    hlrp_image image;
    hlrp_colormap colors;
    int columns;
} hlrp_panel;

typedef struct hlrp_panel_map {
    const char *label, *class_name;
    hlrp_size size;
    const float *plane;      /* [size.h][size.w]: relevance per pixel */
    double limit, sum, from; /* full color; sum of the map, and the start */
} hlrp_panel_map;

/* HLRP_E_CONFIG: no such colormap. HLRP_E_MEMORY. */
hlrp_status hlrp_panel_init(hlrp_panel *panel, int rows, int columns, const char *colormap,
                            hlrp_error *err);
/* The tile, RGB, into cell 0, with how to read the others. */
void hlrp_panel_draw_tile(hlrp_panel *panel, const hlrp_image *tile);
void hlrp_panel_draw_map(hlrp_panel *panel, int cell, const hlrp_panel_map *map);

#endif

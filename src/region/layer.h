/* Private to src/region: what a region is made of. A layer answers with the area it covers of a
 * rectangle inside the slide; further kinds (polygons, label masks) are further tables. */
#ifndef HLRP_REGION_LAYER_H
#define HLRP_REGION_LAYER_H

#include "region/annotation.h"
#include "region/region.h"

typedef struct hlrp_layer_ops {
    /* Level-0 pixels² of `rect` (inside the slide, w, h > 0) that the layer covers. */
    double (*area)(const void *layer, hlrp_rect rect);
    const hlrp_mask *(*mask)(const void *layer); /* NULL: the kind has none */
    void (*free)(void *layer);                   /* NULL: nothing to free */
    /* Where the layer is even within cells: their number and edges (kind is not looked at). NULL:
     * it is not, or everywhere. */
    const hlrp_mask *(*cells)(const void *layer);
    int64_t (*class_count)(const void *layer); /* NULL: the layer has no classes */
    const hlrp_region_class *(*class_at)(const void *layer, int64_t i);
    double (*class_area)(const void *layer, int64_t i, hlrp_rect rect); /* as area */
    /* As hlrp_region_class_cells. */
    hlrp_status (*class_cells)(const void *layer, int64_t i, hlrp_size slide,
                               const hlrp_mask *cells, uint8_t *half, hlrp_error *err);
    void (*describe)(const void *layer, hlrp_str *out);
} hlrp_layer_ops;

/* Shares this close to 0 or 1 are: differences of large sums leave crumbs, and a crumb must not
 * make a tile of an empty one, or take a full one out where the whole is asked for. */
#define HLRP_SHARE_CRUMB 1e-9

/* Marks a region as tissue that was found; colorless: on a slide that has no color. */
void hlrp_region_mark_found(hlrp_region *region, bool colorless);

/* A region's layer, for layers made of regions. */
const hlrp_layer_ops *hlrp_region_ops(const hlrp_region *region, const void **layer,
                                      hlrp_size *slide);

/* A drawing (taken over, also on failure) as a region; what hlrp_region_new_annotation does with the
 * file's. `path` is for messages. */
hlrp_status hlrp_region_new_drawing(hlrp_drawing *drawing, const char *path, hlrp_size slide,
                                    const hlrp_annotation_options *options, hlrp_region **out,
                                    hlrp_error *err);

/* A raster of at most 2,048 cells a side for pictures of a layer that has none: empty, or tissue where
 * at least half of a cell is covered. *kind is out->kind, the caller's to free. */
hlrp_status hlrp_sketch_new(hlrp_size slide, hlrp_mask *out, uint8_t **kind, hlrp_error *err);
hlrp_status hlrp_layer_sketch(const hlrp_layer_ops *ops, const void *layer, hlrp_size slide,
                              hlrp_mask *out, uint8_t **kind, hlrp_error *err);

/* Takes `layer` over, also where it fails. */
hlrp_status hlrp_region_new(hlrp_size slide, const hlrp_layer_ops *ops, void *layer,
                            hlrp_region **out, hlrp_error *err);

/* A layer of the mask's tissue cells as a region. Takes `kind` [size.h][size.w] over, also where it
 * fails. Fails with HLRP_E_MEMORY. */
hlrp_status hlrp_region_new_mask(hlrp_size slide, hlrp_size size, double cell_w, double cell_h,
                                 uint8_t *kind, hlrp_region **out, hlrp_error *err);

#endif

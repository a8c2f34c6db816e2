/* Private to src/region: what a region is made of. A layer answers with the area it covers of a
 * rectangle inside the slide; further kinds (polygons, label masks) are further tables. */
#ifndef HLRP_REGION_LAYER_H
#define HLRP_REGION_LAYER_H

#include "region/region.h"

typedef struct hlrp_layer_ops {
    /* Level-0 pixels² of `rect` (inside the slide, w, h > 0) that the layer covers. */
    double (*area)(const void *layer, hlrp_rect rect);
    const hlrp_mask *(*mask)(const void *layer); /* NULL: the kind has none */
    void (*free)(void *layer);                   /* NULL: nothing to free */
} hlrp_layer_ops;

/* Takes `layer` over, also where it fails. */
hlrp_status hlrp_region_new(hlrp_size slide, const hlrp_layer_ops *ops, void *layer,
                            hlrp_region **out, hlrp_error *err);

/* A layer of the mask's tissue cells as a region. Takes `kind` [size.h][size.w] over, also where it
 * fails. Fails with HLRP_E_MEMORY. */
hlrp_status hlrp_region_new_mask(hlrp_size slide, hlrp_size size, double cell_w, double cell_h,
                                 uint8_t *kind, hlrp_region **out, hlrp_error *err);

#endif

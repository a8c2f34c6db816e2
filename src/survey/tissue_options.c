#include "survey/tissue_options.h"

hlrp_tissue_options hlrp_tissue_options_of(const hlrp_config *c) {
    return (hlrp_tissue_options){.cell_um = c->regions.tissue_cell_um,
                                 .median_um = c->regions.tissue_median_um,
                                 .closing_um = c->regions.tissue_closing_um,
                                 .min_object_um = c->regions.tissue_min_object_um,
                                 .max_hole_um = c->regions.tissue_max_hole_um,
                                 .glass_spreads = c->regions.tissue_glass_spreads,
                                 .saturation_floor = (int)c->regions.tissue_saturation_floor,
                                 .saturation_ceiling = (int)c->regions.tissue_saturation_ceiling,
                                 .edge_um = c->regions.tissue_edge_um,
                                 .edge_share = c->regions.tissue_edge_share,
                                 .darkness = c->regions.tissue_darkness,
                                 .block_um = c->regions.tissue_block_um,
                                 .wall_um = c->regions.tissue_wall_um,
                                 .wall_depth = (int)c->regions.tissue_wall_depth,
                                 .wall_saturation = (int)c->regions.tissue_wall_saturation,
                                 .dark_value = (int)c->regions.tissue_dark_value,
                                 .pen = c->regions.pen == HLRP_CONFIG_DROP ? HLRP_PEN_DROP
                                                                           : HLRP_PEN_KEEP,
                                 .pen_hue_from = c->regions.pen_hue_from,
                                 .pen_hue_to = c->regions.pen_hue_to,
                                 .pen_saturation = (int)c->regions.pen_saturation,
                                 .pen_density = c->regions.pen_density,
                                 .pen_share = c->regions.pen_share,
                                 .pen_min_um = c->regions.pen_min_um,
                                 .pen_edge_um = c->regions.pen_edge_um};
}

#include "tile/tile.h"

static double coverage_of_region(const void *region, hlrp_rect level0) {
    return hlrp_region_coverage(region, level0);
}

hlrp_status hlrp_tile_list_region(const hlrp_grid *grid, const hlrp_region *region,
                                  double min_coverage, int64_t **numbers, int64_t *count,
                                  hlrp_error *err) {
    return hlrp_tile_list(grid, coverage_of_region, region, min_coverage, numbers, count, err);
}

/* Which tiles of a grid are worth reading. */
#include <stdlib.h>

#include "tile/tile.h"

/* Shares are sums of areas in floating point: one that is half on paper counts as half. */
#define SHARE_SLACK 1e-9

static hlrp_status add(int64_t **numbers, int64_t *count, int64_t *capacity, int64_t number,
                       hlrp_error *err) {
    hlrp_status status = hlrp_grow(numbers, capacity, *count + 1, sizeof **numbers, err);
    if (status == HLRP_OK)
        (*numbers)[(*count)++] = number;
    return status;
}

hlrp_status hlrp_tile_list(const hlrp_grid *grid, hlrp_tile_coverage coverage, const void *regions,
                           double min_coverage, int64_t **numbers, int64_t *count,
                           hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t *list = NULL, used = 0, capacity = 0, total = hlrp_grid_count(grid);
    *numbers = NULL;
    *count = 0;
    HLRP_TRY(hlrp_grow(&list, &capacity, 1, sizeof *list, err)); /* never NULL */
    for (int64_t number = 0; number < total; number++) {
        double share = coverage ? coverage(regions, hlrp_grid_tile(grid, number)) : 1;
        if (share > 0 && share >= min_coverage - SHARE_SLACK)
            HLRP_TRY(add(&list, &used, &capacity, number, err));
    }
    *numbers = list;
    *count = used;
    list = NULL;
out:
    free(list);
    return status;
}

/* A word where relevance explodes on its way from the output to the pixels. */
#ifndef HLRP_WORKER_GROWTH_H
#define HLRP_WORKER_GROWTH_H

#include "model/network.h"
#include "store/store.h"

/* Appends to *out, where /layers of the result says that relevance grows more than a hundredfold, in one
 * layer or from the output to the pixels, which layers and rules do it (three at most), and whether
 * float32 is to blame: the tiles with the largest maps, at most three and at most about a minute's work,
 * are explained again in float64. Else nothing. tiles: grid number of each of the result's tiles. */
hlrp_status hlrp_growth_warning(const hlrp_network *net, const hlrp_slide *slide,
                                const hlrp_grid *grid, const int64_t *tiles, hlrp_result *result,
                                hlrp_str *out, hlrp_error *err);

#endif

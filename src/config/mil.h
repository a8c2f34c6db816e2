/* Keys of [mil] whose text is a little language of its own. */
#ifndef HLRP_CONFIG_MIL_H
#define HLRP_CONFIG_MIL_H

#include <histolrp/config.h>

#include "util/util.h"

/* Which tiles of a slide have their relevance carried on to pixels: of those with the largest |relevance|,
 * share · N tiles, or the fewest that have `share` of Σ|relevance|. */
typedef struct hlrp_mil_pixels {
    bool mass;
    double share; /* 0: none, 1: all */
} hlrp_mil_pixels;

/* "none", "all", "top 5%", "mass 90 %". False where it is none of them. */
bool hlrp_mil_pixels_parse(const char *text, hlrp_mil_pixels *out);

/* Bits, in the order of the kinds of scores in relevance.h5 (store.h). */
typedef enum hlrp_mil_baseline {
    HLRP_MIL_ATTENTION = 1,
    HLRP_MIL_SINGLE = 2,
    HLRP_MIL_DROP = 4,
    HLRP_MIL_GRADIENT = 8
} hlrp_mil_baseline;

bool hlrp_mil_baselines_parse(const hlrp_text_list *names, int64_t *bits);

#endif

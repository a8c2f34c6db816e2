/* From a complete journal to relevance.h5: records are read in tile order, whichever thread or shard
 * computed them and when, so that the same work gives the same bits. */
#ifndef HLRP_ASSEMBLE_H
#define HLRP_ASSEMBLE_H

#include "batch/journal.h"
#include "mil/score.h"
#include "model/network.h"
#include "run/features.h"
#include "survey/survey.h"

typedef struct hlrp_assembly {
    const hlrp_network *net;       /* what was explained */
    const hlrp_network *tile_net;  /* what ran on tiles: net, a bag's encoder, or NULL */
    const hlrp_slide_score *score; /* of a bag, else NULL */
    hlrp_tile_features *features;  /* of a bag, where they are kept, else NULL */
    const hlrp_survey *survey;     /* slide, resolution, grid and tiles */
    const hlrp_journal *journal;   /* NULL where there are no tiles */
    const char *key;               /* the result key */
    int threads;
    /* Called between bands and before the file gets its name; a failure leaves none. */
    hlrp_status (*go_on)(void *ctx, hlrp_error *err);
    void *ctx;
    /* Set by hlrp_assembly_begin: */
    hlrp_result_info info;
    const char **plane_names;
} hlrp_assembly;

/* What the result is to hold; hlrp_assembly_end releases it. */
hlrp_status hlrp_assembly_begin(hlrp_assembly *a, hlrp_error *err);
void hlrp_assembly_end(hlrp_assembly *a);

/* Writes the file, whole or not at all. Memory: one band of map rows for all planes, whatever the
 * slide's height. HLRP_E_INPUT where a tile has no record. */
hlrp_status hlrp_assemble(const hlrp_assembly *a, const char *path, hlrp_error *err);

#endif

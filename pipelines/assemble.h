/* From a complete journal to relevance.h5: records are read in tile order, whichever thread or shard
 * computed them and when, so that the same work gives the same bits. */
#ifndef HLRP_ASSEMBLE_H
#define HLRP_ASSEMBLE_H

#include "batch/journal.h"
#include "model/network.h"
#include "survey/survey.h"

typedef struct hlrp_assembly {
    const hlrp_network *net;
    const hlrp_survey *survey;   /* slide, resolution, grid and tiles */
    const hlrp_journal *journal; /* NULL where there are no tiles */
    const char *key;             /* the result key */
    int threads;
    /* Called between bands and before the file gets its name; a failure leaves none. */
    hlrp_status (*go_on)(void *ctx, hlrp_error *err);
    void *ctx;
} hlrp_assembly;

/* Writes the file, whole or not at all. Memory: one band of map rows for all planes, whatever the
 * slide's height. HLRP_E_INPUT where a tile has no record. */
hlrp_status hlrp_assemble(const hlrp_assembly *a, const char *path, hlrp_error *err);

#endif

/* From a complete journal to relevance.h5: records are read in tile order, whichever thread or shard
 * computed them and when, so that the same work gives the same bits. */
#ifndef HLRP_ASSEMBLE_H
#define HLRP_ASSEMBLE_H

#include "batch/journal.h"
#include "model/network.h"
#include "store/store.h"

typedef struct hlrp_assembly {
    const hlrp_network *net;
    const hlrp_slide *slide;
    hlrp_mpp mpp; /* of the slide, as used */
    const char *mpp_source;
    const hlrp_grid *grid;
    const int64_t *tiles; /* [tile_count] grid numbers, ascending */
    int64_t tile_count;
    int64_t downsample;
    const hlrp_journal *journal; /* NULL where there are no tiles */
    const char *key_text;        /* the result key */
    int threads;
    const hlrp_log *log;
    /* Called between bands and before the file gets its name; a failure leaves none. */
    hlrp_status (*go_on)(void *ctx, hlrp_error *err);
    void *ctx;
} hlrp_assembly;

/* Writes the file, whole or not at all. Memory: one band of map rows for all planes, whatever the
 * slide's height. HLRP_E_INPUT where a tile has no record. */
hlrp_status hlrp_assemble(const hlrp_assembly *a, const char *path, hlrp_error *err);

#endif

/* Features of a slide's tiles: in a file of the user's, or in the journals that a run made of them. */
#ifndef HLRP_RUN_FEATURES_H
#define HLRP_RUN_FEATURES_H

#include "batch/journal.h"
#include "store/features.h"

/* Set one of the first two, and width; hlrp_tile_features_free releases the buffer. For one thread. */
typedef struct hlrp_tile_features {
    hlrp_feature_file *file;
    const hlrp_journal *journal;
    int64_t width; /* D */
    hlrp_journal_buffer buffer;
} hlrp_tile_features;

/* ctx: an hlrp_tile_features. Whether there are any of tile t: it could be read. */
bool hlrp_tile_features_has(void *ctx, int64_t tile);
/* Those of tiles [first, first+count), all of which have some, into values [count][D]. */
hlrp_status hlrp_tile_features_read(void *ctx, int64_t first, int64_t count, float *values,
                                    hlrp_error *err);
void hlrp_tile_features_free(hlrp_tile_features *f);

#endif

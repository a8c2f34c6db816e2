/* What is done with a micro-batch of tiles, in a pass over a slide: items of an hlrp_sched_job whose ctx is an
 * hlrp_tile_job, indices into its micro-batches. */
#ifndef HLRP_TILE_JOB_H
#define HLRP_TILE_JOB_H

#include "util/util.h"

/* Tiles one by one (tile_job.c); */
hlrp_status hlrp_tile_job_item(void *ctx, void *state, int64_t index, hlrp_error *err);
/* of a bag: to features, from relevance of features back to pixels, or evenly over each tile (bag_job.c). */
hlrp_status hlrp_bag_job_features(void *ctx, void *state, int64_t index, hlrp_error *err);
hlrp_status hlrp_bag_job_back(void *ctx, void *state, int64_t index, hlrp_error *err);
hlrp_status hlrp_bag_job_spread(void *ctx, void *state, int64_t index, hlrp_error *err);

#endif

/* One micro-batch of tiles: read, normalise, forward, gate, relevance, pool, journal. */
#ifndef HLRP_TILE_JOB_H
#define HLRP_TILE_JOB_H

#include "batch/journal.h"
#include "batch/lock.h"
#include "mil/score.h"
#include "model/network.h"
#include "survey/survey.h"

/* Core time that the workers of a slide spent, by what it went into; each adds its own at its end.
 */
typedef struct hlrp_tile_times {
    _Atomic int64_t read, forward, relevance, keep; /* nanoseconds */
} hlrp_tile_times;

/* What all workers on one slide share; read only but for the journal, faults and times. */
typedef struct hlrp_tile_job {
    const hlrp_network *net;       /* what runs on the tiles; NULL where none has to */
    const hlrp_network *explained; /* whose classes and targets records have: net, or a bag's head */
    const hlrp_slide_score *score; /* of a bag, once it is known: where its tiles start from */
    const hlrp_survey *survey;     /* each worker opens its slide again for itself */
    const int64_t *places;     /* [place_count] the run's tiles t to do, of grid number
                                  survey->tiles[t]: N to a micro-batch, and only the last has fewer */
    int64_t place_count;
    bool gate; /* the gate is asked, and the tiles of batches of which few pass it are put off */
    hlrp_journal *journal;
    const hlrp_lock *lock; /* checked before each append */
    hlrp_tile_faults *faults;
    hlrp_tile_times *times;
} hlrp_tile_job;

/* The callbacks of an hlrp_sched_job whose ctx is an hlrp_tile_job and whose items are indices into
 * micro-batches. */
hlrp_status hlrp_tile_job_begin(void *ctx, int thread, void **state, hlrp_error *err);
void hlrp_tile_job_end(void *ctx, int thread, void *state);
/* Tiles one by one (tile_job.c); */
hlrp_status hlrp_tile_job_item(void *ctx, void *state, int64_t index, hlrp_error *err);
/* of a bag: to features, from relevance of features back to pixels, or evenly over each tile (bag_job.c). */
hlrp_status hlrp_bag_job_features(void *ctx, void *state, int64_t index, hlrp_error *err);
hlrp_status hlrp_bag_job_back(void *ctx, void *state, int64_t index, hlrp_error *err);
hlrp_status hlrp_bag_job_spread(void *ctx, void *state, int64_t index, hlrp_error *err);

/* Map pixels that a tile may touch. */
hlrp_status hlrp_tile_job_parts(const hlrp_grid *grid, int64_t downsample, int64_t *parts,
                                hlrp_error *err);

/* Bytes that one worker takes: activations, relevance, scratch, pooling, the slide's cache. */
int64_t hlrp_tile_job_worker_bytes(const hlrp_network *net, int64_t parts_max);

#endif

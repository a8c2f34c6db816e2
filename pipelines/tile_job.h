/* One micro-batch of tiles: read, normalise, forward, gate, relevance, pool, journal. */
#ifndef HLRP_TILE_JOB_H
#define HLRP_TILE_JOB_H

#include "batch/journal.h"
#include "model/network.h"
#include "stitch/stitch.h"
#include "tile/tile.h"

/* Core time that the workers of a slide spent, by what it went into; each adds its own at its end.
 */
typedef struct hlrp_tile_times {
    _Atomic int64_t read, forward, relevance, keep; /* nanoseconds */
} hlrp_tile_times;

/* What all workers on one slide share; read only but for the journal and the faults. */
typedef struct hlrp_tile_job {
    const hlrp_network *net;
    const hlrp_slide *slide; /* each worker opens it again for itself */
    const hlrp_grid *grid;
    const int64_t *tiles; /* [tile_count] grid numbers, ascending: tile t of the run is tiles[t] */
    const int64_t
        *places; /* [place_count] the run's tiles t to do: N to a micro-batch, and only the
                              last has fewer */
    int64_t place_count;
    bool gate; /* the gate is asked, and the tiles of batches of which few pass it are put off */
    int64_t downsample;
    hlrp_journal *journal;
    hlrp_tile_faults *faults;
    hlrp_tile_times *times; /* may be NULL */
    const hlrp_log *log;
    /* Called before each append; a failure stops the run (a lock that was lost). May be NULL. */
    hlrp_status (*guard)(void *ctx, hlrp_error *err);
    void *guard_ctx;
} hlrp_tile_job;

/* The callbacks of an hlrp_sched_job whose ctx is an hlrp_tile_job and whose items are indices into
 * micro-batches. */
hlrp_status hlrp_tile_job_begin(void *ctx, int thread, void **state, hlrp_error *err);
hlrp_status hlrp_tile_job_item(void *ctx, void *state, int64_t index, hlrp_error *err);
void hlrp_tile_job_end(void *ctx, int thread, void *state);

/* Whether a micro-batch of `count` tiles leaves the `passed` tiles that pass the gate for later: then
 * they have a HLRP_RECORD_FORWARD. The relevance pass of a micro-batch costs
 * two to three times its forward pass, however many of its tiles passed the gate; putting them off costs
 * a second forward pass, together with other tiles that passed. */
bool hlrp_tile_job_puts_off(int64_t passed, int64_t count);

/* Bytes that one worker takes: activations, relevance, scratch, pooling, the slide's cache. */
int64_t hlrp_tile_job_worker_bytes(const hlrp_network *net, int64_t parts_max);

#endif

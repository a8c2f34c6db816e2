/* What one thread needs for the tiles of a slide, and what it does with any of them: read, run, pool onto the
 * map, keep in the journal. */
#ifndef HLRP_TILE_WORKER_H
#define HLRP_TILE_WORKER_H

#include "batch/journal.h"
#include "batch/lock.h"
#include "mil/score.h"
#include "stitch/stitch.h"
#include "survey/survey.h"
#include "worker/worker.h"

/* Core time that the workers of a slide spent, by what it went into; each adds its own at its end.
 */
typedef struct hlrp_tile_times {
    _Atomic int64_t read, forward, relevance, keep; /* nanoseconds */
} hlrp_tile_times;

/* What all workers on one slide share; read only but for the journal, faults and times. */
typedef struct hlrp_tile_job {
    const hlrp_network *net; /* what runs on the tiles; NULL where none has to */
    const hlrp_network
        *explained; /* whose classes and targets records have: net, or a bag's head */
    const hlrp_slide_score *score; /* of a bag, once it is known: where its tiles start from */
    const hlrp_survey *survey;     /* each worker opens its slide again for itself */
    const int64_t *places;         /* [place_count] the run's tiles t to do, of grid number
                                  survey->tiles[t]: N to a micro-batch, and only the last has fewer */
    int64_t place_count;
    bool forward_only; /* nothing goes back in this pass */
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
/* Map pixels that a tile may touch. */
hlrp_status hlrp_tile_job_parts(const hlrp_grid *grid, int64_t downsample, int64_t *parts,
                                hlrp_error *err);

/* Bytes that one worker takes: activations, relevance, scratch, pooling, the slide's cache. */
int64_t hlrp_tile_job_worker_bytes(const hlrp_network *net, int64_t parts_max);

/* What a sample of the micro-batch has come to; its arrays are the record's. */
typedef struct hlrp_sample {
    hlrp_record record;
    int64_t number;              /* of the grid */
    float *logits, *probability; /* [C] */
    double *start, *sum, *outside, *abs, *layers, *parts;
    int32_t *planes;
} hlrp_sample;

/* The phases of a micro-batch whose core time is kept apart. */
enum { HLRP_PHASE_READ, HLRP_PHASE_FORWARD, HLRP_PHASE_RELEVANCE, HLRP_PHASE_KEEP, HLRP_PHASES };

typedef struct hlrp_tile_worker {
    double seconds[HLRP_PHASES], mark; /* core time per phase; when the present one began */
    hlrp_tile_reader *reader;          /* this and the next two: NULL where no network runs */
    hlrp_worker net;
    uint8_t *rgb;
    hlrp_pool *pool;
    hlrp_sample *samples; /* [N] */
    float *floats;        /* the samples' */
    double *doubles;
    int32_t *ints;
} hlrp_tile_worker;

void hlrp_tile_worker_end_phase(hlrp_tile_worker *w, int phase);

/* Tiles of the job's places [first, first+count) are read and go forward, and their records are begun. */
hlrp_status hlrp_tile_worker_forward(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t first,
                                     int64_t count, hlrp_error *err);
/* A record of the tile in which nothing is explained. */
void hlrp_sample_begin(const hlrp_tile_job *job, hlrp_sample *s, int64_t tile,
                       hlrp_record_status status);
/* Relevance of sample `index`, pooled onto the map as one more explained plane; its start is set. */
hlrp_status hlrp_tile_worker_keep(const hlrp_tile_job *job, hlrp_tile_worker *w, int64_t index,
                                  int64_t plane, hlrp_error *err);
/* The sample's plane where all pixels of the tile have the same relevance, `total` together. */
hlrp_status hlrp_tile_worker_spread(const hlrp_tile_job *job, hlrp_tile_worker *w, hlrp_sample *s,
                                    int64_t plane, double total, hlrp_error *err);
hlrp_status hlrp_tile_worker_append(const hlrp_tile_job *job, const hlrp_sample *s,
                                    hlrp_error *err);

#endif

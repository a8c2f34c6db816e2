/* What a slide would take: measured where that is quick, else reckoned. For --dry-run. */
#ifndef HLRP_ESTIMATE_H
#define HLRP_ESTIMATE_H

#include "pipelines/slide_run.h"

/* What a dry run has found out so far, over all slides of the batch. Zero-initialise. */
typedef struct hlrp_dry_run {
    double
        batch_seconds;  /* of one micro-batch on one thread while all threads compute; 0: unknown */
    int64_t base_bytes; /* of memory, before any worker begins */
    int64_t slides, tiles;
    double seconds, results; /* sums; bytes */
} hlrp_dry_run;

/* Runs the network on empty tiles on all threads for a moment, unless it is known already. */
hlrp_status hlrp_estimate_network(const hlrp_batch_run *batch, hlrp_dry_run *dry, hlrp_error *err);

/* Some tiles of the slide, read one after the other. */
typedef struct hlrp_estimate_reading {
    int64_t tried, fallback, unreadable; /* tiles */
    double seconds;                      /* for one tile */
} hlrp_estimate_reading;

hlrp_status hlrp_estimate_reading_of(const hlrp_slide_run *run, hlrp_estimate_reading *out,
                                     hlrp_error *err);

/* Bytes. `parts` are the map pixels that a tile may touch (hlrp_pool_capacity). */
typedef struct hlrp_estimate {
    double worker, memory; /* of one worker; of the whole program at most */
    double journal;        /* on disk while it runs: every tile explained */
    double spool;          /* on disk while a pyramid is written: its smaller levels, once more */
    double results;        /* on disk in the end, about: maps, pictures and tables */
} hlrp_estimate;

void hlrp_estimate_bytes(const hlrp_slide_run *run, const hlrp_dry_run *dry, int64_t parts,
                         hlrp_estimate *out);

/* Prints one line for all slides of a batch, where it has several (dry_run.c). */
void hlrp_dry_run_total(const hlrp_batch_run *batch);

#endif

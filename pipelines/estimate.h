/* What a slide would take, for --dry-run. */
#ifndef HLRP_ESTIMATE_H
#define HLRP_ESTIMATE_H

#include <histolrp/run.h>

#include "pipelines/batch_run.h"
#include "survey/survey.h"

/* What a dry run has found out so far, over all slides of the batch. Zero-initialise. */
typedef struct hlrp_dry_run {
    double
        batch_seconds; /* of one micro-batch on one thread while all threads compute; 0: unknown */
    double forward_seconds; /* of it, forward */
    int64_t base_bytes;     /* of memory, before any worker begins */
    int64_t slides, tiles;
    double seconds, results; /* sums; bytes */
} hlrp_dry_run;

/* Bytes. */
typedef struct hlrp_estimate {
    double worker, memory; /* of one worker; of the whole program at most */
    double journal;        /* on disk while it runs: every tile explained, and features of a bag */
    double spool;          /* on disk while a pyramid is written: its smaller levels, once more */
    double head_seconds;   /* of one thread, for a bag's head */
    double results;        /* on disk in the end, about: maps, pictures and tables */
} hlrp_estimate;

/* base: of memory, before any worker begins. */
hlrp_status hlrp_estimate_bytes(const hlrp_survey *survey, const hlrp_batch_run *batch,
                                int64_t base, hlrp_estimate *out, hlrp_error *err);

/* Prints one line for all slides of a batch, where it has several (dry_run.c). */
void hlrp_dry_run_total(const hlrp_dry_run *dry, const hlrp_run_options *options);

#endif

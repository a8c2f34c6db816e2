/* A pass over a slide's tiles: micro-batches on all threads, and what is said meanwhile. */
#ifndef HLRP_COMPUTE_H
#define HLRP_COMPUTE_H

#include "pipelines/slide_run.h"
#include "run/batches.h"

typedef struct hlrp_computing {
    hlrp_tile_job job; /* first: the job's callbacks take this struct for it */
    hlrp_slide_run *run;
    hlrp_batches batches; /* the shard's tiles, and those of the pass */
    int64_t done_before;
    char label[300];
    hlrp_progress bar;
    hlrp_tile_faults faults;
} hlrp_computing;

/* One micro-batch of a pass, on any thread. */
typedef hlrp_status hlrp_tile_item(void *ctx, void *state, int64_t index, hlrp_error *err);

/* Opens the run's journal of this name to go on with it. */
hlrp_status hlrp_computing_open(const hlrp_slide_run *run, const char *name,
                                const hlrp_journal_key *key, hlrp_journal **out, hlrp_error *err);
/* Set c->run, zero the rest. what: follows the slide's name on the bar, "" for nothing. */
hlrp_status hlrp_computing_begin(hlrp_computing *c, hlrp_journal *journal, const char *what,
                                 hlrp_error *err);
/* The tiles that c->batches lists. */
hlrp_status hlrp_computing_pass(hlrp_computing *c, hlrp_tile_item *item, hlrp_error *err);
/* Says for the last time how far it came, and makes the records durable where `status`, which it
 * returns, is HLRP_OK. */
hlrp_status hlrp_computing_end(hlrp_computing *c, hlrp_status status, hlrp_error *err);

/* Tiles that could not be read are marked, but a slide of which most cannot is a failed slide. */
hlrp_status hlrp_check_faults(const hlrp_survey *survey, int64_t lost, hlrp_error *err);

#endif

/* Which tiles a pass over a slide does, and in which micro-batches: a function of the slide's list and of
 * the records alone, so that a run that goes on forms the same groups. */
#ifndef HLRP_RUN_BATCHES_H
#define HLRP_RUN_BATCHES_H

#include "batch/journal.h"

/* Tiles from … to − 1 of a slide's list, N to a micro-batch. */
typedef struct hlrp_batches {
    const hlrp_journal *journal;
    int64_t from, to, n;
    bool retry;      /* tiles that an earlier run could not read */
    int64_t *places; /* [to − from]: the pass's tiles, micro-batch by micro-batch; borrowed */
    int64_t count;
} hlrp_batches;

/* Micro-batches that miss a record. They are always the same tiles of the slide's list, whatever was done
 * before; a shard is a run of whole ones. */
void hlrp_batches_unseen(hlrp_batches *b);

/* Whether a micro-batch of `count` tiles leaves the `passed` tiles that pass the gate for later: then
 * they have a HLRP_RECORD_FORWARD. The relevance pass of a micro-batch costs two to three times its
 * forward pass, however many of its tiles passed the gate; putting them off costs a second forward pass,
 * together with other tiles that passed. */
bool hlrp_batches_put_off(int64_t passed, int64_t count);

/* The tiles that were put off, explained since or not, in micro-batches of which something is left to
 * explain. */
void hlrp_batches_later(hlrp_batches *b);

/* The tiles without a record whose entry in wanted [slide's tiles] is `value`. */
void hlrp_batches_wanted(hlrp_batches *b, const bool *wanted, bool value);

#endif

/* The shards of a slide: which tiles are whose, the journals they leave, and what is missing. */
#ifndef HLRP_RUN_SHARDS_H
#define HLRP_RUN_SHARDS_H

#include "batch/journal.h"
#include "batch/progress.h"

/* Tiles *from … *to − 1 of a slide's `tiles` are those of shard `shard` of `shards`, from 1: a run of whole
 * micro-batches of `batch` tiles. */
void hlrp_shard_tiles(int64_t tiles, int64_t batch, int64_t shard, int64_t shards, int64_t *from,
                      int64_t *to);

/* A slide's journals: of results, and of the features that a bag's head is given. A shard's has -I-of-N
 * behind its name. */
#define HLRP_JOURNAL ".journal"
#define HLRP_FEATURES_JOURNAL ".features"

/* Paths of the journals of one name in a slide's folder, sorted, but for those that hold no record because
 * their header is torn. */
hlrp_status hlrp_shards_journals(const char *folder, const char *name, hlrp_strings *out,
                                 hlrp_error *err);

/* Opens all journals of one name as one; *out stays NULL where there are none. HLRP_E_INTERRUPTED, naming
 * the slide and the shards that lack tiles, where any is missing; the journal is open all the same. */
hlrp_status hlrp_shards_join(const char *folder, const char *name, const char *slide,
                             const hlrp_journal_key *key, int64_t batch, hlrp_journal **out,
                             hlrp_error *err);

/* What the journal holds. A tile whose relevance is still to come is not done. */
void hlrp_journal_tally(const hlrp_journal *journal, hlrp_slide_progress *where);

#endif

/* The state of one slide's run, and its steps; run_slide.c says in which order they come. */
#ifndef HLRP_SLIDE_RUN_H
#define HLRP_SLIDE_RUN_H

#include "batch/journal.h"
#include "batch/lock.h"
#include "pipelines/batch_run.h"
#include "pipelines/tile_job.h"
#include "run/warnings.h"
#include "store/agreement.h"
#include "store/store.h"
#include "survey/survey.h"

typedef struct hlrp_slide_run {
    const hlrp_batch_run *batch; /* &own */
    hlrp_batch_run own;          /* the batch, but that the slide listens to its own log */
    hlrp_run_options options;
    hlrp_survey survey; /* the slide, its regions and tiles */
    hlrp_warnings *warnings;
    bool keeps_warnings; /* in the folder */
    char *folder;
    char *key_text; /* all that decides the numbers in relevance.h5 */
    hlrp_lock *lock;
    bool complete;                             /* relevance.h5 is there */
    hlrp_agreement agreement, shown_agreement; /* over all explained classes, of the shown one */
    hlrp_journal *journal;
    hlrp_tile_faults faults;
    hlrp_tile_times times;
    hlrp_progress bar;
    double began, written, told; /* seconds: start; last status.json; last event */
    hlrp_state told_state;
    double compute_seconds, assemble_seconds, output_seconds;
    hlrp_slide_progress *where;
} hlrp_slide_run;

/* Sets run->batch from the batch: whatever is logged as a warning from now on is kept. */
hlrp_status hlrp_slide_run_begin(hlrp_slide_run *run, const hlrp_batch_run *batch, hlrp_error *err);
/* All that decides the results, as text: one "name = value" a line. */
hlrp_status hlrp_step_key(hlrp_slide_run *run, hlrp_error *err);
/* Whether relevance.h5 is there already, from the same key; another key is refused. */
hlrp_status hlrp_step_look(hlrp_slide_run *run, bool *complete, hlrp_error *err);
/* Every tile that has no result yet: tile_job.c on all threads, into the journal (compute.c). */
hlrp_status hlrp_step_compute(hlrp_slide_run *run, hlrp_error *err);
/* The journals of all shards, opened as one (merge.c). HLRP_E_INTERRUPTED where tiles are missing,
 * naming the shards that lack them; HLRP_E_BUSY where a shard is being computed. */
hlrp_status hlrp_step_join(hlrp_slide_run *run, hlrp_error *err);
/* Takes over the result key that the shards were computed with where this machine differs from
 * theirs in nothing but its processor: merging only adds up. */
hlrp_status hlrp_step_adopt(hlrp_slide_run *run, hlrp_error *err);
/* Journal to relevance.h5 (assemble.c). */
hlrp_status hlrp_step_assemble(hlrp_slide_run *run, hlrp_error *err);
/* Whether the map of relevance.h5 agrees with the network, into *run and its status (agreement.c). */
hlrp_status hlrp_step_agreement(hlrp_slide_run *run, hlrp_error *err);
/* What is made from relevance.h5: pictures and tables. */
hlrp_status hlrp_step_outputs(hlrp_slide_run *run, hlrp_error *err);
/* run.json. */
hlrp_status hlrp_step_provenance(hlrp_slide_run *run, hlrp_error *err);

/* For --dry-run: prints what the slide would take. Only steps 1 and 2 have run. */
hlrp_status hlrp_step_dry_run(hlrp_slide_run *run, hlrp_error *err);
/* Removes the journals of a complete slide, those of shards too. */
hlrp_status hlrp_step_clear(hlrp_slide_run *run, hlrp_error *err);
/* Removes temporary files that a run which was killed left: only under the lock on the folder. */
void hlrp_slide_run_sweep(const hlrp_slide_run *run);

/* Tiles *from … *to − 1 of the run are those of the shard. */
void hlrp_shard_tiles(const hlrp_slide_run *run, int64_t shard, int64_t shards, int64_t *from,
                      int64_t *to);

/* What the journal holds, into run->where. A tile whose relevance is still to come is not done. */
void hlrp_slide_run_count(hlrp_slide_run *run);
/* Whether the lock is still this run's: asked before anything is written. ctx: the run. */
hlrp_status hlrp_slide_run_guard(void *ctx, hlrp_error *err);

/* Tiles that could not be read are marked, but a slide of which most cannot is a failed slide. */
hlrp_status hlrp_slide_run_check_faults(const hlrp_slide_run *run, hlrp_error *err);

/* What every record of this slide's journals has in common. */
hlrp_status hlrp_slide_run_journal_key(const hlrp_slide_run *run, hlrp_journal_key *key,
                                       hlrp_error *err);

/* FOLDER/name, of a shard FOLDER/name-I-of-N; the caller's to free. Shards have journals and locks
 * of their own: they run at the same time, on several machines. */
hlrp_status hlrp_slide_run_shard_path(const hlrp_slide_run *run, const char *name, char **out,
                                      hlrp_error *err);

/* FOLDER/name, the caller's to free. */
hlrp_status hlrp_slide_run_path(const hlrp_slide_run *run, const char *name, char **out,
                                hlrp_error *err);
/* Every few seconds, where the slide is this run's: status.json as run->where has it. */
void hlrp_slide_run_beat(hlrp_slide_run *run);
/* Between two steps that take a while: HLRP_E_INTERRUPTED where the run is asked to stop, HLRP_E_BUSY
 * where it has lost its lock. status.json says that it is at `what`, such as "overlay.tif". */
hlrp_status hlrp_slide_run_go_on(hlrp_slide_run *run, const char *what, hlrp_error *err);
/* status.json as run->where has it. */
hlrp_status hlrp_slide_run_write_status(hlrp_slide_run *run, hlrp_error *err);

#endif

/* The state of one slide's run, and its steps; run_slide.c says in which order they come. */
#ifndef HLRP_SLIDE_RUN_H
#define HLRP_SLIDE_RUN_H

#include "batch/journal.h"
#include "pipelines/batch_run.h"
#include "pipelines/tile_worker.h"
#include "run/folder.h"
#include "store/agreement.h"
#include "survey/survey.h"

typedef struct hlrp_slide_run {
    const hlrp_batch_run *batch;
    hlrp_survey survey; /* the slide, its regions and tiles */
    hlrp_slide_folder folder;
    char *key;                                 /* all that decides the numbers in relevance.h5 */
    bool complete;                             /* relevance.h5 is there */
    hlrp_journal *journal;                     /* NULL where there are no tiles */
    hlrp_journal *features;                    /* of a bag, unless they are in a file */
    hlrp_slide_score *score;                   /* of a bag, once its head has run */
    hlrp_agreement agreement, shown_agreement; /* over all explained classes, of the shown one */
    int64_t shown;                             /* plane of the record that outputs show */
    hlrp_tile_times times;
    double compute_seconds, assemble_seconds, output_seconds;
} hlrp_slide_run;

/* All that decides the results, as text: one "name = value" a line (key.c). */
hlrp_status hlrp_step_key(hlrp_slide_run *run, hlrp_error *err);
/* Every tile that has no result yet: tile_job.c on all threads, into the journal (compute.c). For merge
 * the journals of all shards, opened as one. HLRP_E_INTERRUPTED where tiles are missing, naming the
 * shards that lack them. */
hlrp_status hlrp_step_compute(hlrp_slide_run *run, hlrp_error *err);
/* The same where the slide has one score of all its tiles (compute_bag.c). */
hlrp_status hlrp_compute_bag(hlrp_slide_run *run, hlrp_error *err);
/* Journal to relevance.h5 (assemble.c). */
hlrp_status hlrp_step_assemble(hlrp_slide_run *run, hlrp_error *err);
/* What is made from relevance.h5: pictures and tables (outputs.c). */
hlrp_status hlrp_step_outputs(hlrp_slide_run *run, hlrp_error *err);
/* run.json (provenance.c). */
hlrp_status hlrp_step_provenance(const hlrp_slide_run *run, hlrp_error *err);
/* For --dry-run: prints what the slide would take. Only steps 1 and 2 have run (dry_run.c). */
hlrp_status hlrp_step_dry_run(hlrp_slide_run *run, hlrp_error *err);

/* What every record of this slide's journals has in common (key.c). */
hlrp_status hlrp_slide_run_journal_key(const hlrp_slide_run *run, hlrp_journal_key *key,
                                       hlrp_error *err);
/* Whether no tile of the slide was looked at, or none reached the gate. Its tiles are counted. */
bool hlrp_slide_run_is_empty(const hlrp_slide_run *run);

#endif

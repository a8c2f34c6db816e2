/* Whether maps agree with the network (store/agreement.h): of a slide for status.json, batch.csv and
 * run.json; of a batch for its one warning. */
#ifndef HLRP_RUN_AGREEMENT_H
#define HLRP_RUN_AGREEMENT_H

#include "batch/progress.h"
#include "store/agreement.h"

/* The member "agreement" of run.json: an object, or null where nothing was compared. all: over all explained
 * classes; shown: of the class that is shown. */
void hlrp_agreement_json(const hlrp_agreement *all, const hlrp_agreement *shown,
                         const char *class_name, hlrp_str *out);

/* One measure over all slides of the table that are complete and whose record is there. A record that
 * cannot be read is left out with a warning. */
hlrp_status hlrp_batch_agreement(const char *output, const hlrp_slide_progress *rows, int64_t count,
                                 const hlrp_log *log, hlrp_agreement *out, hlrp_error *err);

/* What it means and what helps, in a sentence or two; appends nothing where there is nothing to warn
 * of. */
void hlrp_agreement_warning(const hlrp_agreement *a, hlrp_str *out);

#endif

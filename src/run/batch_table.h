/* batch.csv at the root of the output folder: a row for every slide. */
#ifndef HLRP_BATCH_TABLE_H
#define HLRP_BATCH_TABLE_H

#include "run/tally.h"

typedef struct hlrp_batch_table {
    const char *output;
    const hlrp_strings *slides; /* paths as listed: a row for each; NULL: no list */
    const hlrp_tally *tally; /* of this run: has the slides whose folder did not take their status;
                                or NULL */
    bool report;             /* report.html beside it, too */
    const hlrp_log *log;
} hlrp_batch_table;

/* Rebuilds it from the slides' folders: those of the list in any case, pending where nothing was
 * begun, and whatever other slides have a folder below `output`. Tasks that end at the same time
 * write one after the other, under the lock of the output folder, so that the last of them has seen
 * all. Warns, once the last slide was run, where the maps of the complete slides do not agree with the
 * network; the report says so before. */
hlrp_status hlrp_batch_table_write(const hlrp_batch_table *table, hlrp_error *err);

#endif

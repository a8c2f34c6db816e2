/* report.html, the page at the root of the output folder. */
#ifndef HLRP_RUN_REPORT_H
#define HLRP_RUN_REPORT_H

#include "batch/progress.h"

/* OUTPUT/report.html from the fragments in the slides' folders; rows as batch.csv has them. warning: what
 * is wrong with the batch as a whole, "" where nothing is. */
hlrp_status hlrp_report_write(const char *output, const hlrp_slide_progress *rows, int64_t count,
                              const char *warning, hlrp_error *err);

#endif

/* The report: a fragment for each slide, and the page at the root of the output folder. */
#ifndef HLRP_PIPELINES_REPORT_H
#define HLRP_PIPELINES_REPORT_H

#include "batch/progress.h"
#include "pipelines/slide_run.h"
#include "sink/report.h"

/* FOLDER/.report.html: what report.html says of this slide. */
hlrp_status hlrp_step_report(const hlrp_slide_run *run, const hlrp_sink_input *in, hlrp_error *err);

/* OUTPUT/report.html from the fragments in the slides' folders; rows as batch.csv has them. warning: what
 * is wrong with the batch as a whole, "" where nothing is. */
hlrp_status hlrp_report_write(const char *output, const hlrp_slide_progress *rows, int64_t count,
                              const char *warning, hlrp_error *err);

#endif

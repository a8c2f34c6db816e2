/* The report: a fragment for each slide, and the page at the root of the output folder. */
#ifndef HLRP_PIPELINES_REPORT_H
#define HLRP_PIPELINES_REPORT_H

#include "batch/progress.h"
#include "pipelines/slide_run.h"
#include "sink/report.h"

/* Which ground lies where on a slide: annotated classes, tissue, glass, pen marks, padding. */
typedef struct hlrp_slide_ground {
    hlrp_ground ground;
    uint8_t *kind; /* owned: ground.kind */
} hlrp_slide_ground;

/* Tissue is looked for anew, with pen marks told from it, whatever the regions are. The names of
 * annotated classes are borrowed from run->region. */
hlrp_status hlrp_slide_ground_find(const hlrp_slide_run *run, hlrp_slide_ground *out,
                                   hlrp_error *err);
void hlrp_slide_ground_free(hlrp_slide_ground *ground);

/* FOLDER/.report.html: what report.html says of this slide. */
hlrp_status hlrp_step_report(const hlrp_slide_run *run, const hlrp_sink_input *in, hlrp_error *err);

/* OUTPUT/report.html from the fragments in the slides' folders; rows as batch.csv has them. warning: what
 * is wrong with the batch as a whole, "" where nothing is. */
hlrp_status hlrp_report_write(const char *output, const hlrp_slide_progress *rows, int64_t count,
                              const char *warning, hlrp_error *err);

#endif

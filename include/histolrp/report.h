/* The report of a batch, made again from what is in its output folder. */
#ifndef HISTOLRP_REPORT_H
#define HISTOLRP_REPORT_H

#include "histolrp/error.h"
#include "histolrp/log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rebuilds batch.csv and report.html of `output` from the slides' folders below it; neither slides
 * nor network are needed. log may be NULL. HLRP_E_INPUT where there is no such folder or no slide
 * in it, HLRP_E_OUTPUT, HLRP_E_IO. */
hlrp_status hlrp_report_rebuild(const char *output, const hlrp_log *log, hlrp_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* What lies where on a slide: what a report tells relevance by. */
#ifndef HLRP_SURVEY_GROUND_H
#define HLRP_SURVEY_GROUND_H

#include "sink/report.h"
#include "survey/survey.h"

/* Which ground lies where on a slide: annotated classes, tissue, glass, pen marks, padding. */
typedef struct hlrp_slide_ground {
    hlrp_ground ground;
    uint8_t *kind; /* owned: ground.kind */
} hlrp_slide_ground;

/* Tissue is looked for anew, with pen marks told from it, whatever the regions are. The names of
 * annotated classes are borrowed from the survey's region. */
hlrp_status hlrp_slide_ground_find(const hlrp_survey *survey, hlrp_slide_ground *out,
                                   hlrp_error *err);
void hlrp_slide_ground_free(hlrp_slide_ground *ground);

#endif

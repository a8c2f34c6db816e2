/* How well and how fast a slide's tiles can be read. */
#ifndef HLRP_SURVEY_READING_H
#define HLRP_SURVEY_READING_H

#include "survey/survey.h"

typedef struct hlrp_survey_reading {
    int64_t tried, fallback, unreadable; /* tiles */
    double seconds;                      /* for one tile */
} hlrp_survey_reading;

/* Some tiles from all over the list, read one after the other. */
hlrp_status hlrp_survey_read_some(const hlrp_survey *survey, hlrp_survey_reading *out,
                                  hlrp_error *err);

#endif

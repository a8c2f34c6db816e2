/* Tiles that lie where a file of features says. */
#ifndef HLRP_SURVEY_SCATTERED_H
#define HLRP_SURVEY_SCATTERED_H

#include "survey/survey.h"

/* The tiles of the file that mil.features names for the slide. mpp, size: the network's, 0: unknown. */
hlrp_status hlrp_survey_scattered(hlrp_survey *survey, double mpp, int64_t size, hlrp_error *err);

#endif

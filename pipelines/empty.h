/* A slide of which nothing was explained, and why. */
#ifndef HLRP_EMPTY_H
#define HLRP_EMPTY_H

#include "pipelines/slide_run.h"

/* Whether no tile of the slide was looked at, or none reached the gate. Its tiles are counted. */
bool hlrp_is_empty(const hlrp_slide_run *run);
/* Why, in one line for a person, cut to the size. The slide is complete. */
void hlrp_empty_reason(const hlrp_slide_run *run, char *reason, size_t size);

#endif

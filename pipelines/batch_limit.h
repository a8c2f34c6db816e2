/* outputs.limit = batch: one display limit for all slides. */
#ifndef HLRP_BATCH_LIMIT_H
#define HLRP_BATCH_LIMIT_H

#include "pipelines/batch_run.h"

/* Once every listed slide has come to an end: the percentile over the maps of all those that have
 * one, and the pictures and scripts that showed another limit made again. Does nothing under
 * another outputs.limit, while slides are still to be done, or where all show that limit already.
 * A slide that another run holds is left to it. */
hlrp_status hlrp_batch_limit_apply(const hlrp_batch_run *batch, const hlrp_strings *slides,
                                   hlrp_error *err);

#endif

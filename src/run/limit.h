/* outputs.limit = batch: one display limit for all slides of a batch. */
#ifndef HLRP_RUN_LIMIT_H
#define HLRP_RUN_LIMIT_H

#include <histolrp/config.h>

#include "util/util.h"

/* Of the listed slides those that have a map, in *usable. *ended: every one has come to an end, whether it
 * is complete, empty or failed. */
hlrp_status hlrp_batch_usable(const char *output, const hlrp_strings *slides, hlrp_strings *usable,
                              bool *ended, hlrp_error *err);

/* The percentile over the maps of the shown plane of all these slides, as the outputs show them. */
hlrp_status hlrp_batch_limit(const hlrp_config *config, const hlrp_strings *slides, int64_t plane,
                             double *out, hlrp_error *err);

#endif

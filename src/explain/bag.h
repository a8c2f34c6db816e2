/* `explain` for a bag of instances: one score of many tiles' features. */
#ifndef HLRP_EXPLAIN_BAG_H
#define HLRP_EXPLAIN_BAG_H

#include <histolrp/explain.h>

/* Whether it is one: features [N,D], or pictures where mil.head is set. */
hlrp_status hlrp_is_bag(const hlrp_config *config, const char *input, bool *is, hlrp_error *err);

/* As hlrp_explain, for a bag. */
hlrp_status hlrp_explain_bag(const hlrp_config *config, const char *input, const char *output,
                             const hlrp_explain_options *options, hlrp_error *err);

#endif

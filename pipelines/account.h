/* The account: where relevance went, layer by layer, and a word where much of it was lost. */
#ifndef HLRP_PIPELINES_ACCOUNT_H
#define HLRP_PIPELINES_ACCOUNT_H

#include "store/store.h"

/* Reads /layers of a result and warns, once, of the layer that loses or creates the largest share
 * of the relevance that reaches it, where that is over `share` (0…1): |out − in| / Σ|out|. Layers
 * that take gradients are passed over: they do not conserve. */
hlrp_status hlrp_warn_of_losses(hlrp_result *result, const char *slide, double share,
                                const hlrp_log *log, hlrp_error *err);

#endif

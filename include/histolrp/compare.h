/* One tile under several rules, side by side. */
#ifndef HISTOLRP_COMPARE_H
#define HISTOLRP_COMPARE_H

#include "histolrp/config.h"
#include "histolrp/error.h"
#include "histolrp/log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise. */
typedef struct hlrp_compare_options {
    const char *target; /* class name or number. NULL: lrp.target where it names one class, else
                            predicted */
    const char *start;  /* NULL: lrp.start */
    double mpp;         /* of a picture, µm per pixel; 0: what its file says */
    bool
        grid; /* of gamma of convolutions and of linear layers, for transformers, instead of rules */
    const hlrp_log *log; /* may be NULL */
} hlrp_compare_options;

/* input as for hlrp_explain (of a tensor its first sample). Writes `output`, a PNG: the tile and
 * its relevance under lrp0, epsilon, gamma, gradient-x-input and the configuration's own composite
 * and rules, each with its sum and in full color at its own limit. */
hlrp_status hlrp_compare(const hlrp_config *config, const char *input, const char *output,
                         const hlrp_compare_options *options, hlrp_error *err);

#ifdef __cplusplus
}
#endif
#endif

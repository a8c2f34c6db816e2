/* One tile, or a tensor of several, explained: numbers into an HDF5 file, a picture beside it. */
#ifndef HISTOLRP_EXPLAIN_H
#define HISTOLRP_EXPLAIN_H

#include <stdbool.h>

#include "histolrp/config.h"
#include "histolrp/error.h"
#include "histolrp/log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise. */
typedef struct hlrp_explain_options {
    const char *target;  /* class names or numbers, separated by commas: one for all samples or one
                            for each. NULL: lrp.target where it names one class, else predicted */
    const char *start;   /* NULL: lrp.start */
    double mpp;          /* of a picture, µm per pixel; 0: what its file says */
    bool layers;         /* also the relevance of every node's output, and its account */
    bool check;          /* also print the first sample's numbers beside a float64 reference */
    const hlrp_log *log; /* may be NULL */
    void (*print)(void *ctx, const char *text); /* takes what check prints; NULL: none */
    void *print_ctx;
} hlrp_explain_options;

/* input: a picture (PNG, JPEG, TIFF), resampled to the network's µm per pixel where its own are known
 * (options.mpp, or the file's resolution if that can be a slide's), then through scale, mean and std;
 * or "FILE.h5:/dataset", float32 [N,C,H,W], taken as it is. Writes `output` (OUT.h5, whole or not at
 * all): /input, /logits, /target, /start, /relevance, with layers /layers/NNN; for each sample
 * /relevance_sum and /relevance_abs, the sums of relevance (over color, then of its values and of its
 * magnitudes over the pixels), and /agrees: 1 where start and sum have the same sign, −1 where they
 * differ, 0 where one is 0. The log says them, too. For a picture also
 * OUT.png (OUT-heatmap.png where OUT.png is the picture itself), the heatmap, and OUT-overlay.png, the
 * picture under it with a color bar.
 *
 * A dataset [N,D] is a bag of features, for mil.head or, without one, model.path; and a dataset of
 * pictures is a bag where mil.head is set, whose model.path gives the features. Then /logits, /start,
 * /target and /agrees have one row, that of the bag, /relevance_sum and /relevance_abs are of each
 * instance's relevance in the head, and a bag of pictures also has /features and /feature_relevance [N,D].
 * layers and check are for tiles: HLRP_E_USAGE. HLRP_E_INPUT where the input cannot be used, a picture of another
 * size than the network's among them, HLRP_E_MODEL where the network does not take a tensor's size,
 * HLRP_E_CONFIG, HLRP_E_IO. */
hlrp_status hlrp_explain(const hlrp_config *config, const char *input, const char *output,
                         const hlrp_explain_options *options, hlrp_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* A bag of instances, as `explain` has it: an encoder gives features of each, a head one score of all of
 * them. Relevance of the score goes back to the features, and from there to each tile's pixels.
 * Definition: xMIL (Hense et al. 2024), by the rules of src/lrp/README.md, "Products and attention". */
#ifndef HLRP_MIL_BAG_H
#define HLRP_MIL_BAG_H

#include "mil/head.h"
#include "store/store.h"
#include "worker/worker.h"

/* Zero-initialise; hlrp_bag_close releases it, also where opening fails. */
typedef struct hlrp_bag {
    hlrp_head head;
    hlrp_network *encoder; /* NULL where features are given */
    hlrp_worker tiles;     /* of the encoder */
    hlrp_config *below;
    float *features, *relevance; /* [N,D]; the first for the caller to fill */
    double *sums, *magnitudes;   /* [N]: Σ and Σ|·| of each instance's relevance */
    const hlrp_log *log;
} hlrp_bag;

/* input: the dims of features [N,D], explained by mil.head or, without one, model.path; or of pictures
 * [N,3,H,W], for which model.path is the encoder and mil.head the head. start: takes the place of
 * lrp.start; NULL: that. HLRP_E_CONFIG, HLRP_E_MODEL. */
hlrp_status hlrp_bag_open(hlrp_bag *bag, const hlrp_config *config, const char *start,
                          const hlrp_dims *input, const hlrp_log *log, hlrp_error *err);
void hlrp_bag_close(hlrp_bag *bag);

/* The head forward and back, with bag->features filled. target: a class by name or
 * number, NULL or "predicted". What *told points to is the bag's, until the next call. */
hlrp_status hlrp_bag_explain(hlrp_bag *bag, const char *target, hlrp_explained_bag *told,
                             hlrp_error *err);

/* After hlrp_bag_explain, and a forward pass of bag->tiles over instances [first, first+count): their
 * relevance, from that of their features, into bag->tiles.relevance. */
hlrp_status hlrp_bag_back(hlrp_bag *bag, int64_t first, int64_t count, hlrp_error *err);

#endif

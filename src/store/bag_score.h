/* A slide's score, as the group /mil of relevance.h5 has it. */
#ifndef HLRP_BAG_SCORE_H
#define HLRP_BAG_SCORE_H

#include "store/store.h"

/* Zero-initialise. */
typedef struct hlrp_bag_score {
    int64_t tiles;               /* of the bag; 0: the result has no score of all tiles */
    double *logit, *probability; /* [C] */
    double *start;               /* [K]; NaN of classes that are not explained */
    int64_t predicted;           /* the class with the highest probability */
} hlrp_bag_score;

/* Free *out also where this fails. */
hlrp_status hlrp_bag_score_read(hlrp_result *result, hlrp_bag_score *out, hlrp_error *err);
void hlrp_bag_score_free(hlrp_bag_score *score);

/* The plane that is shown where outputs.class is `asked`, and `plane` is what the configuration makes of it:
 * of a bag that is explained for its predicted class alone that one, if nothing is asked. */
hlrp_status hlrp_bag_score_plane(hlrp_result *result, const char *asked, int64_t plane,
                                 int64_t *out, hlrp_error *err);

#endif

/* Slides' scores: the networks of [mil], made ready for a batch of slides. */
#ifndef HLRP_MIL_MIL_H
#define HLRP_MIL_MIL_H

#include "config/mil.h"
#include "model/network.h"

/* Immutable once made, shared by all threads. */
typedef struct hlrp_mil {
    /* What is explained: classes, targets and start are the head's; resolution, size and micro-batch of
     * the tiles those of the encoder. It is opened anew for each slide's bag, and never run itself. */
    hlrp_network *head;
    hlrp_network *encoder; /* NULL where features are read and nothing goes to pixels */
    hlrp_config *own, *below;
    hlrp_mil_pixels pixels;
    int64_t baselines; /* bits of hlrp_mil_baseline */
    int64_t width;     /* D: features of a tile */
} hlrp_mil;

/* config has mil.head. HLRP_E_CONFIG also for keys that a bag has no use for; HLRP_E_MODEL. */
hlrp_status hlrp_mil_prepare(const hlrp_config *config, const hlrp_log *log, hlrp_mil **out,
                             hlrp_error *err);
void hlrp_mil_free(hlrp_mil *mil); /* NULL is fine */

/* What the head takes for a bag of so many tiles, for a dry run: bytes, found by planning for it, and
 * seconds of one thread, from a block of empty tiles. */
typedef struct hlrp_head_cost {
    int64_t bytes;
    double seconds;
} hlrp_head_cost;
hlrp_status hlrp_mil_cost(const hlrp_mil *mil, int64_t instances, hlrp_head_cost *out,
                          hlrp_error *err);

#endif

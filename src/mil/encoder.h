/* The encoder below a head: tiles to features, and relevance of features to pixels. */
#ifndef HLRP_MIL_ENCODER_H
#define HLRP_MIL_ENCODER_H

#include "model/network.h"

/* The configuration of the encoder alone, the caller's to free: features have no classes, and start with
 * what the head says. */
hlrp_status hlrp_encoder_config(const hlrp_config *config, hlrp_config **out, hlrp_error *err);

/* Each name in [rules] is a node of head or encoder (which may be NULL). */
hlrp_status hlrp_bag_check_rules(const hlrp_config *config, const hlrp_network *head,
                                 const hlrp_network *encoder, hlrp_error *err);

#endif

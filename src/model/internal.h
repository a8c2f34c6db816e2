/* Shared by the files of this folder only: the steps in which a network is settled, in this order. */
#ifndef HLRP_MODEL_INTERNAL_H
#define HLRP_MODEL_INTERNAL_H

#include "model/network.h"

hlrp_status hlrp_network_name_classes(hlrp_network *net, hlrp_error *err);
hlrp_status hlrp_network_settle_gate(hlrp_network *net, hlrp_error *err);
hlrp_status hlrp_network_settle_targets(hlrp_network *net, hlrp_error *err);
hlrp_status hlrp_network_settle_shown(hlrp_network *net, hlrp_error *err);

#endif

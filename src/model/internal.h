/* Shared by the files of this folder only: the steps in which a network is settled, in this order. */
#ifndef HLRP_MODEL_INTERNAL_H
#define HLRP_MODEL_INTERNAL_H

#include "model/network.h"

hlrp_status hlrp_network_name_classes(hlrp_network *net, hlrp_error *err);
hlrp_status hlrp_network_settle_gate(hlrp_network *net, hlrp_error *err);
hlrp_status hlrp_network_settle_targets(hlrp_network *net, hlrp_error *err);
hlrp_status hlrp_network_settle_shown(hlrp_network *net, hlrp_error *err);

/* Reads, canonizes and settles it. bag: the dims [N,D] of a bag of features, else NULL. */
hlrp_status hlrp_network_read(const hlrp_config *config, const hlrp_size *input,
                              const hlrp_dims *bag, const hlrp_log *log, hlrp_network **out,
                              hlrp_error *err);
/* What the input of a bag [N,D] is to the file, into net->declared (bag.c). */
hlrp_status hlrp_network_bag_dims(hlrp_network *net, const hlrp_dims *bag, hlrp_error *err);

/* What computes it, and a plan of its graph (or a copy of that, inferred for another size), both as the
 * configuration says. segment: the nodes that are run; NULL: all. Call on one thread of OpenMP. */
hlrp_status hlrp_network_open_backend(hlrp_network *net, hlrp_error *err);
hlrp_status hlrp_network_plan(hlrp_network *net, const hlrp_graph *graph,
                              const hlrp_segment *segment, hlrp_lrp **out, hlrp_error *err);

hlrp_product_option hlrp_network_product(hlrp_config_product asked);

#endif

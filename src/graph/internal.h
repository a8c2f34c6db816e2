/* Shared by the files of this folder only. */
#ifndef HLRP_GRAPH_INTERNAL_H
#define HLRP_GRAPH_INTERNAL_H

#include "graph/operator.h"

/* The largest published networks have a few thousand nodes; passes over a graph may be quadratic.
 */
#define HLRP_GRAPH_MAX_ITEMS 200000

/* The value of a node by its operator's `fold`; *out NULL where an input is not known. */
hlrp_status hlrp_fold(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err);

/* What that comes to, in floats (hlrp_graph_spend). of: the node's first input, or NULL. */
int64_t hlrp_fold_cost(const hlrp_tensor *result, const hlrp_tensor *of);

#endif

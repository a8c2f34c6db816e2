/* What a network's graph says of its products: which factor is a weight, which product is an activation
 * function written out, and which linear layers belong to self-attention. Definitions: README.md,
 * "Products and attention". */
#ifndef HLRP_STRUCTURE_H
#define HLRP_STRUCTURE_H

#include "graph/graph.h"

typedef struct hlrp_structure {
    bool *weight;    /* per value: the output of a squashing function, or made of such alone */
    int *signal;     /* per node: of x·f(x), which factor x is; -1 of other nodes */
    bool *activated; /* per value: it comes from an activation function, through data movement */
    bool *
        attention; /* per node: a linear layer that makes queries, keys or values, or mixes heads */
    bool has_attention;
    bool
        has_gates; /* a tensor is multiplied, element by element, by a weight: squeeze-and-excite */
} hlrp_structure;

hlrp_status hlrp_structure_find(const hlrp_graph *graph, hlrp_structure *out, hlrp_error *err);
void hlrp_structure_free(hlrp_structure *s);

/* The factor of a product that gets all relevance; -1: both share. constant: the rule holds weights
 * fixed. */
int hlrp_structure_to(const hlrp_structure *s, const hlrp_graph *graph, int node, bool constant);

#endif

/* Which elements of an operator's tensors have to do with each other, for tensors of any rank: the
 * question that forward and relevance both ask, answered once, element by element. */
#ifndef HLRP_REFERENCE_INDEX_H
#define HLRP_REFERENCE_INDEX_H

#include "op/op.h"

int64_t hlrp_ref_dims_count(const hlrp_dims *d);
/* Element i of a tensor, by its index along each axis, and back. */
void hlrp_ref_place_of(const hlrp_dims *d, int64_t i, int64_t *place);
int64_t hlrp_ref_element_at(const hlrp_dims *d, const int64_t *place);

/* The element of a tensor of dims `small` that element i of dims `whole` meets: numpy's broadcasting. */
int64_t hlrp_ref_met(const hlrp_dims *whole, const hlrp_dims *small, int64_t i);

/* Where an element of the output of an operator that only moves data comes from. */
typedef struct hlrp_ref_source {
    int input;  /* of the node */
    int64_t at; /* element of it; −1: from nowhere, it is 0 */
} hlrp_ref_source;
hlrp_ref_source hlrp_ref_moved_from(const hlrp_graph *g, const hlrp_node *n, int64_t i);

/* The element of a reduction's output that element i of its input, of dims `in`, goes into. */
int64_t hlrp_ref_reduced_to(const hlrp_node *n, const hlrp_dims *in, int64_t i);

/* The numbers that a normalization takes together with element i, which follow each other, and which
 * of the gains is the element's. */
typedef struct hlrp_ref_member {
    int64_t first, count, gain;
} hlrp_ref_member;
hlrp_ref_member hlrp_ref_member_of(const hlrp_node *n, const hlrp_dims *x, int64_t i);

#endif

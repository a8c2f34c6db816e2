/* What is known of a network's values before it runs, so that work whose result is zero is not
 * done. */
#ifndef HLRP_ANALYSIS_H
#define HLRP_ANALYSIS_H

#include "lrp/rule.h"

/* The channel of the graph's input that a channel of a value was moved from; the value holds pixels
 * only (hlrp_node_is_first of what reads it). −1: not of one, as behind a transpose of them. */
int64_t hlrp_pixel_channel(const hlrp_graph *graph, int value, int64_t channel);

/* nonnegative[value]: true where every element is ≥ 0 whatever the input. */
void hlrp_find_nonnegative(const hlrp_graph *graph, bool *nonnegative);

/* vanishes[value]: true where the relevance of an element is 0 whenever the element is 0. */
void hlrp_find_vanishing(const hlrp_graph *graph, const hlrp_rule *rules, bool *vanishes);

/* dead_below[value]: true where the relevance of a value is 0 wherever the value is ≤ 0: it is read by
 * ReLUs alone, whose outputs' relevance vanishes. */
void hlrp_find_dead_below(const hlrp_graph *graph, const hlrp_rule *rules, const bool *vanishes,
                          bool *dead_below);

#endif

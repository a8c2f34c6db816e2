/* What biases and stabilizers would take, given on: hlrp_bias in float64. */
#ifndef REF_LEFT_H
#define REF_LEFT_H

#include "ref_rules.h"

/* After the rule's own relevance stands in l->out and what it did not hand on in l->left: the rest
 * goes to the inputs, as l->bias says. kind, gamma, alpha and beta: the rule. */
void give_left(layer *l, const hlrp_rule *rule);

/* The same for one mean over windows: ones are the counts' weights. c: relevance of the input. */
void spread_window(hlrp_ref_shape x, hlrp_ref_shape y, const hlrp_window *win, int64_t groups,
                   const double *left, double *c);

#endif

/* What the files of the way back share: walk.c (the order, and nodes that pass relevance on) and
 * walk_norm.c (means and sums). */
#ifndef HLRP_LRP_WALK_H
#define HLRP_LRP_WALK_H

#include "lrp/internal.h"

/* One node's turn. */
typedef struct hlrp_turn {
    hlrp_lrp_worker *w;
    int id;
    const hlrp_node *node;
    const hlrp_rule *rule;
    const hlrp_layout *in, *out; /* of the first input and the output */
    const float *x, *y, *r;
    hlrp_step step; /* scratch, and the account of linear layers */
} hlrp_turn;

static inline const hlrp_layout *hlrp_layout_of(const hlrp_lrp_worker *w, int value) {
    return hlrp_plan_layout(w->lrp->plan, value);
}

/* The stabilizer of a node that is no linear layer. */
static inline double hlrp_node_epsilon(const hlrp_rule *rule) {
    return rule->kind == HLRP_RULE_LRP0 || rule->epsilon == 0 ? HLRP_LRP0_EPSILON : rule->epsilon;
}

/* Where a contribution to a value is to be written: its buffer if it is the first, else scratch. */
float *hlrp_begin(hlrp_turn *t, int value);
/* The contribution stands there: it joins what other readers of the value handed it. */
void hlrp_end(hlrp_turn *t, int value, const float *part);

void hlrp_back_mean(hlrp_turn *t);
void hlrp_back_sum(hlrp_turn *t);

#endif

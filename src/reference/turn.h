/* One node's turn on the way back: what the files that hold the definitions see of it. */
#ifndef HLRP_REFERENCE_TURN_H
#define HLRP_REFERENCE_TURN_H

#include "reference/lrp.h"
#include "reference/room.h"
#include "reference/rows.h"

typedef struct hlrp_ref_turn {
    hlrp_ref_room *room;
    const hlrp_graph *g;
    const hlrp_node *node;
    const hlrp_rule *rule;
    const hlrp_ref_lrp_options *o;
    const hlrp_ref_values *values;
    hlrp_ref_lrp *into;
    const hlrp_dims *in_dims, *out_dims;
    hlrp_ref_shape in, out;
    const double *x, *y, *r;
    int id;
    int to; /* products: the factor that gets all; −1: both share */
    int64_t samples;
    hlrp_account *account; /* [samples] */
} hlrp_ref_turn;

const double *hlrp_ref_turn_input(const hlrp_ref_turn *t, int k);
const hlrp_dims *hlrp_ref_turn_dims(const hlrp_ref_turn *t, int k);
bool hlrp_ref_turn_takes(const hlrp_ref_turn *t, int k); /* it is computed */
/* Room for as many numbers as input k has, 0 at first. */
double *hlrp_ref_take_like(const hlrp_ref_turn *t, int k);
/* Relevance `part` arrives at input k. */
void hlrp_ref_arrive(hlrp_ref_turn *t, int k, const double *part);
/* The account of the sample that element i of `count` belongs to. */
hlrp_account *hlrp_ref_account_of(const hlrp_ref_turn *t, int64_t i, int64_t count);

/* The stabilizer that the node's rule has. */
double hlrp_ref_epsilon_of(const hlrp_ref_turn *t);
/* Whether the node leaves relevance that is to be given on. */
bool hlrp_ref_conserves(const hlrp_ref_turn *t);
static inline bool hlrp_ref_differentiates(const hlrp_ref_turn *t) {
    return t->rule->kind == HLRP_RULE_GRADIENT;
}

static inline double hlrp_ref_stab(double z, double e) {
    return z >= 0 ? z + e : z - e;
}

/* ---- the operators' turns ---- */

typedef void (*hlrp_ref_back)(hlrp_ref_turn *t);

/* lrp_sums.c: what shares by contribution, and arithmetic with constants. NULL: another operator. */
hlrp_ref_back hlrp_ref_back_of_sums(const hlrp_operator *op);
/* lrp_rows.c: products, normalization, softmax, functions and movement. */
hlrp_ref_back hlrp_ref_back_of_rows(const hlrp_operator *op);

#endif

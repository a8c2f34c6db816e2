/* Evaluations that several families share. */
#ifndef HLRP_OP_FOLD_H
#define HLRP_OP_FOLD_H

#include "graph/operator.h"

/* The sum of all inputs (arithmetic.c). */
hlrp_status hlrp_fold_sum(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err);

#endif

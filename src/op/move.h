/* Data movement over rows of any rank: an operator says which boxes of its inputs become which boxes of
 * its output, and forward and the way back follow. */
#ifndef HLRP_OP_MOVE_H
#define HLRP_OP_MOVE_H

#include "engine/strided.h"
#include "lrp/turn.h"

/* By the boxes of the node's row. What no box covers is 0; inputs, constants too, are data: all of a
 * variadic operator, else the first. */
hlrp_status hlrp_move_forward(const hlrp_computation *c, hlrp_error *err);
/* What lies on constants is accounted, and stays there. */
hlrp_status hlrp_move_back(hlrp_turn *t, hlrp_error *err);

/* The row of an operator that is nothing else. */
extern const hlrp_rule_cell hlrp_moved_by_boxes[HLRP_RULE_COUNT];

#endif

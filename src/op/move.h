/* Data movement over rows of any rank: an operator says which boxes of its inputs become which boxes of
 * its output, and forward and the way back follow. */
#ifndef HLRP_OP_MOVE_H
#define HLRP_OP_MOVE_H

#include "engine/strided.h"
#include "lrp/turn.h"

/* The k-th box that comes from an input; false past the last one. Boxes of one output do not overlap. */
typedef bool (*hlrp_boxes)(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                           hlrp_strided *box);

/* What no box covers is 0. Inputs 0 … inputs − 1 are data, computed or constant. */
void hlrp_move_forward(const hlrp_computation *c, int inputs, hlrp_boxes boxes);
/* What lies on constants is accounted, and stays there. */
void hlrp_move_back(hlrp_turn *t, int inputs, hlrp_boxes boxes);

#endif

/* Shared by zplus and alphabeta: the part of a sum that is positive, or the part that is negative.
 *   positive: s = R / stab(W⁺x⁺ + W⁻x⁻ + b⁺),  x⁺·W⁺ᵀs + x⁻·W⁻ᵀs
 *   negative: s = R / stab(W⁻x⁺ + W⁺x⁻ + b⁻),  x⁺·W⁻ᵀs + x⁻·W⁺ᵀs  */
#ifndef HLRP_RULE_SIGNS_H
#define HLRP_RULE_SIGNS_H

#include "lrp/layer.h"

/* Makes the maps of the positive part, and of the negative one too where both is set. */
hlrp_status hlrp_signs_prepare(hlrp_layer *layer, bool both, hlrp_error *err);
/* Adds scale × the part to step->out. */
hlrp_status hlrp_signs_add(const hlrp_layer *layer, hlrp_step *step, int sign, float scale,
                           hlrp_error *err);

#endif

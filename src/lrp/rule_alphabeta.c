/* alphabeta(α,β), α − β = 1:  R_in = α·zplus − β·( x⁺·W⁻ᵀs' + x⁻·W⁺ᵀs' ),
 * s' = R / stab(W⁻x⁺ + W⁺x⁻ + b⁻).  Source: Bach et al. (2015), eq. 60. */
#include <string.h>

#include "lrp/rule_signs.h"

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    return hlrp_signs_prepare(layer, true, err);
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    memset(step->out, 0, (size_t)hlrp_layout_count(&layer->spec.src) * sizeof(float));
    hlrp_status status = hlrp_signs_add(layer, step, 1, (float)layer->rule.alpha, err);
    if (status == HLRP_OK && layer->rule.beta != 0)
        status = hlrp_signs_add(layer, step, -1, (float)-layer->rule.beta, err);
    return status;
}

static int passes(const hlrp_layer *layer) {
    return layer->nonnegative ? 4 : 8;
}

const hlrp_rule_ops hlrp_rule_alphabeta = {prepare, relevance, passes, true};

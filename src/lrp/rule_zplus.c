/* zplus:  s = R / stab(W⁺x⁺ + W⁻x⁻ + b⁺),  R_in = x⁺·W⁺ᵀs + x⁻·W⁻ᵀs.
 * Source: Montavon et al. (2017), eq. 19; for inputs of both signs as zennit has it. */
#include <string.h>

#include "lrp/rule_signs.h"

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    return hlrp_signs_prepare(layer, false, err);
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    memset(step->out, 0, (size_t)hlrp_layout_count(&layer->spec.src) * sizeof(float));
    return hlrp_signs_add(layer, step, 1, 1, err);
}

static int passes(const hlrp_layer *layer) {
    return layer->nonnegative ? 2 : 4;
}

const hlrp_rule_ops hlrp_rule_zplus = {prepare, relevance, passes, true};

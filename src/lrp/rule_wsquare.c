/* wsquare:  s = R / stab(W²·1 + b²),  R_in = (W²)ᵀs.  The denominator does not depend on the tile.
 * Source: Montavon et al. (2017), eq. 18 (the w² rule); b² as zennit has it. */
#include <stdlib.h>

#include "lrp/rule_constant.h"

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    const int64_t count = hlrp_layer_weight_count(layer);
    float *square = NULL;
    const hlrp_status status = hlrp_calloc(&square, count, sizeof *square, "a rule's weights", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < count; i++)
        square[i] = layer->spec.weights[i] * layer->spec.weights[i];
    const hlrp_status made = hlrp_constant_prepare(layer, square, true, err);
    free(square);
    return made;
}

const hlrp_rule_ops hlrp_rule_wsquare = {prepare, hlrp_constant_relevance, hlrp_constant_passes,
                                         false};

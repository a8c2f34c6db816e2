/* Shared by wsquare and flat: rules whose denominator is the same for every tile,
 *   s = R / stab(V·1 + v),  R_in = Vᵀs,  with V ≥ 0 made from the weights, v from the bias. */
#ifndef HLRP_RULE_CONSTANT_H
#define HLRP_RULE_CONSTANT_H

#include "lrp/layer.h"

/* weights: V; square_bias: v = b², else v = 0. */
hlrp_status hlrp_constant_prepare(hlrp_layer *layer, const float *weights, bool square_bias,
                                  hlrp_error *err);
hlrp_status hlrp_constant_relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err);
int hlrp_constant_passes(const hlrp_layer *layer); /* one adjoint */

#endif

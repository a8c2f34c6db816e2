/* gradient:  R_in = WᵀR, the plain chain rule. With it at every node, what arrives at the input is
 * the gradient of Σ start·logits; times the input (lrp.c) it is gradient × input. Behind a start with
 * slopes (start.h) it is the gradient of Σ slope·logits, of the log-odds themselves.
 * Source: Simonyan et al. (2014); Shrikumar et al. (2016). */
#include "lrp/layer.h"

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    return hlrp_layer_map(layer, 0, (hlrp_weights){1, 1}, NULL, false, true, err);
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    const float *from = layer->head && step->slope ? step->slope : step->r;
    return hlrp_layer_adjoint(layer, step, 0, from, step->out, err);
}

static int passes(const hlrp_layer *layer) {
    (void)layer;
    return 1;
}

const hlrp_rule_ops hlrp_rule_gradient = {prepare, relevance, passes, false};

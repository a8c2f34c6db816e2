/* epsilon(ε):  R_in = x · Wᵀ( R / stab(z) ),  z = Wx + b,  stab(z) = z + sgn(z)·ε, sgn(0) = +1.
 * LRP-0 is the same with ε → 0. With `rms`, ε is in units of sqrt(mean z²) over the sample's layer.
 * Source: Bach et al. (2015), eqs. 56 and 58. */
#include "lrp/layer.h"

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    return hlrp_layer_map(layer, 0, (hlrp_weights){1, 1}, NULL, false, true, err);
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    const bool lrp0 = layer->rule.kind == HLRP_RULE_LRP0;
    const hlrp_divide d = {.denominator = hlrp_rule_z(layer, step),
                           .epsilon = lrp0 ? HLRP_LRP0_EPSILON : layer->rule.epsilon,
                           .rms = !lrp0 && layer->rule.rms,
                           .bias_positive = 1,
                           .bias_negative = 1};
    float *s = hlrp_take(step, &layer->spec.dst);
    hlrp_step_divide(layer, step, &d, s);
    const hlrp_status status = hlrp_layer_adjoint(layer, step, 0, s, step->out, err);
    hlrp_multiply(hlrp_layout_count(&layer->spec.src), step->x, step->out);
    return status;
}

static int passes(const hlrp_layer *layer) {
    (void)layer;
    return 1;
}

const hlrp_rule_ops hlrp_rule_epsilon = {prepare, relevance, passes, true};

#include "lrp/rule_constant.h"

hlrp_status hlrp_constant_prepare(hlrp_layer *layer, const float *weights, bool square_bias,
                                  hlrp_error *err) {
    const hlrp_layout *l = &layer->spec.dst;
    hlrp_linear_spec spec = layer->spec;
    hlrp_status status = HLRP_OK;
    spec.bias = NULL;
    spec.adjoint = true;
    HLRP_TRY(hlrp_layer_map_raw(layer, 0, &spec, weights, err));
    HLRP_TRY(hlrp_layer_add_constant(layer, weights, NULL, err));
    if (layer->mode == HLRP_BIAS_SHARE)
        square_bias = false; /* its part is shared out by the other terms of the sum */
    for (int64_t c = 0; square_bias && c < l->c; c++) {
        float *channel = layer->constant + hlrp_layout_offset(l, 0, c);
        for (int64_t p = 0; p < l->h * l->w; p++)
            channel[p * l->lanes] += layer->bias[c] * layer->bias[c];
    }
out:
    return status;
}

hlrp_status hlrp_constant_relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    const hlrp_layout *l = &layer->spec.dst;
    const int64_t sample = hlrp_layout_sample(l);
    float *s = hlrp_take(step, l);
    for (int64_t i = 0; i < hlrp_layout_count(l); i++)
        s[i] = layer->constant[i % sample];
    const hlrp_divide d = {.denominator = s,
                           .epsilon = HLRP_STABILIZER,
                           .square_bias = layer->rule.kind == HLRP_RULE_WSQUARE};
    if (layer->mode == HLRP_BIAS_SHARE)
        hlrp_step_divide_whole(layer, step, s, s);
    else
        hlrp_step_divide(layer, step, &d, s);
    return hlrp_layer_adjoint(layer, step, 0, s, step->out, err);
}

int hlrp_constant_passes(const hlrp_layer *layer) {
    (void)layer;
    return 1;
}

/* The last linear layer behind a start with slopes (start.h): log-odds are one neuron
 * η = Σ_k slope_k·z_k, whose weights are Σ_k slope_k·w_k, so that
 *   R_in = x · Wᵀ slope,
 * without division, and unchanged where the same number is added to every logit. What its bias
 * Σ_k slope_k·b_k takes (and the entropy of the other classes where there are several) is kept,
 * shared in proportion to |R_in|, or spread.
 * Source: Montavon et al. (2019), section 10.1.2, with LRP-0. */
#include <math.h>

#include "lrp/layer.h"

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    return hlrp_layer_map(layer, 0, (hlrp_weights){1, 1}, NULL, false, true, err);
}

/* `rest` to the inputs of one sample. */
static void give(const hlrp_layer *layer, double rest, int64_t count, float *out) {
    double magnitude = 0;
    for (int64_t i = 0; i < count; i++)
        magnitude += fabs((double)out[i]);
    const bool share = layer->mode == HLRP_BIAS_SHARE && magnitude > HLRP_NO_CONTRIBUTION;
    for (int64_t i = 0; i < count; i++)
        out[i] += (float)(share ? rest * fabs((double)out[i]) / magnitude : rest / (double)count);
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    const int64_t inputs = layer->spec.src.c, outputs = layer->spec.dst.c;
    const float *slope = step->slope;
    if (!slope) { /* LRP-0 knows them but where a logit is 0 */
        float *s = hlrp_take(step, &layer->spec.dst);
        hlrp_quotient(hlrp_layout_count(&layer->spec.dst), step->r, step->z,
                      (float)HLRP_LRP0_EPSILON, s);
        slope = s;
    }
    const hlrp_status status = hlrp_layer_adjoint(layer, step, 0, slope, step->out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_multiply(hlrp_layout_count(&layer->spec.src), step->x, step->out);
    for (int64_t n = 0; n < layer->spec.src.n; n++) {
        double rest = 0;
        for (int64_t k = 0; k < outputs; k++)
            rest += (double)step->r[n * outputs + k];
        for (int64_t i = 0; i < inputs; i++)
            rest -= (double)step->out[n * inputs + i];
        if (hlrp_bias_conserves(layer->mode))
            give(layer, rest, inputs, step->out + n * inputs);
        else if (step->account)
            step->account[n].bias += rest;
    }
    return HLRP_OK;
}

static int passes(const hlrp_layer *layer) {
    (void)layer;
    return 1;
}

const hlrp_rule_ops hlrp_rule_head = {prepare, relevance, passes, false};

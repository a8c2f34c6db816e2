#include "lrp/rule_signs.h"

#include <stdlib.h>

#include "engine/kernels.h"

enum { PLUS, MINUS, PLUS_NEGATIVE_BIAS, MINUS_POSITIVE_BIAS };

/* Maps: x⁺ meets the weights of the part's sign together with the bias, x⁻ the other weights alone.
 * PLUS carries b⁺ for the positive part and MINUS b⁻ for the negative one; their adjoints, which
 * know no bias, serve both parts, and only sums over x⁻ need maps without a bias. */
hlrp_status hlrp_signs_prepare(hlrp_layer *layer, bool both, hlrp_error *err) {
    const hlrp_weights plus = {1, 0}, minus = {0, 1};
    const bool crossed = !layer->nonnegative;
    float *bp = NULL, *bn = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_layer_bias_part(layer, 1, &bp, err));
    HLRP_TRY(hlrp_layer_bias_part(layer, -1, &bn, err));
    HLRP_TRY(hlrp_layer_map(layer, PLUS, plus, bp, true, true, err));
    if (both || crossed)
        HLRP_TRY(hlrp_layer_map(layer, MINUS, minus, bn, true, true, err));
    if (crossed)
        HLRP_TRY(hlrp_layer_map(layer, MINUS_POSITIVE_BIAS, minus, NULL, true, false, err));
    if (both && crossed)
        HLRP_TRY(hlrp_layer_map(layer, PLUS_NEGATIVE_BIAS, plus, NULL, true, false, err));
out:
    free(bp);
    free(bn);
    return status;
}

static hlrp_status denominator(const hlrp_layer *layer, hlrp_step *step, int sign, const float *xp,
                               const float *xn, float *den, hlrp_error *err) {
    const int straight = sign > 0 ? PLUS : MINUS;
    const int crossed = sign > 0 ? MINUS_POSITIVE_BIAS : PLUS_NEGATIVE_BIAS;
    hlrp_status status = hlrp_layer_forward(layer, step, straight, xp, den, err);
    if (status != HLRP_OK || !xn)
        return status;
    float *more = hlrp_take(step, &layer->spec.dst);
    status = hlrp_layer_forward(layer, step, crossed, xn, more, err);
    for (int64_t i = 0; i < hlrp_layout_count(&layer->spec.dst); i++)
        den[i] += more[i];
    return status;
}

hlrp_status hlrp_signs_add(const hlrp_layer *layer, hlrp_step *step, int sign, float scale,
                           hlrp_error *err) {
    const hlrp_layout *src = &layer->spec.src, *dst = &layer->spec.dst;
    const int64_t n = hlrp_layout_count(src);
    const int64_t kept = step->scratch->used; /* a second call starts over */
    float *c = hlrp_take(step, src), *s = hlrp_take(step, dst), *xp = NULL, *xn = NULL;
    hlrp_status status = HLRP_OK;
    if (!layer->nonnegative) {
        xp = hlrp_take(step, src);
        xn = hlrp_take(step, src);
        hlrp_relu(n, step->x, xp);
        hlrp_negative_part(n, step->x, xn);
    }
    const float *x = xp ? xp : step->x;
    HLRP_TRY(denominator(layer, step, sign, x, xn, s, err));
    const hlrp_divide d = {.denominator = s,
                           .epsilon = HLRP_STABILIZER,
                           .bias_positive = sign > 0,
                           .bias_negative = sign < 0,
                           .weight = scale};
    hlrp_step_divide(layer, step, &d, s);
    HLRP_TRY(hlrp_layer_adjoint(layer, step, sign > 0 ? PLUS : MINUS, s, c, err));
    hlrp_add_product(n, scale, x, c, step->out);
    if (xn) {
        HLRP_TRY(hlrp_layer_adjoint(layer, step, sign > 0 ? MINUS : PLUS, s, c, err));
        hlrp_add_product(n, scale, xn, c, step->out);
    }
out:
    step->scratch->used = kept;
    return status;
}

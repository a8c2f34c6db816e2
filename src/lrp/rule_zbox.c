/* zbox(low, high), for layers that see pixels in [low, high]:
 *   s = R / stab(Wx − W⁺l − W⁻h),  R_in = x·Wᵀs − l·W⁺ᵀs − h·W⁻ᵀs.
 * l and h hold low and high of their channel in every pixel; padding pads x, l and h with 0.
 * Source: Montavon et al. (2017), eq. 24 (the z^B rule).
 *
 * W⁺l + W⁻h does not depend on the tile: it is computed once per tile size. The three adjoints are
 * one, of a map whose input has three times the channels: [W | W⁺ | W⁻] within each group. */
#include <stdlib.h>

#include "lrp/layer.h"

static float part(float w, int64_t which) {
    return which == 0 ? w : (which == 1) == (w > 0) ? w : 0;
}

/* [O, 3·I/g, kh, kw] from [O, I/g, kh, kw]. */
static void stack(const hlrp_linear_spec *spec, const float *w, float *stacked) {
    const int64_t taps = spec->window.kernel[0] * spec->window.kernel[1];
    const int64_t run = spec->src.c / spec->group * taps;
    for (int64_t o = 0; o < spec->dst.c; o++)
        for (int64_t which = 0; which < 3; which++)
            for (int64_t i = 0; i < run; i++)
                stacked[(o * 3 + which) * run + i] = part(w[o * run + i], which);
}

static hlrp_status add_box_constant(hlrp_layer *layer, int which, const float *bound, float *w,
                                    hlrp_error *err) {
    for (int64_t i = 0; i < hlrp_layer_weight_count(layer); i++)
        w[i] = part(layer->spec.weights[i], which);
    return hlrp_layer_add_constant(layer, w, bound, err);
}

/* The forward's z holds the bias, the rule's sum does not: b joins the constant taken off z. */
static void add_bias(hlrp_layer *layer) {
    const hlrp_layout *l = &layer->spec.dst;
    for (int64_t c = 0; layer->spec.bias && c < l->c; c++) {
        float *channel = layer->constant + hlrp_layout_offset(l, 0, c);
        for (int64_t p = 0; p < l->h * l->w; p++)
            channel[p * l->lanes] += layer->spec.bias[c];
    }
}

static hlrp_linear_spec stacked_spec(const hlrp_layer *layer) {
    hlrp_linear_spec spec = layer->spec;
    spec.src.c *= 3;
    spec.src.lanes = 1;
    spec.bias = NULL;
    spec.adjoint = true;
    return spec;
}

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    float *w = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w, 3 * hlrp_layer_weight_count(layer), sizeof *w, "zbox weights", err));
    HLRP_TRY(add_box_constant(layer, 1, layer->low, w, err));
    HLRP_TRY(add_box_constant(layer, 2, layer->high, w, err));
    add_bias(layer);
    stack(&layer->spec, layer->spec.weights, w);
    const hlrp_linear_spec spec = stacked_spec(layer);
    HLRP_TRY(hlrp_layer_map_raw(layer, 0, &spec, w, err));
out:
    free(w);
    return status;
}

/* out = x·c_W − l·c_W⁺ − h·c_W⁻ of one channel. */
static void combine(const hlrp_layer *layer, int64_t n, int64_t channel, const float *x,
                    const float *stacked, float *out) {
    const hlrp_layout *src = &layer->spec.src;
    const int64_t pixels = src->h * src->w, per_group = src->c / layer->spec.group;
    const int64_t first = channel / per_group * 3 * per_group + channel % per_group;
    const float *c = stacked + (n * 3 * src->c + first) * pixels;
    const float low = layer->low[channel], high = layer->high[channel];
    const int64_t at = hlrp_layout_offset(src, n, channel), step = per_group * pixels;
    for (int64_t p = 0; p < pixels; p++)
        out[at + p * src->lanes] =
            x[at + p * src->lanes] * c[p] - low * c[step + p] - high * c[2 * step + p];
}

static hlrp_status relevance(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    const hlrp_layout *src = &layer->spec.src, *dst = &layer->spec.dst;
    hlrp_layout wide = *src;
    wide.c *= 3;
    wide.lanes = 1;
    float *s = hlrp_take(step, dst), *c = hlrp_take(step, &wide);
    const int64_t sample = hlrp_layout_sample(dst);
    for (int64_t i = 0; i < hlrp_layout_count(dst); i++)
        s[i] = step->z[i] - layer->constant[i % sample];
    const hlrp_divide d = {.denominator = s, .epsilon = HLRP_STABILIZER};
    if (layer->mode == HLRP_BIAS_SHARE)
        hlrp_step_divide_whole(layer, step, s, s);
    else
        hlrp_step_divide(layer, step, &d, s);
    const hlrp_status status = hlrp_layer_adjoint(layer, step, 0, s, c, err);
    if (src->c % src->lanes != 0)
        for (int64_t i = 0; i < hlrp_layout_count(src); i++)
            step->out[i] = 0;
    for (int64_t n = 0; n < src->n; n++)
        for (int64_t channel = 0; channel < src->c; channel++)
            combine(layer, n, channel, step->x, c, step->out);
    return status;
}

static int passes(const hlrp_layer *layer) {
    (void)layer;
    return 3;
}

const hlrp_rule_ops hlrp_rule_zbox = {prepare, relevance, passes, false};

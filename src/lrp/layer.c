#include "lrp/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels.h"
#include "util/vector.h"

/* ---- making a layer ---- */

static int64_t channel_room(const hlrp_layout *l) {
    return hlrp_layout_blocks(l) * l->lanes;
}

static hlrp_status set_bias(hlrp_layer *layer, hlrp_error *err) {
    const int64_t room = channel_room(&layer->spec.dst);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc_aligned(&layer->bias, room, sizeof(float), "bias", err));
    if (!layer->spec.bias)
        return HLRP_OK;
    float *to = layer->bias;
    if (layer->mode == HLRP_BIAS_DROP) {
        HLRP_TRY(hlrp_calloc_aligned(&layer->bias_dropped, room, sizeof(float), "bias", err));
        to = layer->bias_dropped;
    }
    memcpy(to, layer->spec.bias, (size_t)layer->spec.dst.c * sizeof(float));
out:
    return status;
}

static const hlrp_rule_ops *ops_of(const hlrp_layer *layer, const hlrp_rule_ops *own, bool head) {
    if (head && layer->rule.kind == HLRP_RULE_LRP0)
        return &hlrp_rule_head;
    return layer->mode == HLRP_BIAS_SHARE && own->by_contribution ? &hlrp_rule_share : own;
}

/* Whether the layer's rule can leave relevance that must be given on: pass takes nothing, and
 * gradients do not conserve by their nature. */
static bool conserves(const hlrp_layer *layer) {
    return hlrp_bias_conserves(layer->mode) && layer->rule.kind != HLRP_RULE_PASS &&
           layer->rule.kind != HLRP_RULE_GRADIENT;
}

hlrp_status hlrp_layer_new(hlrp_backend *backend, const hlrp_linear_spec *spec,
                           const hlrp_rule *rule, const hlrp_rule_ops *ops,
                           const hlrp_lrp_options *options, const hlrp_layer_facts *facts,
                           hlrp_layer **out, hlrp_error *err) {
    hlrp_layer *layer = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&layer, 1, sizeof *layer, "layer", err));
    layer->rule = *rule;
    layer->mode = options->bias;
    layer->head = facts->head;
    layer->ops = ops_of(layer, ops, facts->head);
    layer->backend = backend;
    layer->spec = *spec;
    layer->spec.direct = layer->mode == HLRP_BIAS_SHARE && conserves(layer);
    layer->nonnegative = facts->nonnegative;
    layer->dead_below = facts->dead_below;
    layer->low = options->low;
    layer->high = options->high;
    HLRP_TRY(set_bias(layer, err));
    HLRP_TRY(layer->ops->prepare(layer, err));
    *out = layer;
    return HLRP_OK;
out:
    hlrp_layer_free(layer);
    return status;
}

void hlrp_layer_free(hlrp_layer *layer) {
    if (!layer)
        return;
    for (int i = 0; i < HLRP_MOST_MAPS; i++) {
        hlrp_linear_free(layer->maps[i]);
        free(layer->weights[i]);
    }
    free(layer->bias);
    free(layer->bias_dropped);
    free(layer->constant);
    free(layer);
}

int64_t hlrp_layer_scratch_bytes(const hlrp_layer *layer) {
    int64_t most = 0;
    for (int i = 0; i < HLRP_MOST_MAPS; i++)
        if (layer->maps[i])
            most = HLRP_MAX(most, hlrp_linear_scratch(layer->maps[i]));
    return most;
}

int64_t hlrp_layer_weight_count(const hlrp_layer *layer) {
    const hlrp_linear_spec *s = &layer->spec;
    const int64_t taps = s->gemm ? 1 : s->window.kernel[0] * s->window.kernel[1];
    return s->dst.c * (s->src.c / s->group) * taps;
}

hlrp_status hlrp_layer_map_raw(hlrp_layer *layer, int slot, const hlrp_linear_spec *spec,
                               const float *weights, hlrp_error *err) {
    hlrp_linear_spec own = *spec;
    own.weights = weights;
    if (spec->gemm && weights != layer->spec.weights) {
        const hlrp_status status =
            hlrp_calloc_aligned(&layer->weights[slot], hlrp_layer_weight_count(layer),
                                sizeof(float), "a rule's weights", err);
        if (status != HLRP_OK)
            return status;
        memcpy(layer->weights[slot], weights,
               (size_t)hlrp_layer_weight_count(layer) * sizeof(float));
        own.weights = layer->weights[slot];
    }
    return hlrp_linear_new(layer->backend, &own, &layer->maps[slot], err);
}

hlrp_status hlrp_layer_map(hlrp_layer *layer, int slot, hlrp_weights weights, const float *bias,
                           bool forward, bool adjoint, hlrp_error *err) {
    hlrp_linear_spec spec = layer->spec;
    spec.bias = bias;
    spec.forward = forward;
    spec.adjoint = adjoint;
    const float *w = layer->spec.weights;
    if (weights.positive == 1 && weights.negative == 1)
        return hlrp_layer_map_raw(layer, slot, &spec, w, err);
    float *modified = NULL;
    const int64_t count = hlrp_layer_weight_count(layer);
    hlrp_status status =
        hlrp_calloc_aligned(&modified, count, sizeof(float), "a rule's weights", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < count; i++)
        modified[i] = w[i] * (w[i] > 0 ? weights.positive : weights.negative);
    spec.weights = modified;
    status = hlrp_linear_new(layer->backend, &spec, &layer->maps[slot], err);
    if (spec.gemm)
        layer->weights[slot] = modified; /* the map borrows them */
    else
        free(modified);
    return status;
}

/* One sample with the same value in every pixel of a channel. */
static hlrp_status constant_input(const hlrp_layout *one, const float *value, float **out,
                                  hlrp_error *err) {
    const hlrp_status status =
        hlrp_calloc_aligned(out, hlrp_layout_count(one), sizeof(float), "constant input", err);
    for (int64_t c = 0; status == HLRP_OK && c < one->c; c++) {
        float *channel = *out + hlrp_layout_offset(one, 0, c);
        for (int64_t p = 0; p < one->h * one->w; p++)
            channel[p * one->lanes] = value ? value[c] : 1.0f;
    }
    return status;
}

hlrp_status hlrp_layer_add_constant(hlrp_layer *layer, const float *weights, const float *value,
                                    hlrp_error *err) {
    hlrp_linear_spec spec = layer->spec;
    spec.src.n = spec.dst.n = 1;
    spec.weights = weights;
    spec.bias = NULL;
    spec.forward = true;
    spec.adjoint = false;
    hlrp_linear *map = NULL;
    hlrp_stream *stream = NULL;
    float *input = NULL, *sum = NULL;
    const int64_t count = hlrp_layout_count(&spec.dst);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(constant_input(&spec.src, value, &input, err));
    HLRP_TRY(hlrp_calloc_aligned(&sum, count, sizeof(float), "constant part", err));
    if (!layer->constant)
        HLRP_TRY(hlrp_calloc_aligned(&layer->constant, count, sizeof(float), "constant part", err));
    HLRP_TRY(hlrp_linear_new(layer->backend, &spec, &map, err));
    HLRP_TRY(hlrp_stream_new(layer->backend, hlrp_linear_scratch(map), &stream, err));
    HLRP_TRY(hlrp_linear_forward(map, stream, input, sum, err));
    for (int64_t i = 0; i < count; i++)
        layer->constant[i] += sum[i];
out:
    hlrp_stream_free(stream);
    hlrp_linear_free(map);
    free(input);
    free(sum);
    return status;
}

hlrp_status hlrp_layer_bias_part(const hlrp_layer *layer, int sign, float **out, hlrp_error *err) {
    const int64_t room = channel_room(&layer->spec.dst);
    const hlrp_status status = hlrp_calloc_aligned(out, room, sizeof(float), "bias", err);
    for (int64_t c = 0; status == HLRP_OK && c < room; c++)
        (*out)[c] = (sign > 0) == (layer->bias[c] > 0) ? layer->bias[c] : 0;
    return status;
}

/* ---- one step back ---- */

float *hlrp_take_floats(hlrp_step *step, int64_t count) {
    hlrp_scratch *scratch = step->scratch;
    const int64_t from = scratch->used;
    scratch->used += (count + 15) / 16 * 16; /* whole cache lines */
    scratch->most = HLRP_MAX(scratch->most, scratch->used);
    return scratch->used <= scratch->room ? scratch->base + from : scratch->base;
}

float *hlrp_take(hlrp_step *step, const hlrp_layout *layout) {
    return hlrp_take_floats(step, step->scratch->samples * hlrp_layout_sample(layout));
}

hlrp_status hlrp_layer_forward(const hlrp_layer *layer, const hlrp_step *step, int slot,
                               const float *x, float *z, hlrp_error *err) {
    return step->scratch->dry ? HLRP_OK
                              : hlrp_linear_forward(layer->maps[slot], step->stream, x, z, err);
}

hlrp_status hlrp_layer_adjoint(const hlrp_layer *layer, const hlrp_step *step, int slot,
                               const float *s, float *c, hlrp_error *err) {
    return step->scratch->dry ? HLRP_OK
                              : hlrp_linear_adjoint(layer->maps[slot], step->stream, s, c, err);
}

HLRP_VECTOR
hlrp_sums hlrp_sums_of(int64_t count, const float *x) {
    double all = 0, magnitudes = 0;
#pragma omp simd reduction(+ : all, magnitudes)
    for (int64_t i = 0; i < count; i++) {
        all += x[i];
        magnitudes += x[i] < 0 ? -x[i] : x[i];
    }
    return (hlrp_sums){all, magnitudes};
}

/* What is left goes evenly to what each output sees. */
static void spread_left(const hlrp_layer *layer, hlrp_step *step, float *room) {
    static const hlrp_window whole = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    const hlrp_linear_spec *s = &layer->spec;
    hlrp_spread(&s->src, &s->dst, s->gemm ? &whole : &s->window, s->gemm ? 1 : s->group, step->left,
                step->out, room);
}

hlrp_status hlrp_layer_back(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err) {
    const hlrp_linear_spec *s = &layer->spec;
    float *room = NULL;
    step->left = NULL;
    step->leaves = false;
    if (conserves(layer)) {
        step->left = hlrp_take(step, &s->dst);
        room = hlrp_take_floats(step, hlrp_spread_room(&s->src, &s->dst));
        memset(step->left, 0, (size_t)hlrp_layout_count(&s->dst) * sizeof(float));
    }
    const hlrp_status status = layer->ops->relevance(layer, step, err);
    if (status == HLRP_OK && step->leaves)
        spread_left(layer, step, room);
    return status;
}

const float *hlrp_rule_z(const hlrp_layer *layer, hlrp_step *step) {
    const hlrp_layout *l = &layer->spec.dst;
    if (!layer->bias_dropped)
        return step->z;
    float *z = hlrp_take(step, l);
    const int64_t pixels = l->h * l->w, blocks = hlrp_layout_blocks(l);
    for (int64_t k = 0; k < l->n * blocks; k++)
        for (int64_t p = 0; p < pixels; p++)
            for (int i = 0; i < l->lanes; i++) {
                const int64_t at = (k * pixels + p) * l->lanes + i;
                z[at] = step->z[at] - layer->bias_dropped[k % blocks * l->lanes + i];
            }
    return z;
}

HLRP_VECTOR
static double sum_of_squares(int64_t count, const float *z) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += (double)z[i] * z[i];
    return sum;
}

static float root_mean_square(const hlrp_layout *l, const float *z) {
    /* Padding adds nothing to the sum. */
    return (float)sqrt(sum_of_squares(hlrp_layout_sample(l), z) / (double)(l->c * l->h * l->w));
}

HLRP_VECTOR
void hlrp_quotient(int64_t count, const float *r, const float *z, float e, float *s) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        s[i] = r[i] / hlrp_stab(z[i], e);
}

HLRP_VECTOR
static void divide_gated(int64_t count, const float *r, const float *z, float e, const float *gate,
                         float sign, float *s) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const float quotient = r[i] / hlrp_stab(z[i], e);
        s[i] = gate[i] * sign > 0 ? quotient : 0;
    }
}

enum { MOST_LANES = 16 };

/* By lane: Σ s, and Σ s with the sign of z, of `lanes` lanes of pixels that lie `stride` apart. */
HLRP_VECTOR
static void sum_lanes(int64_t pixels, int lanes, int stride, const float *s, const float *z,
                      double *sum, double *signed_sum) {
    for (int64_t p = 0; p < pixels; p++) {
#pragma omp simd
        for (int i = 0; i < lanes; i++) {
            const float v = s[p * stride + i];
            sum[i] += v;
            signed_sum[i] += z[p * stride + i] >= 0 ? v : -v;
        }
    }
}

HLRP_VECTOR
static void sum_plane(int64_t pixels, const float *s, const float *z, double *sum,
                      double *signed_sum) {
    double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
    for (int64_t p = 0; p < pixels; p++) {
        a += s[p];
        b += z[p] >= 0 ? s[p] : -s[p];
    }
    *sum = a;
    *signed_sum = b;
}

/* The bias's part of a denominator, over s. */
static float taken_by_bias(const hlrp_divide *d, float b) {
    return b * (d->square_bias ? b : b > 0 ? d->bias_positive : d->bias_negative);
}

/* What bias and stabilizer took of the lanes from `first` on, at most MOST_LANES, of a block. */
static void add_lanes(const hlrp_layer *layer, int64_t block, int first, const hlrp_divide *d,
                      const float *s, const float *z, float e, hlrp_account *account) {
    const hlrp_layout *l = &layer->spec.dst;
    const int64_t pixels = l->h * l->w;
    const int lanes = HLRP_MIN(l->lanes - first, MOST_LANES);
    const double weight = d->weight != 0 ? (double)d->weight : 1;
    double sum[MOST_LANES] = {0}, signed_sum[MOST_LANES] = {0};
    if (l->lanes == 1)
        sum_plane(pixels, s, z, sum, signed_sum);
    else
        sum_lanes(pixels, lanes, l->lanes, s + first, z + first, sum, signed_sum);
    for (int i = 0; i < lanes; i++) {
        const float b = layer->bias[block * l->lanes + first + i];
        const float times = d->square_bias ? b : b > 0 ? d->bias_positive : d->bias_negative;
        account->bias += weight * sum[i] * times * b;
        account->stabilizer += weight * signed_sum[i] * e;
    }
}

/* What bias and stabilizer took of one block of channels; z is the denominator before stab. */
static void add_shares(const hlrp_layer *layer, int64_t block, const hlrp_divide *d, const float *s,
                       const float *z, float e, hlrp_account *account) {
    for (int first = 0; first < layer->spec.dst.lanes; first += MOST_LANES)
        add_lanes(layer, block, first, d, s, z, e, account);
}

/* left += what bias and stabilizer took of one block of channels. */
static void add_left(const hlrp_layer *layer, int64_t block, const hlrp_divide *d, const float *s,
                     const float *z, float e, float *left) {
    const hlrp_layout *l = &layer->spec.dst;
    const float weight = d->weight != 0 ? d->weight : 1;
    const float *bias = layer->bias + block * l->lanes;
    for (int64_t p = 0; p < l->h * l->w; p++)
        for (int i = 0; i < l->lanes; i++) {
            const int64_t at = p * l->lanes + i;
            left[at] += weight * s[at] * (taken_by_bias(d, bias[i]) + (z[at] >= 0 ? e : -e));
        }
}

/* What of an output's s, and of its size by the sign of z, bias and stabilizer take. */
typedef struct taken {
    double bias, stabilizer;
} taken;

/* One row of a layer over tokens, and what was taken in it; z may be s. */
HLRP_VECTOR
static taken divide_row(int64_t count, const float *r, const float *z, float e, const float *gate,
                        float sign, const float *by_bias, float *s) {
    double bias = 0, stabilizer = 0;
#pragma omp simd reduction(+ : bias, stabilizer)
    for (int64_t i = 0; i < count; i++) {
        const float den = z[i], quotient = r[i] / hlrp_stab(den, e);
        const float v = gate[i] * sign > 0 || sign == 0 ? quotient : 0;
        s[i] = v;
        bias += (double)v * (double)by_bias[i];
        stabilizer += (double)(den >= 0 ? v : -v);
    }
    return (taken){bias, stabilizer};
}

/* The same in one pass over the rows of one sample, where nothing is left to give on. */
static void divide_rows(const hlrp_layer *layer, hlrp_step *step, const hlrp_divide *d, int64_t n,
                        float e, const float *by_bias, float *s) {
    const hlrp_layout *l = &layer->spec.dst;
    const double weight = d->weight != 0 ? (double)d->weight : 1;
    const float *gate = d->sign ? d->gate : d->denominator;
    taken sum = {0, 0};
    for (int64_t k = n * l->h; k < (n + 1) * l->h; k++) {
        const int64_t at = k * l->c;
        const taken t = divide_row(l->c, step->r + at, d->denominator + at, e, gate + at,
                                   (float)d->sign, by_bias, s + at);
        sum.bias += t.bias;
        sum.stabilizer += t.stabilizer;
    }
    hlrp_step_account(step, n, weight * sum.bias, weight * sum.stabilizer * (double)e);
}

/* By channel, what its bias takes of s; scratch. */
static const float *parts_of_bias(const hlrp_layer *layer, hlrp_step *step, const hlrp_divide *d) {
    const int64_t channels = channel_room(&layer->spec.dst);
    float *part = hlrp_take_floats(step, channels);
    for (int64_t c = 0; !step->scratch->dry && c < channels; c++)
        part[c] = taken_by_bias(d, layer->bias[c]);
    return part;
}

void hlrp_step_divide(const hlrp_layer *layer, hlrp_step *step, const hlrp_divide *d, float *s) {
    const hlrp_layout *l = &layer->spec.dst;
    const int64_t sample = hlrp_layout_sample(l), blocks = hlrp_layout_blocks(l);
    const float *by_bias = l->rows && !step->left ? parts_of_bias(layer, step, d) : NULL;
    const int64_t block = sample / blocks;
    const bool told = step->account || step->left;
    float *const kept = told && d->denominator == s ? hlrp_take(step, l) : NULL;
    step->leaves = step->left;
    for (int64_t n = 0; n < l->n; n++) {
        const float *z = d->denominator + n * sample;
        float e = (float)(d->epsilon * (d->rms ? root_mean_square(l, z) : 1));
        if (e == 0) /* epsilon(0), or all sums 0 and rms: LRP-0, which is defined where z = 0 */
            e = (float)HLRP_LRP0_EPSILON;
        if (by_bias)
            divide_rows(layer, step, d, n, e, by_bias, s);
        for (int64_t k = 0; !by_bias && k < blocks; k++) {
            const int64_t at = n * sample + k * block;
            const float *den = d->denominator + at;
            if (kept)
                den = memcpy(kept, den, (size_t)block * sizeof *den);
            if (d->sign)
                divide_gated(block, step->r + at, den, e, d->gate + at, (float)d->sign, s + at);
            else
                hlrp_quotient(block, step->r + at, den, e, s + at);
            if (step->left)
                add_left(layer, k, d, s + at, den, e, step->left + at);
            else if (step->account)
                add_shares(layer, k, d, s + at, den, e, &step->account[n]);
        }
    }
}

void hlrp_step_divide_whole(const hlrp_layer *layer, hlrp_step *step, const float *denominator,
                            float *s) {
    bool leaves = false;
    for (int64_t i = 0; i < hlrp_layout_count(&layer->spec.dst); i++) {
        const float z = denominator[i];
        const bool some = z > HLRP_NO_CONTRIBUTION || z < -HLRP_NO_CONTRIBUTION;
        step->left[i] = some ? 0 : step->r[i];
        leaves |= step->left[i] != 0;
        s[i] = some ? step->r[i] / z : 0;
    }
    step->leaves = leaves;
}

HLRP_VECTOR
void hlrp_negative_part(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] < 0 ? x[i] : 0;
}

HLRP_VECTOR
void hlrp_multiply(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] *= x[i];
}

HLRP_VECTOR
void hlrp_add_product(int64_t count, float scale, const float *x, const float *c, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] += scale * x[i] * c[i];
}

HLRP_VECTOR
void hlrp_add_scaled(int64_t count, float scale, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] += scale * x[i];
}

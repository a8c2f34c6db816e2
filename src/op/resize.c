/* Pictures made larger or smaller: each pixel is a weighted mean of at most two by two of the input's
 * (nearest: it is one of them), so relevance is shared by contribution (norm). */
#include <math.h>
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"
#include "op/resize.h"

/* ---- geometry ---- */

/* Corners are those of the size that the factor asks for, before it is rounded down. */
static double source_of(const hlrp_node *n, double scale, int64_t i, int64_t in, int64_t out) {
    const double last = scale * (double)in - 1;
    switch ((hlrp_resize_frame)n->ints.d[HLRP_RESIZE_FRAME]) {
    case HLRP_FRAME_ASYMMETRIC:
        return (double)i / scale;
    case HLRP_FRAME_CORNERS:
        return out > 1 && last > 0 ? (double)i * (double)(in - 1) / last : 0;
    case HLRP_FRAME_TORCH_HALF_PIXEL:
        return out > 1 ? ((double)i + 0.5) / scale - 0.5 : 0;
    case HLRP_FRAME_HALF_PIXEL:
        break;
    }
    return ((double)i + 0.5) / scale - 0.5;
}

static double nearest_to(const hlrp_node *n, double at) {
    switch ((hlrp_resize_nearest)n->ints.d[HLRP_RESIZE_NEAREST]) {
    case HLRP_NEAREST_FLOOR:
        return floor(at);
    case HLRP_NEAREST_CEIL:
        return ceil(at);
    case HLRP_NEAREST_ROUND_UP:
        return floor(at + 0.5);
    case HLRP_NEAREST_ROUND_DOWN:
        break;
    }
    return ceil(at - 0.5);
}

/* The two pixels along an axis, and the weight of the second. */
typedef struct taps {
    int64_t first, second;
    float weight;
} taps;

static taps taps_of(const hlrp_node *n, int axis, int64_t i, int64_t in, int64_t out) {
    const double given = (double)(axis == 0 ? n->lo : n->hi);
    const double scale = given > 0 ? given : (double)out / (double)in;
    double at = source_of(n, scale, i, in, out);
    if (n->ints.d[HLRP_RESIZE_MODE] == HLRP_RESIZE_BY_NEAREST)
        at = nearest_to(n, at);
    at = fmin(fmax(at, 0), (double)(in - 1));
    const int64_t first = (int64_t)floor(at);
    return (taps){first, HLRP_MIN(first + 1, in - 1), (float)(at - (double)first)};
}

/* ---- shape ---- */

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    hlrp_status status = hlrp_shape_rank(s, 4, err);
    const hlrp_tensor *sizes = s->n->in_count > 1 ? s->known[1] : NULL;
    const bool has = s->n->in_count > 1 && s->n->in[1] >= 0;
    *out = *s->in[0];
    if (status == HLRP_OK && has &&
        (!sizes || sizes->dtype != HLRP_I64 || hlrp_tensor_count(sizes) != 4 ||
         sizes->i[0] != out->d[0] || sizes->i[1] != out->d[1]))
        return hlrp_node_fail(s->n, err, "its sizes are not those of a picture");
    for (int a = 0; status == HLRP_OK && a < 2; a++) {
        const double size = floor((double)out->d[2 + a] * (double)(a == 0 ? s->n->lo : s->n->hi));
        if (!has && !(size < 1e12)) /* infinite, or more than any picture has */
            return hlrp_node_fail(s->n, err, "its factors make a picture that is too large");
        out->d[2 + a] = has ? sizes->i[2 + a] : (int64_t)size;
    }
    return status;
}

/* ---- forward and its adjoint ---- */

/* One pixel of the output: the four of the input, and their weights. */
typedef struct corner {
    int64_t at[4];
    float weight[4];
} corner;

static corner corner_of(const hlrp_layout *in, taps v, taps u) {
    const int64_t lanes = in->lanes;
    return (corner){
        .at = {(v.first * in->w + u.first) * lanes, (v.first * in->w + u.second) * lanes,
               (v.second * in->w + u.first) * lanes, (v.second * in->w + u.second) * lanes},
        .weight = {(1 - v.weight) * (1 - u.weight), (1 - v.weight) * u.weight,
                   v.weight * (1 - u.weight), v.weight * u.weight}};
}

typedef void (*pixel_fn)(int lanes, const corner *c, float *plane, float *pixel);

/* small: the input's side, large: the output's. */
static void every_pixel(const hlrp_node *n, const hlrp_layout *in, const hlrp_layout *out,
                        float *small, float *large, pixel_fn fn) {
    const int64_t planes = in->n * hlrp_layout_blocks(in), lanes = in->lanes;
    for (int64_t i = 0; i < out->h && planes > 0; i++)
        for (int64_t j = 0; j < out->w; j++) {
            const corner c =
                corner_of(in, taps_of(n, 0, i, in->h, out->h), taps_of(n, 1, j, in->w, out->w));
            for (int64_t k = 0; k < planes; k++)
                fn(in->lanes, &c, small + k * in->h * in->w * lanes,
                   large + ((k * out->h + i) * out->w + j) * lanes);
        }
}

static void mean_of_four(int lanes, const corner *c, float *plane, float *pixel) {
    for (int l = 0; l < lanes; l++) {
        float sum = 0;
        for (int k = 0; k < 4; k++)
            sum += c->weight[k] * plane[c->at[k] + l];
        pixel[l] = sum;
    }
}

static void give_to_four(int lanes, const corner *c, float *plane, float *pixel) {
    for (int k = 0; k < 4; k++)
        for (int l = 0; l < lanes; l++)
            plane[c->at[k] + l] += c->weight[k] * pixel[l];
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    every_pixel(c->node, c->in, c->out, (float *)c->x, c->y, mean_of_four);
    return HLRP_OK;
}

static void mean(const hlrp_turn *t, const float *x, float *y) {
    every_pixel(t->node, t->in, t->out, (float *)x, y, mean_of_four);
}

static void adjoint(const hlrp_turn *t, const float *s, float *c) {
    memset(c, 0, (size_t)hlrp_layout_count(t->in) * sizeof *c);
    every_pixel(t->node, t->in, t->out, c, (float *)s, give_to_four);
}

/* The weights of a pixel sum to 1, so that the adjoint also gives evenly what no input claims. */
static const hlrp_mean as_mean = {mean, adjoint, NULL, adjoint};

static hlrp_status norm(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    return hlrp_back_mean(t, &as_mean);
}

static void gradient(const hlrp_turn *t, float *out) {
    adjoint(t, t->r, out);
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = {
    HLRP_NORM_CELLS(norm), [HLRP_RULE_GRADIENT] = {HLRP_PART(gradient)}};

const hlrp_operator hlrp_op_resize = {
    .name = "resize",
    .least = 1,
    .shape = shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .forward = forward,
    .nonnegative = hlrp_first_input,
    .of_weights = true,
    .otherwise = HLRP_RULE_NORM,
    .relevance = relevance,
    .unfit = HLRP_ONLY_LAYERS,
};

/* Normalization by numbers that are computed from the values themselves: of a layer (the last axes), of
 * groups of channels, by the root of a mean square, and over neighbouring channels.
 *
 *   detach  y = g(x − μ)/σ + b with σ held fixed: u = g·(R / stab(y)) / σ, R_in = x ⊙ (u − mean u).
 *           b keeps its part, which is accounted as `normalization`.
 *   pass    R_in = R: for those without a mean always
 *
 * Source: Ali et al. (2022), "XAI for Transformers", and Achtibat et al. (2024), AttnLRP, section 3.3. */
#include <math.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"
#include "util/vector.h"

/* ---- a set of numbers that are normalized together ---- */

typedef struct set {
    int64_t count;     /* numbers */
    int64_t at;        /* of the first */
    int64_t first, of; /* its gain: element first + i/of of g and b */
} set;

/* Sets of a node in the order of memory; false past the last. */
typedef bool (*sets_fn)(const hlrp_node *n, const hlrp_dims *x, int64_t k, set *s);

/* From the axis on. */
static bool layer_sets(const hlrp_node *n, const hlrp_dims *x, int64_t k, set *s) {
    int64_t outer = 1, inner = 1;
    int axis = 0;
    if (!hlrp_axis_resolve(n->axis, x->rank, &axis))
        return false;
    for (int a = 0; a < x->rank; a++)
        *(a < axis ? &outer : &inner) *= x->d[a];
    *s = (set){inner, k * inner, 0, 1};
    return k < outer;
}

/* The channels of a group and their pixels. */
static bool group_sets(const hlrp_node *n, const hlrp_dims *x, int64_t k, set *s) {
    const int64_t channels = x->d[1] / n->group;
    int64_t pixels = 1;
    for (int a = 2; a < x->rank; a++)
        pixels *= x->d[a];
    *s = (set){channels * pixels, k * channels * pixels, k % n->group * channels, pixels};
    return k < x->d[0] * n->group;
}

typedef struct moments {
    double mean, sigma;
} moments;

HLRP_VECTOR
static double sum_of(int64_t count, const float *x) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += (double)x[i];
    return sum;
}

HLRP_VECTOR
static double squares_about(int64_t count, double mean, const float *x) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += ((double)x[i] - mean) * ((double)x[i] - mean);
    return sum;
}

/* centered: the mean is taken off; else the mean square is about 0. */
static moments moments_of(const set *s, const float *x, bool centered, double epsilon) {
    const double count = (double)s->count;
    const double mean = centered ? sum_of(s->count, x + s->at) / count : 0;
    return (moments){mean, sqrt(squares_about(s->count, mean, x + s->at) / count + epsilon)};
}

/* A set in pieces whose gains and shifts lie one after another. */
enum { PIECE = 256 };

/* Those of the set's elements from..to, where they lie or in room [PIECE]; otherwise: where the node
 * has none. */
static const float *piece_of(const set *s, const float *p, float otherwise, int64_t from,
                             int64_t to, float *room) {
    if (p && s->of == 1)
        return p + s->first + from;
    for (int64_t i = from; i < to; i++)
        room[i - from] = p ? p[s->first + i / s->of] : otherwise;
    return room;
}

HLRP_VECTOR
static void normalize(int64_t count, moments m, const float *x, const float *g, const float *b,
                      float *y) {
    const double scale = 1 / m.sigma;
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = (float)(((double)x[i] - m.mean) * scale * (double)g[i] + (double)b[i]);
}

static void forward_of(const hlrp_computation *c, sets_fn sets, bool centered) {
    const float *g = hlrp_computation_parameter(c, 1), *b = hlrp_computation_parameter(c, 2);
    float gains[PIECE], shifts[PIECE];
    set s;
    for (int64_t k = 0; sets(c->node, hlrp_computation_dims(c, 0), k, &s); k++) {
        const moments m = moments_of(&s, c->x, centered, (double)c->node->lo);
        for (int64_t from = 0; from < s.count; from += PIECE) {
            const int64_t to = HLRP_MIN(from + PIECE, s.count);
            normalize(to - from, m, c->x + s.at + from, piece_of(&s, g, 1, from, to, gains),
                      piece_of(&s, b, 0, from, to, shifts), c->y + s.at + from);
        }
    }
}

/* ---- relevance ---- */

static const float *parameter(const hlrp_turn *t, int k) {
    return k < t->node->in_count && t->node->in[k] >= 0 ? hlrp_turn_input(t, k) : NULL;
}

/* What a set has handed out so far: Σ u, and what its shift and the stabilizer took. */
typedef struct dealt {
    double u, kept, taken;
} dealt;

/* out = u. */
HLRP_VECTOR
static dealt deal(int64_t count, double e, double sigma, const float *r, const float *y,
                  const float *g, const float *b, float *out) {
    double u_sum = 0, kept = 0, taken = 0;
#pragma omp simd reduction(+ : u_sum, kept, taken)
    for (int64_t i = 0; i < count; i++) {
        const double stab = y[i] >= 0 ? e : -e, share = (double)r[i] / ((double)y[i] + stab);
        const double u = (double)g[i] * share / sigma;
        out[i] = (float)u;
        u_sum += u;
        kept += share * (double)b[i];
        taken += share * stab;
    }
    return (dealt){u_sum, kept, taken};
}

/* out = x·(out − mean) */
HLRP_VECTOR
static void times_centered(int64_t count, double mean, const float *x, float *out) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)((double)x[i] * ((double)out[i] - mean));
}

/* One set; out holds u on the way. */
static void detach_set(const hlrp_turn *t, const set *s, const float *g, const float *b,
                       float *out) {
    const moments m = moments_of(s, t->x, true, (double)t->node->lo);
    float gains[PIECE], shifts[PIECE];
    dealt sum = {0};
    for (int64_t from = 0; from < s->count; from += PIECE) {
        const int64_t to = HLRP_MIN(from + PIECE, s->count), at = s->at + from;
        const dealt d =
            deal(to - from, hlrp_node_epsilon(t->rule), m.sigma, t->r + at, t->y + at,
                 piece_of(s, g, 1, from, to, gains), piece_of(s, b, 0, from, to, shifts), out + at);
        sum = (dealt){sum.u + d.u, sum.kept + d.kept, sum.taken + d.taken};
    }
    times_centered(s->count, sum.u / (double)s->count, t->x + s->at, out + s->at);
    if (t->step.account) {
        t->step.account[0].normalization += sum.kept;
        t->step.account[0].stabilizer += sum.taken;
    }
}

static void detach_of(const hlrp_turn *t, sets_fn sets, float *out) {
    set s;
    for (int64_t k = 0; sets(t->node, hlrp_turn_dims(t, 0), k, &s); k++)
        detach_set(t, &s, parameter(t, 1), parameter(t, 2), out);
}

static double gain(const set *s, const float *g, int64_t i) {
    return g ? (double)g[s->first + i / s->of] : 1;
}

/* dy/dx with σ and μ as functions of x. */
static void gradient_of(const hlrp_turn *t, sets_fn sets, bool centered, float *out) {
    const float *g = parameter(t, 1);
    set s;
    for (int64_t k = 0; sets(t->node, hlrp_turn_dims(t, 0), k, &s); k++) {
        const moments m = moments_of(&s, t->x, centered, (double)t->node->lo);
        double mean = 0, along = 0;
        for (int64_t i = 0; i < s.count; i++) {
            const double u = (double)t->r[s.at + i] * gain(&s, g, i);
            mean += u;
            along += u * ((double)t->x[s.at + i] - m.mean) / m.sigma;
        }
        for (int64_t i = 0; i < s.count; i++) {
            const double u = (double)t->r[s.at + i] * gain(&s, g, i);
            const double x = ((double)t->x[s.at + i] - m.mean) / m.sigma;
            out[s.at + i] = (float)((u - (centered ? mean : 0) / (double)s.count -
                                     x * along / (double)s.count) /
                                    m.sigma);
        }
    }
}

/* ---- the rows ---- */

static hlrp_status layer_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    int axis = 0;
    int64_t count = 1;
    *out = *s->in[0];
    if (!hlrp_axis_resolve(s->n->axis, out->rank, &axis))
        return hlrp_node_fail(s->n, err, "axis %d is outside its input", s->n->axis);
    for (int k = axis; k < out->rank; k++)
        count *= out->d[k];
    for (int k = 1; k < s->n->in_count; k++) {
        int64_t own = 0;
        if (s->in[k] && (hlrp_dims_count(s->in[k], &own, err) != HLRP_OK || own != count))
            return hlrp_node_fail(s->n, err, "its scale or bias does not fit its input");
    }
    return HLRP_OK;
}

static hlrp_status group_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    *out = *s->in[0];
    if (out->rank < 2 || s->n->group < 1 || out->d[1] % s->n->group != 0)
        return hlrp_node_fail(s->n, err, "its channels do not make %lld groups",
                              (long long)s->n->group);
    hlrp_status status = hlrp_shape_vector(s, 1, out->d[1], "scale", err);
    return status == HLRP_OK && s->n->in_count > 2 ? hlrp_shape_vector(s, 2, out->d[1], "bias", err)
                                                   : status;
}

/* Instance normalization: a group per channel. */
static hlrp_status instance_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    s->n->group = s->in[0]->rank > 1 ? s->in[0]->d[1] : 0;
    return group_shape(s, out, err);
}

static hlrp_status layer_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, layer_sets, true);
    return HLRP_OK;
}

static hlrp_status group_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, group_sets, true);
    return HLRP_OK;
}

static hlrp_status rms_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, layer_sets, false);
    return HLRP_OK;
}

static void layer_detach(const hlrp_turn *t, float *out) {
    detach_of(t, layer_sets, out);
}

static void layer_gradient(const hlrp_turn *t, float *out) {
    gradient_of(t, layer_sets, true, out);
}

static void group_detach(const hlrp_turn *t, float *out) {
    detach_of(t, group_sets, out);
}

static void group_gradient(const hlrp_turn *t, float *out) {
    gradient_of(t, group_sets, true, out);
}

static void rms_gradient(const hlrp_turn *t, float *out) {
    gradient_of(t, layer_sets, false, out);
}

#define ONLY_NORMALIZED "normalization takes detach, pass or gradient"
#define NORMALIZED(detach, gradient)                                                               \
    {                                                                                              \
        [HLRP_RULE_DETACH] = {HLRP_PART(detach), .zero = HLRP_ZERO_ALWAYS},                        \
        HLRP_PASS_CELL, [HLRP_RULE_GRADIENT] = {                                                   \
            HLRP_PART(gradient)                                                                    \
        }                                                                                          \
    }

static const hlrp_rule_cell layer_relevance[HLRP_RULE_COUNT] =
    NORMALIZED(layer_detach, layer_gradient);
static const hlrp_rule_cell group_relevance[HLRP_RULE_COUNT] =
    NORMALIZED(group_detach, group_gradient);
static const hlrp_rule_cell rms_relevance[HLRP_RULE_COUNT] = HLRP_PASS_AND_GRADIENT(rms_gradient);

static bool moves_zero(const hlrp_node *n) {
    (void)n;
    return true;
}

#define OF_ROWS                                                                                    \
    .kind = HLRP_KIND_LAYERNORM, .least = 1, .lays_out = HLRP_LAYS_ROWS, .moves_zero = moves_zero, \
    .normalizes = true, .keeps = true, .otherwise = HLRP_RULE_DETACH, .unfit = ONLY_NORMALIZED

const hlrp_operator hlrp_op_layernorm = {.name = "layernorm",
                                         .shape = layer_shape,
                                         .forward = layer_forward,
                                         .relevance = layer_relevance,
                                         OF_ROWS};

const hlrp_operator hlrp_op_groupnorm = {.name = "groupnorm",
                                         .shape = group_shape,
                                         .forward = group_forward,
                                         .relevance = group_relevance,
                                         OF_ROWS};

const hlrp_operator hlrp_op_instancenorm = {.name = "instancenorm",
                                            .shape = instance_shape,
                                            .forward = group_forward,
                                            .relevance = group_relevance,
                                            OF_ROWS};

const hlrp_operator hlrp_op_rmsnorm = {
    .name = "rmsnorm",
    .least = 1,
    .shape = layer_shape,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = rms_forward,
    .normalizes = true,
    .otherwise = HLRP_RULE_PASS,
    .relevance = rms_relevance,
    .unfit = HLRP_ONLY_PASS,
};

/* ---- over neighbouring channels: y = x / (hi + alpha/group·Σ x²)^lo, the sum over `group` channels
 * around each ---- */

static hlrp_status local_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    *out = *s->in[0];
    return hlrp_shape_rank(s, 4, err);
}

/* The sum in the denominator. */
static double local_sum(const hlrp_node *n, const hlrp_layout *l, const float *x, int64_t sample,
                        int64_t c, int64_t p) {
    const int64_t from = HLRP_MAX(0, c - (n->group - 1) / 2);
    const int64_t to = HLRP_MIN(l->c - 1, c + n->group / 2);
    double square = 0;
    for (int64_t k = from; k <= to; k++) {
        const double v = (double)x[hlrp_layout_offset(l, sample, k) + p * l->lanes];
        square += v * v;
    }
    return (double)n->hi + (double)n->alpha / (double)n->group * square;
}

static hlrp_status local_forward(const hlrp_computation *c, hlrp_error *err) {
    const hlrp_layout *l = c->in;
    (void)err;
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t k = 0; k < l->c; k++)
            for (int64_t p = 0; p < l->h * l->w; p++) {
                const int64_t i = hlrp_layout_offset(l, n, k) + p * l->lanes;
                c->y[i] = (float)((double)c->x[i] *
                                  pow(local_sum(c->node, l, c->x, n, k, p), -(double)c->node->lo));
            }
    hlrp_clear_padding(l, c->y);
    return HLRP_OK;
}

/* The gradient to channel k of a pixel, from all channels whose sums it is in. */
static double local_slope(const hlrp_turn *t, int64_t n, int64_t k, int64_t p) {
    const hlrp_layout *l = t->in;
    const hlrp_node *node = t->node;
    const int64_t own = hlrp_layout_offset(l, n, k) + p * l->lanes;
    double sum = (double)t->r[own] * pow(local_sum(node, l, t->x, n, k, p), -(double)node->lo);
    for (int64_t j = HLRP_MAX(0, k - node->group / 2);
         j <= HLRP_MIN(l->c - 1, k + (node->group - 1) / 2); j++) {
        const int64_t i = hlrp_layout_offset(l, n, j) + p * l->lanes;
        sum -= (double)t->r[i] * (double)t->x[i] * 2 * (double)node->lo * (double)node->alpha /
               (double)node->group * (double)t->x[own] *
               pow(local_sum(node, l, t->x, n, j, p), -(double)node->lo - 1);
    }
    return sum;
}

static void local_gradient(const hlrp_turn *t, float *out) {
    const hlrp_layout *l = t->in;
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t k = 0; k < l->c; k++)
            for (int64_t p = 0; p < l->h * l->w; p++)
                out[hlrp_layout_offset(l, n, k) + p * l->lanes] = (float)local_slope(t, n, k, p);
    hlrp_clear_padding(l, out);
}

static const hlrp_rule_cell local_relevance[HLRP_RULE_COUNT] =
    HLRP_PASS_AND_GRADIENT(local_gradient);

const hlrp_operator hlrp_op_local_response = {
    .name = "local_response",
    .least = 1,
    .shape = local_shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .forward = local_forward,
    .nonnegative = hlrp_all_inputs,
    .otherwise = HLRP_RULE_PASS,
    .relevance = local_relevance,
    .unfit = HLRP_ONLY_PASS,
};

/* Arithmetic of a computed tensor with a constant, and of constants among themselves. Where the constant
 * goes by channels canonize makes a batchnorm of it, or a bias. */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/fold.h"
#include "op/op.h"

/* By a constant, which must not widen x. */
static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    char a[96], b[96];
    if (hlrp_dims_broadcast(s->in[0], s->in[1], out) && hlrp_dims_equal(out, s->in[0]))
        return HLRP_OK;
    return hlrp_node_fail(s->n, err, "a constant of shape %s does not fit an input of shape %s",
                          hlrp_dims_text(s->in[1], a, sizeof a),
                          hlrp_dims_text(s->in[0], b, sizeof b));
}

/* ---- one operator ---- */

/* Integers wrap as two's complement; false: a division by 0. */
typedef struct arithmetic {
    float (*of_floats)(float a, float b);
    bool (*of_integers)(int64_t a, int64_t b, int64_t *out);
} arithmetic;

static float float_sum(float a, float b) {
    return a + b;
}

static float float_difference(float a, float b) {
    return a - b;
}

static float float_product(float a, float b) {
    return a * b;
}

static float float_quotient(float a, float b) {
    return a / b;
}

static bool integer_sum(int64_t a, int64_t b, int64_t *out) {
    *out = (int64_t)((uint64_t)a + (uint64_t)b);
    return true;
}

static bool integer_difference(int64_t a, int64_t b, int64_t *out) {
    *out = (int64_t)((uint64_t)a - (uint64_t)b);
    return true;
}

static bool integer_product(int64_t a, int64_t b, int64_t *out) {
    *out = (int64_t)((uint64_t)a * (uint64_t)b);
    return true;
}

static bool integer_quotient(int64_t a, int64_t b, int64_t *out) {
    *out = b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    return b != 0;
}

static const arithmetic sum = {float_sum, integer_sum};
static const arithmetic difference = {float_difference, integer_difference};
static const arithmetic product = {float_product, integer_product};
static const arithmetic quotient = {float_quotient, integer_quotient};

/* ---- of constants ---- */

static hlrp_status fold_binary(const hlrp_constants *c, const arithmetic *by, const hlrp_tensor *a,
                               const hlrp_tensor *b, hlrp_tensor **out, hlrp_error *err) {
    hlrp_dims dims = {0};
    bool fine = true;
    if (a->dtype != b->dtype || !hlrp_dims_broadcast(&a->dims, &b->dims, &dims))
        return hlrp_node_fail(c->n, err, "its constants differ in type or shape");
    hlrp_status status = hlrp_fold_new(&dims, a->dtype, c->most, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_places pa = hlrp_places_of(&a->dims, &dims), pb = hlrp_places_of(&b->dims, &dims);
    int64_t count = hlrp_tensor_count(*out);
    for (int64_t k = 0; k < count; k++, hlrp_next_place(&pa), hlrp_next_place(&pb)) {
        if (a->dtype == HLRP_F32)
            (*out)->f[k] = by->of_floats(a->f[pa.offset], b->f[pb.offset]);
        else
            fine = by->of_integers(a->i[pa.offset], b->i[pb.offset], &(*out)->i[k]) && fine;
    }
    if (fine)
        return HLRP_OK;
    hlrp_tensor_free(*out);
    *out = NULL;
    return hlrp_node_fail(c->n, err, "a constant is divided by 0");
}

static hlrp_status fold(const hlrp_constants *c, const arithmetic *by, hlrp_tensor **out,
                        hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *all = NULL, *next = NULL;

    if (c->n->in_count == 1)
        HLRP_TRY(hlrp_tensor_copy(c->in[0], &all, err));
    for (int k = 1; k < c->n->in_count; k++) {
        HLRP_TRY(fold_binary(c, by, all ? all : c->in[0], c->in[k], &next, err));
        hlrp_tensor_free(all);
        all = next;
        next = NULL;
    }
    *out = all;
    all = NULL;

out:
    hlrp_tensor_free(all);
    return status;
}

hlrp_status hlrp_fold_sum(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold(c, &sum, out, err);
}

static hlrp_status fold_difference(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold(c, &difference, out, err);
}

static hlrp_status fold_product(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold(c, &product, out, err);
}

static hlrp_status fold_quotient(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold(c, &quotient, out, err);
}

/* ---- with a constant v, as scale·x + shift ---- */

static double itself(double v) {
    return v;
}

static double negative(double v) {
    return -v;
}

static double inverse(double v) {
    return 1 / v;
}

/* ---- of data ---- */

/* Constants of one number take any layout, and so do those by channels: of pictures canonize makes a
 * batchnorm of them. */
static bool as_rows(const hlrp_graph *g, const hlrp_node *n) {
    const hlrp_tensor *c = n->in_count > 1 && n->in[1] >= 0 ? g->values[n->in[1]].constant : NULL;
    const hlrp_dims *x = &g->values[n->in[0]].dims;
    const int axis = c ? 1 - (x->rank - c->dims.rank) : -1; /* where channels are in the constant */
    const bool by_channels =
        axis >= 0 && axis < c->dims.rank && x->rank == 4 && c->dims.d[axis] == hlrp_tensor_count(c);
    return c && hlrp_tensor_count(c) != 1 && !by_channels;
}

/* y = x ∘ constant. */
static void forward_of(const hlrp_computation *c, const arithmetic *by) {
    const hlrp_dims *x = hlrp_computation_dims(c, 0), *own = hlrp_computation_dims(c, 1);
    const float *constant = hlrp_computation_input(c, 1);
    const int64_t last = x->rank > 0 ? x->d[x->rank - 1] : 1, all = hlrp_layout_count(c->out);
    int64_t stride[HLRP_MAX_RANK] = {0};
    hlrp_strides_of(own, x, stride);
    const int64_t step = x->rank > 0 ? stride[x->rank - 1] : 0;
    const int64_t run = c->out->rows || c->out->lanes == 1 ? last : all; /* else it is a scalar */
    for (int64_t i = 0; i < all; i += run) {
        const float *v = constant + (run == all ? 0 : hlrp_offset_of(i, x, stride));
        for (int64_t k = 0; k < run; k++)
            c->y[i + k] = by->of_floats(c->x[i + k], v[k * step]);
    }
    hlrp_clear_padding(c->out, c->y);
}

static hlrp_status forward_product(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, &product);
    return HLRP_OK;
}

static hlrp_status forward_quotient(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, &quotient);
    return HLRP_OK;
}

static hlrp_status forward_sum(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, &sum);
    return HLRP_OK;
}

static hlrp_status forward_difference(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    forward_of(c, &difference);
    return HLRP_OK;
}

/* ---- relevance: factors pass it; of a summand, x gets its part x·R/stab(y), and the rest lies on the
 * constant ---- */

static void sum_part(const hlrp_turn *t, float *out) {
    const float e = (float)hlrp_node_epsilon(t->rule);
    double kept = 0, taken = 0;
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++) {
        const float s = t->r[i] / hlrp_stab(t->y[i], e);
        out[i] = t->x[i] * s;
        if (s == 0) /* masked by −∞, too: 0·∞ would be no number */
            continue;
        taken += (double)s * (double)(t->y[i] >= 0 ? e : -e);
        kept += (double)s * ((double)t->y[i] - (double)t->x[i]);
    }
    if (t->step.account) {
        t->step.account[0].constant += kept;
        t->step.account[0].stabilizer += taken;
    }
}

static void sum_gradient(const hlrp_turn *t, float *out) {
    memcpy(out, t->r, (size_t)hlrp_layout_count(t->in) * sizeof *out);
}

static float factor_of(const hlrp_turn *t, int64_t i, const int64_t *stride) {
    const float *constant = hlrp_turn_input(t, 1);
    const hlrp_dims *x = hlrp_turn_dims(t, 0);
    const bool one = hlrp_layout_count(t->in) != 0 && !t->in->rows && t->in->lanes > 1;
    return constant[one ? 0 : hlrp_offset_of(i, x, stride)];
}

static void product_gradient(const hlrp_turn *t, float *out) {
    int64_t stride[HLRP_MAX_RANK] = {0};
    hlrp_strides_of(hlrp_turn_dims(t, 1), hlrp_turn_dims(t, 0), stride);
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++)
        out[i] = t->r[i] * factor_of(t, i, stride);
}

static void quotient_gradient(const hlrp_turn *t, float *out) {
    int64_t stride[HLRP_MAX_RANK] = {0};
    hlrp_strides_of(hlrp_turn_dims(t, 1), hlrp_turn_dims(t, 0), stride);
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++)
        out[i] = t->r[i] / factor_of(t, i, stride);
}

static const hlrp_rule_cell product_relevance[HLRP_RULE_COUNT] =
    HLRP_PASS_AND_GRADIENT(product_gradient);
static const hlrp_rule_cell quotient_relevance[HLRP_RULE_COUNT] =
    HLRP_PASS_AND_GRADIENT(quotient_gradient);
static const hlrp_rule_cell sum_relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_LRP0] = {HLRP_PART(sum_part), .zero = HLRP_ZERO_ALWAYS},
    [HLRP_RULE_EPSILON] = {HLRP_PART(sum_part), .fits = hlrp_fits_absolute, .unfit = HLRP_NO_RMS,
                           .zero = HLRP_ZERO_ALWAYS},
    HLRP_PASS_CELL,
    [HLRP_RULE_NORM] = {HLRP_PART(sum_part), .zero = HLRP_ZERO_ALWAYS},
    [HLRP_RULE_GRADIENT] = {HLRP_PART(sum_gradient)}};

#define WITH_CONSTANT                                                                              \
    .least = 2, .shape = shape, .as_rows = as_rows, .elementwise = true, .affine = true
#define SUMMAND                                                                                    \
    .moves_zero = moves_zero, .keeps = true, .adds = true, .otherwise = HLRP_RULE_EPSILON,         \
    .relevance = sum_relevance, .unfit = HLRP_ONLY_LAYERS

static bool moves_zero(const hlrp_node *n) {
    (void)n;
    return true;
}

const hlrp_operator hlrp_op_mul = {.name = "mul",
                                   .fold = fold_product,
                                   .scale = itself,
                                   .forward = forward_product,
                                   .otherwise = HLRP_RULE_PASS,
                                   .relevance = product_relevance,
                                   .unfit = HLRP_ONLY_PASS,
                                   WITH_CONSTANT};

const hlrp_operator hlrp_op_div = {.name = "div",
                                   .fold = fold_quotient,
                                   .scale = inverse,
                                   .forward = forward_quotient,
                                   .otherwise = HLRP_RULE_PASS,
                                   .relevance = quotient_relevance,
                                   .unfit = HLRP_ONLY_PASS,
                                   WITH_CONSTANT};

const hlrp_operator hlrp_op_sub = {.name = "sub",
                                   .fold = fold_difference,
                                   .shift = negative,
                                   .forward = forward_difference,
                                   SUMMAND,
                                   WITH_CONSTANT};

const hlrp_operator hlrp_op_add_const = {.name = "add_const",
                                         .fold = hlrp_fold_sum,
                                         .shift = itself,
                                         .forward = forward_sum,
                                         SUMMAND,
                                         WITH_CONSTANT};

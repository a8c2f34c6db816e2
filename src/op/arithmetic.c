/* Arithmetic of a computed tensor with a constant, which canonize makes a batchnorm or a bias, and of
 * constants among themselves. */
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
    int64_t sa[HLRP_MAX_RANK] = {0}, sb[HLRP_MAX_RANK] = {0};
    hlrp_dims dims = {0};
    bool fine = true;
    if (a->dtype != b->dtype || !hlrp_dims_broadcast(&a->dims, &b->dims, &dims))
        return hlrp_node_fail(c->n, err, "its constants differ in type or shape");
    hlrp_status status = hlrp_fold_new(&dims, a->dtype, c->most, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_strides_of(&a->dims, &dims, sa);
    hlrp_strides_of(&b->dims, &dims, sb);
    int64_t count = hlrp_tensor_count(*out);
    for (int64_t k = 0; k < count; k++) {
        int64_t ka = hlrp_offset_of(k, &dims, sa), kb = hlrp_offset_of(k, &dims, sb);
        if (a->dtype == HLRP_F32)
            (*out)->f[k] = by->of_floats(a->f[ka], b->f[kb]);
        else
            fine = by->of_integers(a->i[ka], b->i[kb], &(*out)->i[k]) && fine;
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

    HLRP_TRY(hlrp_tensor_copy(c->in[0], &all, err));
    for (int k = 1; k < c->n->in_count; k++) {
        HLRP_TRY(fold_binary(c, by, all, c->in[k], &next, err));
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

const hlrp_operator hlrp_op_mul = {
    .name = "mul", .least = 2, .shape = shape, .fold = fold_product, .scale = itself};

const hlrp_operator hlrp_op_div = {
    .name = "div", .least = 2, .shape = shape, .fold = fold_quotient, .scale = inverse};

const hlrp_operator hlrp_op_sub = {
    .name = "sub", .least = 2, .shape = shape, .fold = fold_difference, .shift = negative};

const hlrp_operator hlrp_op_add_const = {
    .name = "add_const", .least = 2, .shape = shape, .fold = hlrp_fold_sum, .shift = itself};

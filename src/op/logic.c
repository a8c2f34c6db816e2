/* What only shapes and masks are made with: comparisons, choices, counting and filling. All of it is
 * evaluated once the input's size is known; of computed data it is refused. */
#include <math.h>

#include "op/op.h"

/* ---- shapes ---- */

static hlrp_status broadcast(const hlrp_shapes *s, int first, hlrp_dims *out, hlrp_error *err) {
    *out = *s->in[first];
    for (int k = first + 1; k < s->n->in_count; k++) {
        const hlrp_dims so_far = *out;
        if (!hlrp_dims_broadcast(&so_far, s->in[k], out))
            return hlrp_node_fail(s->n, err, "its inputs do not have one shape");
    }
    return HLRP_OK;
}

static hlrp_status all_inputs(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return broadcast(s, 0, out, err);
}

static hlrp_status dims_of_vector(const hlrp_node *n, const hlrp_tensor *t, hlrp_dims *out,
                                  hlrp_error *err) {
    if (!t || t->dtype != HLRP_I64 || hlrp_tensor_count(t) > HLRP_MAX_RANK)
        return hlrp_node_fail(n, err, "its shape is no constant vector of integers");
    out->rank = (int)hlrp_tensor_count(t);
    for (int k = 0; k < out->rank; k++)
        out->d[k] = t->i[k];
    return HLRP_OK;
}

static hlrp_status filled_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return dims_of_vector(s->n, s->known[0], out, err);
}

static hlrp_status range_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    (void)out;
    return hlrp_node_fail(s->n, err, "its bounds are not constant");
}

/* ---- element by element, of integers ---- */

static hlrp_status fold_pairs(const hlrp_constants *c, int64_t (*of)(int64_t a, int64_t b),
                              int64_t (*of_floats)(float a, float b), hlrp_tensor **out,
                              hlrp_error *err) {
    const hlrp_tensor *a = c->in[0], *b = c->in[1];
    hlrp_dims dims = {0};
    if (a->dtype != b->dtype || (a->dtype == HLRP_F32 && !of_floats) ||
        !hlrp_dims_broadcast(&a->dims, &b->dims, &dims))
        return hlrp_node_fail(c->n, err, "its constants differ in type or shape");
    const hlrp_status status = hlrp_fold_new(&dims, HLRP_I64, c->most, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_places pa = hlrp_places_of(&a->dims, &dims), pb = hlrp_places_of(&b->dims, &dims);
    const int64_t count = hlrp_tensor_count(*out);
    for (int64_t k = 0; k < count; k++, hlrp_next_place(&pa), hlrp_next_place(&pb))
        (*out)->i[k] = a->dtype == HLRP_F32 ? of_floats(a->f[pa.offset], b->f[pb.offset])
                                            : of(a->i[pa.offset], b->i[pb.offset]);
    return HLRP_OK;
}

#define COMPARISON(id, sign)                                                                       \
    static int64_t id##_of(int64_t a, int64_t b) {                                                 \
        return a sign b;                                                                           \
    }                                                                                              \
    static int64_t id##_of_floats(float a, float b) {                                              \
        return a sign b;                                                                           \
    }                                                                                              \
    static hlrp_status fold_##id(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {    \
        return fold_pairs(c, id##_of, id##_of_floats, out, err);                                   \
    }                                                                                              \
    const hlrp_operator hlrp_op_##id = {                                                           \
        .name = #id, .least = 2, .shape = all_inputs, .fold = fold_##id}

COMPARISON(equal, ==);
COMPARISON(less, <);
COMPARISON(less_or_equal, <=);
COMPARISON(greater, >);
COMPARISON(greater_or_equal, >=);
COMPARISON(both, &&);
COMPARISON(either, ||);

/* The sign is that of the divisor, as numpy has it; fmod of C where fmod = 1 is not read. */
static int64_t remainder_of(int64_t a, int64_t b) {
    if (b == 0 || b == -1)
        return 0;
    const int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static hlrp_status fold_remainder(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold_pairs(c, remainder_of, NULL, out, err);
}

const hlrp_operator hlrp_op_remainder = {
    .name = "remainder", .least = 2, .shape = all_inputs, .fold = fold_remainder};

static int64_t least_of(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static hlrp_status fold_least(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold_pairs(c, least_of, NULL, out, err);
}

const hlrp_operator hlrp_op_least = {
    .name = "least", .least = 2, .shape = all_inputs, .fold = fold_least};

static int64_t most_of(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static hlrp_status fold_most(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold_pairs(c, most_of, NULL, out, err);
}

const hlrp_operator hlrp_op_most = {
    .name = "most", .least = 2, .shape = all_inputs, .fold = fold_most};

static hlrp_status fold_not(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    if (c->in[0]->dtype != HLRP_I64)
        return hlrp_node_fail(c->n, err, "its input holds real numbers");
    const hlrp_status status = hlrp_fold_new(&c->in[0]->dims, HLRP_I64, c->most, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < hlrp_tensor_count(*out); k++)
        (*out)->i[k] = c->in[0]->i[k] == 0;
    return status;
}

const hlrp_operator hlrp_op_not = {
    .name = "not", .least = 1, .shape = hlrp_shape_same, .fold = fold_not};

/* ---- to whole numbers ---- */

static hlrp_status fold_whole(const hlrp_constants *c, double (*whole)(double), hlrp_tensor **out,
                              hlrp_error *err) {
    if (c->in[0]->dtype != HLRP_F32)
        return hlrp_node_fail(c->n, err, "its input holds integers");
    const hlrp_status status = hlrp_fold_new(&c->in[0]->dims, HLRP_F32, c->most, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < hlrp_tensor_count(*out); k++)
        (*out)->f[k] = (float)whole((double)c->in[0]->f[k]);
    return status;
}

static hlrp_status fold_ceil(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold_whole(c, ceil, out, err);
}

static hlrp_status fold_floor(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold_whole(c, floor, out, err);
}

const hlrp_operator hlrp_op_ceil = {
    .name = "ceil", .least = 1, .shape = hlrp_shape_same, .fold = fold_ceil};
const hlrp_operator hlrp_op_floor = {
    .name = "floor", .least = 1, .shape = hlrp_shape_same, .fold = fold_floor};

/* ---- choices ---- */

static hlrp_status fold_where(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_tensor *a = c->in[1], *b = c->in[2], *which = c->in[0];
    hlrp_dims some = {0}, dims = {0};
    if (which->dtype != HLRP_I64 || a->dtype != b->dtype ||
        !hlrp_dims_broadcast(&a->dims, &b->dims, &some) ||
        !hlrp_dims_broadcast(&some, &which->dims, &dims))
        return hlrp_node_fail(c->n, err, "its constants differ in type or shape");
    const hlrp_status status = hlrp_fold_new(&dims, a->dtype, c->most, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_places pa = hlrp_places_of(&a->dims, &dims), pb = hlrp_places_of(&b->dims, &dims);
    hlrp_places pw = hlrp_places_of(&which->dims, &dims);
    const int64_t count = hlrp_tensor_count(*out);
    for (int64_t k = 0; k < count; k++) {
        const bool first = which->i[pw.offset] != 0;
        hlrp_fold_element(*out, k, first ? a : b, first ? pa.offset : pb.offset);
        hlrp_next_place(&pa);
        hlrp_next_place(&pb);
        hlrp_next_place(&pw);
    }
    return HLRP_OK;
}

const hlrp_operator hlrp_op_where = {
    .name = "where", .least = 3, .shape = all_inputs, .fold = fold_where};

/* ---- writing into a copy ---- */

/* Where the k-th piece of ScatterND goes, in elements; -1 outside. */
static int64_t piece_at(const hlrp_tensor *x, const hlrp_tensor *index, int64_t k, int depth,
                        int64_t piece) {
    int64_t at = 0;
    for (int a = 0; a < depth; a++) {
        const int64_t extent = x->dims.d[a];
        int64_t i = index->i[k * depth + a];
        i = i < 0 ? i + extent : i;
        if (i < 0 || i >= extent)
            return -1;
        at = at * extent + i;
    }
    return at * piece;
}

/* in: x, indices [...,depth], updates: pieces of x's last axes. */
static hlrp_status fold_scatter(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_tensor *x = c->in[0], *index = c->in[1], *updates = c->in[2];
    const int depth = index->dims.rank > 0 ? (int)index->dims.d[index->dims.rank - 1] : 0;
    if (index->dtype != HLRP_I64 || updates->dtype != x->dtype || depth < 1 || depth > x->dims.rank)
        return hlrp_node_fail(c->n, err, "its indices do not fit its input");
    int64_t piece = 1;
    for (int a = depth; a < x->dims.rank; a++)
        piece *= x->dims.d[a];
    const int64_t pieces = hlrp_tensor_count(index) / depth;
    if (pieces * piece != hlrp_tensor_count(updates))
        return hlrp_node_fail(c->n, err, "its updates do not fit its indices");
    const hlrp_status status = hlrp_fold_reshaped(x, &x->dims, c->most, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < pieces; k++) {
        const int64_t at = piece_at(x, index, k, depth, piece);
        for (int64_t i = 0; at >= 0 && i < piece; i++)
            hlrp_fold_element(*out, at + i, updates, k * piece + i);
    }
    return status;
}

const hlrp_operator hlrp_op_scatter = {
    .name = "scatter", .least = 3, .shape = hlrp_shape_same, .fold = fold_scatter};

/* ---- picking pieces: x, indices [...,depth] ---- */

static hlrp_status picked_dims(const hlrp_node *n, const hlrp_dims *x, const hlrp_dims *index,
                               hlrp_dims *out, hlrp_error *err) {
    const int64_t depth = index->rank > 0 ? index->d[index->rank - 1] : 0;
    if (depth < 1 || depth > x->rank || index->rank - 1 + x->rank - depth > HLRP_MAX_RANK)
        return hlrp_node_fail(n, err, "its indices do not fit its input");
    out->rank = 0;
    for (int k = 0; k < index->rank - 1; k++)
        out->d[out->rank++] = index->d[k];
    for (int k = (int)depth; k < x->rank; k++)
        out->d[out->rank++] = x->d[k];
    return HLRP_OK;
}

static hlrp_status pick_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return picked_dims(s->n, s->in[0], s->in[1], out, err);
}

static hlrp_status fold_pick(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_tensor *x = c->in[0], *index = c->in[1];
    hlrp_dims dims = {0};
    hlrp_status status = picked_dims(c->n, &x->dims, &index->dims, &dims, err);
    if (status == HLRP_OK && index->dtype != HLRP_I64)
        return hlrp_node_fail(c->n, err, "its indices are no integers");
    if (status == HLRP_OK)
        status = hlrp_fold_new(&dims, x->dtype, c->most, out, err);
    if (status != HLRP_OK)
        return status;
    const int depth = (int)index->dims.d[index->dims.rank - 1];
    const int64_t pieces = hlrp_tensor_count(index) / depth;
    const int64_t piece = pieces > 0 ? hlrp_tensor_count(*out) / pieces : 0;
    for (int64_t k = 0; k < pieces; k++) {
        const int64_t at = piece_at(x, index, k, depth, piece);
        for (int64_t i = 0; at >= 0 && i < piece; i++)
            hlrp_fold_element(*out, k * piece + i, x, at + i);
    }
    return HLRP_OK;
}

const hlrp_operator hlrp_op_pick = {
    .name = "pick", .least = 2, .shape = pick_shape, .fold = fold_pick};

/* ---- counting, filling, turning into another type ---- */

static hlrp_status fold_range(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    for (int k = 0; k < 3; k++)
        if (c->in[k]->dtype != HLRP_I64 || hlrp_tensor_count(c->in[k]) != 1)
            return hlrp_node_fail(c->n, err, "its bounds are not single integers");
    const int64_t from = c->in[0]->i[0], to = c->in[1]->i[0], by = c->in[2]->i[0];
    const int64_t most = INT64_C(1) << 40;
    if (by == 0 || from > most || from < -most || to > most || to < -most || by > most ||
        by < -most)
        return hlrp_node_fail(c->n, err, "its bounds make no range");
    const int64_t span = by > 0 ? to - from : from - to, step = by > 0 ? by : -by;
    const hlrp_dims dims = {.rank = 1, .d = {span <= 0 ? 0 : (span - 1) / step + 1}};
    const hlrp_status status = hlrp_fold_new(&dims, HLRP_I64, c->most, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < dims.d[0]; k++)
        (*out)->i[k] = from + k * by;
    return status;
}

const hlrp_operator hlrp_op_range = {
    .name = "range", .least = 3, .shape = range_shape, .fold = fold_range};

/* alpha, or part where it is of integers (group 2): the number that fills it. */
static hlrp_status fold_filled(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const bool integers = c->n->group == 2;
    hlrp_dims dims = {0};
    hlrp_status status = dims_of_vector(c->n, c->in[0], &dims, err);
    if (status == HLRP_OK)
        status = hlrp_fold_new(&dims, integers ? HLRP_I64 : HLRP_F32, c->most, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < hlrp_tensor_count(*out); k++) {
        if (integers)
            (*out)->i[k] = c->n->part;
        else
            (*out)->f[k] = c->n->alpha;
    }
    return status;
}

const hlrp_operator hlrp_op_filled = {
    .name = "filled", .least = 1, .shape = filled_shape, .fold = fold_filled};

/* group 2: to integers, towards 0. */
static hlrp_status fold_cast(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_tensor *x = c->in[0];
    const bool integers = c->n->group == 2;
    const hlrp_status status =
        hlrp_fold_new(&x->dims, integers ? HLRP_I64 : HLRP_F32, c->most, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < hlrp_tensor_count(x); k++) {
        if (!integers)
            (*out)->f[k] = x->dtype == HLRP_F32 ? x->f[k] : (float)x->i[k];
        else if (x->dtype == HLRP_I64)
            (*out)->i[k] = x->i[k];
        else if (x->f[k] > -9e18F && x->f[k] < 9e18F)
            (*out)->i[k] = (int64_t)x->f[k];
    }
    return status;
}

const hlrp_operator hlrp_op_cast = {
    .name = "cast", .least = 1, .shape = hlrp_shape_same, .fold = fold_cast};

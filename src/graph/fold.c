/* Evaluation of nodes on constants: shape arithmetic, data movement, elementwise arithmetic. */
#include <stdlib.h>

#include "graph/internal.h"

/* Shapes have a handful of elements. What floats may come to is the caller's to say (`most`): a few
 * bytes of a file can ask for a lot of memory here, by broadcasts and repeated joins. */
#define MAX_INTEGERS (INT64_C(1) << 16)

static hlrp_status fold_new(const hlrp_dims *dims, hlrp_dtype dtype, int64_t most,
                            hlrp_tensor **out, hlrp_error *err) {
    int64_t count = 0, limit = dtype == HLRP_F32 ? most : MAX_INTEGERS;
    hlrp_status status = hlrp_dims_count(dims, &count, err);
    if (status == HLRP_OK && count > limit)
        status = hlrp_fail(err, HLRP_E_MODEL, NULL, "simplify the network before exporting it",
                           "constants of the network grow to %lld elements", (long long)count);
    return status == HLRP_OK ? hlrp_tensor_new(dims, dtype, out, err) : status;
}

static void copy_element(hlrp_tensor *to, int64_t k, const hlrp_tensor *from, int64_t j) {
    if (to->dtype == HLRP_F32)
        to->f[k] = from->f[j];
    else
        to->i[k] = from->i[j];
}

static hlrp_status reshaped(const hlrp_tensor *x, const hlrp_dims *dims, hlrp_tensor **out,
                            hlrp_error *err) {
    hlrp_status status = hlrp_tensor_copy(x, out, err);
    if (status == HLRP_OK)
        (*out)->dims = *dims;
    return status;
}

static hlrp_status fold_shape(const hlrp_node *n, const hlrp_dims *dims, hlrp_tensor **out,
                              hlrp_error *err) {
    int64_t from = n->ints.rank > 0 ? n->ints.d[0] : 0;
    int64_t to = n->ints.rank > 1 ? n->ints.d[1] : dims->rank;
    from = from < 0 ? from + dims->rank : from;
    to = to < 0 ? to + dims->rank : to;
    from = HLRP_MIN(HLRP_MAX(from, 0), dims->rank);
    to = HLRP_MIN(HLRP_MAX(to, from), dims->rank);
    hlrp_dims vector = {.rank = 1, .d = {to - from}};
    hlrp_status status = fold_new(&vector, HLRP_I64, MAX_INTEGERS, out, err);
    for (int64_t k = from; status == HLRP_OK && k < to; k++)
        (*out)->i[k - from] = dims->d[k];
    return status;
}

/* Elements before, along and after an axis. */
typedef struct fold_split {
    int64_t outer, extent, inner;
} fold_split;

static fold_split split_at(const hlrp_dims *d, int axis) {
    fold_split s = {1, d->rank > 0 ? d->d[axis] : 1, 1};
    for (int k = 0; k < axis; k++)
        s.outer *= d->d[k];
    for (int k = axis + 1; k < d->rank; k++)
        s.inner *= d->d[k];
    return s;
}

static hlrp_status gather_dims(const hlrp_node *n, const hlrp_tensor *x, const hlrp_tensor *index,
                               int *axis, hlrp_dims *out, hlrp_error *err) {
    if (index->dtype != HLRP_I64 || !hlrp_axis_resolve(n->axis, x->dims.rank, axis) ||
        x->dims.rank + index->dims.rank - 1 > HLRP_MAX_RANK)
        return hlrp_node_fail(n, err, "its axis or indices do not fit its input");
    out->rank = 0;
    for (int k = 0; k < x->dims.rank; k++) {
        if (k != *axis)
            out->d[out->rank++] = x->dims.d[k];
        for (int j = 0; k == *axis && j < index->dims.rank; j++)
            out->d[out->rank++] = index->dims.d[j];
    }
    return HLRP_OK;
}

static hlrp_status fold_gather(const hlrp_node *n, const hlrp_tensor *x, const hlrp_tensor *index,
                               int64_t most, hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_dims dims = {0};
    int axis = 0;

    HLRP_TRY(gather_dims(n, x, index, &axis, &dims, err));
    HLRP_TRY(fold_new(&dims, x->dtype, most, out, err));
    fold_split s = split_at(&x->dims, axis);
    int64_t picks = hlrp_tensor_count(index), k = 0;
    for (int64_t o = 0; o < s.outer; o++) {
        for (int64_t p = 0; p < picks; p++) {
            int64_t at = index->i[p];
            if (at < -s.extent || at >= s.extent) {
                status = hlrp_node_fail(n, err, "index %lld is outside 0…%lld", (long long)at,
                                        (long long)s.extent - 1);
                goto out;
            }
            at = at < 0 ? at + s.extent : at;
            for (int64_t i = 0; i < s.inner; i++)
                copy_element(*out, k++, x, (o * s.extent + at) * s.inner + i);
        }
    }

out:
    if (status != HLRP_OK) {
        hlrp_tensor_free(*out);
        *out = NULL;
    }
    return status;
}

/* Cuts x along one axis. */
static hlrp_status slice_axis(const hlrp_tensor *x, int axis, int64_t start, int64_t end,
                              int64_t step, int64_t most, hlrp_tensor **out, hlrp_error *err) {
    fold_split s = split_at(&x->dims, axis);
    hlrp_dims dims = x->dims;
    dims.d[axis] = hlrp_slice_count(&start, end, step, s.extent);
    hlrp_status status = fold_new(&dims, x->dtype, most, out, err);
    if (status != HLRP_OK)
        return status;
    int64_t k = 0;
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t p = 0; p < dims.d[axis]; p++)
            for (int64_t i = 0; i < s.inner; i++)
                copy_element(*out, k++, x, (o * s.extent + start + p * step) * s.inner + i);
    return HLRP_OK;
}

/* One of several equal parts. */
static hlrp_status fold_part(const hlrp_node *n, const hlrp_tensor *x, int64_t most,
                             hlrp_tensor **out, hlrp_error *err) {
    hlrp_dims from = {0}, dims = {0};
    int axis = 0;
    hlrp_status status = hlrp_dims_slice(n, &x->dims, &x, &from, &dims, err);
    if (status != HLRP_OK || !hlrp_axis_resolve(n->axis, x->dims.rank, &axis))
        return status;
    return slice_axis(x, axis, from.d[axis], from.d[axis] + dims.d[axis], 1, most, out, err);
}

/* in: x, starts, ends, axes (or NULL), steps (or NULL). */
static hlrp_status fold_slice(const hlrp_node *n, const hlrp_tensor *const *in, int64_t most,
                              hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *now = NULL, *next = NULL;
    int64_t count = 0;

    HLRP_TRY(hlrp_slice_axes(n, in, &count, err));
    HLRP_TRY(hlrp_tensor_copy(in[0], &now, err));
    for (int64_t k = 0; k < count; k++) {
        int64_t step = n->in_count > 4 && in[4] != NULL ? in[4]->i[k] : 1;
        int64_t asked = n->in_count > 3 && in[3] != NULL ? in[3]->i[k] : k;
        int axis = 0;
        if (!hlrp_axis_resolve(asked, now->dims.rank, &axis) || step == 0 || step == INT64_MIN) {
            status = hlrp_node_fail(n, err, "axis %lld or step %lld does not fit its input",
                                    (long long)asked, (long long)step);
            goto out;
        }
        HLRP_TRY(slice_axis(now, axis, in[1]->i[k], in[2]->i[k], step, most, &next, err));
        hlrp_tensor_free(now);
        now = next;
        next = NULL;
    }
    *out = now;
    now = NULL;

out:
    hlrp_tensor_free(now);
    hlrp_tensor_free(next);
    return status;
}

static hlrp_status fold_concat(const hlrp_node *n, const hlrp_tensor *const *in, int64_t most,
                               hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_dims **dims = NULL;
    hlrp_dims whole = {0};
    int axis = 0;

    HLRP_TRY(hlrp_calloc(&dims, n->in_count, sizeof(hlrp_dims *), "a node", err));
    for (int k = 0; k < n->in_count; k++) {
        dims[k] = &in[k]->dims;
        if (in[k]->dtype != in[0]->dtype) {
            status = hlrp_node_fail(n, err, "its inputs differ in type");
            goto out;
        }
    }
    HLRP_TRY(hlrp_dims_concat(n, dims, &whole, err));
    HLRP_TRY(fold_new(&whole, in[0]->dtype, most, out, err));
    hlrp_axis_resolve(n->axis, whole.rank, &axis);
    fold_split s = split_at(&whole, axis);
    for (int64_t o = 0, k = 0; o < s.outer; o++) {
        for (int i = 0; i < n->in_count; i++) {
            int64_t run = in[i]->dims.d[axis] * s.inner;
            for (int64_t j = 0; j < run; j++)
                copy_element(*out, k++, in[i], o * run + j);
        }
    }

out:
    free(dims);
    return status;
}

/* Steps through `to` (an output's dims) give offsets in a tensor of `from` dims, broadcast. */
static void strides_of(const hlrp_dims *from, const hlrp_dims *to, int64_t *stride) {
    int64_t step = 1;
    for (int k = 1; k <= to->rank; k++) {
        int64_t d = k <= from->rank ? from->d[from->rank - k] : 1;
        stride[to->rank - k] = d == 1 ? 0 : step;
        step *= d;
    }
}

static int64_t offset_of(int64_t k, const hlrp_dims *dims, const int64_t *stride) {
    int64_t offset = 0;
    for (int a = dims->rank - 1; a >= 0; a--) {
        offset += k % dims->d[a] * stride[a];
        k /= dims->d[a];
    }
    return offset;
}

static hlrp_status fold_transpose(const hlrp_node *n, const hlrp_tensor *x, int64_t most,
                                  hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_dims dims = {0};
    int64_t own[HLRP_MAX_RANK] = {0}, stride[HLRP_MAX_RANK] = {0};

    HLRP_TRY(hlrp_dims_transpose(n, &x->dims, &dims, err));
    HLRP_TRY(fold_new(&dims, x->dtype, most, out, err));
    strides_of(&x->dims, &x->dims, own);
    for (int k = 0; k < dims.rank; k++)
        stride[k] = own[n->ints.rank == 0 ? dims.rank - 1 - k : n->ints.d[k]];
    int64_t count = hlrp_tensor_count(x);
    for (int64_t k = 0; k < count; k++)
        copy_element(*out, k, x, offset_of(k, &dims, stride));

out:
    return status;
}

static float float_op(hlrp_op op, float a, float b) {
    switch (op) {
    case HLRP_OP_MUL:
        return a * b;
    case HLRP_OP_SUB:
        return a - b;
    case HLRP_OP_DIV:
        return a / b;
    default:
        return a + b;
    }
}

/* Wraps as two's complement; a division by 0 gives false. */
static bool int_op(hlrp_op op, int64_t a, int64_t b, int64_t *out) {
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    switch (op) {
    case HLRP_OP_MUL:
        *out = (int64_t)(ua * ub);
        return true;
    case HLRP_OP_SUB:
        *out = (int64_t)(ua - ub);
        return true;
    case HLRP_OP_DIV:
        *out = b == 0 ? 0 : b == -1 ? (int64_t)(0 - ua) : a / b;
        return b != 0;
    default:
        *out = (int64_t)(ua + ub);
        return true;
    }
}

static hlrp_status fold_binary(const hlrp_node *n, const hlrp_tensor *a, const hlrp_tensor *b,
                               int64_t most, hlrp_tensor **out, hlrp_error *err) {
    int64_t sa[HLRP_MAX_RANK] = {0}, sb[HLRP_MAX_RANK] = {0};
    hlrp_dims dims = {0};
    bool fine = true;
    if (a->dtype != b->dtype || !hlrp_dims_broadcast(&a->dims, &b->dims, &dims))
        return hlrp_node_fail(n, err, "its constants differ in type or shape");
    hlrp_status status = fold_new(&dims, a->dtype, most, out, err);
    if (status != HLRP_OK)
        return status;
    strides_of(&a->dims, &dims, sa);
    strides_of(&b->dims, &dims, sb);
    int64_t count = hlrp_tensor_count(*out);
    for (int64_t k = 0; k < count; k++) {
        int64_t ka = offset_of(k, &dims, sa), kb = offset_of(k, &dims, sb);
        if (a->dtype == HLRP_F32)
            (*out)->f[k] = float_op(n->op, a->f[ka], b->f[kb]);
        else
            fine = int_op(n->op, a->i[ka], b->i[kb], &(*out)->i[k]) && fine;
    }
    if (fine)
        return HLRP_OK;
    hlrp_tensor_free(*out);
    *out = NULL;
    return hlrp_node_fail(n, err, "a constant is divided by 0");
}

static hlrp_status fold_arithmetic(const hlrp_node *n, const hlrp_tensor *const *in, int64_t most,
                                   hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *sum = NULL, *next = NULL;

    HLRP_TRY(hlrp_tensor_copy(in[0], &sum, err));
    for (int k = 1; k < n->in_count; k++) {
        HLRP_TRY(fold_binary(n, sum, in[k], most, &next, err));
        hlrp_tensor_free(sum);
        sum = next;
        next = NULL;
    }
    *out = sum;
    sum = NULL;

out:
    hlrp_tensor_free(sum);
    return status;
}

/* What gives its input's elements in their order under other dims. */
static hlrp_status fold_moved(const hlrp_node *n, const hlrp_tensor *const *in, hlrp_tensor **out,
                              hlrp_error *err) {
    hlrp_dims dims = in[0]->dims;
    hlrp_status status = HLRP_OK;
    if (n->op == HLRP_OP_RESHAPE)
        status = hlrp_dims_reshape(n, &in[0]->dims, in[1], &dims, err);
    else if (n->op == HLRP_OP_SQUEEZE)
        status = hlrp_dims_squeeze(n, &in[0]->dims, &dims, err);
    else if (n->op == HLRP_OP_UNSQUEEZE)
        status = hlrp_dims_unsqueeze(n, &in[0]->dims, &dims, err);
    return status == HLRP_OK ? reshaped(in[0], &dims, out, err) : status;
}

hlrp_status hlrp_fold(const hlrp_node *n, const hlrp_tensor *const *in, const hlrp_dims *dims0,
                      int64_t most, hlrp_tensor **out, hlrp_error *err) {
    *out = NULL;
    if (n->op == HLRP_OP_SHAPE)
        return fold_shape(n, dims0, out, err);
    for (int k = 0; k < n->in_count; k++)
        if (in[k] == NULL && (n->in[k] >= 0 || k < 2))
            return HLRP_OK;
    switch (n->op) {
    case HLRP_OP_GATHER:
        return fold_gather(n, in[0], in[1], most, out, err);
    case HLRP_OP_SLICE:
        return n->in_count > 1 ? fold_slice(n, in, most, out, err)
                               : fold_part(n, in[0], most, out, err);
    case HLRP_OP_CONCAT:
        return fold_concat(n, in, most, out, err);
    case HLRP_OP_TRANSPOSE:
        return fold_transpose(n, in[0], most, out, err);
    case HLRP_OP_IDENTITY:
    case HLRP_OP_RESHAPE:
    case HLRP_OP_SQUEEZE:
    case HLRP_OP_UNSQUEEZE:
        return fold_moved(n, in, out, err);
    case HLRP_OP_ADD:
    case HLRP_OP_ADD_CONST:
    case HLRP_OP_MUL:
    case HLRP_OP_SUB:
    case HLRP_OP_DIV:
        return fold_arithmetic(n, in, most, out, err);
    default:
        return HLRP_OK;
    }
}

hlrp_status hlrp_graph_fold_node(hlrp_graph *g, int id, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_node *n = &g->nodes[id];
    const hlrp_tensor **in = NULL;
    *out = NULL;
    hlrp_status status = hlrp_calloc(&in, n->in_count, sizeof(hlrp_tensor *), "a node", err);
    if (status != HLRP_OK)
        return status;
    for (int k = 0; k < n->in_count; k++)
        in[k] = n->in[k] >= 0 ? g->values[n->in[k]].constant : NULL;
    bool known = n->in_count > 0 && n->in[0] >= 0;
    const hlrp_dims *dims = known ? &g->values[n->in[0]].dims : NULL;
    known = known && dims->rank >= 0;
    if (n->op == HLRP_OP_SHAPE)
        for (int k = 0; known && k < dims->rank; k++)
            known = dims->d[k] >= 0;

    if (known)
        status = hlrp_fold(n, in, dims, g->spare, out, err);
    if (*out != NULL)
        g->spare -= hlrp_tensor_count(*out);
    free(in);
    return status;
}

/* Shape arithmetic that no data goes through: the dims of a value, and picking from them. */
#include "op/op.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    (void)out;
    return hlrp_node_fail(s->n, err, "%s of a computed tensor is not supported", s->n->type);
}

static hlrp_status fold_shape(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_node *n = c->n;
    const hlrp_dims *dims = c->dims0;
    int64_t from = n->ints.rank > 0 ? n->ints.d[0] : 0;
    int64_t to = n->ints.rank > 1 ? n->ints.d[1] : dims->rank;
    from = from < 0 ? from + dims->rank : from;
    to = to < 0 ? to + dims->rank : to;
    from = HLRP_MIN(HLRP_MAX(from, 0), dims->rank);
    to = HLRP_MIN(HLRP_MAX(to, from), dims->rank);
    hlrp_dims vector = {.rank = 1, .d = {to - from}};
    hlrp_status status = hlrp_fold_new(&vector, HLRP_I64, c->most, out, err);
    for (int64_t k = from; status == HLRP_OK && k < to; k++)
        (*out)->i[k - from] = dims->d[k];
    return status;
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

static hlrp_status fold_gather(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_node *n = c->n;
    const hlrp_tensor *x = c->in[0], *index = c->in[1];
    hlrp_status status = HLRP_OK;
    hlrp_dims dims = {0};
    int axis = 0;

    HLRP_TRY(gather_dims(n, x, index, &axis, &dims, err));
    HLRP_TRY(hlrp_fold_new(&dims, x->dtype, c->most, out, err));
    hlrp_split s = hlrp_split_at(&x->dims, axis);
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
                hlrp_fold_element(*out, k++, x, (o * s.extent + at) * s.inner + i);
        }
    }

out:
    if (status != HLRP_OK) {
        hlrp_tensor_free(*out);
        *out = NULL;
    }
    return status;
}

const hlrp_operator hlrp_op_shape = {
    .name = "shape", .least = 1, .shape = shape, .fold = fold_shape, .folds_dims = true};

const hlrp_operator hlrp_op_gather = {
    .name = "gather", .least = 2, .shape = shape, .fold = fold_gather};

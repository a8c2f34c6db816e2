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

const hlrp_operator hlrp_op_shape = {
    .name = "shape", .least = 1, .shape = shape, .fold = fold_shape, .folds_dims = true};

/* Data movement by boxes (move.h), and the operators that are nothing else: transposes, repetitions, and
 * picking along an axis. */
#include "op/move.h"

#include <string.h>

#include "op/fold.h"
#include "op/op.h"

static int data_inputs(const hlrp_node *n) {
    return n->op->variadic ? n->in_count : 1;
}

hlrp_status hlrp_move_forward(const hlrp_computation *c, hlrp_error *err) {
    hlrp_strided box;
    (void)err;
    memset(c->y, 0, (size_t)hlrp_layout_count(c->out) * sizeof *c->y);
    for (int i = 0; i < data_inputs(c->node); i++)
        for (int64_t k = 0; c->node->op->boxes(c->plan, c->node, i, k, &box); k++)
            hlrp_strided_copy(&box, hlrp_computation_input(c, i), c->y);
    return HLRP_OK;
}

static bool box_of(const hlrp_turn *t, int input, int64_t k, hlrp_strided *box) {
    return t->node->op->boxes(t->w->lrp->plan, t->node, input, k, box);
}

/* Σ of what lies on a constant. */
static double sum_on(const hlrp_turn *t, int input) {
    hlrp_strided box;
    double all = 0;
    for (int64_t k = 0; box_of(t, input, k, &box); k++) {
        float sum = 0;
        memset(box.from_step, 0, sizeof box.from_step);
        box.from = 0;
        box = hlrp_strided_turned(&box);
        hlrp_strided_add(&box, t->r, &sum);
        all += (double)sum;
    }
    return all;
}

hlrp_status hlrp_move_back(hlrp_turn *t, hlrp_error *err) {
    const int64_t mark = t->step.scratch->used;
    hlrp_strided box;
    (void)err;
    for (int i = 0; i < data_inputs(t->node); i++) {
        if (!hlrp_turn_takes(t, i)) {
            if (t->step.account && !hlrp_turn_is_dry(t))
                t->step.account[0].constant += sum_on(t, i);
            continue;
        }
        const hlrp_layout *l = hlrp_layout_of(t->w, t->node->in[i]);
        float *out = hlrp_begin(t, i);
        memset(out, 0, (size_t)hlrp_layout_count(l) * sizeof *out);
        for (int64_t k = 0; !hlrp_turn_is_dry(t) && box_of(t, i, k, &box); k++) {
            box = hlrp_strided_turned(&box);
            hlrp_strided_add(&box, t->r, out);
        }
        hlrp_end(t, i, out);
        t->step.scratch->used = mark;
    }
    return HLRP_OK;
}

const hlrp_rule_cell hlrp_moved_by_boxes[HLRP_RULE_COUNT] = HLRP_MOVED_BY(hlrp_move_back);

/* ---- transpose ---- */

static int64_t axis_from(const hlrp_node *n, int rank, int k) {
    return n->ints.rank == 0 ? rank - 1 - k : n->ints.d[k];
}

static hlrp_status dims_transpose(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                                  hlrp_error *err) {
    unsigned seen = 0;
    out->rank = in->rank;
    if (n->ints.rank != 0 && n->ints.rank != in->rank)
        return hlrp_node_fail(n, err, "perm has %d entries for a tensor of rank %d", n->ints.rank,
                              in->rank);
    for (int k = 0; k < in->rank; k++) {
        const int64_t from = axis_from(n, in->rank, k);
        if (from < 0 || from >= in->rank || (seen >> from & 1) != 0)
            return hlrp_node_fail(n, err, "perm is not a permutation of the tensor's axes");
        seen |= 1U << from;
        out->d[k] = in->d[from];
    }
    return HLRP_OK;
}

static hlrp_status transpose_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return dims_transpose(s->n, s->in[0], out, err);
}

static hlrp_status fold_transpose(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_node *n = c->n;
    const hlrp_tensor *x = c->in[0];
    hlrp_status status = HLRP_OK;
    hlrp_dims dims = {0};
    int64_t own[HLRP_MAX_RANK] = {0};

    HLRP_TRY(dims_transpose(n, &x->dims, &dims, err));
    HLRP_TRY(hlrp_fold_new(&dims, x->dtype, c->most, out, err));
    hlrp_strides_of(&x->dims, &x->dims, own);
    hlrp_places from = {.dims = dims};
    for (int k = 0; k < dims.rank; k++)
        from.stride[k] = own[axis_from(n, dims.rank, k)];
    int64_t count = hlrp_tensor_count(x);
    for (int64_t k = 0; k < count; k++, hlrp_next_place(&from))
        hlrp_fold_element(*out, k, x, from.offset);

out:
    return status;
}

/* The channels of pictures must stay where they are. */
static int transpose_source(const hlrp_graph *g, const hlrp_node *n, int64_t *channel) {
    const int rank = g->values[n->in[0]].dims.rank;
    (void)channel;
    return rank > 1 && axis_from(n, rank, 0) == 0 && axis_from(n, rank, 1) == 1 ? 0 : -1;
}

/* Axes of extent other than 1 keep their order. */
static bool transpose_in_order(const hlrp_node *n, const hlrp_dims *in) {
    int64_t last = -1;
    for (int k = 0; k < in->rank; k++) {
        const int64_t from = axis_from(n, in->rank, k);
        if (in->d[from] == 1)
            continue;
        if (from < last)
            return false;
        last = from;
    }
    return true;
}

static bool transpose_boxes(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                            hlrp_strided *box) {
    const hlrp_dims *in = hlrp_plan_dims(plan, n->in[input]),
                    *out = hlrp_plan_dims(plan, n->out[0]);
    int64_t own[HLRP_MAX_RANK] = {0};
    *box = (hlrp_strided){.box = *out};
    hlrp_row_steps(in, own);
    hlrp_row_steps(out, box->to_step);
    for (int a = 0; a < out->rank; a++)
        box->from_step[a] = own[axis_from(n, in->rank, a)];
    return k == 0;
}

const hlrp_operator hlrp_op_transpose = {
    .name = "transpose",
    .least = 1,
    .shape = transpose_shape,
    .fold = fold_transpose,
    .reshapes = transpose_in_order,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = hlrp_move_forward,
    .boxes = transpose_boxes,
    .nonnegative = hlrp_all_inputs,
    .moves = true,
    .source = transpose_source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = hlrp_moved_by_boxes,
    .unfit = HLRP_ONLY_PASS,
};

/* Of what repeats channels, or spreads one over several. */
static int repeated_source(const hlrp_graph *g, const hlrp_node *n, int64_t *channel) {
    const hlrp_dims *in = &g->values[n->in[0]].dims, *out = &g->values[n->out[0]].dims;
    if (in->rank != out->rank || in->rank < 2)
        return -1;
    *channel %= in->d[1];
    return 0;
}

/* ---- expand ---- */

/* The dims asked for are a constant's elements. */
static hlrp_status expanded(const hlrp_node *n, const hlrp_dims *x, const hlrp_tensor *asked,
                            hlrp_dims *out, hlrp_error *err) {
    hlrp_dims to = {0};
    if (asked->dtype != HLRP_I64 || hlrp_tensor_count(asked) > HLRP_MAX_RANK)
        return hlrp_node_fail(n, err, "its shape is no short vector of integers");
    to.rank = (int)hlrp_tensor_count(asked);
    for (int k = 0; k < to.rank; k++)
        to.d[k] = asked->i[k];
    return hlrp_dims_broadcast(x, &to, out) ? HLRP_OK
                                            : hlrp_node_fail(n, err, "its input does not spread");
}

static hlrp_status expand_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    if (!s->known[1])
        return hlrp_node_fail(s->n, err, "its shape is not a constant");
    return expanded(s->n, s->in[0], s->known[1], out, err);
}

/* keepdims: the last two axes stay as they are, for products of stacked matrices. */
static hlrp_status expand_to_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    hlrp_dims like = *s->in[1];
    char a[96], b[96];
    for (int k = 1; s->n->keepdims && k <= 2 && k <= like.rank; k++)
        like.d[like.rank - k] = 1;
    return hlrp_dims_broadcast(s->in[0], &like, out)
               ? HLRP_OK
               : hlrp_node_fail(s->n, err, "its inputs have the shapes %s and %s",
                                hlrp_dims_text(s->in[0], a, sizeof a),
                                hlrp_dims_text(s->in[1], b, sizeof b));
}

static hlrp_status fold_expand(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    hlrp_dims dims = {0};
    hlrp_status status = expanded(c->n, &c->in[0]->dims, c->in[1], &dims, err);
    if (status == HLRP_OK)
        status = hlrp_fold_new(&dims, c->in[0]->dtype, c->most, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_places from = hlrp_places_of(&c->in[0]->dims, &dims);
    const int64_t count = hlrp_tensor_count(*out);
    for (int64_t k = 0; k < count; k++, hlrp_next_place(&from))
        hlrp_fold_element(*out, k, c->in[0], from.offset);
    return HLRP_OK;
}

static bool expand_boxes(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                         hlrp_strided *box) {
    const hlrp_dims *out = hlrp_plan_dims(plan, n->out[0]);
    *box = (hlrp_strided){.box = *out};
    hlrp_strides_of(hlrp_plan_dims(plan, n->in[input]), out, box->from_step);
    hlrp_row_steps(out, box->to_step);
    return k == 0;
}

const hlrp_operator hlrp_op_expand = {
    .name = "expand",
    .least = 2,
    .shape = expand_shape,
    .fold = fold_expand,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = hlrp_move_forward,
    .boxes = expand_boxes,
    .nonnegative = hlrp_first_input,
    .moves = true,
    .source = repeated_source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = hlrp_moved_by_boxes,
    .unfit = HLRP_ONLY_PASS,
};

const hlrp_operator hlrp_op_expand_to = {
    .name = "expand_to",
    .least = 2,
    .shape = expand_to_shape,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = hlrp_move_forward,
    .boxes = expand_boxes,
    .nonnegative = hlrp_first_input,
    .moves = true,
    .source = repeated_source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = hlrp_moved_by_boxes,
    .unfit = HLRP_ONLY_PASS,
};

/* ---- gather: picking along an axis ---- */

static hlrp_status gather_dims(const hlrp_node *n, const hlrp_dims *x, const hlrp_tensor *index,
                               hlrp_dims *out, hlrp_error *err) {
    int axis = 0;
    if (index->dtype != HLRP_I64 || !hlrp_axis_resolve(n->axis, x->rank, &axis) ||
        x->rank + index->dims.rank - 1 > HLRP_MAX_RANK)
        return hlrp_node_fail(n, err, "its axis or indices do not fit its input");
    const int64_t extent = x->d[axis], count = hlrp_tensor_count(index);
    for (int64_t k = 0; k < count; k++)
        if (index->i[k] < -extent || index->i[k] >= extent)
            return hlrp_node_fail(n, err, "index %lld is outside 0…%lld", (long long)index->i[k],
                                  (long long)extent - 1);
    out->rank = 0;
    for (int k = 0; k < x->rank; k++) {
        if (k != axis)
            out->d[out->rank++] = x->d[k];
        for (int j = 0; k == axis && j < index->dims.rank; j++)
            out->d[out->rank++] = index->dims.d[j];
    }
    return HLRP_OK;
}

static hlrp_status gather_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    if (!s->known[1])
        return hlrp_node_fail(s->n, err, "its indices are not constant");
    return gather_dims(s->n, s->in[0], s->known[1], out, err);
}

static hlrp_status fold_gather(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_tensor *x = c->in[0], *index = c->in[1];
    hlrp_dims dims = {0};
    int axis = 0;
    hlrp_status status = gather_dims(c->n, &x->dims, index, &dims, err);
    if (status == HLRP_OK)
        status = hlrp_fold_new(&dims, x->dtype, c->most, out, err);
    if (status != HLRP_OK || !hlrp_axis_resolve(c->n->axis, x->dims.rank, &axis))
        return status;
    const hlrp_split s = hlrp_split_at(&x->dims, axis);
    const int64_t picks = hlrp_tensor_count(index);
    int64_t k = 0;
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t p = 0; p < picks; p++) {
            const int64_t at = index->i[p] < 0 ? index->i[p] + s.extent : index->i[p];
            for (int64_t i = 0; i < s.inner; i++)
                hlrp_fold_element(*out, k++, x, (o * s.extent + at) * s.inner + i);
        }
    return HLRP_OK;
}

static bool gather_boxes(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                         hlrp_strided *box) {
    const hlrp_tensor *index = hlrp_plan_graph(plan)->values[n->in[1]].constant;
    const hlrp_dims *in = hlrp_plan_dims(plan, n->in[input]);
    const int64_t picks = hlrp_tensor_count(index);
    int axis = 0;
    if (k >= picks || !hlrp_axis_resolve(n->axis, in->rank, &axis))
        return false;
    const hlrp_split s = hlrp_split_at(in, axis);
    const int64_t at = index->i[k] < 0 ? index->i[k] + s.extent : index->i[k];
    *box = (hlrp_strided){.box = {.rank = 2, .d = {s.outer, s.inner}},
                          .from = at * s.inner,
                          .to = k * s.inner,
                          .from_step = {s.extent * s.inner, 1},
                          .to_step = {picks * s.inner, 1}};
    return true;
}

static hlrp_status gather_check(const hlrp_graph *g, hlrp_node *n, hlrp_error *err) {
    return g->values[n->in[1]].constant
               ? HLRP_OK
               : hlrp_node_refuse(n, err, "export the network for a fixed input size",
                                  "operator %s at node %s picks by indices that are computed",
                                  n->type, n->name);
}

static int gather_source(const hlrp_graph *g, const hlrp_node *n, int64_t *channel) {
    const hlrp_tensor *index = g->values[n->in[1]].constant;
    const hlrp_dims *in = &g->values[n->in[0]].dims;
    int axis = 0;
    if (!index || index->dims.rank != 1 || !hlrp_axis_resolve(n->axis, in->rank, &axis))
        return -1;
    if (axis == 1)
        *channel = index->i[*channel] < 0 ? index->i[*channel] + in->d[1] : index->i[*channel];
    return 0;
}

const hlrp_operator hlrp_op_gather = {
    .name = "gather",
    .least = 2,
    .shape = gather_shape,
    .fold = fold_gather,
    .check = gather_check,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = hlrp_move_forward,
    .boxes = gather_boxes,
    .nonnegative = hlrp_first_input,
    .moves = true,
    .source = gather_source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = hlrp_moved_by_boxes,
    .unfit = HLRP_ONLY_PASS,
};

/* ---- tile: the whole again and again along axes ---- */

static hlrp_status dims_tiled(const hlrp_node *n, const hlrp_dims *x, const hlrp_tensor *times,
                              hlrp_dims *out, hlrp_error *err) {
    *out = *x;
    if (!times || times->dtype != HLRP_I64 || hlrp_tensor_count(times) != x->rank)
        return hlrp_node_fail(n, err, "its repeats are not one constant integer per axis");
    for (int k = 0; k < x->rank; k++) {
        if (times->i[k] < 0 || times->i[k] > INT64_C(1) << 20)
            return hlrp_node_fail(n, err, "it repeats %lld times", (long long)times->i[k]);
        out->d[k] *= times->i[k];
    }
    return HLRP_OK;
}

static hlrp_status tile_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return dims_tiled(s->n, s->in[0], s->known[1], out, err);
}

/* Like hlrp_next_place, but for every axis again and again. */
static void next_of_tiles(hlrp_places *p, const int64_t *times, int64_t *copy) {
    for (int a = p->dims.rank - 1; a >= 0; a--) {
        p->offset += p->stride[a];
        if (++p->at[a] < p->dims.d[a])
            return;
        p->offset -= p->stride[a] * p->dims.d[a];
        p->at[a] = 0;
        if (++copy[a] < times[a])
            return;
        copy[a] = 0;
    }
}

static hlrp_status fold_tile(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_tensor *x = c->in[0];
    hlrp_dims dims = {0};
    hlrp_status status = dims_tiled(c->n, &x->dims, c->in[1], &dims, err);
    if (status == HLRP_OK)
        status = hlrp_fold_new(&dims, x->dtype, c->most, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_places place = hlrp_places_of(&x->dims, &x->dims);
    int64_t copy[HLRP_MAX_RANK] = {0};
    const int64_t count = hlrp_tensor_count(*out);
    for (int64_t k = 0; k < count; k++) {
        hlrp_fold_element(*out, k, x, place.offset);
        next_of_tiles(&place, c->in[1]->i, copy);
    }
    return HLRP_OK;
}

/* The k-th copy. */
static bool tile_boxes(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                       hlrp_strided *box) {
    const hlrp_dims *in = hlrp_plan_dims(plan, n->in[input]),
                    *out = hlrp_plan_dims(plan, n->out[0]);
    *box = (hlrp_strided){.box = *in};
    hlrp_row_steps(in, box->from_step);
    hlrp_row_steps(out, box->to_step);
    for (int a = in->rank - 1; a >= 0; a--) {
        const int64_t times = out->d[a] / in->d[a];
        box->to += k % times * in->d[a] * box->to_step[a];
        k /= times;
    }
    return k == 0;
}

const hlrp_operator hlrp_op_tile = {
    .name = "tile",
    .least = 2,
    .shape = tile_shape,
    .fold = fold_tile,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = hlrp_move_forward,
    .boxes = tile_boxes,
    .nonnegative = hlrp_first_input,
    .moves = true,
    .source = repeated_source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = hlrp_moved_by_boxes,
    .unfit = HLRP_ONLY_PASS,
};

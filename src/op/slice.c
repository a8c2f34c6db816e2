/* Cutting out a part: Slice, and each output of Split. */
#include <string.h>

#include "engine/kernels.h"
#include "op/move.h"
#include "op/op.h"

/* One axis: start (in place) and count, as ONNX clamps them. */
static int64_t clamp_axis(int64_t *start, int64_t end, int64_t step, int64_t extent) {
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    *start = *start < 0 ? HLRP_MAX(*start + extent, low) : HLRP_MIN(*start, high);
    end = end < 0 ? HLRP_MAX(end + extent, low) : HLRP_MIN(end, extent);
    int64_t length = step > 0 ? end - *start : *start - end;
    int64_t stride = step > 0 ? step : -step;
    return length <= 0 ? 0 : (length - 1) / stride + 1;
}

/* How many axes are cut; the vectors are checked against each other. known: the inputs. */
static hlrp_status count_axes(const hlrp_node *n, const hlrp_tensor *const *known, int64_t *count,
                              hlrp_error *err) {
    if (n->in_count < 3)
        return hlrp_node_fail(n, err, "it has neither starts nor ends");
    *count = known[1] ? hlrp_tensor_count(known[1]) : 0;
    for (int k = 1; k < n->in_count; k++) {
        if (!known[k] && (n->in[k] >= 0 || k < 3))
            return hlrp_node_fail(n, err, "its starts, ends, axes or steps are not constant");
        if (known[k] && (known[k]->dtype != HLRP_I64 || hlrp_tensor_count(known[k]) != *count))
            return hlrp_node_fail(n, err, "starts, ends, axes and steps differ in length or type");
    }
    return HLRP_OK;
}

/* Split: the parts are equal, but for a last one that is smaller where that is allowed. */
static hlrp_status part_of(const hlrp_node *n, hlrp_dims *from, hlrp_dims *out, hlrp_error *err) {
    int axis = 0;
    if (!hlrp_axis_resolve(n->axis, out->rank, &axis) || n->group < 1)
        return hlrp_node_fail(n, err, "axis %d is outside a tensor of rank %d", n->axis, out->rank);
    const int64_t extent = out->d[axis], run = extent / n->group + (extent % n->group != 0);
    if (extent % n->group != 0 && !n->window.ceil)
        return hlrp_node_fail(n, err, "an extent of %lld has no %lld equal parts",
                              (long long)extent, (long long)n->group);
    from->d[axis] = HLRP_MIN(n->part * run, extent);
    out->d[axis] = HLRP_MIN(run, extent - from->d[axis]);
    return HLRP_OK;
}

/* First indices, steps and extents along all axes. */
static hlrp_status cut(const hlrp_node *n, const hlrp_dims *x, const hlrp_tensor *const *known,
                       hlrp_dims *from, hlrp_dims *by, hlrp_dims *out, hlrp_error *err) {
    int64_t count = 0;
    unsigned seen = 0;
    *from = *by = (hlrp_dims){.rank = x->rank};
    for (int k = 0; k < x->rank; k++)
        by->d[k] = 1;
    *out = *x;
    if (n->in_count == 1)
        return part_of(n, from, out, err);
    hlrp_status status = count_axes(n, known, &count, err);
    for (int64_t k = 0; status == HLRP_OK && k < count; k++) {
        const int64_t asked = n->in_count > 3 && known[3] ? known[3]->i[k] : k;
        int axis = 0;
        if (!hlrp_axis_resolve(asked, x->rank, &axis) || (seen >> axis & 1) != 0)
            return hlrp_node_fail(n, err, "axis %lld does not fit its input", (long long)asked);
        seen |= 1U << axis;
        if (n->extent > 0 && x->d[axis] != n->extent)
            return hlrp_node_fail(n, err, "its parts are those of an extent of %lld, not of %lld",
                                  (long long)n->extent, (long long)x->d[axis]);
        by->d[axis] = n->in_count > 4 && known[4] ? known[4]->i[k] : 1;
        if (by->d[axis] == 0 || by->d[axis] == INT64_MIN)
            return hlrp_node_fail(n, err, "its step along axis %d is none", axis);
        from->d[axis] = known[1]->i[k];
        out->d[axis] = clamp_axis(&from->d[axis], known[2]->i[k], by->d[axis], x->d[axis]);
        if (out->d[axis] <= 1) /* there is no next one, however far it would be */
            by->d[axis] = 1;
    }
    return status;
}

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return cut(s->n, s->in[0], s->known, &s->n->ints, &s->n->more, out, err);
}

/* ---- of constants ---- */

/* Cuts x along one axis. */
static hlrp_status slice_axis(const hlrp_tensor *x, int axis, int64_t start, int64_t end,
                              int64_t step, int64_t most, hlrp_tensor **out, hlrp_error *err) {
    hlrp_split s = hlrp_split_at(&x->dims, axis);
    hlrp_dims dims = x->dims;
    dims.d[axis] = clamp_axis(&start, end, step, s.extent);
    hlrp_status status = hlrp_fold_new(&dims, x->dtype, most, out, err);
    if (status != HLRP_OK)
        return status;
    int64_t k = 0;
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t p = 0; p < dims.d[axis]; p++)
            for (int64_t i = 0; i < s.inner; i++)
                hlrp_fold_element(*out, k++, x, (o * s.extent + start + p * step) * s.inner + i);
    return HLRP_OK;
}

/* One of several equal parts. */
static hlrp_status fold_part(const hlrp_node *n, const hlrp_tensor *x, int64_t most,
                             hlrp_tensor **out, hlrp_error *err) {
    hlrp_dims from = {0}, by = {0}, dims = {0};
    int axis = 0;
    hlrp_status status = cut(n, &x->dims, &x, &from, &by, &dims, err);
    if (status != HLRP_OK || !hlrp_axis_resolve(n->axis, x->dims.rank, &axis))
        return status;
    return slice_axis(x, axis, from.d[axis], from.d[axis] + dims.d[axis], 1, most, out, err);
}

/* in: x, starts, ends, axes (or NULL), steps (or NULL). */
static hlrp_status fold_axes(const hlrp_node *n, const hlrp_tensor *const *in, int64_t most,
                             hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *now = NULL, *next = NULL;
    int64_t count = 0;

    HLRP_TRY(count_axes(n, in, &count, err));
    if (count == 0)
        HLRP_TRY(hlrp_tensor_copy(in[0], &now, err));
    for (int64_t k = 0; k < count; k++) {
        int64_t step = n->in_count > 4 && in[4] ? in[4]->i[k] : 1;
        int64_t asked = n->in_count > 3 && in[3] ? in[3]->i[k] : k;
        int axis = 0;
        if (!hlrp_axis_resolve(asked, in[0]->dims.rank, &axis) || step == 0 || step == INT64_MIN) {
            status = hlrp_node_fail(n, err, "axis %lld or step %lld does not fit its input",
                                    (long long)asked, (long long)step);
            goto out;
        }
        HLRP_TRY(
            slice_axis(now ? now : in[0], axis, in[1]->i[k], in[2]->i[k], step, most, &next, err));
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

static hlrp_status fold(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return c->n->in_count > 1 ? fold_axes(c->n, c->in, c->most, out, err)
                              : fold_part(c->n, c->in[0], c->most, out, err);
}

/* ---- of data: channels, rows and columns of pictures, or along any axis of rows ---- */

static bool as_rows(const hlrp_graph *g, const hlrp_node *n) {
    bool ones = true;
    for (int k = 0; k < n->more.rank; k++)
        ones = ones && n->more.d[k] == 1;
    const hlrp_dims *in = &g->values[n->in[0]].dims, *out = &g->values[n->out[0]].dims;
    return !ones || in->d[0] != out->d[0] || (in->rank != 2 && in->rank != 4);
}

static bool boxes(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                  hlrp_strided *box) {
    const hlrp_dims *out = hlrp_plan_dims(plan, n->out[0]);
    *box = (hlrp_strided){.box = *out};
    hlrp_row_steps(hlrp_plan_dims(plan, n->in[input]), box->from_step);
    hlrp_row_steps(out, box->to_step);
    for (int a = 0; a < out->rank; a++) {
        box->from += n->ints.d[a] * box->from_step[a];
        box->from_step[a] *= n->more.d[a];
    }
    return k == 0;
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    if (as_rows(hlrp_plan_graph(c->plan), c->node))
        return hlrp_move_forward(c, err);
    hlrp_slice(c->in, c->out, &c->node->ints.d[1], c->x, c->y);
    return HLRP_OK;
}

static int source(const hlrp_graph *g, const hlrp_node *n, int64_t *channel) {
    (void)g;
    *channel = n->ints.d[1] + *channel * (n->more.rank > 1 ? n->more.d[1] : 1);
    return 0;
}

static hlrp_status back(hlrp_turn *t, hlrp_error *err) {
    if (as_rows(t->w->lrp->graph, t->node))
        return hlrp_move_back(t, err);
    float *out = hlrp_begin(t, 0);
    hlrp_slice_adjoint(t->in, t->out, &t->node->ints.d[1], t->r, out);
    hlrp_end(t, 0, out);
    return HLRP_OK;
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = HLRP_MOVED_BY(back);

const hlrp_operator hlrp_op_slice = {
    .name = "slice",
    .least = 1,
    .shape = shape,
    .fold = fold,
    .lays_out = HLRP_LAYS_PICTURES,
    .as_rows = as_rows,
    .forward = forward,
    .boxes = boxes,
    .nonnegative = hlrp_first_input,
    .moves = true,
    .source = source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = relevance,
    .unfit = HLRP_ONLY_PASS,
};

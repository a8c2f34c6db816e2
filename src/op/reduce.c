/* Sums, means, maxima and norms over axes. Means and sums share by contribution (norm), a maximum hands
 * all to the number that it is, and a norm shares by squares. */
#include <math.h>
#include <string.h>

#include "engine/kernels.h"
#include "engine/strided.h"
#include "lrp/turn.h"
#include "op/op.h"

/* ints: the axes; none: all of them. */
static bool is_reduced(const hlrp_node *n, int rank, int axis) {
    int resolved = 0;
    for (int k = 0; k < n->ints.rank; k++)
        if (hlrp_axis_resolve(n->ints.d[k], rank, &resolved) && resolved == axis)
            return true;
    return n->ints.rank == 0;
}

static hlrp_status dims_reduced(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                                hlrp_error *err) {
    int axis = 0;
    for (int k = 0; k < n->ints.rank; k++)
        if (!hlrp_axis_resolve(n->ints.d[k], in->rank, &axis))
            return hlrp_node_fail(n, err, "axis %lld is outside its input",
                                  (long long)n->ints.d[k]);
    out->rank = 0;
    for (int k = 0; k < in->rank; k++)
        if (n->keepdims || !is_reduced(n, in->rank, k))
            out->d[out->rank++] = is_reduced(n, in->rank, k) ? 1 : in->d[k];
    return HLRP_OK;
}

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return dims_reduced(s->n, s->in[0], out, err);
}

/* Every element of the input, and the element of the output that it goes into. */
static hlrp_strided box_of(const hlrp_node *n, const hlrp_dims *in) {
    hlrp_strided s = {.box = *in};
    int64_t step = 1;
    hlrp_row_steps(in, s.from_step);
    for (int k = in->rank - 1; k >= 0; k--) {
        if (is_reduced(n, in->rank, k))
            continue;
        s.to_step[k] = step;
        step *= in->d[k];
    }
    return s;
}

static int64_t numbers_in_one(const hlrp_node *n, const hlrp_dims *in) {
    int64_t count = 1;
    for (int k = 0; k < in->rank; k++)
        count *= is_reduced(n, in->rank, k) ? in->d[k] : 1;
    return count;
}

static void scale(int64_t count, float by, float *y) {
    for (int64_t i = 0; i < count; i++)
        y[i] *= by;
}

/* ---- of constants ---- */

static hlrp_status fold_of(const hlrp_constants *c, bool mean, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_tensor *x = c->in[0];
    hlrp_dims dims = {0};
    hlrp_status status = dims_reduced(c->n, &x->dims, &dims, err);
    if (status == HLRP_OK && x->dtype != HLRP_F32)
        return hlrp_node_fail(c->n, err, "its input holds integers");
    if (status == HLRP_OK)
        status = hlrp_fold_new(&dims, HLRP_F32, c->most, out, err);
    if (status != HLRP_OK || hlrp_tensor_count(x) == 0)
        return status;
    const hlrp_strided box = box_of(c->n, &x->dims);
    hlrp_strided_add(&box, x->f, (*out)->f);
    if (mean)
        scale(hlrp_tensor_count(*out), 1 / (float)numbers_in_one(c->n, &x->dims), (*out)->f);
    return HLRP_OK;
}

static hlrp_status fold_mean(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold_of(c, true, out, err);
}

static hlrp_status fold_sum(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return fold_of(c, false, out, err);
}

/* ---- forward ---- */

static void sum_of(const hlrp_node *n, const hlrp_dims *in, const float *x, int64_t outputs,
                   float *y) {
    const hlrp_strided box = box_of(n, in);
    memset(y, 0, (size_t)outputs * sizeof *y);
    hlrp_strided_add(&box, x, y);
}

static hlrp_status sum_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    sum_of(c->node, hlrp_computation_dims(c, 0), c->x, hlrp_layout_count(c->out), c->y);
    return HLRP_OK;
}

static hlrp_status mean_forward(const hlrp_computation *c, hlrp_error *err) {
    const hlrp_status status = sum_forward(c, err);
    scale(hlrp_layout_count(c->out),
          1 / (float)numbers_in_one(c->node, hlrp_computation_dims(c, 0)), c->y);
    return status;
}

/* The element of the output that each of the input goes into, one after the other. */
typedef struct walk {
    hlrp_dims dims;
    int64_t step[HLRP_MAX_RANK];
} walk;

static walk walk_of(const hlrp_node *n, const hlrp_dims *in) {
    const hlrp_strided box = box_of(n, in);
    walk w = {.dims = *in};
    memcpy(w.step, box.to_step, sizeof w.step);
    return w;
}

static int64_t goes_to(const walk *w, int64_t i) {
    return hlrp_offset_of(i, &w->dims, w->step);
}

static hlrp_status max_prepare(struct hlrp_plan *plan, int id, hlrp_error *err) {
    const hlrp_node *n = &hlrp_plan_graph(plan)->nodes[id];
    if (hlrp_layout_count(hlrp_plan_layout(plan, n->in[0])) > INT32_MAX) /* what an index can say */
        return hlrp_node_fail(n, err, "its input is too large");
    hlrp_plan_notes_indices(plan, id);
    return HLRP_OK;
}

static hlrp_status max_forward(const hlrp_computation *c, hlrp_error *err) {
    const walk w = walk_of(c->node, hlrp_computation_dims(c, 0));
    int32_t *from = hlrp_computation_indices(c);
    (void)err;
    for (int64_t i = 0; i < hlrp_layout_count(c->out); i++)
        from[i] = -1;
    for (int64_t i = 0; i < hlrp_layout_count(c->in); i++) {
        const int64_t to = goes_to(&w, i);
        if (from[to] >= 0 && !(c->x[i] > c->y[to]))
            continue;
        c->y[to] = c->x[i];
        from[to] = (int32_t)i;
    }
    return HLRP_OK;
}

static hlrp_status length_forward(const hlrp_computation *c, hlrp_error *err) {
    const walk w = walk_of(c->node, hlrp_computation_dims(c, 0));
    (void)err;
    memset(c->y, 0, (size_t)hlrp_layout_count(c->out) * sizeof *c->y);
    for (int64_t i = 0; i < hlrp_layout_count(c->in); i++)
        c->y[goes_to(&w, i)] += c->x[i] * c->x[i];
    for (int64_t i = 0; i < hlrp_layout_count(c->out); i++)
        c->y[i] = sqrtf(c->y[i]);
    return HLRP_OK;
}

/* ---- relevance ---- */

static void sum_up(const hlrp_turn *t, const float *x, float *y) {
    if (!hlrp_turn_is_dry(t))
        sum_of(t->node, hlrp_turn_dims(t, 0), x, hlrp_layout_count(t->out), y);
}

static void sum_adjoint(const hlrp_turn *t, const float *s, float *c) {
    if (hlrp_turn_is_dry(t))
        return;
    const hlrp_strided box = box_of(t->node, hlrp_turn_dims(t, 0));
    const hlrp_strided back = hlrp_strided_turned(&box);
    hlrp_strided_copy(&back, s, c);
}

static float one_of_all(const hlrp_turn *t) {
    return 1 / (float)numbers_in_one(t->node, hlrp_turn_dims(t, 0));
}

static void mean_up(const hlrp_turn *t, const float *x, float *y) {
    sum_up(t, x, y);
    scale(hlrp_layout_count(t->out), one_of_all(t), y);
}

static void mean_adjoint(const hlrp_turn *t, const float *s, float *c) {
    sum_adjoint(t, s, c);
    scale(hlrp_layout_count(t->in), one_of_all(t), c);
}

static const hlrp_mean as_sum = {sum_up, sum_adjoint, NULL, mean_adjoint};
static const hlrp_mean as_mean = {mean_up, mean_adjoint, NULL, mean_adjoint};

static hlrp_status sum_norm(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    return hlrp_back_mean(t, &as_sum);
}

static hlrp_status mean_norm(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    return hlrp_back_mean(t, &as_mean);
}

static void sum_gradient(const hlrp_turn *t, float *out) {
    sum_adjoint(t, t->r, out);
}

static void mean_gradient(const hlrp_turn *t, float *out) {
    mean_adjoint(t, t->r, out);
}

/* To the one that forward noted, the first of several. */
static void max_pass(const hlrp_turn *t, float *out) {
    const int32_t *from = hlrp_activations_indices(t->w->acts, t->id);
    memset(out, 0, (size_t)hlrp_layout_count(t->in) * sizeof *out);
    for (int64_t i = 0; i < hlrp_layout_count(t->out); i++)
        out[from[i]] = t->r[i];
}

static void length_pass(const hlrp_turn *t, float *out) {
    const walk w = walk_of(t->node, hlrp_turn_dims(t, 0));
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++) {
        const int64_t to = goes_to(&w, i);
        const float square = t->y[to] * t->y[to];
        out[i] = square > 0 ? t->r[to] * t->x[i] * t->x[i] / square : 0;
    }
}

static void length_gradient(const hlrp_turn *t, float *out) {
    const walk w = walk_of(t->node, hlrp_turn_dims(t, 0));
    for (int64_t i = 0; i < hlrp_layout_count(t->in); i++) {
        const int64_t to = goes_to(&w, i);
        out[i] = t->y[to] > 0 ? t->r[to] * t->x[i] / t->y[to] : 0;
    }
}

static bool never_negative(const hlrp_node *n, const bool *is) {
    (void)n;
    (void)is;
    return true;
}

static const hlrp_rule_cell sum_relevance[HLRP_RULE_COUNT] = {
    HLRP_NORM_CELLS(sum_norm), [HLRP_RULE_GRADIENT] = {HLRP_PART(sum_gradient)}};
static const hlrp_rule_cell mean_relevance[HLRP_RULE_COUNT] = {
    HLRP_NORM_CELLS(mean_norm), [HLRP_RULE_GRADIENT] = {HLRP_PART(mean_gradient)}};
static const hlrp_rule_cell max_relevance[HLRP_RULE_COUNT] = HLRP_MOVED(max_pass, max_pass);
static const hlrp_rule_cell length_relevance[HLRP_RULE_COUNT] =
    HLRP_MOVED(length_pass, length_gradient);

#define OF_AXES .least = 1, .shape = shape, .lays_out = HLRP_LAYS_ROWS, .of_weights = true

const hlrp_operator hlrp_op_reduce_sum = {.name = "reduce_sum",
                                          .kind = HLRP_KIND_SUM,
                                          .fold = fold_sum,
                                          .forward = sum_forward,
                                          .nonnegative = hlrp_all_inputs,
                                          .otherwise = HLRP_RULE_NORM,
                                          .relevance = sum_relevance,
                                          .unfit = HLRP_ONLY_LAYERS,
                                          OF_AXES};

const hlrp_operator hlrp_op_reduce_mean = {.name = "reduce_mean",
                                           .kind = HLRP_KIND_AVGPOOL,
                                           .fold = fold_mean,
                                           .forward = mean_forward,
                                           .nonnegative = hlrp_all_inputs,
                                           .otherwise = HLRP_RULE_NORM,
                                           .relevance = mean_relevance,
                                           .unfit = HLRP_ONLY_LAYERS,
                                           OF_AXES};

const hlrp_operator hlrp_op_reduce_max = {.name = "reduce_max",
                                          .prepare = max_prepare,
                                          .forward = max_forward,
                                          .nonnegative = hlrp_all_inputs,
                                          .otherwise = HLRP_RULE_PASS,
                                          .relevance = max_relevance,
                                          .unfit = HLRP_ONLY_PASS,
                                          OF_AXES};

const hlrp_operator hlrp_op_reduce_l2 = {.name = "reduce_l2",
                                         .forward = length_forward,
                                         .nonnegative = never_negative,
                                         .otherwise = HLRP_RULE_PASS,
                                         .relevance = length_relevance,
                                         .unfit = HLRP_ONLY_PASS,
                                         OF_AXES};

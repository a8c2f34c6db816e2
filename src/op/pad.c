/* Zero padding of height and width. What relevance falls on it is lost with it, or goes to the nearest
 * pixel where nothing may be kept. */
#include "engine/kernels.h"
#include "op/move.h"
#include "op/op.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    const hlrp_window *w = &s->n->window;
    hlrp_status status = hlrp_shape_rank(s, 4, err);
    *out = *s->in[0];
    for (int a = 0; status == HLRP_OK && a < 2; a++) {
        out->d[2 + a] += w->pad_lo[a] + w->pad_hi[a];
        if (out->d[2 + a] < 1 || s->in[0]->d[2 + a] + HLRP_MIN(w->pad_lo[a], 0) < 1 ||
            s->in[0]->d[2 + a] + HLRP_MIN(w->pad_hi[a], 0) < 1)
            return hlrp_node_fail(s->n, err, "it crops the whole of an extent of %lld",
                                  (long long)s->in[0]->d[2 + a]);
    }
    return status;
}

static bool is_identity(const hlrp_node *n) {
    const hlrp_window *w = &n->window;
    return w->pad_lo[0] == 0 && w->pad_lo[1] == 0 && w->pad_hi[0] == 0 && w->pad_hi[1] == 0;
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_pad(c->in, c->out, c->node->window.pad_lo, c->x, c->y);
    return HLRP_OK;
}

static void gradient(const hlrp_turn *t, float *out) {
    hlrp_pad_adjoint(t->in, t->out, t->node->window.pad_lo, t->r, out);
}

static void pass(const hlrp_turn *t, float *out) {
    if (hlrp_bias_conserves(t->bias)) { /* all of it arrives: the sums differ by rounding alone */
        hlrp_pad_fold(t->in, t->out, t->node->window.pad_lo, t->r, out);
        return;
    }
    gradient(t, out);
    hlrp_turn_account_rest(t, out);
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = HLRP_MOVED(pass, gradient);

const hlrp_operator hlrp_op_pad = {
    .name = "pad",
    .least = 1,
    .shape = shape,
    .is_identity = is_identity,
    .lays_out = HLRP_LAYS_PICTURES,
    .forward = forward,
    .nonnegative = hlrp_all_inputs,
    .moves = true,
    .otherwise = HLRP_RULE_PASS,
    .relevance = relevance,
    .unfit = HLRP_ONLY_PASS,
};

/* ---- the same of rows, along any axis: what relevance falls on the zeros always stays there ---- */

/* Pads that are computed from the input's shape come as a second input: before, then behind. */
static hlrp_status take_pads(const hlrp_shapes *s, hlrp_error *err) {
    const int rank = s->in[0]->rank;
    const hlrp_tensor *pads = s->known[1];
    if (!pads || pads->dtype != HLRP_I64 || hlrp_tensor_count(pads) != 2 * (int64_t)rank)
        return hlrp_node_fail(s->n, err, "its pads are not constant");
    s->n->ints.rank = s->n->more.rank = rank;
    for (int k = 0; k < rank; k++) {
        s->n->ints.d[k] = pads->i[k];
        s->n->more.d[k] = pads->i[rank + k];
    }
    return HLRP_OK;
}

static hlrp_status border_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    *out = *s->in[0];
    if (s->n->in_count > 1 && take_pads(s, err) != HLRP_OK)
        return err->status;
    if (s->n->ints.rank != out->rank || s->n->more.rank != out->rank)
        return hlrp_node_fail(s->n, err, "its pads are not those of a tensor of rank %d",
                              out->rank);
    for (int k = 0; k < out->rank; k++) {
        const int64_t before = s->n->ints.d[k], behind = s->n->more.d[k], most = INT64_C(1) << 20;
        if (before < 0 || behind < 0 || before > most || behind > most)
            return hlrp_node_fail(s->n, err, "it crops its input");
        out->d[k] += before + behind;
    }
    return HLRP_OK;
}

static bool border_is_identity(const hlrp_node *n) {
    for (int k = 0; k < n->ints.rank; k++)
        if (n->ints.d[k] != 0 || n->more.d[k] != 0)
            return false;
    return n->ints.rank > 0;
}

static bool border_boxes(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                         hlrp_strided *box) {
    const hlrp_dims *in = hlrp_plan_dims(plan, n->in[input]);
    *box = (hlrp_strided){.box = *in};
    hlrp_row_steps(in, box->from_step);
    hlrp_row_steps(hlrp_plan_dims(plan, n->out[0]), box->to_step);
    for (int a = 0; a < in->rank; a++)
        box->to += n->ints.d[a] * box->to_step[a];
    return k == 0;
}

/* What falls on the zeros: all that arrives, less what went to the input. */
static hlrp_status border_pass(hlrp_turn *t, hlrp_error *err) {
    hlrp_account *rows = t->step.account;
    const double before = rows ? rows[0].in : 0;
    const hlrp_status status = hlrp_move_back(t, err);
    if (rows && !hlrp_turn_is_dry(t))
        rows[0].constant +=
            hlrp_sums_of(hlrp_layout_count(t->out), t->r).all - (rows[0].in - before);
    return status;
}

static const hlrp_rule_cell border_relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_PASS] = {.back = border_pass, .zero = HLRP_ZERO_WITH_OUTPUT},
    [HLRP_RULE_NORM] = {.unfit = HLRP_ONLY_NORM},
    [HLRP_RULE_GRADIENT] = {.back = hlrp_move_back}};

const hlrp_operator hlrp_op_border = {
    .name = "border",
    .least = 1,
    .shape = border_shape,
    .is_identity = border_is_identity,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = hlrp_move_forward,
    .boxes = border_boxes,
    .nonnegative = hlrp_first_input,
    .moves = true,
    .keeps = true,
    .otherwise = HLRP_RULE_PASS,
    .relevance = border_relevance,
    .unfit = HLRP_ONLY_PASS,
};

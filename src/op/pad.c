/* Zero padding of height and width. What relevance falls on it is lost with it, or goes to the nearest
 * pixel where nothing may be kept. */
#include "engine/kernels.h"
#include "lrp/turn.h"
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
    if (hlrp_bias_conserves(t->bias))
        hlrp_pad_fold(t->in, t->out, t->node->window.pad_lo, t->r, out);
    else
        gradient(t, out);
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

/* Channel shuffle, as canonize finds it: a reshape, a transpose and a reshape. */
#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    hlrp_status status = hlrp_shape_rank(s, 4, err);
    *out = *s->in[0];
    if (status == HLRP_OK && (s->n->group < 1 || out->d[1] % s->n->group != 0))
        return hlrp_node_fail(s->n, err, "%lld channels do not make %lld groups",
                              (long long)out->d[1], (long long)s->n->group);
    return status;
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_shuffle(c->in, c->node->group, c->x, c->y);
    return HLRP_OK;
}

static int source(const hlrp_graph *g, const hlrp_node *n, int64_t *channel) {
    const int64_t per_group = g->values[n->out[0]].dims.d[1] / n->group;
    *channel = *channel % n->group * per_group + *channel / n->group;
    return 0;
}

static void back(const hlrp_turn *t, float *out) {
    hlrp_shuffle(t->in, t->in->c / t->node->group, t->r, out);
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = HLRP_MOVED(back, back);

const hlrp_operator hlrp_op_shuffle = {
    .name = "shuffle",
    .least = 1,
    .shape = shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .forward = forward,
    .nonnegative = hlrp_all_inputs,
    .moves = true,
    .source = source,
    .otherwise = HLRP_RULE_PASS,
    .relevance = relevance,
    .unfit = HLRP_ONLY_PASS,
};

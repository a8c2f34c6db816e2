/* Convolutions and fully connected layers: y = Wx + b. Their relevance is that of the rules' files in
 * src/lrp, one each. */
#include "lrp/analysis.h"
#include "lrp/turn.h"
#include "op/op.h"

static hlrp_status conv_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_dims *x = s->in[0], *w = s->in[1];
    const int64_t group = s->n->group;

    HLRP_TRY(hlrp_shape_rank(s, 4, err));
    if (w->rank != 4 || group < 1 || w->d[0] % group != 0 || x->d[1] % group != 0 ||
        w->d[1] != x->d[1] / group) {
        char a[96], b[96];
        return hlrp_node_fail(
            s->n, err, "weights of shape %s in %lld groups do not fit an input of shape %s",
            hlrp_dims_text(w, a, sizeof a), (long long)group, hlrp_dims_text(x, b, sizeof b));
    }
    HLRP_TRY(hlrp_shape_vector(s, 2, w->d[0], "bias", err));
    if (w->d[2] != s->n->window.kernel[0] || w->d[3] != s->n->window.kernel[1])
        return hlrp_node_fail(s->n, err, "kernel_shape is not that of the weights");
    *out = *x;
    out->d[1] = w->d[0];
    HLRP_TRY(hlrp_shape_window(s, out, err));

out:
    return status;
}

/* Along the last axis, whatever stands before it. */
static hlrp_status gemm_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    char a[96], b[96];
    const hlrp_dims *x = s->in[0], *w = s->in[1];
    const int last = x->rank - 1;
    if (last < 0)
        return hlrp_shape_rank(s, 2, err);
    if (w->rank != 2 || w->d[1] != x->d[last])
        return hlrp_node_fail(s->n, err,
                              "weights of shape %s do not fit an input of shape %s "
                              "(was the network exported for another input size?)",
                              hlrp_dims_text(w, a, sizeof a), hlrp_dims_text(x, b, sizeof b));
    *out = *x;
    out->d[last] = w->d[0];
    return s->n->in_count > 2 ? hlrp_shape_vector(s, 2, w->d[0], "bias", err) : HLRP_OK;
}

/* ---- which rules fit ---- */

static bool sees_pixels(const hlrp_graph *g, int node, const hlrp_rule *rule) {
    const int value = g->nodes[node].in[0];
    (void)rule;
    if (!hlrp_node_is_first(g, node))
        return false;
    for (int64_t c = 0; c < g->values[value].dims.d[1]; c++)
        if (hlrp_pixel_channel(g, value, c) < 0)
            return false;
    return true;
}

static bool same_shape(const hlrp_graph *g, int node, const hlrp_rule *rule) {
    const hlrp_node *n = &g->nodes[node];
    (void)rule;
    return hlrp_dims_equal(&g->values[n->in[0]].dims, &g->values[n->out[0]].dims);
}

#define ONLY_LAYER_RULES "it is for products, layer normalization or softmax"
#define BOX "zbox is for convolutions that see the input's pixels, each channel apart"
#define SHAPES "pass is for nodes whose input and output have one shape"

/* Rules of the form x·(…) hand nothing to an input that is 0. */
#define LAYER(rule)                                                                                \
    { .back = hlrp_back_layer, .layer = &hlrp_rule_##rule }
#define TIMES_X(rule)                                                                              \
    { .back = hlrp_back_layer, .layer = &hlrp_rule_##rule, .zero = HLRP_ZERO_ALWAYS }
#define LAYERS                                                                                     \
    [HLRP_RULE_LRP0] = TIMES_X(epsilon), [HLRP_RULE_EPSILON] = TIMES_X(epsilon),                   \
    [HLRP_RULE_GAMMA] = TIMES_X(gamma), [HLRP_RULE_ZPLUS] = TIMES_X(zplus),                        \
    [HLRP_RULE_ALPHABETA] = TIMES_X(alphabeta), [HLRP_RULE_WSQUARE] = LAYER(wsquare),              \
    [HLRP_RULE_FLAT] = LAYER(flat), [HLRP_RULE_NORM] = {.unfit = HLRP_ONLY_NORM},                  \
    [HLRP_RULE_GRADIENT] = LAYER(gradient),                                                        \
    [HLRP_RULE_PASS] = {                                                                           \
        .back = hlrp_back_layer, .layer = &hlrp_rule_pass, .fits = same_shape, .unfit = SHAPES}

static const hlrp_rule_cell conv_relevance[HLRP_RULE_COUNT] = {
    LAYERS,
    [HLRP_RULE_ZBOX] = {.back = hlrp_back_layer,
                        .layer = &hlrp_rule_zbox,
                        .fits = sees_pixels,
                        .unfit = BOX},
};

static const hlrp_rule_cell gemm_relevance[HLRP_RULE_COUNT] = {
    LAYERS,
    [HLRP_RULE_ZBOX] = {.unfit = BOX},
};

const hlrp_operator hlrp_op_conv = {
    .name = "conv",
    .kind = HLRP_KIND_CONV,
    .least = 3,
    .shape = conv_shape,
    .lays_out = HLRP_LAYS_BLOCKED,
    .prepare = hlrp_plan_add_linear,
    .forward = hlrp_computation_linear,
    .layer = HLRP_CONVOLUTION,
    .otherwise = HLRP_RULE_EPSILON,
    .relevance = conv_relevance,
    .unfit = ONLY_LAYER_RULES,
};

const hlrp_operator hlrp_op_gemm = {
    .name = "gemm",
    .kind = HLRP_KIND_LINEAR,
    .least = 3,
    .shape = gemm_shape,
    .lays_out = HLRP_LAYS_ROWS,
    .prepare = hlrp_plan_add_linear,
    .forward = hlrp_computation_linear,
    .layer = HLRP_FULLY_CONNECTED,
    .otherwise = HLRP_RULE_EPSILON,
    .relevance = gemm_relevance,
    .unfit = ONLY_LAYER_RULES,
};

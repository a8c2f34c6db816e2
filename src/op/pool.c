/* Pools over windows and over whole pictures. A maximum hands all to the pixel that it is; means share
 * by contribution (norm, src/lrp/rule_norm.c). */
#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"

/* ---- shapes ---- */

static hlrp_status window_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    const hlrp_window *w = &s->n->window;
    hlrp_status status = hlrp_shape_rank(s, 4, err);
    if (status != HLRP_OK)
        return status;
    *out = *s->in[0];
    status = hlrp_shape_window(s, out, err);
    for (int a = 0; status == HLRP_OK && a < 2; a++) /* else some window would be padding only */
        if (HLRP_MAX(w->pad_lo[a], w->pad_hi[a]) > w->dilation[a] * (w->kernel[a] - 1))
            status = hlrp_node_fail(s->n, err, "its padding is as wide as its window");
    return status;
}

static hlrp_status global_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    hlrp_status status = hlrp_shape_rank(s, 4, err);
    *out = *s->in[0];
    if (s->n->keepdims)
        out->d[2] = out->d[3] = 1;
    else
        out->rank = 2;
    return status;
}

/* ---- forward ---- */

static hlrp_status check_window(const struct hlrp_plan *plan, int id, hlrp_error *err) {
    const hlrp_node *n = &hlrp_plan_graph(plan)->nodes[id];
    if (hlrp_windows_see(&n->window, hlrp_plan_layout(plan, n->in[0]),
                         hlrp_plan_layout(plan, n->out[0])))
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_MODEL, n->name, "use larger tiles",
                     "a window of the pool sees padding only");
}

static hlrp_status avgpool_prepare(struct hlrp_plan *plan, int id, hlrp_error *err) {
    return check_window(plan, id, err);
}

static hlrp_status maxpool_prepare(struct hlrp_plan *plan, int id, hlrp_error *err) {
    hlrp_plan_notes_indices(plan, id);
    return check_window(plan, id, err);
}

static hlrp_status maxpool_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_maxpool(c->in, c->out, &c->node->window, c->x, c->y, hlrp_computation_indices(c));
    return HLRP_OK;
}

static hlrp_status avgpool_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_avgpool(c->in, c->out, &c->node->window, c->x, c->y);
    return HLRP_OK;
}

static hlrp_status global_forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_global_avgpool(c->in, c->out, c->x, c->y);
    return HLRP_OK;
}

/* ---- relevance of maxima ---- */

static void maxpool_back(const hlrp_turn *t, float *out) {
    hlrp_maxpool_adjoint(t->in, t->out, hlrp_activations_indices(t->w->acts, t->id), t->r, out);
}

/* ---- relevance of means ---- */

static void window_mean(const hlrp_turn *t, const float *x, float *y) {
    hlrp_avgpool(t->in, t->out, &t->node->window, x, y);
}

static void window_adjoint(const hlrp_turn *t, const float *s, float *c) {
    hlrp_avgpool_adjoint(t->in, t->out, &t->node->window, s, c);
}

static hlrp_window own_window(const hlrp_turn *t) {
    return t->node->window;
}

static void global_mean(const hlrp_turn *t, const float *x, float *y) {
    hlrp_global_avgpool(t->in, t->out, x, y);
}

static void global_adjoint(const hlrp_turn *t, const float *s, float *c) {
    hlrp_global_avgpool_adjoint(t->in, t->out, s, c);
}

static hlrp_window whole_picture(const hlrp_turn *t) {
    return (hlrp_window){.kernel = {t->in->h, t->in->w}, .stride = {1, 1}, .dilation = {1, 1}};
}

static const hlrp_mean over_window = {window_mean, window_adjoint, own_window, NULL};
static const hlrp_mean over_picture = {global_mean, global_adjoint, whole_picture, NULL};

static hlrp_status avgpool_norm(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    return hlrp_back_mean(t, &over_window);
}

static void avgpool_gradient(const hlrp_turn *t, float *out) {
    window_adjoint(t, t->r, out);
}

static hlrp_status global_norm(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    return hlrp_back_mean(t, &over_picture);
}

static void global_gradient(const hlrp_turn *t, float *out) {
    global_adjoint(t, t->r, out);
}

/* An input of 0 that is handed something is the maximum itself. */
static const hlrp_rule_cell maxpool_relevance[HLRP_RULE_COUNT] =
    HLRP_MOVED(maxpool_back, maxpool_back);
static const hlrp_rule_cell avgpool_relevance[HLRP_RULE_COUNT] = {
    HLRP_NORM_CELLS(avgpool_norm), [HLRP_RULE_GRADIENT] = {HLRP_PART(avgpool_gradient)}};
static const hlrp_rule_cell global_relevance[HLRP_RULE_COUNT] = {
    HLRP_NORM_CELLS(global_norm), [HLRP_RULE_GRADIENT] = {HLRP_PART(global_gradient)}};

const hlrp_operator hlrp_op_maxpool = {
    .name = "maxpool",
    .least = 1,
    .shape = window_shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .prepare = maxpool_prepare,
    .forward = maxpool_forward,
    .nonnegative = hlrp_all_inputs,
    .otherwise = HLRP_RULE_PASS,
    .relevance = maxpool_relevance,
    .unfit = HLRP_ONLY_PASS,
};

const hlrp_operator hlrp_op_avgpool = {
    .name = "avgpool",
    .kind = HLRP_KIND_AVGPOOL,
    .least = 1,
    .shape = window_shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .prepare = avgpool_prepare,
    .forward = avgpool_forward,
    .nonnegative = hlrp_all_inputs,
    .otherwise = HLRP_RULE_NORM,
    .relevance = avgpool_relevance,
    .unfit = HLRP_ONLY_LAYERS,
    .of_weights = true,
};

const hlrp_operator hlrp_op_global_avgpool = {
    .name = "global_avgpool",
    .kind = HLRP_KIND_AVGPOOL,
    .least = 1,
    .shape = global_shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .forward = global_forward,
    .nonnegative = hlrp_all_inputs,
    .otherwise = HLRP_RULE_NORM,
    .relevance = global_relevance,
    .unfit = HLRP_ONLY_LAYERS,
    .of_weights = true,
};

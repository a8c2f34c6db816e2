#include "reference/lrp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference/rules.h"
#include "reference/turn.h"

const double *hlrp_ref_turn_input(const hlrp_ref_turn *t, int k) {
    return k < t->node->in_count ? hlrp_ref_value(t->values, t->node->in[k]) : NULL;
}

const hlrp_dims *hlrp_ref_turn_dims(const hlrp_ref_turn *t, int k) {
    return &t->g->values[t->node->in[k]].dims;
}

bool hlrp_ref_turn_takes(const hlrp_ref_turn *t, int k) {
    return t->node->in[k] >= 0 && !t->g->values[t->node->in[k]].constant;
}

double *hlrp_ref_take_like(const hlrp_ref_turn *t, int k) {
    return hlrp_ref_take(t->room, hlrp_ref_dims_count(hlrp_ref_turn_dims(t, k)));
}

hlrp_account *hlrp_ref_account_of(const hlrp_ref_turn *t, int64_t i, int64_t count) {
    return &t->account[i * t->samples / count];
}

/* The relevance of a value outlives the turn. */
static double *relevance_of(hlrp_ref_turn *t, int value, int64_t count) {
    double **to = &t->into->relevance[value];
    hlrp_error ignored = {0};
    if (!*to && hlrp_calloc(to, count, sizeof **to, "the reference", &ignored) != HLRP_OK)
        longjmp(t->room->none_left, 1);
    return *to;
}

void hlrp_ref_arrive(hlrp_ref_turn *t, int k, const double *part) {
    const int64_t count = hlrp_ref_dims_count(hlrp_ref_turn_dims(t, k));
    double *to = relevance_of(t, t->node->in[k], count);
    for (int64_t i = 0; i < count; i++) {
        to[i] += part[i];
        hlrp_ref_account_of(t, i, count)->in += part[i];
        hlrp_ref_account_of(t, i, count)->in_abs += fabs(part[i]);
    }
}

double hlrp_ref_epsilon_of(const hlrp_ref_turn *t) {
    const double lrp0 = t->o->lrp0 > 0 ? t->o->lrp0 : 1e-9;
    const double own = t->o->stabilizer > 0 ? t->o->stabilizer : 1e-6;
    switch (t->rule->kind) {
    case HLRP_RULE_LRP0:
        return lrp0;
    case HLRP_RULE_EPSILON:
        return t->rule->epsilon > 0 ? t->rule->epsilon : lrp0;
    default:
        return own;
    }
}

bool hlrp_ref_conserves(const hlrp_ref_turn *t) {
    return hlrp_bias_conserves(t->o->bias) && t->rule->kind != HLRP_RULE_PASS &&
           t->rule->kind != HLRP_RULE_GRADIENT;
}

/* The last linear layer behind a start with slopes: one neuron a sample. */
static void by_slope(hlrp_ref_layer *l, const double *slope, hlrp_bias bias) {
    const int64_t inputs = l->inputs / l->samples, outputs = l->outputs / l->samples;
    hlrp_ref_send(l, 1, l->x, l->w, slope);
    for (int64_t n = 0; n < l->samples; n++) {
        double *to = l->out + n * inputs, rest = 0, whole = 0;
        for (int64_t k = 0; k < outputs; k++)
            rest += l->r[n * outputs + k];
        for (int64_t i = 0; i < inputs; i++) {
            rest -= to[i];
            whole += fabs(to[i]);
        }
        l->account[n].bias += hlrp_bias_conserves(bias) ? 0 : rest;
        for (int64_t i = 0; hlrp_bias_conserves(bias) && i < inputs; i++)
            to[i] += bias == HLRP_BIAS_SHARE && whole > 1e-30 ? rest * fabs(to[i]) / whole
                                                              : rest / (double)inputs;
    }
}

static bool is_head(const hlrp_ref_turn *t) {
    return t->o->slope && t->node->op == &hlrp_op_gemm && t->node->out[0] == t->g->output;
}

static bool goes_by_slope(const hlrp_ref_turn *t) {
    return is_head(t) && t->rule->kind == HLRP_RULE_LRP0 && t->o->bias != HLRP_BIAS_DROP;
}

/* A fully connected layer is one of its rows, which a value of any rank has along its last axis. */
static hlrp_ref_conv shapes_of(const hlrp_ref_turn *t) {
    if (t->node->op != &hlrp_op_gemm)
        return (hlrp_ref_conv){t->in, t->out, &t->node->window, HLRP_MAX(t->node->group, 1)};
    const int64_t in = t->in_dims->d[t->in_dims->rank - 1];
    const int64_t out = t->out_dims->d[t->out_dims->rank - 1];
    const int64_t rows = hlrp_ref_count(t->out) / out;
    return (hlrp_ref_conv){{rows, in, 1, 1}, {rows, out, 1, 1}, &t->node->window, 1};
}

static hlrp_ref_layer layer_of(hlrp_ref_turn *t) {
    const hlrp_tensor *w = t->g->values[t->node->in[1]].constant;
    hlrp_ref_layer l = {.room = t->room,
                        .g = t->g,
                        .from = t->node->in[0],
                        .gemm = t->node->op == &hlrp_op_gemm,
                        .conv = shapes_of(t),
                        .weights = hlrp_tensor_count(w),
                        .inputs = hlrp_ref_count(t->in),
                        .outputs = hlrp_ref_count(t->out),
                        .samples = t->samples,
                        .w = hlrp_ref_turn_input(t, 1),
                        .x = t->x,
                        .r = t->r,
                        .stabilizer = t->o->stabilizer > 0 ? t->o->stabilizer : 1e-6,
                        .account = t->account,
                        .bias = t->o->bias};
    l.channels = l.conv.y.c;
    l.pixels = l.conv.y.h * l.conv.y.w;
    l.b = hlrp_ref_take(t->room, l.channels);
    l.b_rule = hlrp_ref_take(t->room, l.channels);
    l.out = hlrp_ref_take(t->room, l.inputs);
    for (int64_t c = 0; hlrp_ref_turn_input(t, 2) && c < l.channels; c++) {
        l.b[c] = hlrp_ref_turn_input(t, 2)[c];
        l.b_rule[c] = t->o->bias == HLRP_BIAS_DROP ? 0 : l.b[c];
    }
    if (hlrp_ref_conserves(t) && !goes_by_slope(t)) {
        l.left = hlrp_ref_take(t->room, l.outputs);
        memcpy(l.left, l.r, (size_t)l.outputs * sizeof *l.left);
    }
    return l;
}

static void by_rule(const hlrp_ref_turn *t, hlrp_ref_layer *l) {
    switch (t->rule->kind) {
    case HLRP_RULE_LRP0:
        hlrp_ref_by_epsilon(l, hlrp_ref_epsilon_of(t), false);
        break;
    case HLRP_RULE_EPSILON:
        hlrp_ref_by_epsilon(l, t->rule->epsilon, t->rule->rms);
        break;
    case HLRP_RULE_GAMMA:
        hlrp_ref_by_gamma(l, t->rule->gamma);
        break;
    case HLRP_RULE_ZPLUS:
        hlrp_ref_by_alphabeta(l, 1, 0);
        break;
    case HLRP_RULE_ALPHABETA:
        hlrp_ref_by_alphabeta(l, t->rule->alpha, t->rule->beta);
        break;
    case HLRP_RULE_ZBOX:
        hlrp_ref_by_zbox(l, t->o);
        break;
    case HLRP_RULE_WSQUARE:
        hlrp_ref_by_constant(l, false);
        break;
    case HLRP_RULE_FLAT:
        hlrp_ref_by_constant(l, true);
        break;
    case HLRP_RULE_PASS:
        memcpy(l->out, l->r, (size_t)l->inputs * sizeof *l->out);
        break;
    case HLRP_RULE_GRADIENT:
        hlrp_ref_by_gradient(l);
        break;
    default: /* norm, which no linear layer is given */
        break;
    }
}

static void back_linear(hlrp_ref_turn *t) {
    hlrp_ref_layer l = layer_of(t);
    if (is_head(t) && t->rule->kind == HLRP_RULE_GRADIENT)
        l.r = t->o->slope;
    if (goes_by_slope(t))
        by_slope(&l, t->o->slope, t->o->bias);
    else
        by_rule(t, &l);
    if (l.left)
        hlrp_ref_give_left(&l, t->rule);
    hlrp_ref_arrive(t, 0, l.out);
}

static void back_maxpool(hlrp_ref_turn *t) {
    double *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    hlrp_ref_maxpool_adjoint(t->in, t->out, hlrp_ref_argmax(t->values, t->id), t->r, c);
    hlrp_ref_arrive(t, 0, c);
}

static int64_t clamp(int64_t i, int64_t extent) {
    return i < 0 ? 0 : i >= extent ? extent - 1 : i;
}

/* What lies on padding goes to the nearest pixel. */
static void fold_pad(const hlrp_ref_turn *t, double *c) {
    const int64_t *lo = t->node->window.pad_lo;
    for (int64_t p = 0; p < t->out.n * t->out.c; p++)
        for (int64_t i = 0; i < t->out.h; i++)
            for (int64_t j = 0; j < t->out.w; j++)
                c[(p * t->in.h + clamp(i - lo[0], t->in.h)) * t->in.w +
                  clamp(j - lo[1], t->in.w)] += t->r[(p * t->out.h + i) * t->out.w + j];
}

/* What arrives and is not handed on lies on zeros. */
static void account_rest(const hlrp_ref_turn *t, int64_t count, const double *r, double sign) {
    for (int64_t i = 0; i < count; i++)
        hlrp_ref_account_of(t, i, count)->constant += sign * r[i];
}

static void back_pad(hlrp_ref_turn *t) {
    double *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    if (hlrp_bias_conserves(t->o->bias) && !hlrp_ref_differentiates(t))
        fold_pad(t, c);
    else
        hlrp_ref_pad_adjoint(t->in, t->out, t->node->window.pad_lo, t->r, c);
    if (!hlrp_ref_differentiates(t)) {
        account_rest(t, hlrp_ref_count(t->out), t->r, 1);
        account_rest(t, hlrp_ref_count(t->in), c, -1);
    }
    hlrp_ref_arrive(t, 0, c);
}

static void back_shuffle(hlrp_ref_turn *t) {
    double *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    hlrp_ref_shuffle_adjoint(t->in, t->node->group, t->r, c);
    hlrp_ref_arrive(t, 0, c);
}

static const struct {
    const hlrp_operator *op;
    hlrp_ref_back back;
} table[] = {
    {&hlrp_op_conv, back_linear},     {&hlrp_op_gemm, back_linear},
    {&hlrp_op_maxpool, back_maxpool}, {&hlrp_op_pad, back_pad},
    {&hlrp_op_shuffle, back_shuffle},
};

static hlrp_ref_back back_of(const hlrp_operator *op) {
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == op)
            return table[k].back;
    const hlrp_ref_back back = hlrp_ref_back_of_sums(op);
    return back ? back : hlrp_ref_back_of_rows(op);
}

static void take_turn(hlrp_ref_turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    for (int64_t i = 0; i < count; i++) {
        hlrp_ref_account_of(t, i, count)->out += t->r[i];
        hlrp_ref_account_of(t, i, count)->out_abs += fabs(t->r[i]);
    }
    back_of(t->node->op)(t);
}

/* Breaks off where memory runs out: what the turn took is freed by the caller. */
static hlrp_status run_turn(hlrp_ref_turn *t, hlrp_error *err) {
    if (setjmp(t->room->none_left))
        return hlrp_fail(err, HLRP_E_MEMORY, t->node->name, "free memory, or use a smaller tile",
                         "out of memory for relevance in float64");
    take_turn(t);
    return HLRP_OK;
}

/* What all turns have in common: those of nodes are made from it. */
static hlrp_status run_node(const hlrp_ref_turn *all, const hlrp_structure *s, int i,
                            hlrp_error *err) {
    const hlrp_graph *g = all->g;
    const hlrp_node *n = &g->nodes[i];
    hlrp_ref_room room = {.last = NULL};
    if (!back_of(n->op))
        return hlrp_fail(err, HLRP_E_MODEL, n->name, NULL,
                         "the reference has no relevance of the operator %s", n->type);
    hlrp_ref_turn t = *all;
    t.room = &room;
    t.node = n;
    t.rule = &all->rule[i];
    t.in_dims = &g->values[n->in[0]].dims;
    t.out_dims = &g->values[n->out[0]].dims;
    t.in = hlrp_ref_shape_of(t.in_dims);
    t.out = hlrp_ref_shape_of(t.out_dims);
    t.x = hlrp_ref_value(all->values, n->in[0]);
    t.y = hlrp_ref_value(all->values, n->out[0]);
    t.r = all->into->relevance[n->out[0]];
    t.id = i;
    t.to = hlrp_structure_to(s, g, i, t.rule->kind == HLRP_RULE_CONSTANT);
    t.account = all->account + i * all->samples;
    const hlrp_status status = run_turn(&t, err);
    hlrp_ref_room_clear(&room);
    return status;
}

/* gradient × (input − root). */
static void multiply_input(const hlrp_ref_lrp_options *options, const hlrp_ref_values *values,
                           hlrp_ref_lrp *out) {
    const hlrp_ref_shape s = hlrp_ref_shape_of(&out->g->values[out->g->input].dims);
    double *r = out->relevance[out->g->input];
    const double *x = hlrp_ref_value(values, out->g->input);
    for (int64_t i = 0; r && i < hlrp_ref_count(s); i++)
        r[i] *= x[i] - (options->root ? options->root[i / (s.h * s.w) % s.c] : 0);
}

hlrp_status hlrp_ref_lrp_run(const hlrp_graph *g, const hlrp_rule *rules,
                             const hlrp_ref_lrp_options *options, const hlrp_ref_values *values,
                             const double *start, hlrp_ref_lrp *out, hlrp_error *err) {
    const int64_t outputs = hlrp_ref_dims_count(&g->values[g->output].dims);
    const int64_t samples = g->values[g->input].dims.d[0];
    hlrp_structure structure = {0};
    hlrp_status status = HLRP_OK;
    *out = (hlrp_ref_lrp){.g = g};
    HLRP_TRY(hlrp_calloc(&out->relevance, g->value_count, sizeof(double *), "the reference", err));
    HLRP_TRY(hlrp_calloc(&out->account, g->node_count * samples, sizeof *out->account,
                         "the reference", err));
    double **first = &out->relevance[g->output];
    HLRP_TRY(hlrp_calloc(first, outputs, sizeof **first, "the reference", err));
    memcpy(*first, start, (size_t)outputs * sizeof **first);
    HLRP_TRY(hlrp_structure_find(g, &structure, err));
    const hlrp_ref_turn all = {.g = g,
                               .rule = rules,
                               .o = options,
                               .values = values,
                               .into = out,
                               .samples = samples,
                               .account = out->account};
    for (int i = g->node_count - 1; i >= 0; i--)
        if (out->relevance[g->nodes[i].out[0]])
            HLRP_TRY(run_node(&all, &structure, i, err));
    if (options->times_input)
        multiply_input(options, values, out);
out:
    hlrp_structure_free(&structure);
    return status;
}

void hlrp_ref_lrp_free(hlrp_ref_lrp *r) {
    for (int v = 0; r->relevance && v < r->g->value_count; v++)
        free(r->relevance[v]);
    free(r->relevance);
    free(r->account);
    *r = (hlrp_ref_lrp){0};
}

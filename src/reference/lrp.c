#include "reference/lrp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference/rules.h"

/* One node's turn. */
typedef struct turn {
    hlrp_ref_room *room;
    const hlrp_graph *g;
    const hlrp_node *node;
    const hlrp_rule *rule;
    const hlrp_ref_lrp_options *o;
    const hlrp_ref_values *values;
    hlrp_ref_lrp *into;
    hlrp_ref_shape in, out;
    const double *x, *y, *r;
    int id;
    hlrp_account *account;
} turn;

static const double *input(const turn *t, int k) {
    return k < t->node->in_count ? hlrp_ref_value(t->values, t->node->in[k]) : NULL;
}

/* The relevance of a value outlives the turn. */
static double *relevance_of(turn *t, int value, int64_t count) {
    double **to = &t->into->relevance[value];
    hlrp_error ignored = {0};
    if (!*to && hlrp_calloc(to, count, sizeof **to, "the reference", &ignored) != HLRP_OK)
        longjmp(t->room->none_left, 1);
    return *to;
}

/* Relevance `part` arrives at input k. */
static void arrive(turn *t, int k, const double *part) {
    const int v = t->node->in[k];
    const hlrp_ref_shape s = hlrp_ref_shape_of(&t->g->values[v].dims);
    const int64_t count = hlrp_ref_count(s);
    double *to = relevance_of(t, v, count);
    for (int64_t i = 0; i < count; i++) {
        to[i] += part[i];
        t->account[i / (count / s.n)].in += part[i];
        t->account[i / (count / s.n)].in_abs += fabs(part[i]);
    }
}

static double epsilon_of(const turn *t) {
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

/* Whether the node leaves relevance that is to be given on. */
static bool conserves(const turn *t) {
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

static bool is_head(const turn *t) {
    return t->o->slope && t->node->op == &hlrp_op_gemm && t->node->out[0] == t->g->output;
}

static bool goes_by_slope(const turn *t) {
    return is_head(t) && t->rule->kind == HLRP_RULE_LRP0 && t->o->bias != HLRP_BIAS_DROP;
}

static hlrp_ref_layer layer_of(turn *t) {
    const hlrp_tensor *w = t->g->values[t->node->in[1]].constant;
    hlrp_ref_layer l = {.room = t->room,
                        .g = t->g,
                        .from = t->node->in[0],
                        .gemm = t->node->op == &hlrp_op_gemm,
                        .conv = {t->in, t->out, &t->node->window, HLRP_MAX(t->node->group, 1)},
                        .weights = hlrp_tensor_count(w),
                        .inputs = hlrp_ref_count(t->in),
                        .outputs = hlrp_ref_count(t->out),
                        .samples = t->out.n,
                        .channels = t->out.c,
                        .pixels = t->out.h * t->out.w,
                        .w = input(t, 1),
                        .x = t->x,
                        .r = t->r,
                        .stabilizer = t->o->stabilizer > 0 ? t->o->stabilizer : 1e-6,
                        .account = t->account,
                        .bias = t->o->bias};
    l.b = hlrp_ref_take(t->room, l.channels);
    l.b_rule = hlrp_ref_take(t->room, l.channels);
    l.out = hlrp_ref_take(t->room, l.inputs);
    for (int64_t c = 0; input(t, 2) && c < l.channels; c++) {
        l.b[c] = input(t, 2)[c];
        l.b_rule[c] = t->o->bias == HLRP_BIAS_DROP ? 0 : l.b[c];
    }
    if (conserves(t) && !goes_by_slope(t)) {
        l.left = hlrp_ref_take(t->room, l.outputs);
        memcpy(l.left, l.r, (size_t)l.outputs * sizeof *l.left);
    }
    return l;
}

static void by_rule(const turn *t, hlrp_ref_layer *l) {
    switch (t->rule->kind) {
    case HLRP_RULE_LRP0:
        hlrp_ref_by_epsilon(l, epsilon_of(t), false);
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

static void back_linear(turn *t) {
    hlrp_ref_layer l = layer_of(t);
    if (is_head(t) && t->rule->kind == HLRP_RULE_GRADIENT)
        l.r = t->o->slope;
    if (goes_by_slope(t))
        by_slope(&l, t->o->slope, t->o->bias);
    else
        by_rule(t, &l);
    if (l.left)
        hlrp_ref_give_left(&l, t->rule);
    arrive(t, 0, l.out);
}

/* ---- the slope of an activation at x ---- */

static double relu_slope(const hlrp_node *n, double x) {
    (void)n;
    return x > 0 ? 1 : 0;
}

static double leaky_relu_slope(const hlrp_node *n, double x) {
    return x > 0 ? 1 : (double)n->alpha;
}

static double elu_slope(const hlrp_node *n, double x) {
    return x > 0 ? 1 : (double)n->alpha * exp(x);
}

static double clip_slope(const hlrp_node *n, double x) {
    return x > (double)n->lo && x < (double)n->hi ? 1 : 0;
}

/* One input of a node that is linear in each of its inputs: for norm and epsilon s is R / hlrp_ref_stab(z)
 * and the input is x · (d/dx)ᵀs, for gradient s is R and the input (d/dx)ᵀs. */
static double *quotient(turn *t, const double *dropped) {
    const int64_t count = hlrp_ref_count(t->out), sample = count / t->out.n;
    double *s = hlrp_ref_take(t->room, count);
    for (int64_t i = 0; i < count; i++) {
        s[i] = t->r[i];
        if (t->rule->kind == HLRP_RULE_GRADIENT)
            continue;
        const double z = t->y[i] - (dropped ? dropped[i / (t->out.h * t->out.w) % t->out.c] : 0);
        s[i] /= hlrp_ref_stab(z, epsilon_of(t));
        if (!conserves(t))
            t->account[i / sample].stabilizer += s[i] * (hlrp_ref_stab(z, epsilon_of(t)) - z);
    }
    return s;
}

static void times_x(const turn *t, int64_t count, const double *x, double *c) {
    for (int64_t i = 0; t->rule->kind != HLRP_RULE_GRADIENT && i < count; i++)
        c[i] *= x[i];
}

static void mean(const turn *t, const double *x, double *y) {
    if (t->node->op == &hlrp_op_avgpool)
        hlrp_ref_avgpool(t->in, t->out, &t->node->window, x, y);
    else
        hlrp_ref_global_avgpool(t->in, x, y);
}

static void mean_adjoint(const turn *t, const double *s, double *c) {
    if (t->node->op == &hlrp_op_avgpool)
        hlrp_ref_avgpool_adjoint(t->in, t->out, &t->node->window, s, c);
    else
        hlrp_ref_global_avgpool_adjoint(t->in, s, c);
}

/* What s did not hand on: shared by |x|, then evenly. whole: f(|x|), or 0 where nothing is shared. */
static double *rest_of(const turn *t, const double *s, double *whole) {
    const int64_t count = hlrp_ref_count(t->out);
    double *left = hlrp_ref_take(t->room, count);
    for (int64_t i = 0; i < count; i++) {
        left[i] = t->r[i] - s[i] * t->y[i];
        if (t->o->bias != HLRP_BIAS_SHARE)
            continue;
        const bool some = whole[i] > 1e-30;
        whole[i] = some ? left[i] / whole[i] : 0;
        left[i] = some ? 0 : t->r[i];
    }
    return left;
}

static void give_mean(turn *t, const double *s, double *c) {
    const hlrp_window all = {.kernel = {t->in.h, t->in.w}, .stride = {1, 1}, .dilation = {1, 1}};
    const int64_t count = hlrp_ref_count(t->in);
    double *size = hlrp_ref_take(t->room, count), *more = hlrp_ref_take(t->room, count);
    double *whole = hlrp_ref_take(t->room, hlrp_ref_count(t->out));
    for (int64_t i = 0; i < count; i++)
        size[i] = fabs(t->x[i]);
    mean(t, size, whole);
    double *left = rest_of(t, s, whole);
    if (t->o->bias == HLRP_BIAS_SHARE)
        mean_adjoint(t, whole, more);
    for (int64_t i = 0; i < count; i++)
        c[i] += size[i] * more[i];
    hlrp_ref_spread_window(t->in, t->out, t->node->op == &hlrp_op_avgpool ? &t->node->window : &all,
                           t->in.c, left, c);
}

static void back_mean(turn *t) {
    double *s = quotient(t, NULL), *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    mean_adjoint(t, s, c);
    times_x(t, hlrp_ref_count(t->in), t->x, c);
    if (conserves(t))
        give_mean(t, s, c);
    arrive(t, 0, c);
}

static void back_sum(turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    const int terms = t->node->in_count;
    double *s = quotient(t, NULL), *c = hlrp_ref_take(t->room, count);
    double *whole = hlrp_ref_take(t->room, count);
    for (int k = 0; k < terms; k++)
        for (int64_t i = 0; i < count; i++)
            whole[i] += fabs(input(t, k)[i]);
    double *left = conserves(t) ? rest_of(t, s, whole) : NULL;
    for (int k = 0; k < terms; k++) {
        memcpy(c, s, (size_t)count * sizeof *c);
        times_x(t, count, input(t, k), c);
        for (int64_t i = 0; left && i < count; i++)
            c[i] += left[i] / terms +
                    (t->o->bias == HLRP_BIAS_SHARE ? whole[i] * fabs(input(t, k)[i]) : 0);
        arrive(t, k, c);
    }
}

static void back_batchnorm(turn *t) {
    if (t->rule->kind == HLRP_RULE_PASS || conserves(t)) { /* the only input gets all */
        arrive(t, 0, t->r);
        return;
    }
    const double *scale = input(t, 1), *shift = input(t, 2);
    const int64_t count = hlrp_ref_count(t->out), pixels = t->out.h * t->out.w;
    double *c = quotient(t, t->o->bias == HLRP_BIAS_DROP ? shift : NULL);
    for (int64_t i = 0; i < count; i++) {
        const int64_t channel = i / pixels % t->out.c;
        if (t->rule->kind != HLRP_RULE_GRADIENT && t->o->bias != HLRP_BIAS_DROP)
            t->account[i / (count / t->out.n)].bias += c[i] * shift[channel];
        c[i] *= scale[channel];
    }
    times_x(t, count, t->x, c);
    arrive(t, 0, c);
}

static void back_concat(turn *t) {
    int64_t at = 0;
    for (int k = 0; k < t->node->in_count; k++) {
        const hlrp_ref_shape part = hlrp_ref_shape_of(&t->g->values[t->node->in[k]].dims);
        double *c = hlrp_ref_take(t->room, hlrp_ref_count(part));
        hlrp_ref_split_part(t->out, t->r, part, c, at);
        arrive(t, k, c);
        at += part.c;
    }
}

static int64_t clamp(int64_t i, int64_t extent) {
    return i < 0 ? 0 : i >= extent ? extent - 1 : i;
}

/* What lies on padding goes to the nearest pixel. */
static void fold_pad(const turn *t, double *c) {
    const int64_t *lo = t->node->window.pad_lo;
    for (int64_t p = 0; p < t->out.n * t->out.c; p++)
        for (int64_t i = 0; i < t->out.h; i++)
            for (int64_t j = 0; j < t->out.w; j++)
                c[(p * t->in.h + clamp(i - lo[0], t->in.h)) * t->in.w +
                  clamp(j - lo[1], t->in.w)] += t->r[(p * t->out.h + i) * t->out.w + j];
}

static void back_activation(turn *t, double (*slope)(const hlrp_node *n, double x)) {
    const int64_t count = hlrp_ref_count(t->in);
    double *c = hlrp_ref_take(t->room, count);
    for (int64_t i = 0; i < count; i++)
        c[i] = t->r[i] * (t->rule->kind == HLRP_RULE_GRADIENT ? slope(t->node, t->x[i]) : 1);
    arrive(t, 0, c);
}

static void back_relu(turn *t) {
    back_activation(t, relu_slope);
}

static void back_leaky_relu(turn *t) {
    back_activation(t, leaky_relu_slope);
}

static void back_elu(turn *t) {
    back_activation(t, elu_slope);
}

static void back_clip(turn *t) {
    back_activation(t, clip_slope);
}

static void back_maxpool(turn *t) {
    double *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    hlrp_ref_maxpool_adjoint(t->in, t->out, hlrp_ref_argmax(t->values, t->id), t->r, c);
    arrive(t, 0, c);
}

static void back_pad(turn *t) {
    double *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    if (hlrp_bias_conserves(t->o->bias) && t->rule->kind != HLRP_RULE_GRADIENT)
        fold_pad(t, c);
    else
        hlrp_ref_pad_adjoint(t->in, t->out, t->node->window.pad_lo, t->r, c);
    arrive(t, 0, c);
}

static void back_slice(turn *t) {
    double *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    hlrp_ref_slice_adjoint(&t->g->values[t->node->in[0]].dims, &t->g->values[t->node->out[0]].dims,
                           &t->node->ints, t->r, c);
    arrive(t, 0, c);
}

static void back_shuffle(turn *t) {
    double *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    hlrp_ref_shuffle_adjoint(t->in, t->node->group, t->r, c);
    arrive(t, 0, c);
}

static void back_flatten(turn *t) {
    arrive(t, 0, t->r);
}

static const struct {
    const hlrp_operator *op;
    void (*back)(turn *t);
} table[] = {
    {&hlrp_op_conv, back_linear},     {&hlrp_op_gemm, back_linear},
    {&hlrp_op_avgpool, back_mean},    {&hlrp_op_global_avgpool, back_mean},
    {&hlrp_op_add, back_sum},         {&hlrp_op_batchnorm, back_batchnorm},
    {&hlrp_op_concat, back_concat},   {&hlrp_op_maxpool, back_maxpool},
    {&hlrp_op_pad, back_pad},         {&hlrp_op_slice, back_slice},
    {&hlrp_op_shuffle, back_shuffle}, {&hlrp_op_flatten, back_flatten},
    {&hlrp_op_relu, back_relu},       {&hlrp_op_leaky_relu, back_leaky_relu},
    {&hlrp_op_clip, back_clip},       {&hlrp_op_elu, back_elu},
};

static void take_turn(turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    for (int64_t i = 0; i < count; i++) {
        t->account[i / (count / t->out.n)].out += t->r[i];
        t->account[i / (count / t->out.n)].out_abs += fabs(t->r[i]);
    }
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == t->node->op)
            table[k].back(t);
}

/* Breaks off where memory runs out: what the turn took is freed by the caller. */
static hlrp_status run_turn(turn *t, hlrp_error *err) {
    if (setjmp(t->room->none_left))
        return hlrp_fail(err, HLRP_E_MEMORY, t->node->name, "free memory, or use a smaller tile",
                         "out of memory for relevance in float64");
    take_turn(t);
    return HLRP_OK;
}

static hlrp_status run_node(hlrp_ref_lrp *into, int i, const hlrp_rule *rules,
                            const hlrp_ref_lrp_options *options, const hlrp_ref_values *values,
                            hlrp_error *err) {
    const hlrp_graph *g = into->g;
    const hlrp_node *n = &g->nodes[i];
    hlrp_ref_room room = {.last = NULL};
    turn t = {.room = &room,
              .g = g,
              .node = n,
              .rule = &rules[i],
              .o = options,
              .values = values,
              .into = into,
              .in = hlrp_ref_shape_of(&g->values[n->in[0]].dims),
              .out = hlrp_ref_shape_of(&g->values[n->out[0]].dims),
              .x = hlrp_ref_value(values, n->in[0]),
              .y = hlrp_ref_value(values, n->out[0]),
              .r = into->relevance[n->out[0]],
              .id = i};
    t.account = into->account + i * t.out.n;
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
    const hlrp_ref_shape ys = hlrp_ref_shape_of(&g->values[g->output].dims);
    hlrp_status status = HLRP_OK;
    *out = (hlrp_ref_lrp){.g = g};
    HLRP_TRY(hlrp_calloc(&out->relevance, g->value_count, sizeof(double *), "the reference", err));
    HLRP_TRY(hlrp_calloc(&out->account, g->node_count * ys.n, sizeof *out->account, "the reference",
                         err));
    double **first = &out->relevance[g->output];
    HLRP_TRY(hlrp_calloc(first, hlrp_ref_count(ys), sizeof **first, "the reference", err));
    memcpy(*first, start, (size_t)hlrp_ref_count(ys) * sizeof **first);
    for (int i = g->node_count - 1; i >= 0; i--)
        if (out->relevance[g->nodes[i].out[0]])
            HLRP_TRY(run_node(out, i, rules, options, values, err));
    if (options->times_input)
        multiply_input(options, values, out);
out:
    return status;
}

void hlrp_ref_lrp_free(hlrp_ref_lrp *r) {
    for (int v = 0; r->relevance && v < r->g->value_count; v++)
        free(r->relevance[v]);
    free(r->relevance);
    free(r->account);
    *r = (hlrp_ref_lrp){0};
}

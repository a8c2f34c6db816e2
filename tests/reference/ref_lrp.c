#include "ref_lrp.h"

#include "testing.h"

/* ---- a linear layer ---- */

typedef struct layer {
    bool gemm;
    hlrp_ref_conv conv;
    int64_t weights, inputs, outputs;  /* how many numbers */
    int64_t samples, channels, pixels; /* of the output */
    const double *w, *x, *r;
    double *b;      /* [O], 0 where there is none */
    double *b_rule; /* the same as the rules' sums have it: 0 where biases are dropped */
    double stabilizer;
    hlrp_account *account; /* [N] */
    double *out;           /* relevance of the input, starts as 0 */
} layer;

static double *forward(const layer *l, const double *w, const double *b, const double *x) {
    double *y = room(l->outputs, sizeof *y);
    if (l->gemm)
        hlrp_ref_gemm_forward(l->samples, l->conv.x.c, l->conv.y.c, x, w, b, y);
    else
        hlrp_ref_conv_forward(&l->conv, x, w, b, y);
    return y;
}

static double *adjoint(const layer *l, const double *w, const double *s) {
    double *c = room(l->inputs, sizeof *c);
    if (l->gemm)
        hlrp_ref_gemm_adjoint(l->samples, l->conv.x.c, l->conv.y.c, s, w, c);
    else
        hlrp_ref_conv_adjoint(&l->conv, s, w, c);
    return c;
}

/* a·v⁺ + b·v⁻ */
static double *signed_parts(int64_t count, const double *v, double a, double b) {
    double *y = room(count, sizeof *y);
    for (int64_t i = 0; i < count; i++)
        y[i] = (v[i] > 0 ? a : b) * v[i];
    return y;
}

static double *sum(int64_t count, double *a, double *b) { /* frees b */
    for (int64_t i = 0; i < count; i++)
        a[i] += b[i];
    free(b);
    return a;
}

static double stab(double z, double e) {
    return z >= 0 ? z + e : z - e;
}

static int64_t sample_of(const layer *l, int64_t i) {
    return i / (l->channels * l->pixels);
}

/* s = R / stab(z) with one epsilon per sample; b [O] is the bias that z holds; `times` is how often
 * the part enters the relevance; gate: where it is false s is 0 (NULL: nowhere). */
static double *divide(layer *l, const double *z, const double *epsilon, const double *b,
                      double times, const bool *gate) {
    double *s = room(l->outputs, sizeof *s);
    for (int64_t i = 0; i < l->outputs; i++) {
        const int64_t n = sample_of(l, i), c = i / l->pixels % l->channels;
        if (gate && !gate[i])
            continue;
        s[i] = l->r[i] / stab(z[i], epsilon[n]);
        l->account[n].bias += times * s[i] * b[c];
        l->account[n].stabilizer += times * s[i] * (stab(z[i], epsilon[n]) - z[i]);
    }
    return s;
}

static double *same_epsilon(const layer *l, double epsilon) {
    double *e = room(l->samples, sizeof *e);
    for (int64_t n = 0; n < l->samples; n++)
        e[n] = epsilon;
    return e;
}

/* out += times · x · wᵀs */
static void send(layer *l, double times, const double *x, const double *w, const double *s) {
    double *c = adjoint(l, w, s);
    for (int64_t i = 0; i < l->inputs; i++)
        l->out[i] += times * x[i] * c[i];
    free(c);
}

/* ---- rules, as the table of definitions has them ---- */

static void by_epsilon(layer *l, double epsilon, bool rms) {
    double *z = forward(l, l->w, l->b_rule, l->x), *e = same_epsilon(l, epsilon);
    const int64_t sample = l->channels * l->pixels;
    for (int64_t n = 0; rms && n < l->samples; n++) {
        double mean = 0;
        for (int64_t i = 0; i < sample; i++)
            mean += z[n * sample + i] * z[n * sample + i] / (double)sample;
        e[n] = epsilon * sqrt(mean);
    }
    for (int64_t n = 0; n < l->samples; n++)
        if (e[n] == 0)
            e[n] = 1e-9; /* epsilon → 0 */
    double *s = divide(l, z, e, l->b_rule, 1, NULL);
    send(l, 1, l->x, l->w, s);
    free(z);
    free(e);
    free(s);
}

/* One branch: wp meets x⁺, wn meets x⁻, the bias is ab·b⁺ + bb·b⁻. */
static void by_parts(layer *l, double times, const double *wp, const double *wn, double ab,
                     double bb, const bool *gate) {
    double *xp = signed_parts(l->inputs, l->x, 1, 0), *xn = signed_parts(l->inputs, l->x, 0, 1);
    double *b = signed_parts(l->channels, l->b_rule, ab, bb);
    double *z = sum(l->outputs, forward(l, wp, b, xp), forward(l, wn, NULL, xn));
    double *e = same_epsilon(l, l->stabilizer);
    double *s = divide(l, z, e, b, times, gate);
    send(l, times, xp, wp, s);
    send(l, times, xn, wn, s);
    free(xp);
    free(xn);
    free(b);
    free(z);
    free(e);
    free(s);
}

static void by_gamma(layer *l, double g) {
    double *z = forward(l, l->w, l->b, l->x); /* the forward's own decides */
    double *up = signed_parts(l->weights, l->w, 1 + g, 1);
    double *down = signed_parts(l->weights, l->w, 1, 1 + g);
    bool *positive = room(l->outputs, sizeof *positive), *negative = room(l->outputs, sizeof(bool));
    for (int64_t i = 0; i < l->outputs; i++) {
        positive[i] = z[i] > 0;
        negative[i] = z[i] < 0;
    }
    by_parts(l, 1, up, down, 1 + g, 1, positive);
    by_parts(l, 1, down, up, 1, 1 + g, negative);
    free(z);
    free(up);
    free(down);
    free(positive);
    free(negative);
}

static void by_alphabeta(layer *l, double alpha, double beta) {
    double *wp = signed_parts(l->weights, l->w, 1, 0), *wn = signed_parts(l->weights, l->w, 0, 1);
    by_parts(l, alpha, wp, wn, 1, 0, NULL);
    if (beta != 0)
        by_parts(l, -beta, wn, wp, 0, 1, NULL);
    free(wp);
    free(wn);
}

/* v: W² or ones; b: b² or 0. */
static void by_constant(layer *l, bool flat) {
    double *ones = room(l->inputs, sizeof *ones), *v = room(l->weights, sizeof *v);
    double *b = room(l->channels, sizeof *b);
    for (int64_t i = 0; i < l->inputs; i++)
        ones[i] = 1;
    for (int64_t i = 0; i < l->weights; i++)
        v[i] = flat ? 1 : l->w[i] * l->w[i];
    for (int64_t c = 0; c < l->channels; c++)
        b[c] = flat ? 0 : l->b_rule[c] * l->b_rule[c];
    double *z = forward(l, v, b, ones), *e = same_epsilon(l, l->stabilizer);
    double *s = divide(l, z, e, b, 1, NULL);
    send(l, 1, ones, v, s);
    free(ones);
    free(v);
    free(b);
    free(z);
    free(e);
    free(s);
}

static void by_zbox(layer *l, const ref_lrp_options *o) {
    double *wp = signed_parts(l->weights, l->w, 1, 0), *wn = signed_parts(l->weights, l->w, 0, 1);
    double *low = room(l->inputs, sizeof *low), *high = room(l->inputs, sizeof *high);
    double *none = room(l->channels, sizeof *none);
    const int64_t pixels = l->conv.x.h * l->conv.x.w;
    for (int64_t i = 0; i < l->inputs; i++) {
        const int64_t c = i / pixels % l->conv.x.c % o->channels; /* of the input, over and over */
        low[i] = o->low[c];
        high[i] = o->high[c];
    }
    double *z = forward(l, l->w, NULL, l->x), *zl = forward(l, wp, NULL, low);
    double *zh = forward(l, wn, NULL, high), *e = same_epsilon(l, l->stabilizer);
    for (int64_t i = 0; i < l->outputs; i++)
        z[i] -= zl[i] + zh[i];
    double *s = divide(l, z, e, none, 1, NULL);
    send(l, 1, l->x, l->w, s);
    send(l, -1, low, wp, s);
    send(l, -1, high, wn, s);
    double *all[] = {wp, wn, low, high, none, z, zl, zh, e, s};
    for (size_t k = 0; k < HLRP_COUNT(all); k++)
        free(all[k]);
}

static void by_gradient(layer *l) {
    double *c = adjoint(l, l->w, l->r);
    memcpy(l->out, c, (size_t)l->inputs * sizeof *c);
    free(c);
}

/* ---- the walk ---- */

/* One node's turn. */
typedef struct turn {
    const hlrp_graph *g;
    const hlrp_node *node;
    const hlrp_rule *rule;
    const ref_lrp_options *o;
    const hlrp_ref_values *values;
    ref_lrp *into;
    hlrp_ref_shape in, out;
    const double *x, *y, *r;
    int id;
    hlrp_account *account;
} turn;

static const double *input(const turn *t, int k) {
    return k < t->node->in_count ? hlrp_ref_value(t->values, t->node->in[k]) : NULL;
}

/* Relevance `part` arrives at input k. */
static void arrive(turn *t, int k, const double *part) {
    const int v = t->node->in[k];
    const hlrp_ref_shape s = hlrp_ref_shape_of(&t->g->values[v].dims);
    const int64_t count = hlrp_ref_count(s);
    double **to = &t->into->relevance[v];
    if (!*to)
        *to = room(count, sizeof **to);
    for (int64_t i = 0; i < count; i++) {
        (*to)[i] += part[i];
        t->account[i / (count / s.n)].in += part[i];
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

static void back_linear(turn *t) {
    const hlrp_tensor *w = t->g->values[t->node->in[1]].constant;
    layer l = {.gemm = t->node->op == HLRP_OP_GEMM,
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
               .account = t->account};
    l.b = room(l.channels, sizeof *l.b);
    l.b_rule = room(l.channels, sizeof *l.b_rule);
    l.out = room(l.inputs, sizeof *l.out);
    for (int64_t c = 0; input(t, 2) && c < l.channels; c++) {
        l.b[c] = input(t, 2)[c];
        l.b_rule[c] = t->o->drop_bias ? 0 : l.b[c];
    }
    switch (t->rule->kind) {
    case HLRP_RULE_LRP0:
        by_epsilon(&l, epsilon_of(t), false);
        break;
    case HLRP_RULE_EPSILON:
        by_epsilon(&l, t->rule->epsilon, t->rule->rms);
        break;
    case HLRP_RULE_GAMMA:
        by_gamma(&l, t->rule->gamma);
        break;
    case HLRP_RULE_ZPLUS:
        by_alphabeta(&l, 1, 0);
        break;
    case HLRP_RULE_ALPHABETA:
        by_alphabeta(&l, t->rule->alpha, t->rule->beta);
        break;
    case HLRP_RULE_ZBOX:
        by_zbox(&l, t->o);
        break;
    case HLRP_RULE_WSQUARE:
        by_constant(&l, false);
        break;
    case HLRP_RULE_FLAT:
        by_constant(&l, true);
        break;
    case HLRP_RULE_PASS:
        memcpy(l.out, l.r, (size_t)l.inputs * sizeof *l.out);
        break;
    case HLRP_RULE_GRADIENT:
        by_gradient(&l);
        break;
    default:
        fail_msg("no rule for %s", t->node->name);
    }
    arrive(t, 0, l.out);
    free(l.b);
    free(l.b_rule);
    free(l.out);
}

/* The slope of an activation at x. */
static double slope(const hlrp_node *n, double x) {
    if (n->op == HLRP_OP_CLIP)
        return x > (double)n->lo && x < (double)n->hi ? 1 : 0;
    return x > 0 ? 1 : n->op == HLRP_OP_LEAKY_RELU ? (double)n->alpha : 0;
}

/* One input of a node that is linear in each of its inputs: for norm and epsilon s is R / stab(z)
 * and the input is x · (d/dx)ᵀs, for gradient s is R and the input (d/dx)ᵀs. */
static double *quotient(turn *t, const double *dropped) {
    const int64_t count = hlrp_ref_count(t->out), sample = count / t->out.n;
    double *s = room(count, sizeof *s);
    for (int64_t i = 0; i < count; i++) {
        s[i] = t->r[i];
        if (t->rule->kind == HLRP_RULE_GRADIENT)
            continue;
        const double z = t->y[i] - (dropped ? dropped[i / (t->out.h * t->out.w) % t->out.c] : 0);
        s[i] /= stab(z, epsilon_of(t));
        t->account[i / sample].stabilizer += s[i] * (stab(z, epsilon_of(t)) - z);
    }
    return s;
}

static void times_x(const turn *t, int64_t count, const double *x, double *c) {
    for (int64_t i = 0; t->rule->kind != HLRP_RULE_GRADIENT && i < count; i++)
        c[i] *= x[i];
}

static void back_mean(turn *t) {
    double *s = quotient(t, NULL), *c = room(hlrp_ref_count(t->in), sizeof *c);
    if (t->node->op == HLRP_OP_AVGPOOL)
        hlrp_ref_avgpool_adjoint(t->in, t->out, &t->node->window, s, c);
    else
        hlrp_ref_global_avgpool_adjoint(t->in, s, c);
    times_x(t, hlrp_ref_count(t->in), t->x, c);
    arrive(t, 0, c);
    free(s);
    free(c);
}

static void back_sum(turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    double *s = quotient(t, NULL), *c = room(count, sizeof *c);
    for (int k = 0; k < t->node->in_count; k++) {
        memcpy(c, s, (size_t)count * sizeof *c);
        times_x(t, count, input(t, k), c);
        arrive(t, k, c);
    }
    free(s);
    free(c);
}

static void back_batchnorm(turn *t) {
    if (t->rule->kind == HLRP_RULE_PASS) {
        arrive(t, 0, t->r);
        return;
    }
    const double *scale = input(t, 1), *shift = input(t, 2);
    const int64_t count = hlrp_ref_count(t->out), pixels = t->out.h * t->out.w;
    double *c = quotient(t, t->o->drop_bias ? shift : NULL);
    for (int64_t i = 0; i < count; i++) {
        const int64_t channel = i / pixels % t->out.c;
        if (t->rule->kind != HLRP_RULE_GRADIENT && !t->o->drop_bias)
            t->account[i / (count / t->out.n)].bias += c[i] * shift[channel];
        c[i] *= scale[channel];
    }
    times_x(t, count, t->x, c);
    arrive(t, 0, c);
    free(c);
}

static void back_concat(turn *t) {
    int64_t at = 0;
    for (int k = 0; k < t->node->in_count; k++) {
        const hlrp_ref_shape part = hlrp_ref_shape_of(&t->g->values[t->node->in[k]].dims);
        double *c = room(hlrp_ref_count(part), sizeof *c);
        hlrp_ref_split_part(t->out, t->r, part, c, at);
        arrive(t, k, c);
        free(c);
        at += part.c;
    }
}

static void back_other(turn *t) {
    const int64_t count = hlrp_ref_count(t->in);
    double *c = room(count, sizeof *c);
    switch (t->node->op) {
    case HLRP_OP_MAXPOOL:
        hlrp_ref_maxpool_adjoint(t->in, t->out, hlrp_ref_argmax(t->values, t->id), t->r, c);
        break;
    case HLRP_OP_PAD:
        hlrp_ref_pad_adjoint(t->in, t->out, t->node->window.pad_lo, t->r, c);
        break;
    case HLRP_OP_FLATTEN:
        memcpy(c, t->r, (size_t)count * sizeof *c);
        break;
    default: /* activations */
        for (int64_t i = 0; i < count; i++)
            c[i] = t->r[i] * (t->rule->kind == HLRP_RULE_GRADIENT ? slope(t->node, t->x[i]) : 1);
        break;
    }
    arrive(t, 0, c);
    free(c);
}

static void take_turn(turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    for (int64_t i = 0; i < count; i++) {
        t->account[i / (count / t->out.n)].out += t->r[i];
        t->account[i / (count / t->out.n)].out_abs += fabs(t->r[i]);
    }
    switch (t->node->op) {
    case HLRP_OP_CONV:
    case HLRP_OP_GEMM:
        back_linear(t);
        break;
    case HLRP_OP_AVGPOOL:
    case HLRP_OP_GLOBAL_AVGPOOL:
        back_mean(t);
        break;
    case HLRP_OP_ADD:
        back_sum(t);
        break;
    case HLRP_OP_BATCHNORM:
        back_batchnorm(t);
        break;
    case HLRP_OP_CONCAT:
        back_concat(t);
        break;
    default:
        back_other(t);
        break;
    }
}

void ref_lrp_run(const hlrp_graph *g, const hlrp_rule *rules, const ref_lrp_options *options,
                 const hlrp_ref_values *values, const double *start, ref_lrp *out) {
    const hlrp_ref_shape xs = hlrp_ref_shape_of(&g->values[g->input].dims);
    const hlrp_ref_shape ys = hlrp_ref_shape_of(&g->values[g->output].dims);
    *out = (ref_lrp){.g = g};
    out->relevance = room(g->value_count, sizeof(double *));
    out->account = room(g->node_count * xs.n, sizeof *out->account);
    double *first = room(hlrp_ref_count(ys), sizeof *first);
    memcpy(first, start, (size_t)hlrp_ref_count(ys) * sizeof *first);
    out->relevance[g->output] = first;
    for (int i = g->node_count - 1; i >= 0; i--) {
        const hlrp_node *n = &g->nodes[i];
        if (!out->relevance[n->out[0]])
            continue;
        turn t = {.g = g,
                  .node = n,
                  .rule = &rules[i],
                  .o = options,
                  .values = values,
                  .into = out,
                  .in = hlrp_ref_shape_of(&g->values[n->in[0]].dims),
                  .out = hlrp_ref_shape_of(&g->values[n->out[0]].dims),
                  .x = hlrp_ref_value(values, n->in[0]),
                  .y = hlrp_ref_value(values, n->out[0]),
                  .r = out->relevance[n->out[0]],
                  .id = i,
                  .account = out->account + i * xs.n};
        take_turn(&t);
    }
    double *r = out->relevance[g->input];
    const double *x = hlrp_ref_value(values, g->input);
    for (int64_t i = 0; options->times_input && r && i < hlrp_ref_count(xs); i++)
        r[i] *= x[i] - (options->root ? options->root[i / (xs.h * xs.w) % xs.c] : 0);
}

void ref_lrp_free(ref_lrp *r) {
    for (int v = 0; v < r->g->value_count; v++)
        free(r->relevance[v]);
    free(r->relevance);
    free(r->account);
}

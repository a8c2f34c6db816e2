/* Rules of linear layers, as the table of definitions has them. */
#include "ref_rules.h"

#include "testing.h"

double *forward(const layer *l, const double *w, const double *b, const double *x) {
    double *y = room(l->outputs, sizeof *y);
    if (l->gemm)
        hlrp_ref_gemm_forward(l->samples, l->conv.x.c, l->conv.y.c, x, w, b, y);
    else
        hlrp_ref_conv_forward(&l->conv, x, w, b, y);
    return y;
}

double *adjoint(const layer *l, const double *w, const double *s) {
    double *c = room(l->inputs, sizeof *c);
    if (l->gemm)
        hlrp_ref_gemm_adjoint(l->samples, l->conv.x.c, l->conv.y.c, s, w, c);
    else
        hlrp_ref_conv_adjoint(&l->conv, s, w, c);
    return c;
}

/* a·v⁺ + b·v⁻ */
double *signed_parts(int64_t count, const double *v, double a, double b) {
    double *y = room(count, sizeof *y);
    for (int64_t i = 0; i < count; i++)
        y[i] = (v[i] > 0 ? a : b) * v[i];
    return y;
}

double *sum(int64_t count, double *a, double *b) { /* frees b */
    for (int64_t i = 0; i < count; i++)
        a[i] += b[i];
    free(b);
    return a;
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
        if (l->left) {
            l->left[i] -= times * s[i] * (z[i] - b[c]);
            continue;
        }
        l->account[n].bias += times * s[i] * b[c];
        l->account[n].stabilizer += times * s[i] * (stab(z[i], epsilon[n]) - z[i]);
    }
    return s;
}

/* s = R / z where z is the sum of contributions of one sign, and all of R is handed on. */
static double *divide_whole(layer *l, const double *z) {
    double *s = room(l->outputs, sizeof *s);
    for (int64_t i = 0; i < l->outputs; i++) {
        s[i] = fabs(z[i]) > 1e-30 ? l->r[i] / z[i] : 0;
        l->left[i] = fabs(z[i]) > 1e-30 ? 0 : l->r[i];
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
void send(layer *l, double times, const double *x, const double *w, const double *s) {
    double *c = adjoint(l, w, s);
    for (int64_t i = 0; i < l->inputs; i++)
        l->out[i] += times * x[i] * c[i];
    free(c);
}

void by_epsilon(layer *l, double epsilon, bool rms) {
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

void by_gamma(layer *l, double g) {
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

void by_alphabeta(layer *l, double alpha, double beta) {
    double *wp = signed_parts(l->weights, l->w, 1, 0), *wn = signed_parts(l->weights, l->w, 0, 1);
    by_parts(l, alpha, wp, wn, 1, 0, NULL);
    if (beta != 0)
        by_parts(l, -beta, wn, wp, 0, 1, NULL);
    free(wp);
    free(wn);
}

/* v: W² or ones; b: b² or 0. */
void by_constant(layer *l, bool flat) {
    double *ones = room(l->inputs, sizeof *ones), *v = room(l->weights, sizeof *v);
    double *b = room(l->channels, sizeof *b);
    for (int64_t i = 0; i < l->inputs; i++)
        ones[i] = 1;
    for (int64_t i = 0; i < l->weights; i++)
        v[i] = flat ? 1 : l->w[i] * l->w[i];
    for (int64_t c = 0; c < l->channels; c++)
        b[c] = flat || l->bias == HLRP_BIAS_SHARE ? 0 : l->b_rule[c] * l->b_rule[c];
    double *z = forward(l, v, b, ones), *e = same_epsilon(l, l->stabilizer);
    double *s = l->bias == HLRP_BIAS_SHARE ? divide_whole(l, z) : divide(l, z, e, b, 1, NULL);
    send(l, 1, ones, v, s);
    free(ones);
    free(v);
    free(b);
    free(z);
    free(e);
    free(s);
}

/* Which channel of the graph's input stands in channel c of a value that was moved from there. */
static int64_t origin(const hlrp_graph *g, int value, int64_t c) {
    if (value == g->input)
        return c;
    const hlrp_node *n = &g->nodes[g->values[value].producer];
    const int64_t all = g->values[value].dims.d[1];
    int64_t before = 0;
    for (int k = 0; n->op == HLRP_OP_CONCAT && k < n->in_count; k++) {
        const int64_t own = g->values[n->in[k]].dims.d[1];
        if (c < before + own)
            return origin(g, n->in[k], c - before);
        before += own;
    }
    for (int64_t from = 0; n->op == HLRP_OP_SHUFFLE && from < all; from++)
        if (from % (all / n->group) * n->group + from / (all / n->group) == c)
            return origin(g, n->in[0], from);
    return origin(g, n->in[0], n->op == HLRP_OP_SLICE ? c + n->ints.d[1] : c);
}

void by_zbox(layer *l, const ref_lrp_options *o) {
    double *wp = signed_parts(l->weights, l->w, 1, 0), *wn = signed_parts(l->weights, l->w, 0, 1);
    double *low = room(l->inputs, sizeof *low), *high = room(l->inputs, sizeof *high);
    double *none = room(l->channels, sizeof *none);
    const int64_t pixels = l->conv.x.h * l->conv.x.w;
    for (int64_t i = 0; i < l->inputs; i++) {
        const int64_t c = origin(l->g, l->from, i / pixels % l->conv.x.c);
        low[i] = o->low[c];
        high[i] = o->high[c];
    }
    double *z = forward(l, l->w, NULL, l->x), *zl = forward(l, wp, NULL, low);
    double *zh = forward(l, wn, NULL, high), *e = same_epsilon(l, l->stabilizer);
    for (int64_t i = 0; i < l->outputs; i++)
        z[i] -= zl[i] + zh[i];
    double *s = l->bias == HLRP_BIAS_SHARE ? divide_whole(l, z) : divide(l, z, e, none, 1, NULL);
    send(l, 1, l->x, l->w, s);
    send(l, -1, low, wp, s);
    send(l, -1, high, wn, s);
    double *all[] = {wp, wn, low, high, none, z, zl, zh, e, s};
    for (size_t k = 0; k < HLRP_COUNT(all); k++)
        free(all[k]);
}

void by_gradient(layer *l) {
    double *c = adjoint(l, l->w, l->r);
    memcpy(l->out, c, (size_t)l->inputs * sizeof *c);
    free(c);
}

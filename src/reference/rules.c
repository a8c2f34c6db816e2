/* Rules of linear layers, as the table of definitions has them. */
#include "reference/rules.h"

#include <math.h>
#include <string.h>

double *hlrp_ref_map(const hlrp_ref_layer *l, const double *w, const double *b, const double *x) {
    double *y = hlrp_ref_take(l->room, l->outputs);
    if (l->gemm)
        hlrp_ref_gemm_forward(l->conv.x.n, l->conv.x.c, l->conv.y.c, x, w, b, y);
    else
        hlrp_ref_conv_forward(&l->conv, x, w, b, y);
    return y;
}

double *hlrp_ref_map_back(const hlrp_ref_layer *l, const double *w, const double *s) {
    double *c = hlrp_ref_take(l->room, l->inputs);
    if (l->gemm)
        hlrp_ref_gemm_adjoint(l->conv.x.n, l->conv.x.c, l->conv.y.c, s, w, c);
    else
        hlrp_ref_conv_adjoint(&l->conv, s, w, c);
    return c;
}

/* a·v⁺ + b·v⁻ */
double *hlrp_ref_signed_parts(const hlrp_ref_layer *l, int64_t count, const double *v, double a,
                              double b) {
    double *y = hlrp_ref_take(l->room, count);
    for (int64_t i = 0; i < count; i++)
        y[i] = (v[i] > 0 ? a : b) * v[i];
    return y;
}

double *hlrp_ref_add(int64_t count, double *a, const double *b) {
    for (int64_t i = 0; i < count; i++)
        a[i] += b[i];
    return a;
}

static int64_t sample_of(const hlrp_ref_layer *l, int64_t i) {
    return i / (l->outputs / l->samples);
}

/* s = R / hlrp_ref_stab(z) with one epsilon per sample; b [O] is the bias that z holds; `times` is how often
 * the part enters the relevance; gate: where it is false s is 0 (NULL: nowhere). */
static double *divide(hlrp_ref_layer *l, const double *z, const double *epsilon, const double *b,
                      double times, const double *gate) {
    double *s = hlrp_ref_take(l->room, l->outputs);
    for (int64_t i = 0; i < l->outputs; i++) {
        const int64_t n = sample_of(l, i), c = i / l->pixels % l->channels;
        if (gate && gate[i] == 0)
            continue;
        s[i] = l->r[i] / hlrp_ref_stab(z[i], epsilon[n]);
        if (l->left) {
            l->left[i] -= times * s[i] * (z[i] - b[c]);
            continue;
        }
        l->account[n].bias += times * s[i] * b[c];
        l->account[n].stabilizer += times * s[i] * (hlrp_ref_stab(z[i], epsilon[n]) - z[i]);
    }
    return s;
}

/* s = R / z where z is the sum of contributions of one sign, and all of R is handed on. */
static double *divide_whole(hlrp_ref_layer *l, const double *z) {
    double *s = hlrp_ref_take(l->room, l->outputs);
    for (int64_t i = 0; i < l->outputs; i++) {
        s[i] = fabs(z[i]) > 1e-30 ? l->r[i] / z[i] : 0;
        l->left[i] = fabs(z[i]) > 1e-30 ? 0 : l->r[i];
    }
    return s;
}

static double *same_epsilon(const hlrp_ref_layer *l, double epsilon) {
    double *e = hlrp_ref_take(l->room, l->samples);
    for (int64_t n = 0; n < l->samples; n++)
        e[n] = epsilon;
    return e;
}

/* out += times · x · wᵀs */
void hlrp_ref_send(hlrp_ref_layer *l, double times, const double *x, const double *w,
                   const double *s) {
    double *c = hlrp_ref_map_back(l, w, s);
    for (int64_t i = 0; i < l->inputs; i++)
        l->out[i] += times * x[i] * c[i];
}

void hlrp_ref_by_epsilon(hlrp_ref_layer *l, double epsilon, bool rms) {
    double *z = hlrp_ref_map(l, l->w, l->b_rule, l->x), *e = same_epsilon(l, epsilon);
    const int64_t sample = l->outputs / l->samples;
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
    hlrp_ref_send(l, 1, l->x, l->w, s);
}

/* One branch: wp meets x⁺, wn meets x⁻, the bias is ab·b⁺ + bb·b⁻. */
static void by_parts(hlrp_ref_layer *l, double times, const double *wp, const double *wn, double ab,
                     double bb, const double *gate) {
    double *xp = hlrp_ref_signed_parts(l, l->inputs, l->x, 1, 0);
    double *xn = hlrp_ref_signed_parts(l, l->inputs, l->x, 0, 1);
    double *b = hlrp_ref_signed_parts(l, l->channels, l->b_rule, ab, bb);
    double *z = hlrp_ref_add(l->outputs, hlrp_ref_map(l, wp, b, xp), hlrp_ref_map(l, wn, NULL, xn));
    double *e = same_epsilon(l, l->stabilizer);
    double *s = divide(l, z, e, b, times, gate);
    hlrp_ref_send(l, times, xp, wp, s);
    hlrp_ref_send(l, times, xn, wn, s);
}

void hlrp_ref_by_gamma(hlrp_ref_layer *l, double g) {
    double *z = hlrp_ref_map(l, l->w, l->b, l->x); /* the forward's own decides */
    double *up = hlrp_ref_signed_parts(l, l->weights, l->w, 1 + g, 1);
    double *down = hlrp_ref_signed_parts(l, l->weights, l->w, 1, 1 + g);
    double *positive = hlrp_ref_take(l->room, l->outputs),
           *negative = hlrp_ref_take(l->room, l->outputs);
    for (int64_t i = 0; i < l->outputs; i++) {
        positive[i] = z[i] > 0;
        negative[i] = z[i] < 0;
    }
    by_parts(l, 1, up, down, 1 + g, 1, positive);
    by_parts(l, 1, down, up, 1, 1 + g, negative);
}

void hlrp_ref_by_alphabeta(hlrp_ref_layer *l, double alpha, double beta) {
    double *wp = hlrp_ref_signed_parts(l, l->weights, l->w, 1, 0);
    double *wn = hlrp_ref_signed_parts(l, l->weights, l->w, 0, 1);
    by_parts(l, alpha, wp, wn, 1, 0, NULL);
    if (beta != 0)
        by_parts(l, -beta, wn, wp, 0, 1, NULL);
}

/* v: W² or ones; b: b² or 0. */
void hlrp_ref_by_constant(hlrp_ref_layer *l, bool flat) {
    double *ones = hlrp_ref_take(l->room, l->inputs), *v = hlrp_ref_take(l->room, l->weights);
    double *b = hlrp_ref_take(l->room, l->channels);
    for (int64_t i = 0; i < l->inputs; i++)
        ones[i] = 1;
    for (int64_t i = 0; i < l->weights; i++)
        v[i] = flat ? 1 : l->w[i] * l->w[i];
    for (int64_t c = 0; c < l->channels; c++)
        b[c] = flat || l->bias == HLRP_BIAS_SHARE ? 0 : l->b_rule[c] * l->b_rule[c];
    double *z = hlrp_ref_map(l, v, b, ones), *e = same_epsilon(l, l->stabilizer);
    double *s = l->bias == HLRP_BIAS_SHARE ? divide_whole(l, z) : divide(l, z, e, b, 1, NULL);
    hlrp_ref_send(l, 1, ones, v, s);
}

/* Channels [group, C/group] became [C/group, group]. */
static int64_t unshuffled(const hlrp_dims *d, int64_t group, int64_t i) {
    const int64_t pixels = d->d[2] * d->d[3], plane = i / pixels;
    const int64_t each = d->d[1] / group, c = plane % d->d[1];
    return (plane - c + c % group * each + c / group) * pixels + i % pixels;
}

/* The element of the graph's input that element i of a value was moved from. What pads a picture has its
 * channel's bounds, too: −1 where it is of no channel. */
static int64_t origin(const hlrp_graph *g, int value, int64_t i) {
    while (value != g->input && i >= 0) {
        const hlrp_node *n = &g->nodes[g->values[value].producer];
        const hlrp_dims *out = &g->values[value].dims, *in = &g->values[n->in[0]].dims;
        hlrp_ref_source from = hlrp_ref_moved_from(g, n, i);
        if (n->op == &hlrp_op_shuffle)
            from.at = unshuffled(out, n->group, i);
        if (from.at < 0 && in->rank == 4 && in->d[1] == out->d[1])
            from.at = i / (out->d[2] * out->d[3]) * in->d[2] * in->d[3];
        value = n->in[from.input];
        i = from.at;
    }
    return i;
}

void hlrp_ref_by_zbox(hlrp_ref_layer *l, const hlrp_ref_lrp_options *o) {
    double *wp = hlrp_ref_signed_parts(l, l->weights, l->w, 1, 0);
    double *wn = hlrp_ref_signed_parts(l, l->weights, l->w, 0, 1);
    double *low = hlrp_ref_take(l->room, l->inputs), *high = hlrp_ref_take(l->room, l->inputs);
    double *none = hlrp_ref_take(l->room, l->channels);
    const hlrp_ref_shape all = hlrp_ref_shape_of(&l->g->values[l->g->input].dims);
    for (int64_t i = 0; i < l->inputs; i++) {
        const int64_t from = origin(l->g, l->from, i);
        if (from < 0) /* it is 0 whatever the picture */
            continue;
        low[i] = o->low[from / (all.h * all.w) % all.c];
        high[i] = o->high[from / (all.h * all.w) % all.c];
    }
    double *z = hlrp_ref_map(l, l->w, NULL, l->x), *zl = hlrp_ref_map(l, wp, NULL, low);
    double *zh = hlrp_ref_map(l, wn, NULL, high), *e = same_epsilon(l, l->stabilizer);
    for (int64_t i = 0; i < l->outputs; i++)
        z[i] -= zl[i] + zh[i];
    double *s = l->bias == HLRP_BIAS_SHARE ? divide_whole(l, z) : divide(l, z, e, none, 1, NULL);
    hlrp_ref_send(l, 1, l->x, l->w, s);
    hlrp_ref_send(l, -1, low, wp, s);
    hlrp_ref_send(l, -1, high, wn, s);
}

void hlrp_ref_by_gradient(hlrp_ref_layer *l) {
    double *c = hlrp_ref_map_back(l, l->w, l->r);
    memcpy(l->out, c, (size_t)l->inputs * sizeof *c);
}

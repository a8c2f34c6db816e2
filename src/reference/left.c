/* Each definition written out: which inputs an output sees, what each contributes, who gets what. */
#include <math.h>
#include <string.h>

#include "reference/rules.h"

/* ---- evenly ---- */

/* The input pixel that tap (i, j) of output (oy, ox) sees, or −1. */
static int64_t seen(hlrp_ref_shape x, const hlrp_window *w, int64_t oy, int64_t ox, int64_t i,
                    int64_t j) {
    const int64_t y = oy * w->stride[0] - w->pad_lo[0] + i * w->dilation[0];
    const int64_t z = ox * w->stride[1] - w->pad_lo[1] + j * w->dilation[1];
    return y >= 0 && y < x.h && z >= 0 && z < x.w ? y * x.w + z : -1;
}

static void spread_one(hlrp_ref_shape x, hlrp_ref_shape y, const hlrp_window *win, int64_t pixel,
                       int64_t channels, double left, double *c) {
    int64_t count = 0;
    for (int64_t i = 0; i < win->kernel[0]; i++)
        for (int64_t j = 0; j < win->kernel[1]; j++)
            count += seen(x, win, pixel / y.w, pixel % y.w, i, j) >= 0;
    for (int64_t ch = 0; ch < channels; ch++) {
        double *to = c + ch * x.h * x.w;
        for (int64_t p = 0; count == 0 && p < x.h * x.w; p++)
            to[p] += left / (double)(channels * x.h * x.w);
        for (int64_t i = 0; i < win->kernel[0]; i++)
            for (int64_t j = 0; j < win->kernel[1]; j++) {
                const int64_t at = seen(x, win, pixel / y.w, pixel % y.w, i, j);
                if (at >= 0)
                    to[at] += left / (double)(channels * count);
            }
    }
}

void hlrp_ref_spread_window(hlrp_ref_shape x, hlrp_ref_shape y, const hlrp_window *win,
                            int64_t groups, const double *left, double *c) {
    const int64_t inputs = x.c / groups, outputs = y.c / groups, pixels = y.h * y.w;
    for (int64_t n = 0; n < y.n; n++)
        for (int64_t k = 0; k < y.c; k++)
            for (int64_t p = 0; p < pixels; p++)
                spread_one(x, y, win, p, inputs, left[(n * y.c + k) * pixels + p],
                           c + (n * x.c + k / outputs * inputs) * x.h * x.w);
}

static void spread_layer(hlrp_ref_layer *l) {
    const hlrp_window one = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    hlrp_ref_spread_window(l->conv.x, l->conv.y, l->gemm ? &one : l->conv.window,
                           l->gemm ? 1 : l->conv.group, l->left, l->out);
}

/* ---- in proportion ---- */

/* Contributions of one sign: the parts of w and x whose products have it, and their sum. */
typedef struct part {
    double *w[2], *x[2], *sum;
} part;

static part part_of(hlrp_ref_layer *l, bool positive) {
    part p = {.sum = NULL};
    for (int k = 0; k < 2; k++) {
        const bool up = (k == 0) == positive; /* k = 0: x⁺, k = 1: x⁻ */
        p.x[k] = hlrp_ref_signed_parts(l, l->inputs, l->x, k == 0, k == 1);
        p.w[k] = hlrp_ref_signed_parts(l, l->weights, l->w, up, !up);
    }
    p.sum = hlrp_ref_add(l->outputs, hlrp_ref_map(l, p.w[0], NULL, p.x[0]),
                         hlrp_ref_map(l, p.w[1], NULL, p.x[1]));
    return p;
}

/* out += t · contributions */
static void give(hlrp_ref_layer *l, const part *p, const double *t) {
    hlrp_ref_send(l, 1, p->x[0], p->w[0], t);
    hlrp_ref_send(l, 1, p->x[1], p->w[1], t);
}

/* Weights of positive and negative contributions in the rule's sum where the forward's is z. */
static void weights_of(const hlrp_rule *rule, double z, double *a, double *b) {
    const bool gamma = rule->kind == HLRP_RULE_GAMMA;
    *a = gamma && z > 0 ? 1 + rule->gamma : 1;
    *b = gamma && z < 0 ? 1 + rule->gamma : 1;
}

/* What epsilon and gamma left, by |contribution|. */
static void share_sum(hlrp_ref_layer *l, const hlrp_rule *rule) {
    part plus = part_of(l, true), minus = part_of(l, false);
    double *z = hlrp_ref_map(l, l->w, l->b, l->x);
    double *u = hlrp_ref_take(l->room, l->outputs), *v = hlrp_ref_take(l->room, l->outputs);
    for (int64_t i = 0; i < l->outputs; i++) {
        double a = 1, b = 1;
        weights_of(rule, z[i], &a, &b);
        const double whole = a * plus.sum[i] - b * minus.sum[i];
        if (whole <= 1e-30)
            continue;
        u[i] = a * l->left[i] / whole;
        v[i] = -b * l->left[i] / whole;
        l->left[i] = 0;
    }
    give(l, &plus, u);
    give(l, &minus, v);
}

/* alphabeta: αR over the positive contributions, −βR over the negative ones, R over those of one
 * sign where there are none of the other. Written anew: nothing of it is the rule with biases. */
static void share_parts(hlrp_ref_layer *l, double alpha, double beta) {
    part plus = part_of(l, true), minus = part_of(l, false);
    double *u = hlrp_ref_take(l->room, l->outputs), *v = hlrp_ref_take(l->room, l->outputs);
    memset(l->out, 0, (size_t)l->inputs * sizeof *l->out);
    for (int64_t i = 0; i < l->outputs; i++) {
        const bool p = plus.sum[i] > 1e-30, n = beta != 0 && minus.sum[i] < -1e-30;
        const double r = l->r[i];
        if (p)
            u[i] = (n ? alpha : 1) * r / plus.sum[i];
        if (n)
            v[i] = (p ? -beta : 1) * r / minus.sum[i];
        l->left[i] = p || n ? 0 : r;
    }
    give(l, &plus, u);
    give(l, &minus, v);
}

void hlrp_ref_give_left(hlrp_ref_layer *l, const hlrp_rule *rule) {
    if (l->bias == HLRP_BIAS_SHARE)
        switch (rule->kind) {
        case HLRP_RULE_LRP0:
        case HLRP_RULE_EPSILON:
        case HLRP_RULE_GAMMA:
            share_sum(l, rule);
            break;
        case HLRP_RULE_ZPLUS:
            share_parts(l, 1, 0);
            break;
        case HLRP_RULE_ALPHABETA:
            share_parts(l, rule->alpha, rule->beta);
            break;
        default: /* zbox, wsquare, flat: sums of one sign, by_… has divided by them alone */
            break;
        }
    spread_layer(l);
}

/* Sums and means of any kind, and arithmetic with constants: each input gets what it contributes. */
#include <math.h>
#include <string.h>

#include "reference/rules.h"

/* One input of a node that is linear in each of its inputs: for norm and epsilon s is R / hlrp_ref_stab(z)
 * and the input is x · (d/dx)ᵀs, for gradient s is R and the input (d/dx)ᵀs. */
static double *quotient(hlrp_ref_turn *t, const double *dropped) {
    const int64_t count = hlrp_ref_count(t->out);
    double *s = hlrp_ref_take(t->room, count);
    for (int64_t i = 0; i < count; i++) {
        s[i] = t->r[i];
        if (t->rule->kind == HLRP_RULE_GRADIENT)
            continue;
        const double z = t->y[i] - (dropped ? dropped[i / (t->out.h * t->out.w) % t->out.c] : 0);
        s[i] /= hlrp_ref_stab(z, hlrp_ref_epsilon_of(t));
        if (!hlrp_ref_conserves(t))
            hlrp_ref_account_of(t, i, count)->stabilizer +=
                s[i] * (hlrp_ref_stab(z, hlrp_ref_epsilon_of(t)) - z);
    }
    return s;
}

static void times_x(const hlrp_ref_turn *t, int64_t count, const double *x, double *c) {
    for (int64_t i = 0; t->rule->kind != HLRP_RULE_GRADIENT && i < count; i++)
        c[i] *= x[i];
}

/* ---- means: nodes that are linear without parameters in their one input ---- */

/* y = f(x); c += fᵀ s; c += what s gives evenly to what each output sees. */
typedef struct mean {
    void (*forward)(const hlrp_ref_turn *t, const double *x, double *y);
    void (*adjoint)(const hlrp_ref_turn *t, const double *s, double *c);
    void (*even)(const hlrp_ref_turn *t, const double *s, double *c);
} mean;

static void pool_forward(const hlrp_ref_turn *t, const double *x, double *y) {
    if (t->node->op == &hlrp_op_avgpool)
        hlrp_ref_avgpool(t->in, t->out, &t->node->window, x, y);
    else
        hlrp_ref_global_avgpool(t->in, x, y);
}

static void pool_adjoint(const hlrp_ref_turn *t, const double *s, double *c) {
    if (t->node->op == &hlrp_op_avgpool)
        hlrp_ref_avgpool_adjoint(t->in, t->out, &t->node->window, s, c);
    else
        hlrp_ref_global_avgpool_adjoint(t->in, s, c);
}

static void pool_even(const hlrp_ref_turn *t, const double *s, double *c) {
    const hlrp_window all = {.kernel = {t->in.h, t->in.w}, .stride = {1, 1}, .dilation = {1, 1}};
    hlrp_ref_spread_window(t->in, t->out, t->node->op == &hlrp_op_avgpool ? &t->node->window : &all,
                           t->in.c, s, c);
}

static void reduction_forward(const hlrp_ref_turn *t, const double *x, double *y) {
    hlrp_ref_reduce(t->node, t->in_dims, t->out_dims, x, y, NULL);
}

static void reduction_adjoint(const hlrp_ref_turn *t, const double *s, double *c) {
    hlrp_ref_reduce_adjoint(t->node, t->in_dims, t->out_dims, s, c);
}

/* Each number that went into an output, the same. */
static void reduction_even(const hlrp_ref_turn *t, const double *s, double *c) {
    const int64_t count = hlrp_ref_count(t->in);
    for (int64_t i = 0; i < count; i++)
        c[i] += s[hlrp_ref_reduced_to(t->node, t->in_dims, i)] * (double)hlrp_ref_count(t->out) /
                (double)count;
}

static void resize_forward(const hlrp_ref_turn *t, const double *x, double *y) {
    hlrp_ref_resize(t->node, t->in_dims, t->out_dims, x, y);
}

/* Also what is even: the pixels that an output sees count in it as the definition weighs them. */
static void resize_adjoint(const hlrp_ref_turn *t, const double *s, double *c) {
    hlrp_ref_resize_adjoint(t->node, t->in_dims, t->out_dims, s, c);
}

static const mean of_pools = {pool_forward, pool_adjoint, pool_even};
static const mean of_reductions = {reduction_forward, reduction_adjoint, reduction_even};
static const mean of_resizes = {resize_forward, resize_adjoint, resize_adjoint};

/* What s did not hand on: shared by |x|, then evenly. whole: f(|x|), or 0 where nothing is shared. */
static double *rest_of(const hlrp_ref_turn *t, const double *s, double *whole) {
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

static void give_mean(hlrp_ref_turn *t, const mean *m, const double *s, double *c) {
    const int64_t count = hlrp_ref_count(t->in);
    double *size = hlrp_ref_take(t->room, count), *more = hlrp_ref_take(t->room, count);
    double *whole = hlrp_ref_take(t->room, hlrp_ref_count(t->out));
    for (int64_t i = 0; i < count; i++)
        size[i] = fabs(t->x[i]);
    m->forward(t, size, whole);
    double *left = rest_of(t, s, whole);
    if (t->o->bias == HLRP_BIAS_SHARE)
        m->adjoint(t, whole, more);
    for (int64_t i = 0; i < count; i++)
        c[i] += size[i] * more[i];
    m->even(t, left, c);
}

static void back_mean(hlrp_ref_turn *t, const mean *m) {
    double *s = quotient(t, NULL), *c = hlrp_ref_take(t->room, hlrp_ref_count(t->in));
    m->adjoint(t, s, c);
    times_x(t, hlrp_ref_count(t->in), t->x, c);
    if (hlrp_ref_conserves(t))
        give_mean(t, m, s, c);
    hlrp_ref_arrive(t, 0, c);
}

static void back_pool(hlrp_ref_turn *t) {
    back_mean(t, &of_pools);
}

static void back_reduction(hlrp_ref_turn *t) {
    back_mean(t, &of_reductions);
}

static void back_resize(hlrp_ref_turn *t) {
    back_mean(t, &of_resizes);
}

/* ---- sums of computed tensors, and layers of one input for each output ---- */

static void back_sum(hlrp_ref_turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    const int terms = t->node->in_count;
    double *s = quotient(t, NULL), *c = hlrp_ref_take(t->room, count);
    double *whole = hlrp_ref_take(t->room, count);
    for (int k = 0; k < terms; k++)
        for (int64_t i = 0; i < count; i++)
            whole[i] += fabs(hlrp_ref_turn_input(t, k)[i]);
    double *left = hlrp_ref_conserves(t) ? rest_of(t, s, whole) : NULL;
    for (int k = 0; k < terms; k++) {
        memcpy(c, s, (size_t)count * sizeof *c);
        times_x(t, count, hlrp_ref_turn_input(t, k), c);
        for (int64_t i = 0; left && i < count; i++)
            c[i] +=
                left[i] / terms +
                (t->o->bias == HLRP_BIAS_SHARE ? whole[i] * fabs(hlrp_ref_turn_input(t, k)[i]) : 0);
        hlrp_ref_arrive(t, k, c);
    }
}

static void back_batchnorm(hlrp_ref_turn *t) {
    if (t->rule->kind == HLRP_RULE_PASS || hlrp_ref_conserves(t)) { /* the only input gets all */
        hlrp_ref_arrive(t, 0, t->r);
        return;
    }
    const double *scale = hlrp_ref_turn_input(t, 1), *shift = hlrp_ref_turn_input(t, 2);
    const int64_t count = hlrp_ref_count(t->out), pixels = t->out.h * t->out.w;
    double *c = quotient(t, t->o->bias == HLRP_BIAS_DROP ? shift : NULL);
    for (int64_t i = 0; i < count; i++) {
        const int64_t channel = i / pixels % t->out.c;
        if (t->rule->kind != HLRP_RULE_GRADIENT && t->o->bias != HLRP_BIAS_DROP)
            hlrp_ref_account_of(t, i, count)->bias += c[i] * shift[channel];
        c[i] *= scale[channel];
    }
    times_x(t, count, t->x, c);
    hlrp_ref_arrive(t, 0, c);
}

/* x ± c: c keeps its part whatever biases do, as position embeddings do. */
static void back_summand(hlrp_ref_turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    const double e = hlrp_ref_epsilon_of(t);
    double *c = hlrp_ref_take_like(t, 0);
    for (int64_t i = 0; i < count; i++) {
        const double z = t->y[i], s = t->r[i] / hlrp_ref_stab(z, e);
        c[i] = t->r[i];
        if (hlrp_ref_differentiates(t) || t->rule->kind == HLRP_RULE_PASS)
            continue;
        c[i] = t->x[i] * s;
        if (!isfinite(z)) /* masked by −∞: nothing arrives there */
            continue;
        hlrp_ref_account_of(t, i, count)->constant += s * (z - t->x[i]);
        hlrp_ref_account_of(t, i, count)->stabilizer += s * (hlrp_ref_stab(z, e) - z);
    }
    hlrp_ref_arrive(t, 0, c);
}

/* x·c and x/c: x gets all. */
static void back_factor(hlrp_ref_turn *t) {
    const double *by = hlrp_ref_turn_input(t, 1);
    double *c = hlrp_ref_take_like(t, 0);
    for (int64_t i = 0; i < hlrp_ref_count(t->out); i++) {
        const double v = by[hlrp_ref_met(t->out_dims, hlrp_ref_turn_dims(t, 1), i)];
        c[i] = t->r[i];
        if (hlrp_ref_differentiates(t))
            c[i] *= t->node->op == &hlrp_op_div ? 1 / v : v;
    }
    hlrp_ref_arrive(t, 0, c);
}

static const struct {
    const hlrp_operator *op;
    hlrp_ref_back back;
} table[] = {
    {&hlrp_op_avgpool, back_pool},         {&hlrp_op_global_avgpool, back_pool},
    {&hlrp_op_reduce_sum, back_reduction}, {&hlrp_op_reduce_mean, back_reduction},
    {&hlrp_op_resize, back_resize},        {&hlrp_op_add, back_sum},
    {&hlrp_op_batchnorm, back_batchnorm},  {&hlrp_op_add_const, back_summand},
    {&hlrp_op_sub, back_summand},          {&hlrp_op_mul, back_factor},
    {&hlrp_op_div, back_factor},
};

hlrp_ref_back hlrp_ref_back_of_sums(const hlrp_operator *op) {
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == op)
            return table[k].back;
    return NULL;
}

/* Relevance through products of computed tensors, normalization, softmax, functions and movement.
 * Definitions: Achtibat et al. (2024), AttnLRP, and Ali et al. (2022), where factors are constant. */
#include <math.h>
#include <string.h>

#include "reference/turn.h"

/* ---- products ---- */

/* constant: with A held fixed, R_B = B ⊙ Aᵀ(R / stab(y)). share: s = R / stab(2y), R_A = A ⊙ (s Bᵀ),
 * R_B = B ⊙ (Aᵀ s). */
static double *divided(const hlrp_ref_turn *t, double times) {
    const int64_t count = hlrp_ref_count(t->out);
    const double e = t->o->stabilizer > 0 ? t->o->stabilizer : 1e-6;
    double *s = hlrp_ref_take(t->room, count);
    for (int64_t i = 0; i < count; i++) {
        const double z = times * t->y[i];
        s[i] = t->r[i] / hlrp_ref_stab(z, e);
        hlrp_ref_account_of(t, i, count)->stabilizer += s[i] * (hlrp_ref_stab(z, e) - z);
    }
    return s;
}

static void back_matmul(hlrp_ref_turn *t) {
    const hlrp_ref_product p = {t->in_dims, hlrp_ref_turn_dims(t, 1), t->out_dims};
    const bool gradient = hlrp_ref_differentiates(t);
    const double *s = gradient ? t->r : divided(t, t->to < 0 ? 2 : 1);
    for (int k = 0; k < 2; k++) {
        if (!hlrp_ref_turn_takes(t, k) || !(gradient || t->to < 0 || t->to == k))
            continue;
        double *c = hlrp_ref_take_like(t, k);
        hlrp_ref_matmul_adjoint(&p, k, hlrp_ref_turn_input(t, 1 - k), s, c);
        for (int64_t i = 0; !gradient && i < hlrp_ref_dims_count(hlrp_ref_turn_dims(t, k)); i++)
            c[i] *= hlrp_ref_turn_input(t, k)[i];
        hlrp_ref_arrive(t, k, c);
    }
}

/* Factor k of a product of elements gets R, R/2 or R times the other factor. */
static void give_factor(hlrp_ref_turn *t, int k) {
    const double *other = hlrp_ref_turn_input(t, 1 - k);
    double *c = hlrp_ref_take_like(t, k);
    for (int64_t i = 0; i < hlrp_ref_count(t->out); i++) {
        const double v = other[hlrp_ref_met(t->out_dims, hlrp_ref_turn_dims(t, 1 - k), i)];
        const double times = hlrp_ref_differentiates(t) ? v : t->to < 0 ? 0.5 : 1;
        c[hlrp_ref_met(t->out_dims, hlrp_ref_turn_dims(t, k), i)] += t->r[i] * times;
    }
    hlrp_ref_arrive(t, k, c);
}

static void back_gate(hlrp_ref_turn *t) {
    for (int k = 0; k < 2; k++)
        if (hlrp_ref_differentiates(t) || t->to < 0 || t->to == k)
            give_factor(t, k);
}

/* a / b: all to a; by the gradient R/b to a and −R·a/b² to b. */
static void back_quotient(hlrp_ref_turn *t) {
    const double *b = hlrp_ref_turn_input(t, 1);
    double *to_a = hlrp_ref_take_like(t, 0), *to_b = hlrp_ref_take_like(t, 1);
    for (int64_t i = 0; i < hlrp_ref_count(t->out); i++) {
        const int64_t ka = hlrp_ref_met(t->out_dims, t->in_dims, i);
        const int64_t kb = hlrp_ref_met(t->out_dims, hlrp_ref_turn_dims(t, 1), i);
        to_a[ka] += t->r[i] * (hlrp_ref_differentiates(t) ? 1 / b[kb] : 1);
        to_b[kb] -= t->r[i] * t->x[ka] / (b[kb] * b[kb]);
    }
    hlrp_ref_arrive(t, 0, to_a);
    if (hlrp_ref_differentiates(t))
        hlrp_ref_arrive(t, 1, to_b);
}

/* ---- softmax ---- */

/* The numbers of one softmax: the first, how many, and from one to the next. */
typedef struct run {
    int64_t first, count, step;
} run;

static run run_of(const hlrp_ref_turn *t, int64_t i) {
    const hlrp_dims *d = t->out_dims;
    const int axis = t->node->axis < 0 ? t->node->axis + d->rank : t->node->axis;
    int64_t place[HLRP_MAX_RANK] = {0}, step = 1;
    hlrp_ref_place_of(d, i, place);
    place[axis] = 0;
    for (int k = axis + 1; k < d->rank; k++)
        step *= d->d[k];
    return (run){hlrp_ref_element_at(d, place), d->d[axis], step};
}

/* dy_j/dx_i = y_j(δ_ij − y_i); of its logarithm δ_ij − softmax_i. */
static double softmax_gradient(const hlrp_ref_turn *t, const run *k, int64_t i, bool logarithm) {
    double sum = 0;
    for (int64_t j = k->first; j < k->first + k->count * k->step; j += k->step)
        sum += t->r[j] * (logarithm ? 1 : t->y[j]);
    return logarithm ? t->r[i] - exp(t->y[i]) * sum : t->y[i] * (t->r[i] - sum);
}

/* x ⊙ (R − y ΣR): a Taylor expansion at x; what is masked by −∞ gets nothing. */
static double taylor(const hlrp_ref_turn *t, const run *k, int64_t i) {
    double sum = 0;
    for (int64_t j = k->first; j < k->first + k->count * k->step; j += k->step)
        sum += t->r[j];
    return isfinite(t->x[i]) ? t->x[i] * (t->r[i] - t->y[i] * sum) : 0;
}

static void back_softmax(hlrp_ref_turn *t) {
    const bool logarithm = t->node->op == &hlrp_op_log_softmax;
    double *c = hlrp_ref_take_like(t, 0);
    for (int64_t i = 0; i < hlrp_ref_count(t->out); i++) {
        const run k = run_of(t, i);
        c[i] = hlrp_ref_differentiates(t) ? softmax_gradient(t, &k, i, logarithm)
               : logarithm                ? t->r[i]
                                          : taylor(t, &k, i);
        if (!hlrp_ref_differentiates(t) && !logarithm) /* the expansion's constant term */
            hlrp_ref_account_of(t, i, hlrp_ref_count(t->out))->normalization += t->r[i] - c[i];
    }
    hlrp_ref_arrive(t, 0, c);
}

/* ---- normalization ---- */

static double gain(const hlrp_ref_turn *t, int64_t i) {
    const double *g = hlrp_ref_turn_input(t, 1);
    return g ? g[hlrp_ref_member_of(t->node, t->in_dims, i).gain] : 1;
}

static double shift(const hlrp_ref_turn *t, int64_t i) {
    const double *b = hlrp_ref_turn_input(t, 2);
    return b ? b[hlrp_ref_member_of(t->node, t->in_dims, i).gain] : 0;
}

/* u = g·(R / stab(y)) / σ, R_in = x ⊙ (u − mean u); b keeps its part. */
static void detach(hlrp_ref_turn *t, const hlrp_ref_member *m, double *c) {
    const double e = hlrp_ref_epsilon_of(t);
    const int64_t count = hlrp_ref_count(t->out);
    double mu = 0, sigma = 1, mean = 0;
    hlrp_ref_moments(t->node, t->in_dims, t->x, m->first, &mu, &sigma);
    for (int64_t i = m->first; i < m->first + m->count; i++) {
        const double s = t->r[i] / hlrp_ref_stab(t->y[i], e);
        c[i] = gain(t, i) * s / sigma;
        mean += c[i] / (double)m->count;
        hlrp_ref_account_of(t, i, count)->normalization += s * shift(t, i);
        hlrp_ref_account_of(t, i, count)->stabilizer += s * (hlrp_ref_stab(t->y[i], e) - t->y[i]);
    }
    for (int64_t i = m->first; i < m->first + m->count; i++)
        c[i] = t->x[i] * (c[i] - mean);
}

/* y_j = g_j (x_j − μ)/σ + b_j: dy_j/dx_i = g_j/σ · (δ_ij − 1/n − z_i z_j / n), z = (x − μ)/σ; the 1/n is
 * that of the mean, where one is taken off. */
static void normalization_gradient(hlrp_ref_turn *t, const hlrp_ref_member *m, double *c) {
    const double n = (double)m->count, centered = t->node->op == &hlrp_op_rmsnorm ? 0 : 1;
    double mu = 0, sigma = 1, sum = 0, along = 0;
    hlrp_ref_moments(t->node, t->in_dims, t->x, m->first, &mu, &sigma);
    for (int64_t j = m->first; j < m->first + m->count; j++) {
        sum += t->r[j] * gain(t, j);
        along += t->r[j] * gain(t, j) * (t->x[j] - mu) / sigma;
    }
    for (int64_t i = m->first; i < m->first + m->count; i++)
        c[i] = (t->r[i] * gain(t, i) - centered * sum / n - (t->x[i] - mu) / sigma * along / n) /
               sigma;
}

static void back_norm(hlrp_ref_turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    double *c = hlrp_ref_take_like(t, 0);
    if (t->rule->kind == HLRP_RULE_PASS)
        memcpy(c, t->r, (size_t)count * sizeof *c);
    for (int64_t i = 0; t->rule->kind != HLRP_RULE_PASS && i < count;) {
        const hlrp_ref_member m = hlrp_ref_member_of(t->node, t->in_dims, i);
        if (hlrp_ref_differentiates(t))
            normalization_gradient(t, &m, c);
        else
            detach(t, &m, c);
        i += m.count;
    }
    hlrp_ref_arrive(t, 0, c);
}

/* y_i = x_i·D_i^−β with D = bias + α/n Σ x²: R_i D_i^−β to x_i, and −R_i x_i β D_i^(−β−1)·2α/n·x_j to
 * each x_j of the sum. */
static void local_gradient(hlrp_ref_turn *t, int64_t i, double *c) {
    const hlrp_node *n = t->node;
    const double d = hlrp_ref_local_sum(n, t->in_dims, t->x, i), beta = (double)n->lo;
    int64_t place[HLRP_MAX_RANK] = {0}, from = 0, to = 0;
    hlrp_ref_place_of(t->in_dims, i, place);
    hlrp_ref_local_channels(n, t->in_dims, place[1], &from, &to);
    c[i] += t->r[i] * pow(d, -beta);
    for (place[1] = from; place[1] <= to; place[1]++) {
        const int64_t j = hlrp_ref_element_at(t->in_dims, place);
        c[j] -= t->r[i] * t->x[i] * beta * pow(d, -beta - 1) * 2 * (double)n->alpha /
                (double)n->group * t->x[j];
    }
}

static void back_local_response(hlrp_ref_turn *t) {
    double *c = hlrp_ref_take_like(t, 0);
    for (int64_t i = 0; i < hlrp_ref_count(t->out); i++)
        if (hlrp_ref_differentiates(t))
            local_gradient(t, i, c);
        else
            c[i] = t->r[i];
    hlrp_ref_arrive(t, 0, c);
}

/* ---- maxima and lengths ---- */

static void back_maximum(hlrp_ref_turn *t) {
    const int64_t *arg = hlrp_ref_argmax(t->values, t->id);
    double *c = hlrp_ref_take_like(t, 0);
    for (int64_t i = 0; i < hlrp_ref_count(t->out); i++)
        c[arg[i]] += t->r[i];
    hlrp_ref_arrive(t, 0, c);
}

/* y = √Σx²: by squares, or by the slope x/y. */
static void back_length(hlrp_ref_turn *t) {
    double *c = hlrp_ref_take_like(t, 0);
    for (int64_t i = 0; i < hlrp_ref_count(t->in); i++) {
        const int64_t to = hlrp_ref_reduced_to(t->node, t->in_dims, i);
        const double part = t->y[to] > 0 ? t->x[i] / t->y[to] : 0;
        c[i] = t->r[to] * (hlrp_ref_differentiates(t) ? part : part * part);
    }
    hlrp_ref_arrive(t, 0, c);
}

/* ---- element by element ---- */

static double slope_at(const hlrp_ref_turn *t, int64_t i) {
    if (t->node->op != &hlrp_op_prelu)
        return hlrp_ref_slope_of(t->node->op)(t->node, t->x[i]);
    return t->x[i] < 0 ? hlrp_ref_prelu_slope(t->in_dims, hlrp_ref_turn_dims(t, 1),
                                              hlrp_ref_turn_input(t, 1), i)
                       : 1;
}

static void back_function(hlrp_ref_turn *t) {
    double *c = hlrp_ref_take_like(t, 0);
    for (int64_t i = 0; i < hlrp_ref_count(t->in); i++)
        c[i] = t->r[i] * (hlrp_ref_differentiates(t) ? slope_at(t, i) : 1);
    hlrp_ref_arrive(t, 0, c);
}

/* ---- movement ---- */

/* Relevance goes where its element came from; what lies on constants stays there. */
static void back_move(hlrp_ref_turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    const int inputs = t->node->op->variadic ? t->node->in_count : 1;
    for (int k = 0; k < inputs; k++) {
        double *c = hlrp_ref_take_like(t, k);
        for (int64_t i = 0; i < count; i++) {
            const hlrp_ref_source from = hlrp_ref_moved_from(t->g, t->node, i);
            if (from.at < 0 && k == 0 && !hlrp_ref_differentiates(t)) /* zeros around it */
                hlrp_ref_account_of(t, i, count)->constant += t->r[i];
            if (from.input != k || from.at < 0)
                continue;
            c[from.at] += t->r[i];
            if (!hlrp_ref_turn_takes(t, k))
                hlrp_ref_account_of(t, i, count)->constant += t->r[i];
        }
        if (hlrp_ref_turn_takes(t, k))
            hlrp_ref_arrive(t, k, c);
    }
}

/* All to the input that the element is from, the first of equals. */
static void back_extremum(hlrp_ref_turn *t) {
    const int64_t count = hlrp_ref_count(t->out);
    for (int k = 0; k < t->node->in_count; k++) {
        double *c = hlrp_ref_turn_takes(t, k) ? hlrp_ref_take_like(t, k) : NULL;
        for (int64_t i = 0; i < count; i++) {
            bool from = hlrp_ref_turn_input(t, k)[i] == t->y[i];
            for (int before = 0; before < k; before++)
                from = from && hlrp_ref_turn_input(t, before)[i] != t->y[i];
            if (from && c)
                c[i] = t->r[i];
            else if (from)
                hlrp_ref_account_of(t, i, count)->constant += t->r[i];
        }
        if (c)
            hlrp_ref_arrive(t, k, c);
    }
}

static const struct {
    const hlrp_operator *op;
    hlrp_ref_back back;
} table[] = {
    {&hlrp_op_maximum, back_extremum},    {&hlrp_op_minimum, back_extremum},
    {&hlrp_op_matmul, back_matmul},       {&hlrp_op_gate, back_gate},
    {&hlrp_op_quotient, back_quotient},   {&hlrp_op_softmax, back_softmax},
    {&hlrp_op_log_softmax, back_softmax}, {&hlrp_op_layernorm, back_norm},
    {&hlrp_op_groupnorm, back_norm},      {&hlrp_op_instancenorm, back_norm},
    {&hlrp_op_rmsnorm, back_norm},        {&hlrp_op_local_response, back_local_response},
    {&hlrp_op_reduce_max, back_maximum},  {&hlrp_op_reduce_l2, back_length},
    {&hlrp_op_prelu, back_function},
};

hlrp_ref_back hlrp_ref_back_of_rows(const hlrp_operator *op) {
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == op)
            return table[k].back;
    return op->moves ? back_move : hlrp_ref_slope_of(op) ? back_function : NULL;
}

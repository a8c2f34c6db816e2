/* Matrix products of two tensors, of which one at most is constant: y = A B over the last two axes, for
 * every place along the others. (With constant weights on the right they are linear layers.)
 *
 *   constant  one factor is a weight, such as attention, and is held fixed: with it A,
 *             R_B = B ⊙ Aᵀ( R / stab(y) ); where neither or both are, as share
 *   share     s = R / stab(2y); R_A = A ⊙ (s Bᵀ), R_B = B ⊙ (Aᵀ s)
 *
 * Source: Achtibat et al. (2024), AttnLRP, eq. 14, and Ali et al. (2022), where attention is constant. */
#include "engine/kernels.h"
#include "engine/matrix.h"
#include "lrp/turn.h"
#include "op/op.h"
#include "util/vector.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    char ta[96], tb[96];
    const hlrp_dims *a = s->in[0], *b = s->in[1];
    hlrp_dims of_a = *a, of_b = *b;
    if (a->rank == 1 && b->rank == 2 && s->known[1] && a->d[0] == b->d[0]) {
        *out = (hlrp_dims){
            1, {b->d[1]}}; /* a row times weights: canonize makes a linear layer of it */
        return HLRP_OK;
    }
    bool fits = a->rank >= 2 && b->rank >= 2 && a->d[a->rank - 1] == b->d[b->rank - 2];
    if (fits) {
        of_a.rank -= 2;
        of_b.rank -= 2;
        fits = hlrp_dims_broadcast(&of_a, &of_b, out) && out->rank + 2 <= HLRP_MAX_RANK;
    }
    if (!fits)
        return hlrp_node_fail(s->n, err,
                              "weights of shape %s do not fit an input of shape %s "
                              "(was the network exported for another input size?)",
                              hlrp_dims_text(b, tb, sizeof tb), hlrp_dims_text(a, ta, sizeof ta));
    out->d[out->rank++] = a->d[a->rank - 2];
    out->d[out->rank++] = b->d[b->rank - 1];
    return HLRP_OK;
}

/* The matrices of one node: how many there are of the output, and how far those of either factor lie
 * apart (0: one for all). */
typedef struct stack {
    int64_t count, rows, inner, columns, a_step, b_step;
} stack;

static stack stack_of(const hlrp_dims *a, const hlrp_dims *b, const hlrp_dims *y) {
    stack s = {.count = 1,
               .rows = a->d[a->rank - 2],
               .inner = a->d[a->rank - 1],
               .columns = b->d[b->rank - 1]};
    for (int k = 0; k < y->rank - 2; k++)
        s.count *= y->d[k];
    s.a_step = a->rank > 2 ? s.rows * s.inner : 0;
    s.b_step = b->rank > 2 ? s.inner * s.columns : 0;
    return s;
}

/* A constant factor of higher rank has all matrices; computed ones are made so by canonize. */
static hlrp_status check(const hlrp_graph *g, hlrp_node *n, hlrp_error *err) {
    const hlrp_dims *y = &g->values[n->out[0]].dims;
    for (int i = 0; i < 2; i++) {
        const hlrp_dims *d = &g->values[n->in[i]].dims;
        bool whole = d->rank == y->rank;
        for (int k = 0; whole && k < y->rank - 2; k++)
            whole = d->d[k] == y->d[k];
        if (!whole && d->rank != 2)
            return hlrp_node_refuse(n, err, "export the network without it",
                                    "operator %s at node %s spreads its input %d over axes",
                                    n->type, n->name, i);
    }
    return HLRP_OK;
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    const float *a = hlrp_computation_input(c, 0), *b = hlrp_computation_input(c, 1);
    const stack s = stack_of(hlrp_computation_dims(c, 0), hlrp_computation_dims(c, 1),
                             hlrp_plan_dims(c->plan, c->node->out[0]));
    const hlrp_matrix_product p = {s.rows, s.inner, s.columns, false, false};
    hlrp_status status = HLRP_OK;
    for (int64_t k = 0; status == HLRP_OK && k < s.count; k++)
        status = hlrp_multiply_matrices(&p, a + k * s.a_step, b + k * s.b_step,
                                        c->y + k * s.rows * s.columns, err);
    return status;
}

/* ---- relevance ---- */

/* out = r' Bᵀ for factor 0, Aᵀ r' for factor 1, with r' of the output's shape. */
static hlrp_status adjoint(const hlrp_turn *t, int factor, const float *r, float *out,
                           hlrp_error *err) {
    const float *a = hlrp_turn_input(t, 0), *b = hlrp_turn_input(t, 1);
    const stack s = stack_of(hlrp_turn_dims(t, 0), hlrp_turn_dims(t, 1),
                             hlrp_plan_dims(t->w->lrp->plan, t->node->out[0]));
    const hlrp_matrix_product to_a = {s.rows, s.columns, s.inner, false, true};
    const hlrp_matrix_product to_b = {s.inner, s.rows, s.columns, true, false};
    hlrp_status status = HLRP_OK;
    for (int64_t k = 0; status == HLRP_OK && !hlrp_turn_is_dry(t) && k < s.count; k++) {
        const float *from = r + k * s.rows * s.columns;
        status =
            factor == 0
                ? hlrp_multiply_matrices(&to_a, from, b + k * s.b_step, out + k * s.a_step, err)
                : hlrp_multiply_matrices(&to_b, a + k * s.a_step, from, out + k * s.b_step, err);
    }
    return status;
}

static hlrp_status give(hlrp_turn *t, int factor, const float *r, bool times, hlrp_error *err) {
    const int64_t mark = t->step.scratch->used;
    float *out = hlrp_begin(t, factor);
    const hlrp_status status = adjoint(t, factor, r, out, err);
    if (times)
        hlrp_multiply(hlrp_layout_count(hlrp_layout_of(t->w, t->node->in[factor])),
                      hlrp_turn_input(t, factor), out);
    hlrp_end(t, factor, out);
    t->step.scratch->used = mark;
    return status;
}

/* s = R / stab(times·y); returns what the stabilizer takes. */
HLRP_VECTOR
static double divide(int64_t count, float times, const float *r, const float *y, float *s) {
    const float e = (float)HLRP_STABILIZER;
    double taken = 0;
#pragma omp simd reduction(+ : taken)
    for (int64_t i = 0; i < count; i++) {
        s[i] = r[i] / hlrp_stab(times * y[i], e);
        taken += (double)(y[i] >= 0 ? s[i] : -s[i]);
    }
    return taken * HLRP_STABILIZER;
}

/* s = R / stab(times·y), and the account of what the stabilizer takes of both factors' parts. */
static float *divided(hlrp_turn *t, float times) {
    const int64_t count = hlrp_layout_count(t->out);
    float *s = hlrp_take(&t->step, t->out);
    const double taken = divide(count, times, t->r, t->y, s);
    if (t->step.account && count > 0)
        t->step.account[0].stabilizer += taken;
    return s;
}

static hlrp_status by_factors(hlrp_turn *t, hlrp_error *err) {
    const float *s = divided(t, t->to < 0 ? 2 : 1);
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < 2; i++)
        if (hlrp_turn_takes(t, i) && (t->to < 0 || t->to == i))
            status = give(t, i, s, true, err);
    return status;
}

static hlrp_status gradient(hlrp_turn *t, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < 2; i++)
        if (hlrp_turn_takes(t, i))
            status = give(t, i, t->r, false, err);
    return status;
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_CONSTANT] = {.back = by_factors, .zero = HLRP_ZERO_ALWAYS},
    [HLRP_RULE_SHARE] = {.back = by_factors, .zero = HLRP_ZERO_ALWAYS},
    [HLRP_RULE_GRADIENT] = {.back = gradient},
};

const hlrp_operator hlrp_op_matmul = {
    .name = "matmul",
    .kind = HLRP_KIND_MATMUL,
    .least = 2,
    .shape = shape,
    .check = check,
    .lays_out = HLRP_LAYS_ROWS,
    .forward = forward,
    .nonnegative = hlrp_all_inputs,
    .of_weights = true,
    .product = HLRP_PRODUCT_OF_MATRICES,
    .otherwise = HLRP_RULE_CONSTANT,
    .relevance = relevance,
    .unfit = HLRP_ONLY_PRODUCTS,
};

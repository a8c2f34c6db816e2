/* Products, reductions and normalization. */
#include "reference/rows.h"

#include <math.h>
#include <string.h>

/* ---- products of matrices ---- */

/* Element i of the output is the product of a row of A and a column of B: their first elements. */
typedef struct pair {
    int64_t row, column;
} pair;

static int64_t last(const hlrp_dims *d) {
    return d->d[d->rank - 1];
}

static hlrp_dims stack_of(const hlrp_dims *d) {
    hlrp_dims of = *d;
    of.rank -= 2;
    return of;
}

static pair pair_of(const hlrp_ref_product *p, int64_t i) {
    const hlrp_dims a = stack_of(p->a), b = stack_of(p->b), y = stack_of(p->y);
    const int64_t rows = p->a->d[p->a->rank - 2], inner = last(p->a), columns = last(p->b);
    const int64_t row = i / columns % rows, column = i % columns, matrix = i / columns / rows;
    return (pair){(hlrp_ref_met(&y, &a, matrix) * rows + row) * inner,
                  hlrp_ref_met(&y, &b, matrix) * inner * columns + column};
}

void hlrp_ref_matmul(const hlrp_ref_product *p, const double *a, const double *b, double *y) {
    for (int64_t i = 0; i < hlrp_ref_dims_count(p->y); i++) {
        const pair of = pair_of(p, i);
        y[i] = 0;
        for (int64_t k = 0; k < last(p->a); k++)
            y[i] += a[of.row + k] * b[of.column + k * last(p->b)];
    }
}

void hlrp_ref_matmul_adjoint(const hlrp_ref_product *p, int factor, const double *other,
                             const double *s, double *c) {
    for (int64_t i = 0; i < hlrp_ref_dims_count(p->y); i++) {
        const pair of = pair_of(p, i);
        for (int64_t k = 0; k < last(p->a); k++) {
            const int64_t a = of.row + k, b = of.column + k * last(p->b);
            if (factor == 0)
                c[a] += s[i] * other[b];
            else
                c[b] += s[i] * other[a];
        }
    }
}

/* ---- reductions ---- */

static double numbers_in_one(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out) {
    const bool mean = n->op == &hlrp_op_reduce_mean;
    return mean ? (double)hlrp_ref_dims_count(in) / (double)hlrp_ref_dims_count(out) : 1;
}

static void maximum(const hlrp_node *n, const hlrp_dims *in, const double *x, double *y,
                    int64_t *arg) {
    for (int64_t i = 0; i < hlrp_ref_dims_count(in); i++) {
        const int64_t to = hlrp_ref_reduced_to(n, in, i);
        if (arg[to] >= 0 && x[i] <= y[to])
            continue;
        y[to] = x[i];
        arg[to] = i;
    }
}

void hlrp_ref_reduce(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out, const double *x,
                     double *y, int64_t *arg) {
    const int64_t outputs = hlrp_ref_dims_count(out);
    const bool length = n->op == &hlrp_op_reduce_l2;
    for (int64_t i = 0; i < outputs; i++) {
        y[i] = 0;
        if (arg)
            arg[i] = -1;
    }
    if (n->op == &hlrp_op_reduce_max) {
        maximum(n, in, x, y, arg);
        return;
    }
    for (int64_t i = 0; i < hlrp_ref_dims_count(in); i++)
        y[hlrp_ref_reduced_to(n, in, i)] += length ? x[i] * x[i] : x[i];
    for (int64_t i = 0; i < outputs; i++)
        y[i] = length ? sqrt(y[i]) : y[i] / numbers_in_one(n, in, out);
}

void hlrp_ref_reduce_adjoint(const hlrp_node *n, const hlrp_dims *in, const hlrp_dims *out,
                             const double *s, double *c) {
    for (int64_t i = 0; i < hlrp_ref_dims_count(in); i++)
        c[i] += s[hlrp_ref_reduced_to(n, in, i)] / numbers_in_one(n, in, out);
}

/* ---- normalization ---- */

void hlrp_ref_moments(const hlrp_node *n, const hlrp_dims *dims, const double *x, int64_t i,
                      double *mean, double *sigma) {
    const hlrp_ref_member m = hlrp_ref_member_of(n, dims, i);
    double sum = 0, square = 0;
    for (int64_t j = m.first; j < m.first + m.count; j++)
        sum += x[j];
    *mean = n->op == &hlrp_op_rmsnorm ? 0 : sum / (double)m.count;
    for (int64_t j = m.first; j < m.first + m.count; j++)
        square += (x[j] - *mean) * (x[j] - *mean);
    *sigma = sqrt(square / (double)m.count + (double)n->lo);
}

void hlrp_ref_normalize(const hlrp_node *n, const hlrp_dims *dims, const double *x, const double *g,
                        const double *b, double *y) {
    double mean = 0, sigma = 1;
    for (int64_t i = 0; i < hlrp_ref_dims_count(dims); i++) {
        const hlrp_ref_member m = hlrp_ref_member_of(n, dims, i);
        if (i == m.first)
            hlrp_ref_moments(n, dims, x, i, &mean, &sigma);
        y[i] = (x[i] - mean) / sigma * (g ? g[m.gain] : 1) + (b ? b[m.gain] : 0);
    }
}

/* size − 1 channels beside it, the smaller half of them before it. */
void hlrp_ref_local_channels(const hlrp_node *n, const hlrp_dims *dims, int64_t c, int64_t *from,
                             int64_t *to) {
    const int64_t before = (n->group - 1) / 2, behind = n->group - 1 - before;
    *from = HLRP_MAX(c - before, 0);
    *to = HLRP_MIN(c + behind, dims->d[1] - 1);
}

double hlrp_ref_local_sum(const hlrp_node *n, const hlrp_dims *dims, const double *x, int64_t i) {
    int64_t place[HLRP_MAX_RANK] = {0}, from = 0, to = 0;
    double square = 0;
    hlrp_ref_place_of(dims, i, place);
    hlrp_ref_local_channels(n, dims, place[1], &from, &to);
    for (place[1] = from; place[1] <= to; place[1]++) {
        const double v = x[hlrp_ref_element_at(dims, place)];
        square += v * v;
    }
    return (double)n->hi + (double)n->alpha / (double)n->group * square;
}

void hlrp_ref_local_response(const hlrp_node *n, const hlrp_dims *dims, const double *x,
                             double *y) {
    for (int64_t i = 0; i < hlrp_ref_dims_count(dims); i++)
        y[i] = x[i] / pow(hlrp_ref_local_sum(n, dims, x, i), (double)n->lo);
}

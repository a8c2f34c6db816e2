/* One forward pass over a graph as it stands: one function per operator. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference/reference.h"
#include "reference/rows.h"

struct hlrp_ref_values {
    const hlrp_graph *g;
    double **data;    /* per value */
    int64_t **argmax; /* per node */
    int value_count, node_count;
};

const double *hlrp_ref_value(const hlrp_ref_values *values, int value) {
    return value >= 0 ? values->data[value] : NULL;
}

const int64_t *hlrp_ref_argmax(const hlrp_ref_values *values, int node) {
    return values->argmax[node];
}

/* One node's turn. */
typedef struct turn {
    hlrp_ref_values *v;
    const hlrp_node *node;
    const hlrp_dims *in_dims, *out_dims;
    hlrp_ref_shape in, out;
    const double *x;
    double *y;
    int64_t count; /* elements of the output */
    int64_t *arg;
} turn;

static const double *input(const turn *t, int k) {
    return k < t->node->in_count ? hlrp_ref_value(t->v, t->node->in[k]) : NULL;
}

static const hlrp_dims *dims_of(const turn *t, int k) {
    return &t->v->g->values[t->node->in[k]].dims;
}

static void run_matmul(turn *t) {
    const hlrp_ref_product p = {t->in_dims, dims_of(t, 1), t->out_dims};
    hlrp_ref_matmul(&p, t->x, input(t, 1), t->y);
}

static void run_softmax(turn *t) {
    const hlrp_dims *d = t->out_dims;
    const int axis = t->node->axis < 0 ? t->node->axis + d->rank : t->node->axis;
    int64_t inner = 1;
    for (int k = axis + 1; k < d->rank; k++)
        inner *= d->d[k];
    const int64_t length = d->d[axis];
    for (int64_t k = 0; k < t->count / length; k++) {
        const int64_t at = k / inner * inner * length + k % inner;
        double top = -INFINITY, sum = 0;
        for (int64_t i = 0; i < length; i++)
            top = fmax(top, t->x[at + i * inner]);
        for (int64_t i = 0; i < length; i++)
            sum += exp(t->x[at + i * inner] - top);
        for (int64_t i = 0; i < length; i++)
            t->y[at + i * inner] = t->node->op == &hlrp_op_log_softmax
                                       ? t->x[at + i * inner] - top - log(sum)
                                       : exp(t->x[at + i * inner] - top) / sum;
    }
}

/* Of a computed tensor with a constant, or with another computed one. */
static void run_elementwise(turn *t, double (*of)(double x, double c)) {
    const double *other = input(t, 1);
    for (int64_t i = 0; i < t->count; i++)
        t->y[i] = of(t->x[hlrp_ref_met(t->out_dims, t->in_dims, i)],
                     other[hlrp_ref_met(t->out_dims, dims_of(t, 1), i)]);
}

static double product(double x, double c) {
    return x * c;
}

static double quotient(double x, double c) {
    return x / c;
}

static double difference(double x, double c) {
    return x - c;
}

static double sum(double x, double c) {
    return x + c;
}

static void run_mul(turn *t) {
    run_elementwise(t, product);
}

static void run_div(turn *t) {
    run_elementwise(t, quotient);
}

static void run_sub(turn *t) {
    run_elementwise(t, difference);
}

static void run_add_const(turn *t) {
    run_elementwise(t, sum);
}

static void run_add(turn *t) {
    for (int64_t i = 0; i < t->count; i++) {
        t->y[i] = 0;
        for (int k = 0; k < t->node->in_count; k++)
            t->y[i] += input(t, k)[hlrp_ref_met(t->out_dims, dims_of(t, k), i)];
    }
}

static void run_extremum(turn *t) {
    const double sign = t->node->op == &hlrp_op_maximum ? 1 : -1;
    for (int64_t i = 0; i < t->count; i++)
        for (int k = 0; k < t->node->in_count; k++) {
            const double x = input(t, k)[hlrp_ref_met(t->out_dims, dims_of(t, k), i)];
            t->y[i] = k == 0 || sign * x > sign * t->y[i] ? x : t->y[i];
        }
}

static void run_move(turn *t) {
    for (int64_t i = 0; i < t->count; i++) {
        const hlrp_ref_source from = hlrp_ref_moved_from(t->v->g, t->node, i);
        t->y[i] = from.at < 0 ? 0 : input(t, from.input)[from.at];
    }
}

static void run_function(turn *t) {
    const hlrp_ref_function value = hlrp_ref_value_of(t->node->op);
    for (int64_t i = 0; i < t->count; i++)
        t->y[i] = value(t->node, t->x[i]);
}

static void run_prelu(turn *t) {
    for (int64_t i = 0; i < t->count; i++)
        t->y[i] =
            t->x[i] *
            (t->x[i] < 0 ? hlrp_ref_prelu_slope(t->in_dims, dims_of(t, 1), input(t, 1), i) : 1);
}

static void run_reduction(turn *t) {
    hlrp_ref_reduce(t->node, t->in_dims, t->out_dims, t->x, t->y, t->arg);
}

static void run_resize(turn *t) {
    hlrp_ref_resize(t->node, t->in_dims, t->out_dims, t->x, t->y);
}

static void run_norm(turn *t) {
    hlrp_ref_normalize(t->node, t->in_dims, t->x, input(t, 1), input(t, 2), t->y);
}

static void run_local_response(turn *t) {
    hlrp_ref_local_response(t->node, t->in_dims, t->x, t->y);
}

static void run_gemm(turn *t) { /* along the last axis */
    const int64_t in = t->in_dims->d[t->in_dims->rank - 1];
    const int64_t out = t->out_dims->d[t->out_dims->rank - 1];
    hlrp_ref_gemm_forward(t->count / out, in, out, t->x, input(t, 1), input(t, 2), t->y);
}

static void run_conv(turn *t) {
    const hlrp_ref_conv conv = {t->in, t->out, &t->node->window, HLRP_MAX(t->node->group, 1)};
    hlrp_ref_conv_forward(&conv, t->x, input(t, 1), input(t, 2), t->y);
}

static void run_pool(turn *t) {
    const hlrp_window *w = &t->node->window;
    if (t->node->op == &hlrp_op_maxpool)
        hlrp_ref_maxpool(t->in, t->out, w, t->x, t->y, t->arg);
    else if (t->node->op == &hlrp_op_avgpool)
        hlrp_ref_avgpool(t->in, t->out, w, t->x, t->y);
    else
        hlrp_ref_global_avgpool(t->in, t->x, t->y);
}

static void run_affine(turn *t) {
    hlrp_ref_affine(t->in, t->x, input(t, 1), input(t, 2), t->y);
}

static void run_shuffle(turn *t) {
    hlrp_ref_shuffle(t->in, t->node->group, t->x, t->y);
}

static const struct {
    const hlrp_operator *op;
    void (*run)(turn *t);
} table[] = {
    {&hlrp_op_conv, run_conv},
    {&hlrp_op_gemm, run_gemm},
    {&hlrp_op_matmul, run_matmul},
    {&hlrp_op_gate, run_mul},
    {&hlrp_op_quotient, run_div},
    {&hlrp_op_batchnorm, run_affine},
    {&hlrp_op_prelu, run_prelu},
    {&hlrp_op_softmax, run_softmax},
    {&hlrp_op_log_softmax, run_softmax},
    {&hlrp_op_maxpool, run_pool},
    {&hlrp_op_avgpool, run_pool},
    {&hlrp_op_global_avgpool, run_pool},
    {&hlrp_op_add, run_add},
    {&hlrp_op_maximum, run_extremum},
    {&hlrp_op_minimum, run_extremum},
    {&hlrp_op_mul, run_mul},
    {&hlrp_op_sub, run_sub},
    {&hlrp_op_div, run_div},
    {&hlrp_op_add_const, run_add_const},
    {&hlrp_op_shuffle, run_shuffle},
    {&hlrp_op_layernorm, run_norm},
    {&hlrp_op_groupnorm, run_norm},
    {&hlrp_op_instancenorm, run_norm},
    {&hlrp_op_rmsnorm, run_norm},
    {&hlrp_op_local_response, run_local_response},
    {&hlrp_op_resize, run_resize},
    {&hlrp_op_reduce_sum, run_reduction},
    {&hlrp_op_reduce_mean, run_reduction},
    {&hlrp_op_reduce_max, run_reduction},
    {&hlrp_op_reduce_l2, run_reduction},
};

/* The operator's function; NULL where it has none here. */
static void (*find(const hlrp_operator *op))(turn *t) {
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == op)
            return table[k].run;
    return op->moves ? run_move : hlrp_ref_value_of(op) ? run_function : NULL;
}

/* ---- the walk ---- */

static hlrp_status room_for(hlrp_ref_values *v, int value, hlrp_error *err) {
    int64_t count = 0;
    const hlrp_status status = hlrp_dims_count(&v->g->values[value].dims, &count, err);
    return status == HLRP_OK
               ? hlrp_calloc(&v->data[value], count, sizeof(double), "a reference value", err)
               : status;
}

static hlrp_status take_constants(hlrp_ref_values *v, hlrp_error *err) {
    for (int k = 0; k < v->g->value_count; k++) {
        const hlrp_tensor *c = v->g->values[k].constant;
        if (!c || c->dtype != HLRP_F32)
            continue;
        const hlrp_status status = room_for(v, k, err);
        if (status != HLRP_OK)
            return status;
        for (int64_t i = 0; i < hlrp_tensor_count(c); i++)
            v->data[k][i] = (double)c->f[i];
    }
    return HLRP_OK;
}

/* Indices and shapes are integers: those of a gather are looked at here, the others' work inference has
 * done. */
static bool inputs_are_there(const hlrp_ref_values *v, const hlrp_node *n) {
    for (int k = 0; k < n->in_count; k++)
        if (n->in[k] >= 0 && v->g->values[n->in[k]].dtype == HLRP_F32 &&
            !hlrp_ref_value(v, n->in[k]))
            return false;
    return n->op != &hlrp_op_gather || v->g->values[n->in[1]].constant;
}

static hlrp_status run_node(hlrp_ref_values *v, int id, hlrp_error *err) {
    const hlrp_graph *g = v->g;
    const hlrp_node *n = &g->nodes[id];
    const int y = n->out[0];
    hlrp_status status = HLRP_OK;
    if (g->values[y].dtype != HLRP_F32)
        return HLRP_OK; /* shape arithmetic: inference has done it */
    if (!find(n->op) || !inputs_are_there(v, n))
        return hlrp_fail(err, HLRP_E_MODEL, n->name, NULL,
                         "the reference cannot run the operator %s here", n->type);
    HLRP_TRY(room_for(v, y, err));
    turn t = {.v = v,
              .node = n,
              .in_dims = &g->values[n->in[0]].dims,
              .out_dims = &g->values[y].dims,
              .x = v->data[n->in[0]],
              .y = v->data[y]};
    t.in = hlrp_ref_shape_of(t.in_dims);
    t.out = hlrp_ref_shape_of(t.out_dims);
    HLRP_TRY(hlrp_dims_count(t.out_dims, &t.count, err));
    if (n->op == &hlrp_op_maxpool || n->op == &hlrp_op_reduce_max) {
        HLRP_TRY(hlrp_calloc(&v->argmax[id], t.count, sizeof(int64_t), "maxima", err));
        t.arg = v->argmax[id];
    }
    find(n->op)(&t);
out:
    return status;
}

hlrp_status hlrp_ref_forward(const hlrp_graph *g, const double *x, hlrp_ref_values **out,
                             hlrp_error *err) {
    hlrp_ref_values *v = NULL;
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&v, 1, sizeof *v, "reference values", err));
    v->g = g;
    HLRP_TRY(hlrp_calloc(&v->data, g->value_count, sizeof(double *), "reference values", err));
    v->value_count = g->value_count;
    HLRP_TRY(hlrp_calloc(&v->argmax, g->node_count, sizeof(int64_t *), "reference values", err));
    v->node_count = g->node_count;
    HLRP_TRY(take_constants(v, err));
    HLRP_TRY(room_for(v, g->input, err));
    HLRP_TRY(hlrp_dims_count(&g->values[g->input].dims, &count, err));
    memcpy(v->data[g->input], x, (size_t)count * sizeof *x);
    for (int i = 0; i < g->node_count; i++)
        HLRP_TRY(run_node(v, i, err));
    *out = v;
    return HLRP_OK;
out:
    hlrp_ref_values_free(v);
    return status;
}

void hlrp_ref_values_free(hlrp_ref_values *values) {
    if (!values)
        return;
    for (int k = 0; k < values->value_count; k++)
        free(values->data[k]);
    for (int k = 0; k < values->node_count; k++)
        free(values->argmax[k]);
    free(values->data);
    free(values->argmax);
    free(values);
}

hlrp_status hlrp_ref_logits(void *ctx, const hlrp_graph *g, const hlrp_tensor *x,
                            hlrp_tensor **output, hlrp_error *err) {
    hlrp_ref_values *v = NULL;
    hlrp_tensor *t = NULL;
    double *wide = NULL;
    hlrp_status status = HLRP_OK;
    (void)ctx;
    if (!hlrp_dims_equal(&x->dims, &g->values[g->input].dims))
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, NULL,
                         "the graph is inferred for another input size");
    HLRP_TRY(hlrp_calloc(&wide, hlrp_tensor_count(x), sizeof *wide, "reference input", err));
    for (int64_t i = 0; i < hlrp_tensor_count(x); i++)
        wide[i] = (double)x->f[i];
    HLRP_TRY(hlrp_ref_forward(g, wide, &v, err));
    HLRP_TRY(hlrp_tensor_new(&g->values[g->output].dims, HLRP_F32, &t, err));
    for (int64_t i = 0; i < hlrp_tensor_count(t); i++)
        t->f[i] = (float)hlrp_ref_value(v, g->output)[i];
    *output = t;
out:
    hlrp_ref_values_free(v);
    free(wide);
    return status;
}

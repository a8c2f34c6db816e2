/* One forward pass over a graph as it stands: one function per operator. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference/reference.h"

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

static void run_matmul(turn *t) { /* W [I,O] */
    const int64_t in = t->in.c, out = t->out.c;
    const double *w = input(t, 1);
    for (int64_t n = 0; n < t->in.n; n++)
        for (int64_t o = 0; o < out; o++) {
            double sum = 0;
            for (int64_t i = 0; i < in; i++)
                sum += t->x[n * in + i] * w[i * out + o];
            t->y[n * out + o] = sum;
        }
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

/* Which element of an operand of shape `small` meets element i of shape `whole`. */
static int64_t broadcast(const hlrp_dims *whole, const hlrp_dims *small, int64_t i) {
    int64_t at = 0, stride = 1;
    for (int k = 1; k <= whole->rank; k++) { /* from the last axis */
        const int64_t extent = whole->d[whole->rank - k], place = i % extent;
        i /= extent;
        if (k > small->rank)
            continue;
        at += (small->d[small->rank - k] == 1 ? 0 : place) * stride;
        stride *= small->d[small->rank - k];
    }
    return at;
}

static void run_elementwise(turn *t, double (*of)(double x, double c)) {
    const double *constant = input(t, 1);
    for (int64_t i = 0; i < t->count; i++)
        t->y[i] = of(t->x[broadcast(t->out_dims, t->in_dims, i)],
                     constant[broadcast(t->out_dims, dims_of(t, 1), i)]);
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
            t->y[i] += input(t, k)[i];
    }
}

static void run_concat(turn *t) { /* along any axis */
    const hlrp_dims *d = t->out_dims;
    const int axis = t->node->axis < 0 ? t->node->axis + d->rank : t->node->axis;
    int64_t outer = 1, inner = 1, at = 0;
    for (int k = 0; k < d->rank; k++)
        *(k < axis ? &outer : &inner) *= k == axis ? 1 : d->d[k];
    for (int k = 0; k < t->node->in_count; k++) {
        const int64_t run = dims_of(t, k)->d[axis] * inner;
        for (int64_t o = 0; o < outer; o++)
            memcpy(t->y + o * d->d[axis] * inner + at, input(t, k) + o * run,
                   (size_t)run * sizeof *t->y);
        at += run;
    }
}

static void run_transpose(turn *t) {
    const hlrp_dims *in = t->in_dims, *out = t->out_dims;
    for (int64_t i = 0; i < t->count; i++) {
        int64_t place[HLRP_MAX_RANK] = {0}, rest = i, at = 0;
        for (int k = out->rank - 1; k >= 0; k--) {
            const int from = t->node->ints.rank ? (int)t->node->ints.d[k] : in->rank - 1 - k;
            place[from] = rest % out->d[k];
            rest /= out->d[k];
        }
        for (int k = 0; k < in->rank; k++)
            at = at * in->d[k] + place[k];
        t->y[i] = t->x[at];
    }
}

static void run_sigmoid(turn *t) {
    for (int64_t i = 0; i < t->count; i++)
        t->y[i] = 1 / (1 + exp(-t->x[i]));
}

static void run_linear(turn *t) {
    const hlrp_ref_conv conv = {t->in, t->out, &t->node->window, HLRP_MAX(t->node->group, 1)};
    if (t->node->op == &hlrp_op_conv)
        hlrp_ref_conv_forward(&conv, t->x, input(t, 1), input(t, 2), t->y);
    else
        hlrp_ref_gemm_forward(t->in.n, t->in.c, t->out.c, t->x, input(t, 1), input(t, 2), t->y);
}

static void run_activation(turn *t) {
    const hlrp_node *n = t->node;
    if (n->op == &hlrp_op_relu)
        hlrp_ref_relu(t->count, t->x, t->y);
    else if (n->op == &hlrp_op_leaky_relu)
        hlrp_ref_leaky_relu(t->count, t->x, (double)n->alpha, t->y);
    else
        hlrp_ref_clip(t->count, t->x, (double)n->lo, (double)n->hi, t->y);
}

static void run_elu(turn *t) {
    for (int64_t i = 0; i < t->count; i++)
        t->y[i] = t->x[i] > 0 ? t->x[i] : (double)t->node->alpha * (exp(t->x[i]) - 1);
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

static void run_pad(turn *t) {
    hlrp_ref_pad(t->in, t->out, t->node->window.pad_lo, t->x, t->y);
}

static void run_slice(turn *t) {
    hlrp_ref_slice(t->in_dims, t->out_dims, &t->node->ints, t->x, t->y);
}

static void run_shuffle(turn *t) {
    hlrp_ref_shuffle(t->in, t->node->group, t->x, t->y);
}

static void run_copy(turn *t) {
    memcpy(t->y, t->x, (size_t)t->count * sizeof *t->y);
}

static const struct {
    const hlrp_operator *op;
    void (*run)(turn *t);
} table[] = {
    {&hlrp_op_conv, run_linear},
    {&hlrp_op_gemm, run_linear},
    {&hlrp_op_matmul, run_matmul},
    {&hlrp_op_batchnorm, run_affine},
    {&hlrp_op_relu, run_activation},
    {&hlrp_op_leaky_relu, run_activation},
    {&hlrp_op_clip, run_activation},
    {&hlrp_op_elu, run_elu},
    {&hlrp_op_sigmoid, run_sigmoid},
    {&hlrp_op_softmax, run_softmax},
    {&hlrp_op_log_softmax, run_softmax},
    {&hlrp_op_maxpool, run_pool},
    {&hlrp_op_avgpool, run_pool},
    {&hlrp_op_global_avgpool, run_pool},
    {&hlrp_op_add, run_add},
    {&hlrp_op_concat, run_concat},
    {&hlrp_op_pad, run_pad},
    {&hlrp_op_slice, run_slice},
    {&hlrp_op_shuffle, run_shuffle},
    {&hlrp_op_flatten, run_copy},
    {&hlrp_op_reshape, run_copy},
    {&hlrp_op_transpose, run_transpose},
    {&hlrp_op_squeeze, run_copy},
    {&hlrp_op_unsqueeze, run_copy},
    {&hlrp_op_identity, run_copy},
    {&hlrp_op_mul, run_mul},
    {&hlrp_op_sub, run_sub},
    {&hlrp_op_div, run_div},
    {&hlrp_op_add_const, run_add_const},
};

/* The operator's function; NULL where it has none here. */
static void (*find(const hlrp_operator *op))(turn *t) {
    for (size_t k = 0; k < HLRP_COUNT(table); k++)
        if (table[k].op == op)
            return table[k].run;
    return NULL;
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

static bool inputs_are_there(const hlrp_ref_values *v, const hlrp_node *n) {
    const int all = n->op->variadic ? n->in_count : 1;
    for (int k = 0; k < all; k++)
        if (!hlrp_ref_value(v, n->in[k]))
            return false;
    return true;
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
    if (n->op == &hlrp_op_maxpool) {
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

/* The reference's own forward pass, by hand: the operators that a canonical graph has no more, and
 * refusals. Those of a canonical graph are held against the engine's in test_kernels.c. */
#include "net.h"
#include "reference/reference.h"

static hlrp_tensor *tensor(hlrp_dims dims, const float *f) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    check(hlrp_tensor_new(&dims, HLRP_F32, &t, &err), &err);
    if (f)
        memcpy(t->f, f, (size_t)hlrp_tensor_count(t) * sizeof *f);
    return t;
}

static int constant(hlrp_graph *g, hlrp_dims dims, const float *f) {
    hlrp_error err = {0};
    return hlrp_graph_add_value(g, "parameter", tensor(dims, f), &err);
}

static hlrp_node *add(hlrp_graph *g, const hlrp_operator *op, const int *in, int count) {
    hlrp_error err = {0};
    const int out = hlrp_graph_add_value(g, op->name, NULL, &err);
    const int id = hlrp_graph_add_node(g, op, op->name, op->name, in, count, &out, 1, &err);
    assert_true(id >= 0);
    g->output = out;
    return &g->nodes[id];
}

static hlrp_graph *begin(void) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    check(hlrp_graph_new(&g, &err), &err);
    g->input = hlrp_graph_add_value(g, "input", NULL, &err);
    return g;
}

/* Infers, runs and compares; frees the graph. */
static void expect(hlrp_graph *g, hlrp_dims dims, const double *x, int64_t count,
                   const double *want) {
    hlrp_error err = {0};
    hlrp_ref_values *v = NULL;
    int64_t is = 0;
    check(hlrp_graph_infer(g, &dims, &err), &err);
    check(hlrp_dims_count(&g->values[g->output].dims, &is, &err), &err);
    assert_int_equal(is, count);
    check(hlrp_ref_forward(g, x, &v, &err), &err);
    for (int64_t i = 0; i < count; i++)
        assert_true(fabs(hlrp_ref_value(v, g->output)[i] - want[i]) < 1e-12);
    hlrp_ref_values_free(v);
    hlrp_graph_free(g);
}

static void matmul_has_its_weights_the_other_way(void **unused) {
    (void)unused;
    hlrp_graph *g = begin();
    const float w[] = {1, 2, 3, 4, 5, 6}; /* [2,3] */
    add(g, &hlrp_op_matmul, (int[]){g->input, constant(g, (hlrp_dims){2, {2, 3}}, w)}, 2);
    expect(g, (hlrp_dims){2, {2, 2}}, (double[]){1, 0, 1, -1}, 6, (double[]){1, 2, 3, -3, -3, -3});
}

static void softmax_along_an_axis(void **unused) {
    (void)unused;
    const double e = exp(1), x[] = {1000, 1, 999, 1, 5, 6, 5, 5}; /* [1,2,2,2] */
    for (int negative = 0; negative < 2; negative++) {
        hlrp_graph *g = begin();
        add(g, &hlrp_op_softmax, &g->input, 1)->axis = negative ? -2 : 2;
        expect(g, (hlrp_dims){4, {1, 2, 2, 2}}, x, 8,
               (double[]){e / (e + 1), 0.5, 1 / (e + 1), 0.5, 0.5, e / (e + 1), 0.5, 1 / (e + 1)});
    }
    /* its logarithm was taken for it */
    const double l = log(1 / (e + 1)), half = log(0.5);
    hlrp_graph *g = begin();
    add(g, &hlrp_op_log_softmax, &g->input, 1)->axis = 2;
    expect(g, (hlrp_dims){4, {1, 2, 2, 2}}, x, 8,
           (double[]){l + 1, half, l, half, half, l + 1, half, l});
}

static void constants_broadcast(void **unused) {
    (void)unused;
    static const struct {
        const hlrp_operator *op;
        double want[4];
    } cases[] = {{&hlrp_op_mul, {2, 4, 12, 16}},
                 {&hlrp_op_sub, {-1, 0, -1, 0}},
                 {&hlrp_op_div, {0.5, 1, 0.75, 1}},
                 {&hlrp_op_add_const, {3, 4, 7, 8}}};
    const float per_channel[] = {2, 4};
    const double x[] = {1, 2, 3, 4}; /* [1,2,1,2] */
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        hlrp_graph *g = begin();
        const int c = constant(g, (hlrp_dims){3, {2, 1, 1}}, per_channel);
        add(g, cases[i].op, (int[]){g->input, c}, 2);
        expect(g, (hlrp_dims){4, {1, 2, 1, 2}}, x, 4, cases[i].want);
    }
    hlrp_graph *g = begin(); /* a scalar */
    add(g, &hlrp_op_mul, (int[]){g->input, constant(g, (hlrp_dims){0, {0}}, per_channel)}, 2);
    expect(g, (hlrp_dims){4, {1, 2, 1, 2}}, x, 4, (double[]){2, 4, 6, 8});
}

static void shapes_change_and_values_stay(void **unused) {
    (void)unused;
    const double x[] = {1, 2, 3, 4, 5, 6}; /* [1,1,2,3] */
    hlrp_graph *g = begin();
    hlrp_node *n = add(g, &hlrp_op_transpose, &g->input, 1);
    n->ints = (hlrp_dims){4, {0, 3, 2, 1}};
    expect(g, (hlrp_dims){4, {1, 1, 2, 3}}, x, 6, (double[]){1, 4, 2, 5, 3, 6});
    g = begin();
    n = add(g, &hlrp_op_squeeze, &g->input, 1);
    n->ints = (hlrp_dims){1, {1}};
    n = add(g, &hlrp_op_unsqueeze, &g->output, 1);
    n->ints = (hlrp_dims){1, {3}};
    add(g, &hlrp_op_identity, &g->output, 1);
    expect(g, (hlrp_dims){4, {1, 1, 2, 3}}, x, 6, x);
}

static void concat_along_height(void **unused) {
    (void)unused;
    hlrp_graph *g = begin();
    add(g, &hlrp_op_concat, (int[]){g->input, g->input}, 2)->axis = 2;
    expect(g, (hlrp_dims){4, {1, 2, 1, 2}}, (double[]){1, 2, 3, 4}, 8,
           (double[]){1, 2, 1, 2, 3, 4, 3, 4});
}

static void sigmoid_of_three(void **unused) {
    (void)unused;
    hlrp_graph *g = begin();
    add(g, &hlrp_op_sigmoid, &g->input, 1);
    expect(g, (hlrp_dims){2, {1, 3}}, (double[]){0, 1, -800}, 3,
           (double[]){0.5, 1 / (1 + exp(-1)), 0});
}

static void logits_as_tensors(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_graph *g = begin();
    const hlrp_dims dims = {4, {1, 1, 1, 2}}, other = {4, {1, 1, 2, 1}};
    add(g, &hlrp_op_relu, &g->input, 1);
    check(hlrp_graph_infer(g, &dims, &err), &err);
    hlrp_tensor *x = tensor(dims, (const float[]){-1, 2}), *y = NULL, *wrong = tensor(other, NULL);
    check(hlrp_ref_logits(NULL, g, x, &y, &err), &err);
    assert_true(y->f[0] == 0 && y->f[1] == 2);
    hlrp_tensor_free(y);
    y = NULL;
    assert_int_equal(hlrp_ref_logits(NULL, g, wrong, &y, &err), HLRP_E_INTERNAL);
    assert_null(y);
    hlrp_tensor_free(x);
    hlrp_tensor_free(wrong);
    hlrp_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matmul_has_its_weights_the_other_way),
        cmocka_unit_test(softmax_along_an_axis),
        cmocka_unit_test(constants_broadcast),
        cmocka_unit_test(shapes_change_and_values_stay),
        cmocka_unit_test(concat_along_height),
        cmocka_unit_test(sigmoid_of_three),
        cmocka_unit_test(logits_as_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

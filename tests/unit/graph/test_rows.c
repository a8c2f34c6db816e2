/* Which nodes of a head treat a bag's instances one by one. Guards: a softmax over instances run on some of them,
 * weights of each instance taken for weights of all, an axis of features that is as long as the bag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/operator.h"
#include "op/op.h"

enum { N = 11, D = 6, MOST = 32 };

static hlrp_graph *bag(int rank, int64_t a, int64_t b, int64_t c) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
    g->input = g->output = hlrp_graph_add_value(g, "x", NULL, &err);
    g->values[g->input].dims = (hlrp_dims){rank, {a, b, c}};
    return g;
}

static int constant(hlrp_graph *g, int rank, int64_t a, int64_t b) {
    hlrp_error err = {0};
    const hlrp_dims dims = {rank, {a, b}};
    hlrp_tensor *t = NULL;
    assert_int_equal(hlrp_tensor_new(&dims, HLRP_F32, &t, &err), HLRP_OK);
    return hlrp_graph_add_value(g, "c", t, &err);
}

/* A node on one or two values; its output is the graph's. */
static hlrp_node *add(hlrp_graph *g, const hlrp_operator *op, int a, int b) {
    hlrp_error err = {0};
    const int in[3] = {a, b, -1};
    const int out = hlrp_graph_add_value(g, op->name, NULL, &err);
    const int count = op == &hlrp_op_gemm ? 3 : b >= 0 ? 2 : 1;
    const int id = hlrp_graph_add_node(g, op, op->name, op->name, in, count, &out, 1, &err);
    assert_true(id >= 0);
    g->output = out;
    return &g->nodes[id];
}

static int dense(hlrp_graph *g, int from, int64_t outputs, int64_t inputs) {
    add(g, &hlrp_op_gemm, from, constant(g, 2, outputs, inputs));
    return g->output;
}

static void turn(hlrp_graph *g) {
    hlrp_node *n = add(g, &hlrp_op_transpose, g->output, -1);
    n->ints = (hlrp_dims){2, {1, 0}};
}

/* '1' for every node that runs on some instances at a time, in running order. */
static void rows(hlrp_graph *g, const char *want) {
    const hlrp_dims input = g->values[g->input].dims;
    hlrp_error err = {0};
    bool found[MOST] = {0};
    char have[MOST + 1] = "";
    int count = -1, ones = 0;
    if (hlrp_graph_infer(g, &input, &err) != HLRP_OK)
        fail_msg("%s: %s", err.where, err.what);
    assert_int_equal(hlrp_graph_find_rows(g, N, found, &count, &err), HLRP_OK);
    for (int i = 0; i < g->node_count; i++) {
        have[i] = found[i] ? '1' : '0';
        ones += found[i];
    }
    assert_string_equal(have, want);
    assert_int_equal(count, ones);
    hlrp_graph_free(g);
}

/* relu(dense x) is summed up by softmax over instances of dense(tanh(dense) · sigmoid(dense)). */
static void gated_head(void **state) {
    (void)state;
    hlrp_graph *g = bag(2, N, D, 0);
    add(g, &hlrp_op_relu, dense(g, g->input, 5, D), -1);
    const int h = g->output;
    add(g, &hlrp_op_tanh, dense(g, h, 4, 5), -1);
    const int content = g->output;
    add(g, &hlrp_op_sigmoid, dense(g, h, 4, 5), -1);
    add(g, &hlrp_op_gate, content, g->output);
    dense(g, g->output, 1, 4);
    turn(g);
    add(g, &hlrp_op_softmax, g->output, -1)->axis = 1;
    add(g, &hlrp_op_matmul, g->output, h);
    dense(g, g->output, 2, 5);
    rows(g, "11"
            "11"
            "11"
            "1"
            "1"
            "1" /* turned, a number of each still lies beside the next one's */
            "0"
            "0"
            "0");
}

/* The same softmax without turning: along axis 0. */
static void softmax_over(void **state) {
    (void)state;
    for (int axis = -2; axis < 2; axis++) {
        hlrp_graph *g = bag(2, N, D, 0);
        add(g, &hlrp_op_softmax, dense(g, g->input, 3, D), -1)->axis = axis;
        add(g, &hlrp_op_relu, g->output, -1);
        rows(g, axis == 1 || axis == -1 ? "111" : "100");
    }
}

static void layer_normalization(void **state) {
    (void)state;
    for (int axis = 0; axis < 2; axis++) {
        hlrp_graph *g = bag(2, N, D, 0);
        add(g, &hlrp_op_layernorm, g->input, -1)->axis = axis;
        rows(g, axis == 1 ? "1" : "0");
    }
}

/* With a first axis of 1, as exported heads of batches have it. */
static void batch_of_one_bag(void **state) {
    (void)state;
    hlrp_graph *g = bag(3, 1, N, D);
    add(g, &hlrp_op_relu, g->input, -1);
    add(g, &hlrp_op_softmax, g->output, -1)->axis = 1;
    rows(g, "10");
    g = bag(3, 1, N, D);
    add(g, &hlrp_op_softmax, g->input, -1)->axis = 2;
    add(g, &hlrp_op_relu, g->output, -1);
    rows(g, "11");
}

/* A constant that says something else of each instance is none of some of them. */
static void constants(void **state) {
    (void)state;
    static const struct {
        int rank;
        int64_t a, b;
        const char *want;
    } cases[] = {
        {1, D, 0, "11"}, {1, 1, 0, "11"}, {2, 1, D, "11"}, {2, N, D, "01"}, {2, N, 1, "01"}};
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        hlrp_graph *g = bag(2, N, D, 0);
        const int c = constant(g, cases[i].rank, cases[i].a, cases[i].b);
        add(g, &hlrp_op_add_const, g->input, c);
        const int sum = g->output;
        add(g, &hlrp_op_relu, g->input, -1);
        g->output = sum;
        rows(g, cases[i].want);
    }
}

/* What sums instances up, or mixes them, and what comes behind. */
static void mixing(void **state) {
    (void)state;
    hlrp_graph *g = bag(2, N, D, 0);
    hlrp_node *n = add(g, &hlrp_op_reduce_mean, g->input, -1);
    n->ints = (hlrp_dims){1, {0}};
    n->keepdims = true;
    dense(g, g->output, 2, D);
    rows(g, "00");
    g = bag(2, N, D, 0);
    turn(g);
    dense(g, g->output, 3, N); /* over instances, by weights of each */
    rows(g, "00");
    g = bag(2, N, N, 0); /* as many features as instances */
    turn(g);
    add(g, &hlrp_op_relu, g->output, -1);
    rows(g, "00");
    for (int k = 0; k < 2; k++) { /* two values of the same shape, of which one is a mixture */
        g = bag(2, N, D, 0);
        turn(g);
        turn(g);
        const int mixed = g->output;
        add(g, &hlrp_op_add, k ? g->input : mixed, k ? mixed : g->input);
        rows(g, "000");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gated_head),          cmocka_unit_test(softmax_over),
        cmocka_unit_test(layer_normalization), cmocka_unit_test(batch_of_one_bag),
        cmocka_unit_test(constants),           cmocka_unit_test(mixing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

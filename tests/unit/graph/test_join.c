/* An encoder and a head as one network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "op/op.h"

static hlrp_graph *new_graph(const char *input) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
    g->input = g->output = hlrp_graph_add_value(g, input, NULL, &err);
    return g;
}

static hlrp_node *add(hlrp_graph *g, const hlrp_operator *op, const char *name, int parameter) {
    hlrp_error err = {0};
    const int in[3] = {g->output, parameter, -1};
    const int out = hlrp_graph_add_value(g, name, NULL, &err);
    const int id =
        hlrp_graph_add_node(g, op, name, name, in, parameter >= 0 ? 3 : 1, &out, 1, &err);
    assert_true(id >= 0);
    g->output = out;
    return &g->nodes[id];
}

static int weights(hlrp_graph *g, int64_t outputs, int64_t inputs) {
    hlrp_error err = {0};
    const hlrp_dims dims = {2, {outputs, inputs}};
    hlrp_tensor *t = NULL;
    assert_int_equal(hlrp_tensor_new(&dims, HLRP_F32, &t, &err), HLRP_OK);
    for (int64_t i = 0; i < outputs * inputs; i++)
        t->f[i] = (float)i;
    return hlrp_graph_add_value(g, "w", t, &err);
}

/* Both files may call their layers and values alike: a joined network whose two "fc" were one name would
 * answer for one of them in [rules]. */
static void a_head_reads_what_the_encoder_gives(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *encoder = new_graph("input"), *head = new_graph("input");
    add(encoder, &hlrp_op_gemm, "fc", weights(encoder, 5, 7));
    add(head, &hlrp_op_relu, "relu", -1);
    add(head, &hlrp_op_leaky_relu, "leaky", -1)->alpha = 0.25F;
    add(head, &hlrp_op_gemm, "fc", weights(head, 2, 5));
    assert_int_equal(hlrp_graph_join(encoder, head, &err), HLRP_OK);
    hlrp_graph_free(head);
    const hlrp_dims input = {2, {3, 7}};
    assert_int_equal(hlrp_graph_infer(encoder, &input, &err), HLRP_OK);
    assert_int_equal(encoder->node_count, 4);
    assert_string_equal(encoder->nodes[0].name, "fc");
    assert_string_equal(encoder->nodes[3].name, "head/fc");
    assert_true(encoder->nodes[2].alpha == 0.25F);
    assert_int_equal(encoder->nodes[1].in[0], encoder->nodes[0].out[0]);
    const hlrp_dims *out = &encoder->values[encoder->output].dims;
    assert_true(out->rank == 2 && out->d[0] == 3 && out->d[1] == 2);
    assert_true(encoder->values[encoder->nodes[3].in[1]].constant->f[9] == 9);
    hlrp_graph_free(encoder);
}

/* A head of another width is told as any layer that does not fit. */
static void a_head_that_does_not_fit_is_refused(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *encoder = new_graph("input"), *head = new_graph("features");
    add(encoder, &hlrp_op_gemm, "fc", weights(encoder, 5, 7));
    add(head, &hlrp_op_gemm, "fc", weights(head, 2, 6));
    assert_int_equal(hlrp_graph_join(encoder, head, &err), HLRP_OK);
    hlrp_graph_free(head);
    const hlrp_dims input = {2, {3, 7}};
    assert_int_equal(hlrp_graph_infer(encoder, &input, &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.where, "head/fc"));
    hlrp_graph_free(encoder);
}

/* Nodes that were added last go to where they are wanted; producers follow. */
static void nodes_are_placed(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = new_graph("input");
    add(g, &hlrp_op_relu, "a", -1);
    const int middle = g->output;
    add(g, &hlrp_op_relu, "c", -1);
    const int last = g->output;
    g->output = middle;
    add(g, &hlrp_op_relu, "b", -1);
    g->nodes[1].in[0] = g->output;
    g->output = last;
    const int before = 1;
    assert_int_equal(hlrp_graph_place_nodes(g, 2, &before, &err), HLRP_OK);
    assert_string_equal(g->nodes[0].name, "a");
    assert_string_equal(g->nodes[1].name, "b");
    assert_string_equal(g->nodes[2].name, "c");
    for (int k = 0; k < 3; k++)
        assert_int_equal(g->values[g->nodes[k].out[0]].producer, k);
    const hlrp_dims input = {2, {3, 7}};
    assert_int_equal(hlrp_graph_infer(g, &input, &err), HLRP_OK);
    hlrp_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_reads_what_the_encoder_gives),
        cmocka_unit_test(a_head_that_does_not_fit_is_refused),
        cmocka_unit_test(nodes_are_placed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

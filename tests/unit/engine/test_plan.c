/* Plans: several sizes over one graph, several threads' activations over one plan, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan.h"
#include "op/op.h"

static int add(hlrp_graph *g, const hlrp_operator *op, const char *name, const int *in, int count) {
    hlrp_error err = {0};
    const int out = hlrp_graph_add_value(g, name, NULL, &err);
    assert_true(out >= 0);
    assert_true(hlrp_graph_add_node(g, op, name, "Test", in, count, &out, 1, &err) >= 0);
    g->output = out;
    return out;
}

static int constant(hlrp_graph *g, hlrp_dims dims, float value) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    assert_int_equal(hlrp_tensor_new(&dims, HLRP_F32, &t, &err), HLRP_OK);
    for (int64_t i = 0; i < hlrp_tensor_count(t); i++)
        t->f[i] = value + (float)i;
    return hlrp_graph_add_value(g, "parameter", t, &err);
}

/* y = mean over the picture of relu(w·x + b), by a 1×1 convolution from 2 to 3 channels. */
static hlrp_graph *build(void) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
    g->input = hlrp_graph_add_value(g, "input", NULL, &err);
    const int w = constant(g, (hlrp_dims){.rank = 4, .d = {3, 2, 1, 1}}, -2);
    const int b = constant(g, (hlrp_dims){.rank = 1, .d = {3}}, 0.5f);
    const int z = add(g, &hlrp_op_conv, "conv", (int[]){g->input, w, b}, 3);
    const int y = add(g, &hlrp_op_relu, "relu", &z, 1);
    add(g, &hlrp_op_global_avgpool, "mean", &y, 1);
    return g;
}

static hlrp_plan *plan_for(hlrp_backend *backend, hlrp_graph *g, int64_t h, int64_t w) {
    hlrp_error err = {0};
    hlrp_plan *plan = NULL;
    const hlrp_dims dims = {.rank = 4, .d = {2, 2, h, w}};
    assert_int_equal(hlrp_graph_infer(g, &dims, &err), HLRP_OK);
    assert_int_equal(hlrp_plan_new(backend, g, (hlrp_segment){0, g->node_count}, &plan, &err),
                     HLRP_OK);
    return plan;
}

/* What build() gives for pixels x = (1 + n, 2 + n) everywhere. */
static float expected(int n, int channel) {
    const float w[] = {-2, -1, 0, 1, 2, 3}, b[] = {0.5f, 1.5f, 2.5f};
    const float z =
        w[channel * 2] * (float)(1 + n) + w[channel * 2 + 1] * (float)(2 + n) + b[channel];
    return z > 0 ? z : 0;
}

static void run(hlrp_backend *backend, const hlrp_plan *plan, int64_t pixels) {
    hlrp_error err = {0};
    hlrp_activations *acts = NULL;
    hlrp_stream *stream = NULL;
    float *input = calloc((size_t)pixels * 4, sizeof *input);
    assert_non_null(input);
    for (int64_t i = 0; i < pixels * 4; i++)
        input[i] = (float)(1 + i / pixels % 2 + i / pixels / 2);
    assert_int_equal(hlrp_activations_new(plan, &acts, &err), HLRP_OK);
    assert_int_equal(hlrp_stream_new(backend, hlrp_plan_scratch(plan), &stream, &err), HLRP_OK);
    hlrp_activations_set(acts, hlrp_plan_graph(plan)->input, input);
    assert_int_equal(hlrp_forward(plan, acts, stream,
                                  (hlrp_segment){0, hlrp_plan_graph(plan)->node_count}, &err),
                     HLRP_OK);
    const float *y = hlrp_activations_value(acts, hlrp_plan_graph(plan)->output);
    for (int n = 0; n < 2; n++)
        for (int c = 0; c < 3; c++)
            assert_float_equal(y[n * 3 + c], expected(n, c), 1e-5);
    hlrp_stream_free(stream);
    hlrp_activations_free(acts);
    free(input);
}

/* Guards a plan that looks at the graph's dims again after another size was inferred. */
static void two_sizes_stand_side_by_side(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_backend *backend = NULL;
    hlrp_graph *g = build();
    assert_int_equal(hlrp_backend_new(&backend, &err), HLRP_OK);
    hlrp_plan *small = plan_for(backend, g, 3, 5), *large = plan_for(backend, g, 9, 7);
    run(backend, large, 63);
    run(backend, small, 15);
    run(backend, large, 63);
    assert_int_equal(hlrp_plan_macs(small, 0), 3 * 2 * 15);
    assert_int_equal(hlrp_plan_macs(large, 0), 3 * 2 * 63);
    assert_int_equal(hlrp_plan_macs(large, 1), 0);
    assert_true(hlrp_plan_activation_bytes(large) > hlrp_plan_activation_bytes(small));
    assert_true(hlrp_plan_kernel(large, 0)[0] != '\0');
    assert_string_equal(hlrp_plan_kernel(large, 1), "");
    hlrp_plan_free(small);
    hlrp_plan_free(large);
    hlrp_backend_free(backend);
    hlrp_graph_free(g);
}

static void refuse(hlrp_graph *g, const hlrp_dims *input, const char *where) {
    hlrp_error err = {0};
    hlrp_backend *backend = NULL;
    hlrp_plan *plan = NULL;
    assert_int_equal(hlrp_backend_new(&backend, &err), HLRP_OK);
    assert_int_equal(hlrp_graph_infer(g, input, &err), HLRP_OK);
    assert_int_equal(hlrp_plan_new(backend, g, (hlrp_segment){0, g->node_count}, &plan, &err),
                     HLRP_E_MODEL);
    assert_null(plan);
    assert_string_equal(err.where, where);
    hlrp_backend_free(backend);
    hlrp_graph_free(g);
}

static void operators_without_a_kernel_are_refused_by_name(void **unused) {
    (void)unused;
    const hlrp_dims input = {.rank = 4, .d = {1, 2, 4, 4}};
    hlrp_graph *g = build();
    add(g, &hlrp_op_cast, "head/cast", &g->output, 1);
    refuse(g, &input, "head/cast");
}

/* The maximum of a window that sees padding only has no place: writing there left the buffer. */
static void a_pool_of_padding_only_is_refused_by_name(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    const hlrp_dims input = {.rank = 4, .d = {1, 2, 1, 5}};
    hlrp_graph *g = NULL;
    assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
    g->input = hlrp_graph_add_value(g, "input", NULL, &err);
    add(g, &hlrp_op_maxpool, "pool", &g->input, 1);
    g->nodes[0].window = (hlrp_window){
        .kernel = {2, 1}, .stride = {1, 1}, .dilation = {4, 1}, .pad_lo = {3, 0}, .pad_hi = {1, 0}};
    refuse(g, &input, "pool");
}

/* A row of 2^32 numbers made a layout of no lanes, by which its blocks were divided; and samples times a
 * row beyond 64 bits. */
static void vast_values_are_refused(void **state) {
    (void)state;
    static const hlrp_dims inputs[] = {
        {4, {1, 2, 1, INT64_C(1) << 32}},
        {4, {1, 2, 1 << 18, 1 << 18}},
        {4, {INT64_C(1) << 38, 1, 1, 1}},
    };
    for (size_t k = 0; k < HLRP_COUNT(inputs); k++) {
        hlrp_error err = {0};
        hlrp_graph *g = NULL;
        hlrp_backend *backend = NULL;
        hlrp_plan *plan = NULL;
        assert_int_equal(hlrp_backend_new(&backend, &err), HLRP_OK);
        assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
        g->input = hlrp_graph_add_value(g, "input", NULL, &err);
        const int turned = add(g, &hlrp_op_transpose, "turned", &g->input, 1);
        const int soft = add(g, &hlrp_op_softmax, "softmax", &turned, 1);
        add(g, &hlrp_op_transpose, "back", &soft, 1);
        g->nodes[1].axis = k == 2 ? 3 : 0;
        assert_int_equal(hlrp_graph_infer(g, &inputs[k], &err), HLRP_OK);
        const hlrp_status status =
            hlrp_plan_new(backend, g, (hlrp_segment){0, g->node_count}, &plan, &err);
        assert_true(status == HLRP_E_MODEL || (k == 2 && status == HLRP_OK));
        hlrp_plan_free(plan);
        hlrp_graph_free(g);
        hlrp_backend_free(backend);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sizes_stand_side_by_side),
        cmocka_unit_test(operators_without_a_kernel_are_refused_by_name),
        cmocka_unit_test(a_pool_of_padding_only_is_refused_by_name),
        cmocka_unit_test(vast_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

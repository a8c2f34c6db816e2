/* Networks and rules that the random ones seldom or never have. */
#include "net_rows.h"
#include "versus.h"

#include "op/op.h"
#include "reference/reference.h"

static const float low[] = {-2.1f, -2.0f, -1.9f}, high[] = {2.2f, 2.1f, 2.4f};

static void agree(net *n, const char *composite, const char *key, const char *rule) {
    const hlrp_rule_override line = {key, rule, 0};
    hlrp_lrp_options o = options_for(composite);
    float *input = room(net_count(n, n->g->input), sizeof *input);
    float *start = room(net_count(n, n->g->output), sizeof *start);
    versus v;
    net_input(n, input);
    for (int64_t i = 0; i < net_count(n, n->g->output); i++)
        start[i] = (float)net_uniform(n, 0.2, 1);
    o.low = low;
    o.high = high;
    o.rules.overrides = &line;
    o.rules.override_count = key ? 1 : 0;
    compare(n, &o, input, start, &v);
    if (v.excess > 1 || v.logits_excess > 1 || v.account > 0.01)
        fail_msg("%s, %s: relevance %.1e, sensitivity %.1e, logits %.1e, account %.1e", composite,
                 key ? key : "no override", v.relevance, v.sensitivity, v.logits, v.account);
    free(input);
    free(start);
}

static void finish(net *n, int x, int64_t outputs) {
    net_gemm(n, net_global(n, x, false), outputs, true);
}

/* Six channels, of which zbox knows three: it read low and high past their end. */
static void zbox_over_the_input_twice(void **unused) {
    (void)unused;
    net n;
    net_begin(&n, 1, 2, 3, 12, 10);
    const net_conv_spec s = net_square(16, 3);
    const int twice = net_concat(&n, (int[]){n.g->input, n.g->input}, 2);
    finish(&n, net_relu(&n, net_conv(&n, twice, &s)), 3);
    agree(&n, "epsilon-gamma-box", NULL, NULL);
    net_end(&n);
}

/* Channels 2 and 1, then 0 and 2 of the input, shuffled: each has bounds of its own. */
static void zbox_over_parts_of_the_input(void **unused) {
    (void)unused;
    net n;
    net_begin(&n, 8, 2, 3, 12, 10);
    const net_conv_spec s = net_square(16, 3);
    const int x = n.g->input;
    const int parts[] = {net_slice(&n, x, 1, 1, INT64_MAX), net_slice(&n, x, 1, 0, 2)};
    const int mixed = net_shuffle(&n, net_concat(&n, parts, 2), 2);
    const int cut = net_slice(&n, mixed, 2, 3, -1);
    finish(&n, net_relu(&n, net_conv(&n, cut, &s)), 3);
    agree(&n, "epsilon-gamma-box", NULL, NULL);
    net_end(&n);
}

/* Parts that overlap hand their relevance to one value; what is in no part gets none. */
static void parts_of_one_value_add_up(void **unused) {
    (void)unused;
    static const char *const composites[] = {"epsilon-plus", "lrp0", "gradient-x-input"};
    for (size_t k = 0; k < HLRP_COUNT(composites); k++) {
        net n;
        net_begin(&n, 9, 2, 3, 9, 8);
        const net_conv_spec s = net_square(37, 3);
        const int x = net_relu(&n, net_conv(&n, n.g->input, &s));
        const int a = net_slice(&n, x, 1, 0, 20), b = net_slice(&n, x, 1, -30, -10);
        const int both = net_add(&n, (int[]){a, b}, 2);
        finish(&n, net_concat(&n, (int[]){both, net_slice(&n, x, 1, 5, 8)}, 2), 3);
        agree(&n, composites[k], NULL, NULL);
        net_end(&n);
    }
}

/* Padding that is a node is the picture's; a crop hands nothing back. */
static void zbox_behind_pads(void **unused) {
    (void)unused;
    static const int64_t lo[2] = {2, -1}, hi[2] = {-2, 1};
    net n;
    net_begin(&n, 2, 2, 3, 12, 10);
    net_conv_spec s = net_square(9, 3);
    s.group = 3;
    s.stride[1] = 2;
    finish(&n, net_relu(&n, net_conv(&n, net_pad(&n, n.g->input, lo, hi), &s)), 3);
    agree(&n, "epsilon-gamma-box", NULL, NULL);
    net_end(&n);
}

/* The input feeds a convolution, a pool, a sum and a concatenation. */
static void an_input_that_many_nodes_read(void **unused) {
    (void)unused;
    static const char *const composites[] = {"epsilon-plus", "lrp0-epsilon-gamma", "flat",
                                             "gradient-x-input"};
    for (size_t k = 0; k < HLRP_COUNT(composites); k++) {
        net n;
        net_begin(&n, 3, 2, 3, 11, 13);
        const hlrp_window w = net_window(3, 1, 1);
        const int x = n.g->input;
        net_conv_spec s = net_square(3, 3);
        const int branch[] = {x, net_conv(&n, x, &s), net_pool(&n, &hlrp_op_maxpool, x, &w), x};
        const int sum = net_relu(&n, net_add(&n, branch, 4));
        s.out = 17;
        const int both = net_concat(&n, (int[]){sum, x, net_clip(&n, x, 0, 6)}, 3);
        finish(&n, net_relu(&n, net_conv(&n, both, &s)), 2);
        agree(&n, composites[k], NULL, NULL);
        net_end(&n);
    }
}

/* Pass on a layer whose input and output have one shape, from blocked and from plain layouts. */
static void pass_on_a_convolution(void **unused) {
    (void)unused;
    net n;
    net_begin(&n, 4, 2, 3, 9, 8);
    net_conv_spec s = net_square(3, 3);
    int x = net_relu(&n, net_conv(&n, n.g->input, &s)); /* plain to blocked */
    x = net_relu(&n, net_conv(&n, x, &s));
    x = net_gemm(&n, net_global(&n, x, false), 3, true);
    net_gemm(&n, x, 2, true);
    agree(&n, "epsilon-plus", "conv0", "pass");
    agree(&n, "epsilon-plus", "conv2", "pass");
    agree(&n, "epsilon-plus", "gemm5", "pass");
    net_end(&n);
}

/* Gamma leaves out its branch for z < 0 behind a ReLU, but not where the layer above hands
 * relevance to values that are 0, as flat, wsquare, gradient and pass do. */
static void gamma_below_rules_that_reach_zeros(void **unused) {
    (void)unused;
    static const char *const rules[] = {"flat", "wsquare", "pass", "gradient", "zplus"};
    for (size_t k = 0; k < HLRP_COUNT(rules); k++) {
        net n;
        net_begin(&n, 9, 2, 3, 9, 8);
        const net_conv_spec s = net_square(16, 3);
        int x = net_relu(&n, net_conv(&n, n.g->input, &s));
        for (int i = 0; i < 2; i++)
            x = net_relu(&n, net_conv(&n, x, &s));
        finish(&n, x, 3);
        agree(&n, "gamma", "conv4", rules[k]);
        agree(&n, "gamma", "conv2", rules[k]);
        net_end(&n);
    }
}

/* A network without any picture left in the middle: gemms alone, one output. */
static void fully_connected_alone(void **unused) {
    (void)unused;
    for (int c = 0; hlrp_composite_name(c); c++) {
        net n;
        net_begin(&n, 5, 3, 2, 4, 5);
        const int x = net_relu(&n, net_gemm(&n, net_flatten(&n, n.g->input), 30, true));
        net_gemm(&n, x, 1, true);
        agree(&n, hlrp_composite_name(c), NULL, NULL);
        net_end(&n);
    }
}

/* A blocked layout that is flattened, and a graph input that needs no linear layer to be read. */
static void odd_channels_flattened(void **unused) {
    (void)unused;
    net n;
    net_begin(&n, 6, 2, 3, 6, 7);
    const net_conv_spec s = net_square(19, 3);
    const int x = net_leaky(&n, net_conv(&n, n.g->input, &s), 0.3);
    net_gemm(&n, net_flatten(&n, x), 3, true);
    agree(&n, "gamma", NULL, NULL);
    agree(&n, "alphabeta", NULL, NULL);
    net_end(&n);
}

/* Values that are exactly at an activation's corners: the gradient is that of the left. */
static void corners_of_activations(void **unused) {
    (void)unused;
    net n;
    net_begin(&n, 7, 1, 1, 2, 3);
    const int x = net_clip(&n, n.g->input, 0, 1);
    net_gemm(&n, net_flatten(&n, x), 1, false);
    const float input[6] = {-1, 0, 0.5f, 1, 2, 0.25f}, start[1] = {1};
    const hlrp_lrp_options o = options_for("gradient-x-input");
    engine_result e;
    engine_run(n.g, &o, input, start, &e);
    const float *w = net_constant(&n, net_node(&n, "gemm2"), 1);
    for (int i = 0; i < 6; i++)
        assert_float_equal(e.relevance[i], input[i] > 0 && input[i] < 1 ? w[i] * input[i] : 0,
                           1e-7);
    engine_free(&e);
    net_end(&n);
}

/* A layer that is refused only when it is made still has a name. */
static void refusals_name_the_node(void **unused) {
    (void)unused;
    static const hlrp_rule_override box = {"@linear", "zbox", 3};
    hlrp_error err = {0};
    net n;
    net_begin(&n, 8, 1, 2, 4, 4);
    net_gemm(&n, net_flatten(&n, n.g->input), 2, true);
    hlrp_lrp_options o = options_for("epsilon");
    o.rules.overrides = &box;
    o.rules.override_count = 1;
    assert_int_equal(engine_try(n.g, &o, &err), HLRP_E_CONFIG);
    assert_string_equal(err.where, "gemm1");
    net_end(&n);
}

/* Of equals the first takes all, whatever stands between them. */
static void extrema_of_many(void **unused) {
    (void)unused;
    static const hlrp_operator *const ops[] = {&hlrp_op_maximum, &hlrp_op_minimum};
    for (size_t k = 0; k < HLRP_COUNT(ops); k++) {
        net n;
        net_begin_with(&n, 5, (hlrp_dims){3, {1, 9, 8}});
        const int x = net_linear(&n, n.g->input, 20, true), rectified = net_relu(&n, x);
        const int constant = net_parameter(&n, *net_dims(&n, x), -0.3, 0.3);
        const int in[] = {constant, rectified, x, constant, rectified, x};
        net_add_node(&n, ops[k], in, HLRP_COUNT(in));
        const int mean = net_reduce(&n, &hlrp_op_reduce_mean, net_infer(&n, n.g->output),
                                    (hlrp_dims){1, {1}}, false);
        net_gemm(&n, mean, 3, true);
        agree(&n, "epsilon-plus", NULL, NULL);
        net_end(&n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zbox_over_the_input_twice),
        cmocka_unit_test(zbox_over_parts_of_the_input),
        cmocka_unit_test(parts_of_one_value_add_up),
        cmocka_unit_test(zbox_behind_pads),
        cmocka_unit_test(an_input_that_many_nodes_read),
        cmocka_unit_test(pass_on_a_convolution),
        cmocka_unit_test(gamma_below_rules_that_reach_zeros),
        cmocka_unit_test(fully_connected_alone),
        cmocka_unit_test(odd_channels_flattened),
        cmocka_unit_test(corners_of_activations),
        cmocka_unit_test(extrema_of_many),
        cmocka_unit_test(refusals_name_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

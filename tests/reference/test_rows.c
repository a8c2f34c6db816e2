/* Operators of any rank in the reference, by hand: what forward gives, and what the rules of products,
 * normalization and softmax hand back; and where the engine once went wrong beside it. */
#include "canonize/canonize.h"
#include "net_rows.h"
#include "op/resize.h"
#include "versus.h"

/* ---- forward ---- */

static void expect(net *n, const double *x, int64_t count, const double *want) {
    hlrp_error err = {0};
    hlrp_ref_values *v = NULL;
    check(hlrp_ref_forward(n->g, x, &v, &err), &err);
    assert_int_equal(net_count(n, n->g->output), count);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(hlrp_ref_value(v, n->g->output)[i] - want[i]) < 1e-6))
            fail_msg("%s: element %d is %g, not %g", n->g->nodes[0].name, (int)i,
                     hlrp_ref_value(v, n->g->output)[i], want[i]);
    hlrp_ref_values_free(v);
    net_end(n);
}

static net begin(hlrp_dims dims) {
    net n;
    net_begin_with(&n, 1, dims);
    return n;
}

static void fill(net *n, int k, const float *values) {
    const int node = n->g->node_count - 1;
    float *to = net_constant(n, node, k);
    memcpy(to, values, (size_t)net_count(n, n->g->nodes[node].in[k]) * sizeof *to);
}

static const double one_to_six[] = {1, 2, 3, 4, 5, 6};

static void elements_move(void **unused) {
    (void)unused;
    net n = begin(DIMS(2, 3));
    net_cut(&n, n.g->input, 1, -1, INT64_MIN + 1, -2); /* the last and the first, in this order */
    expect(&n, one_to_six, 4, (double[]){3, 1, 6, 4});
    n = begin(DIMS(2, 3));
    net_gather(&n, n.g->input, 1, DIMS(2, 1), (int64_t[]){-1, 0});
    expect(&n, one_to_six, 4, (double[]){3, 1, 6, 4});
    n = begin(DIMS(2, 3));
    net_gather(&n, n.g->input, 0, (hlrp_dims){0}, (int64_t[]){1});
    expect(&n, one_to_six, 3, (double[]){4, 5, 6});
    n = begin(DIMS(2, 3));
    net_border(&n, n.g->input, DIMS(1, 0), DIMS(0, 1));
    expect(&n, one_to_six, 12, (double[]){0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0});
    n = begin(DIMS(1, 2));
    net_tile(&n, n.g->input, DIMS(2, 2));
    expect(&n, one_to_six, 8, (double[]){1, 2, 1, 2, 1, 2, 1, 2});
    n = begin(DIMS(2, 1));
    net_expand(&n, n.g->input, DIMS(2, 1, 3));
    expect(&n, one_to_six, 12, (double[]){1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
    n = begin(DIMS(1, 2, 3));
    net_transpose(&n, n.g->input, DIMS(2, 0, 1));
    expect(&n, one_to_six, 6, (double[]){1, 4, 2, 5, 3, 6});
    n = begin(DIMS(1, 3));
    net_part(&n, n.g->input, -1, 2, 3);
    expect(&n, one_to_six, 1, (double[]){3});
    n = begin(DIMS(1, 2));
    net_join(&n, (int[]){net_parameter(&n, DIMS(1, 1), 7, 7), n.g->input}, 2, -1);
    expect(&n, one_to_six, 3, (double[]){7, 1, 2});
}

static void products_of_stacks(void **unused) {
    (void)unused;
    net n = begin(DIMS(3, 1, 2)); /* three rows, each with the one matrix */
    net_with(&n, &hlrp_op_matmul, n.g->input, DIMS(2, 2), 0, 1);
    fill(&n, 1, (const float[]){1, 2, 0, -1});
    expect(&n, one_to_six, 6, (double[]){1, 0, 3, 2, 5, 4});
    n = begin(DIMS(1, 3, 2)); /* xᵀx */
    net_of_two(&n, &hlrp_op_matmul, net_transpose(&n, n.g->input, DIMS(0, 2, 1)), n.g->input);
    expect(&n, one_to_six, 4, (double[]){35, 44, 44, 56});
    n = begin(DIMS(2, 1, 2)); /* [2,1,2] and [2,1]: the second meets the second axis */
    const int first = net_gather(&n, n.g->input, 1, (hlrp_dims){0}, (int64_t[]){0});
    net_of_two(&n, &hlrp_op_gate, n.g->input, net_cut(&n, first, 1, 0, 1, 1));
    expect(&n, one_to_six, 8, (double[]){1, 2, 3, 6, 3, 4, 9, 12});
    n = begin(DIMS(1, 2, 2)); /* along the last axis */
    net_linear(&n, n.g->input, 1, true);
    fill(&n, 1, (const float[]){2, -1});
    fill(&n, 2, (const float[]){10});
    expect(&n, one_to_six, 2, (double[]){10, 12});
}

static void normalized_numbers(void **unused) {
    (void)unused;
    const double d = 1 / sqrt(1 + 1e-5), x[] = {1, 3, 10, 12};
    net n = begin(DIMS(2, 2));
    net_norm(&n, &hlrp_op_layernorm, n.g->input, 1, true, true);
    fill(&n, 1, (const float[]){2, 1});
    fill(&n, 2, (const float[]){0, 5});
    expect(&n, x, 4, (double[]){-2 * d, 5 + d, -2 * d, 5 + d});
    n = begin(DIMS(1, 2, 1, 2));
    net_norm(&n, &hlrp_op_instancenorm, n.g->input, 0, true, true);
    fill(&n, 1, (const float[]){2, 1});
    fill(&n, 2, (const float[]){0, 5});
    expect(&n, x, 4, (double[]){-2 * d, 2 * d, 5 - d, 5 + d});
    const double wide = 1 / sqrt(21.25 + 1e-5); /* of 1, 3, 10, 12 about 6.5 */
    n = begin(DIMS(1, 2, 2));
    net_norm(&n, &hlrp_op_groupnorm, n.g->input, 1, true, true);
    fill(&n, 1, (const float[]){2, 1});
    fill(&n, 2, (const float[]){0, 5});
    expect(&n, x, 4, (double[]){-11 * wide, -7 * wide, 5 + 3.5 * wide, 5 + 5.5 * wide});
    n = begin(DIMS(1, 2));
    net_norm(&n, &hlrp_op_rmsnorm, n.g->input, 1, false, false);
    expect(&n, x, 2, (double[]){1 / sqrt(5 + 1e-5), 3 / sqrt(5 + 1e-5)});
    n = begin(DIMS(1, 3, 1, 1)); /* each and the channel behind it */
    net_local_response(&n, n.g->input, 2);
    expect(&n, one_to_six, 3,
           (double[]){pow(1 + 0.15 * 5, -0.75), 2 * pow(1 + 0.15 * 13, -0.75),
                      3 * pow(1 + 0.15 * 9, -0.75)});
}

static void reduced_numbers(void **unused) {
    static const struct {
        const hlrp_operator *op;
        double want[3];
    } cases[] = {{&hlrp_op_reduce_sum, {5, 7, 9}},
                 {&hlrp_op_reduce_mean, {2.5, 3.5, 4.5}},
                 {&hlrp_op_reduce_max, {4, 5, 6}},
                 {&hlrp_op_reduce_l2, {4.12310563, 5.38516481, 6.70820393}}};
    (void)unused;
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        net n = begin(DIMS(2, 3));
        net_reduce(&n, cases[k].op, n.g->input, DIMS(-2), k % 2);
        assert_int_equal(net_dims(&n, n.g->output)->rank, k % 2 ? 2 : 1);
        expect(&n, one_to_six, 3, cases[k].want);
    }
}

/* The examples of ONNX's page: 1 2 3 4 along W, made twice as wide or smaller. */
static void resized_rows(void **unused) {
    static const struct {
        int kinds[3];
        double factor;
        int64_t count;
        double want[8];
    } cases[] = {
        {{1, HLRP_FRAME_HALF_PIXEL, 0}, 2, 8, {1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4}},
        {{1, HLRP_FRAME_ASYMMETRIC, 0}, 2, 8, {1, 1.5, 2, 2.5, 3, 3.5, 4, 4}},
        {{1, HLRP_FRAME_CORNERS, 0},
         2,
         8,
         {1, 10.0 / 7, 13.0 / 7, 16.0 / 7, 19.0 / 7, 22.0 / 7, 25.0 / 7, 4}},
        {{1, HLRP_FRAME_TORCH_HALF_PIXEL, 0}, 0.25, 1, {1}},
        {{0, HLRP_FRAME_HALF_PIXEL, HLRP_NEAREST_ROUND_DOWN}, 0.5, 2, {1, 3}},
        {{0, HLRP_FRAME_HALF_PIXEL, HLRP_NEAREST_ROUND_UP}, 0.5, 2, {2, 4}},
        {{0, HLRP_FRAME_ASYMMETRIC, HLRP_NEAREST_FLOOR}, 2, 8, {1, 1, 2, 2, 3, 3, 4, 4}},
        {{0, HLRP_FRAME_ASYMMETRIC, HLRP_NEAREST_CEIL}, 2, 8, {1, 2, 2, 3, 3, 4, 4, 4}},
    };
    (void)unused;
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        net n = begin(DIMS(1, 1, 1, 4));
        net_resize(&n, n.g->input, cases[k].kinds, 1, cases[k].factor);
        expect(&n, one_to_six, cases[k].count, cases[k].want);
    }
}

static void functions_of_one(void **unused) {
    static const struct {
        const hlrp_operator *op;
        double want;
    } cases[] = {{&hlrp_op_gelu, 0.84134475},
                 {&hlrp_op_gelu_tanh, 0.84119199},
                 {&hlrp_op_swish, 0.73105858},
                 {&hlrp_op_mish, 0.86509839},
                 {&hlrp_op_softplus, 1.31326169},
                 {&hlrp_op_hard_swish, 0.66666667},
                 {&hlrp_op_hard_sigmoid, 0.7},
                 {&hlrp_op_erf, 0.84270079},
                 {&hlrp_op_softsign, 0.5},
                 {&hlrp_op_selu, 1.0507010},
                 {&hlrp_op_reciprocal, 1},
                 {&hlrp_op_exp, 2.71828183},
                 {&hlrp_op_power, 1},
                 {&hlrp_op_neg, -1},
                 {&hlrp_op_log, 0},
                 {&hlrp_op_abs, 1},
                 {&hlrp_op_threshold, 1}};
    (void)unused;
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        net n = begin(DIMS(1, 1));
        net_function(&n, cases[k].op, n.g->input);
        expect(&n, one_to_six, 1, &cases[k].want);
    }
    net n = begin(DIMS(1, 2, 2));
    net_prelu(&n, n.g->input, 2);
    fill(&n, 1, (const float[]){0.5F, 0.25F});
    expect(&n, (double[]){-1, -4, 2, -8}, 4, (double[]){-0.5, -1, 2, -2});
}

/* ---- relevance ---- */

static void hand_back(net *n, hlrp_rule rule, const double *x, const double *start,
                      const double *want, hlrp_account *account) {
    hlrp_error err = {0};
    hlrp_ref_values *v = NULL;
    hlrp_ref_lrp r;
    const hlrp_ref_lrp_options o = {.bias = HLRP_BIAS_KEEP, .stabilizer = 1e-12, .lrp0 = 1e-12};
    hlrp_rule *rules = room(n->g->node_count, sizeof *rules);
    for (int i = 0; i < n->g->node_count; i++)
        rules[i] = i == n->g->node_count - 1 ? rule : (hlrp_rule){.kind = HLRP_RULE_PASS};
    check(hlrp_ref_forward(n->g, x, &v, &err), &err);
    check(hlrp_ref_lrp_run(n->g, rules, &o, v, start, &r, &err), &err);
    for (int64_t i = 0; i < net_count(n, n->g->input); i++)
        if (!(fabs(r.relevance[n->g->input][i] - want[i]) < 1e-6))
            fail_msg("%s: element %d gets %g, not %g", n->g->nodes[n->g->node_count - 1].name,
                     (int)i, r.relevance[n->g->input][i], want[i]);
    if (account)
        *account = r.account[n->g->node_count - 1];
    hlrp_ref_lrp_free(&r);
    hlrp_ref_values_free(v);
    free(rules);
    net_end(n);
}

/* [p q] · [u v]ᵀ with p = 1, q = 2 from the first half of the input, u = 3, v = 4 from the second:
 * y = 3 + 8; R = 22. */
static net product_of_halves(bool weighs) {
    net n = begin(DIMS(1, 4));
    int a = net_cut(&n, n.g->input, 1, 0, 2, 1);
    const int b = net_transpose(&n, net_cut(&n, n.g->input, 1, 2, 4, 1), DIMS(1, 0));
    if (weighs) /* tanh makes a weight of it: 0.5 and 0.8 */
        a = net_of(&n, &hlrp_op_tanh, a);
    net_of_two(&n, &hlrp_op_matmul, a, b);
    return n;
}

static void products_by_hand(void **unused) {
    (void)unused;
    const double x[] = {1, 2, 3, 4}, r[] = {22};
    net n = product_of_halves(false);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_SHARE}, x, r, (double[]){3, 8, 3, 8}, NULL);
    n = product_of_halves(false); /* no weight among them: they share */
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_CONSTANT}, x, r, (double[]){3, 8, 3, 8}, NULL);
    const double w[] = {atanh(0.5), atanh(0.8), 2, 5}; /* 1 + 4 */
    n = product_of_halves(true);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_CONSTANT}, w, r, (double[]){0, 0, 4.4, 17.6}, NULL);
    n = product_of_halves(true);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_SHARE}, w, r, (double[]){2.2, 8.8, 2.2, 8.8}, NULL);
}

static void gates_by_hand(void **unused) {
    (void)unused;
    const double x[] = {0.5, 3}, r[] = {8};
    for (int shared = 0; shared < 2; shared++) {
        net n = begin(DIMS(1, 2));
        const int a = net_cut(&n, n.g->input, 1, 0, 1, 1), b = net_cut(&n, n.g->input, 1, 1, 2, 1);
        net_of_two(&n, &hlrp_op_gate, net_of(&n, &hlrp_op_sigmoid, a), b);
        hand_back(&n, (hlrp_rule){.kind = shared ? HLRP_RULE_SHARE : HLRP_RULE_CONSTANT}, x, r,
                  shared ? (double[]){4, 4} : (double[]){0, 8}, NULL);
    }
    net n = begin(DIMS(1, 1)); /* x·sigmoid(x): an activation, all to x whatever the rule */
    net_of_two(&n, &hlrp_op_gate, n.g->input, net_of(&n, &hlrp_op_sigmoid, n.g->input));
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_SHARE}, x, r, r, NULL);
    n = begin(DIMS(1, 2)); /* one number beside two: it collects */
    const int one = net_reduce(&n, &hlrp_op_reduce_max, n.g->input, DIMS(1), true);
    net_of_two(&n, &hlrp_op_gate, n.g->input, one);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_SHARE}, x, (double[]){8, 2}, (double[]){4, 6},
              NULL);
}

static void normalization_by_hand(void **unused) {
    (void)unused;
    hlrp_account a = {0};
    net n = begin(DIMS(1, 2)); /* 1, 3: ∓1; y = −2, 1 + 5; u = 2·4/−2, 12/6 */
    net_norm(&n, &hlrp_op_layernorm, n.g->input, 1, true, true);
    fill(&n, 1, (const float[]){2, 1});
    fill(&n, 2, (const float[]){0, 5});
    n.g->nodes[0].lo = 0;
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_DETACH}, (double[]){1, 3}, (double[]){4, 12},
              (double[]){-3, 9}, &a);
    assert_true(fabs(a.normalization - 10) < 1e-6 && fabs(a.in + a.normalization - a.out) < 1e-6);
    n = begin(DIMS(1, 2));
    net_norm(&n, &hlrp_op_layernorm, n.g->input, 1, true, true);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_PASS}, (double[]){1, 3}, (double[]){4, 12},
              (double[]){4, 12}, NULL);
}

/* Softmax of log 1, log 3 is 1/4, 3/4: x ⊙ (R − y ΣR). */
static void softmax_by_hand(void **unused) {
    (void)unused;
    net n = begin(DIMS(1, 2));
    net_softmax(&n, &hlrp_op_softmax, n.g->input, -1);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_TAYLOR}, (double[]){0, log(3)}, (double[]){8, 4},
              (double[]){0, -5 * log(3)}, NULL);
    n = begin(DIMS(1, 3));
    net_softmax(&n, &hlrp_op_softmax, n.g->input, -1);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_TAYLOR}, (double[]){0, log(3), -INFINITY},
              (double[]){8, 4, 0}, (double[]){0, -5 * log(3), 0}, NULL);
}

/* 2 + 6 where R is 4: a quarter stays on the constant's share, however biases are treated. */
static void constants_keep_their_part(void **unused) {
    (void)unused;
    hlrp_account a = {0};
    net n = begin(DIMS(1, 1));
    net_scale(&n, &hlrp_op_add_const, n.g->input, 6);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_EPSILON}, (double[]){2}, (double[]){4},
              (double[]){1}, &a);
    assert_true(fabs(a.constant - 3) < 1e-6);
    n = begin(DIMS(1, 1));
    net_scale(&n, &hlrp_op_sub, n.g->input, 6);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_EPSILON}, (double[]){2}, (double[]){4},
              (double[]){-2}, &a);
    assert_true(fabs(a.constant - 6) < 1e-6);
    n = begin(DIMS(1, 2));
    net_join(&n, (int[]){net_parameter(&n, DIMS(1, 1), 1, 1), n.g->input}, 2, 1);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_PASS}, (double[]){2, 3}, (double[]){4, 5, 6},
              (double[]){5, 6}, &a);
    assert_true(a.constant == 4);
    n = begin(DIMS(1, 2)); /* by squares */
    net_reduce(&n, &hlrp_op_reduce_l2, n.g->input, DIMS(1), false);
    hand_back(&n, (hlrp_rule){.kind = HLRP_RULE_PASS}, (double[]){3, 4}, (double[]){25},
              (double[]){9, 16}, NULL);
}

/* ---- the engine beside it ---- */

static hlrp_status canonize(net *n, hlrp_error *err) {
    const hlrp_dims input = *net_dims(n, n->g->input);
    const hlrp_canonize_options o = {.verify = NULL};
    const hlrp_status status = hlrp_canonize(n->g, &o, &input, err);
    return status == HLRP_OK ? hlrp_graph_infer(n->g, &input, err) : status;
}

static int mirrored(net *n, int x) {
    return net_cut(n, x, 1, -1, INT64_MIN + 1, -1);
}

static int picked(net *n, int x) {
    return net_gather(n, x, 1, DIMS(4), (int64_t[]){2, -2, 0, 2});
}

static int repeated(net *n, int x) {
    return net_tile(n, x, DIMS(1, 2, 1, 1));
}

static int spread(net *n, int x) {
    return net_expand(n, net_cut(n, x, 1, 1, 2, 1), DIMS(1, 5, 6, 6));
}

static int by_rows(net *n, int x) {
    return net_transpose(n, x, DIMS(0, 1, 3, 2));
}

static int across(net *n, int x) {
    return net_transpose(n, x, DIMS(0, 2, 1, 3));
}

static int folded(net *n, int x) {
    return net_reshape(n, x, DIMS(1, 12, 3, 3));
}

static int bordered(net *n, int x) {
    return net_border(n, x, DIMS(0, 1, 0, 0), DIMS(0, 0, 1, 0));
}

static int beside_a_constant(net *n, int x) {
    return net_join(n, (int[]){x, net_parameter(n, DIMS(1, 1, 6, 6), -1, 1)}, 2, 1);
}

/* zbox needs the bounds of the pixels' own channels, wherever those were moved. It took those of the same
 * number, or what lay behind them in memory. */
static void bounds_follow_the_channels(void **unused) {
    static const struct {
        int (*move)(net *n, int x);
        bool refused;
    } cases[] = {{mirrored, false}, {picked, false},  {repeated, false},
                 {spread, false},   {by_rows, false}, {across, true},
                 {folded, true},    {bordered, true}, {beside_a_constant, true}};
    const float low[] = {-2, -3, -1}, high[] = {3, 2, 4};
    (void)unused;
    for (size_t k = 0; k < HLRP_COUNT(cases); k++) {
        net n;
        versus v;
        hlrp_error err = {0};
        float input[108], start[2] = {1, 0.4F};
        net_begin(&n, 4, 1, 3, 6, 6);
        const net_conv_spec s = net_square(5, 3);
        const int x = net_relu(&n, net_conv(&n, cases[k].move(&n, n.g->input), &s));
        net_linear(&n, net_global(&n, x, false), 2, true);
        check(canonize(&n, &err), &err);
        hlrp_lrp_options o = options_for("epsilon-gamma-box");
        o.low = low;
        o.high = high;
        net_input(&n, input);
        if (cases[k].refused) {
            assert_int_equal(engine_try(n.g, &o, &err), HLRP_E_CONFIG);
            assert_non_null(strstr(err.mend, "each channel apart"));
        } else {
            compare(&n, &o, input, start, &v);
            assert_true(v.excess <= 1);
        }
        net_end(&n);
    }
}

/* It was run with the constant taken for a value that gets relevance: memory that is nobody's. */
static void a_sum_of_three_with_a_constant_is_refused(void **unused) {
    net n;
    hlrp_error err = {0};
    (void)unused;
    net_begin(&n, 4, 1, 3, 4, 4);
    const int c = net_parameter(&n, DIMS(1, 3, 4, 4), -1, 1);
    const int x = net_add(&n, (int[]){n.g->input, net_relu(&n, n.g->input), c}, 3);
    net_linear(&n, net_global(&n, x, false), 2, true);
    assert_int_equal(canonize(&n, &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.what, "adds computed tensors and constants"));
    net_end(&n);
}

/* What the reference has no definition of is refused on the way back as well, not skipped. */
static void what_is_not_defined_is_refused(void **unused) {
    hlrp_error err = {0};
    hlrp_ref_values *v = NULL;
    (void)unused;
    net n = begin(DIMS(1, 2));
    net_softmax(&n, &hlrp_op_softmax, n.g->input, 1);
    n.g->nodes[0].op = &hlrp_op_where;
    assert_int_equal(hlrp_ref_forward(n.g, one_to_six, &v, &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.what, "cannot run the operator"));
    n.g->nodes[0].op = &hlrp_op_softmax;
    check(hlrp_ref_forward(n.g, one_to_six, &v, &err), &err);
    n.g->nodes[0].op = &hlrp_op_where;
    const hlrp_rule rule = {.kind = HLRP_RULE_PASS};
    const hlrp_ref_lrp_options o = {.bias = HLRP_BIAS_KEEP};
    hlrp_ref_lrp r;
    assert_int_equal(hlrp_ref_lrp_run(n.g, &rule, &o, v, one_to_six, &r, &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.what, "has no relevance of the operator"));
    hlrp_ref_lrp_free(&r);
    hlrp_ref_values_free(v);
    net_end(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_move),
        cmocka_unit_test(products_of_stacks),
        cmocka_unit_test(normalized_numbers),
        cmocka_unit_test(reduced_numbers),
        cmocka_unit_test(resized_rows),
        cmocka_unit_test(functions_of_one),
        cmocka_unit_test(products_by_hand),
        cmocka_unit_test(gates_by_hand),
        cmocka_unit_test(normalization_by_hand),
        cmocka_unit_test(softmax_by_hand),
        cmocka_unit_test(constants_keep_their_part),
        cmocka_unit_test(bounds_follow_the_channels),
        cmocka_unit_test(a_sum_of_three_with_a_constant_is_refused),
        cmocka_unit_test(what_is_not_defined_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

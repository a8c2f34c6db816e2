/* Where relevance went: per node out = in + what the biases and the stabilizer took, and all of it
 * as the reference counts it; the relevance that is watched on the way, too. */
#include "versus.h"

static const hlrp_rule_override with_zbox[] = {
    {"@first", "zbox", 0}, {"@sum", "epsilon(0.1)", 0}, {"@batchnorm", "epsilon(0.2)", 0}};
static const hlrp_rule_override with_rms[] = {
    {"@conv", "epsilon(0.5,rms)", 0}, {"@avgpool", "epsilon(0.3)", 0}, {"@batchnorm", "lrp0", 0}};

/* Both signs before a BatchNormalization, a sum and a concatenation; biases everywhere. */
static void build(net *n, uint64_t seed) {
    net_begin(n, seed, 3, 3, 12, 9);
    net_conv_spec s = net_square(18, 3);
    int x = net_relu(n, net_batchnorm(n, net_conv(n, n->g->input, &s)));
    const int a = net_conv(n, x, &s);
    x = net_add(n, (int[]){x, a, net_relu(n, a)}, 3);
    const int64_t lo[2] = {1, 0}, hi[2] = {0, 1};
    x = net_pad(n, net_relu(n, x), lo, hi);
    s.out = 7;
    s.stride[0] = 2;
    x = net_leaky(n, net_conv(n, x, &s), 0.2);
    x = net_concat(n, (int[]){x, net_clip(n, x, 0, 1)}, 2);
    const hlrp_window mean = net_window(2, 2, 0), max = net_window(2, 1, 0);
    x = net_pool(n, &hlrp_op_maxpool, x, &max);
    x = net_pool(n, &hlrp_op_avgpool, x, &mean);
    x = net_concat(n, (int[]){net_slice(n, x, 1, 3, -2), net_shuffle(n, x, 2)}, 2);
    x = net_global(n, x, false);
    net_gemm(n, net_relu(n, net_gemm(n, x, 9, true)), 2, true);
}

static bool balances(const hlrp_node *node, const hlrp_rule *rule) {
    return rule->kind != HLRP_RULE_GRADIENT && node->op != &hlrp_op_pad;
}

static void balance(const net *n, const hlrp_lrp_options *o, const float *input,
                    const float *start) {
    engine_result e;
    hlrp_error err = {0};
    hlrp_rule *rules = room(n->g->node_count, sizeof *rules);
    check(hlrp_assign_rules(n->g, &o->rules, rules, &err), &err);
    engine_run(n->g, o, input, start, &e);
    for (int i = 0; i < n->g->node_count; i++)
        for (int s = 0; s < 3; s++) {
            const hlrp_account *a = &e.account[i * 3 + s];
            const double unit = a->out_abs + fabs(a->bias) + fabs(a->stabilizer) + fabs(a->in);
            if (balances(&n->g->nodes[i], &rules[i]) &&
                fabs(a->in + a->bias + a->stabilizer - a->out) > 3e-5 * unit)
                fail_msg("%s, %s: out %g, in %g, bias %g, stabilizer %g", o->rules.composite,
                         n->g->nodes[i].name, a->out, a->in, a->bias, a->stabilizer);
        }
    engine_free(&e);
    free(rules);
}

static void every_composite(void (*run)(net *n, const hlrp_lrp_options *o)) {
    net n;
    build(&n, 5);
    for (int c = 0; hlrp_composite_name(c); c++)
        for (int k = 0; k < 4; k++) {
            hlrp_lrp_options o = options_for(hlrp_composite_name(c));
            o.bias = k == 1 ? HLRP_BIAS_DROP : HLRP_BIAS_KEEP;
            o.rules.batchnorm_pass = k == 0;
            o.rules.overrides = k == 2 ? with_zbox : with_rms;
            o.rules.override_count = k < 2 ? 0 : 3;
            run(&n, &o);
        }
    net_end(&n);
}

static void draw(net *n, float **input, float **start) {
    *input = room(net_count(n, n->g->input), sizeof(float));
    *start = room(net_count(n, n->g->output), sizeof(float));
    net_input(n, *input);
    for (int64_t i = 0; i < net_count(n, n->g->output); i++)
        (*start)[i] = (float)net_uniform(n, 0.2, 1);
}

static void run_balance(net *n, const hlrp_lrp_options *o) {
    float *input = NULL, *start = NULL;
    draw(n, &input, &start);
    balance(n, o, input, start);
    free(input);
    free(start);
}

static void run_compare(net *n, const hlrp_lrp_options *o) {
    float *input = NULL, *start = NULL;
    versus v;
    draw(n, &input, &start);
    compare(n, o, input, start, &v);
    const double limit = fmax(3e-5, 100 * v.sensitivity);
    if (v.layers > limit || v.account > limit || v.excess > 1)
        fail_msg("%s: relevance %.1e, layers %.1e, accounts %.1e, sensitivity %.1e",
                 o->rules.composite, v.relevance, v.layers, v.account, v.sensitivity);
    free(input);
    free(start);
}

static void every_node_balances(void **unused) {
    (void)unused;
    every_composite(run_balance);
}

static void watched_relevance_and_accounts_are_the_references(void **unused) {
    (void)unused;
    every_composite(run_compare);
}

/* A branch that leads to no output has an account of zeros, not what memory held. */
static void a_dead_branch_has_an_empty_account(void **unused) {
    (void)unused;
    net n;
    float *input = NULL, *start = NULL;
    engine_result e;
    net_begin(&n, 6, 3, 3, 8, 8);
    const net_conv_spec s = net_square(4, 3);
    const int x = net_relu(&n, net_conv(&n, n.g->input, &s));
    const int y = net_gemm(&n, net_global(&n, x, false), 2, true);
    net_conv(&n, x, &s);
    n.g->output = y;
    draw(&n, &input, &start);
    const hlrp_lrp_options o = options_for("gamma");
    engine_run(n.g, &o, input, start, &e);
    const hlrp_account *a = &e.account[net_node(&n, "conv4") * 3];
    assert_true(a->out == 0 && a->in == 0 && a->out_abs == 0 && a->bias == 0);
    engine_free(&e);
    free(input);
    free(start);
    net_end(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_balances),
        cmocka_unit_test(watched_relevance_and_accounts_are_the_references),
        cmocka_unit_test(a_dead_branch_has_an_empty_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which node gets which rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lrp/rule.h"
#include "op/op.h"

enum { MOST_NODES = 32 };

static int add(hlrp_graph *g, const hlrp_operator *op, const char *name, const int *in, int count) {
    hlrp_error err = {0};
    const int out = hlrp_graph_add_value(g, name, NULL, &err);
    assert_true(out >= 0);
    assert_true(hlrp_graph_add_node(g, op, name, op->name, in, count, &out, 1, &err) >= 0);
    g->nodes[g->node_count - 1].axis = 1;
    g->output = out;
    return out;
}

static int constant(hlrp_graph *g, hlrp_dims dims) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    assert_int_equal(hlrp_tensor_new(&dims, HLRP_F32, &t, &err), HLRP_OK);
    return hlrp_graph_add_value(g, "parameter", t, &err);
}

static int conv(hlrp_graph *g, const char *name, int x, int64_t in, int64_t out) {
    const int w = constant(g, (hlrp_dims){.rank = 4, .d = {out, in, 1, 1}});
    return add(g, &hlrp_op_conv, name, (int[]){x, w, -1}, 3);
}

static void infer(hlrp_graph *g) {
    hlrp_error err = {0};
    const hlrp_dims dims = {.rank = 4, .d = {1, 3, 4, 4}};
    assert_int_equal(hlrp_graph_infer(g, &dims, &err), HLRP_OK);
}

static hlrp_graph *begin(void) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
    g->input = hlrp_graph_add_value(g, "input", NULL, &err);
    return g;
}

/* pad, conv0 … conv<n−1> each with a relu, a sum, a BatchNormalization, pools, two gemms. */
static hlrp_graph *chain(int convs) {
    hlrp_graph *g = begin();
    char name[40];
    int x = add(g, &hlrp_op_pad, "pad", &g->input, 1);
    for (int i = 0; i < convs; i++) {
        snprintf(name, sizeof name, "layer%d/conv", i);
        x = conv(g, name, x, i ? 4 : 3, 4);
        snprintf(name, sizeof name, "layer%d/relu", i);
        x = add(g, &hlrp_op_relu, name, &x, 1);
    }
    const int vector = constant(g, (hlrp_dims){.rank = 1, .d = {4}});
    x = add(g, &hlrp_op_add, "sum", (int[]){x, x}, 2);
    x = add(g, &hlrp_op_batchnorm, "norm", (int[]){x, vector, vector}, 3);
    x = add(g, &hlrp_op_avgpool, "pool", &x, 1);
    x = add(g, &hlrp_op_global_avgpool, "mean", &x, 1);
    x = add(g, &hlrp_op_gemm, "fc1",
            (int[]){x, constant(g, (hlrp_dims){.rank = 2, .d = {4, 4}}), -1}, 3);
    add(g, &hlrp_op_gemm, "fc2", (int[]){x, constant(g, (hlrp_dims){.rank = 2, .d = {2, 4}}), -1},
        3);
    infer(g);
    return g;
}

/* The rule of a node as text. */
static const char *rule_at(const hlrp_graph *g, const hlrp_rule_options *o, const char *node) {
    static char text[96];
    hlrp_rule rules[MOST_NODES];
    hlrp_error err = {0};
    assert_true(g->node_count <= MOST_NODES);
    if (hlrp_assign_rules(g, o, rules, &err) != HLRP_OK)
        fail_msg("%s (%s)", err.what, err.where);
    for (int i = 0; i < g->node_count; i++)
        if (strcmp(g->nodes[i].name, node) == 0)
            return hlrp_rule_text(&rules[i], text, sizeof text);
    fail_msg("no node %s", node);
    return "";
}

static void refused(const hlrp_graph *g, const hlrp_rule_options *o, const char *where,
                    const char *tells) {
    hlrp_rule rules[MOST_NODES];
    hlrp_error err = {0};
    if (hlrp_assign_rules(g, o, rules, &err) != HLRP_E_CONFIG)
        fail_msg("%s %s: not refused", where, tells);
    if (!strstr(err.where, where) || (!strstr(err.what, tells) && !strstr(err.mend, tells)))
        fail_msg("refused with '%s' '%s' '%s'", err.what, err.where, err.mend);
}

/* The lower half is the first floor(n/2): the middle one of an odd number is upper. */
static void the_lower_half_of_a_chain(void **unused) {
    (void)unused;
    for (int n = 1; n <= 7; n++) {
        hlrp_graph *g = chain(n);
        const hlrp_rule_options o = hlrp_rule_options_default();
        char name[40];
        for (int i = 0; i < n; i++) {
            snprintf(name, sizeof name, "layer%d/conv", i);
            assert_string_equal(rule_at(g, &o, name),
                                i < n / 2 ? "gamma(0.25)" : "epsilon(0.25,rms)");
        }
        assert_string_equal(rule_at(g, &o, "fc1"), "lrp0");
        assert_string_equal(rule_at(g, &o, "fc2"), "lrp0");
        hlrp_graph_free(g);
    }
}

static void composites_by_table(void **unused) {
    (void)unused;
    static const char *const want[][5] = {
        /* composite, first, other convolutions, fully connected, sum */
        {"lrp0-gamma", "gamma(0.5)", "gamma(0.5)", "gamma(0.5)", "norm"},
        {"epsilon-gamma-box", "zbox", "gamma(0.25)", "epsilon(1e-06)", "norm"},
        {"epsilon-plus", "zplus", "zplus", "epsilon(1e-06)", "norm"},
        {"epsilon-plus-flat", "flat", "zplus", "epsilon(1e-06)", "norm"},
        {"epsilon-alpha2-beta1", "alphabeta(2,1)", "alphabeta(2,1)", "epsilon(1e-06)", "norm"},
        {"epsilon-alpha2-beta1-flat", "flat", "alphabeta(2,1)", "epsilon(1e-06)", "norm"},
        {"attnlrp", "epsilon(1e-06)", "epsilon(1e-06)", "epsilon(1e-06)", "norm"},
        {"attnlrp-gamma", "gamma(0.25)", "gamma(0.25)", "gamma(0.05)", "norm"},
        {"cp", "epsilon(1e-06)", "epsilon(1e-06)", "epsilon(1e-06)", "norm"},
        {"vit-gamma", "gamma(0.25)", "gamma(0.25)", "gamma(0.05)", "norm"},
        {"vit-gamma-box", "zbox", "gamma(0.25)", "gamma(0.05)", "norm"},
        {"lrp0", "lrp0", "lrp0", "lrp0", "norm"},
        {"epsilon", "epsilon(1e-06)", "epsilon(1e-06)", "epsilon(1e-06)", "norm"},
        {"gamma", "gamma(0.25)", "gamma(0.25)", "gamma(0.25)", "norm"},
        {"zplus", "zplus", "zplus", "zplus", "norm"},
        {"alphabeta", "alphabeta(2,1)", "alphabeta(2,1)", "alphabeta(2,1)", "norm"},
        {"wsquare", "wsquare", "wsquare", "wsquare", "norm"},
        {"flat", "flat", "flat", "flat", "norm"},
        {"gradient-x-input", "gradient", "gradient", "gradient", "gradient"},
    };
    hlrp_graph *g = chain(3);
    for (size_t i = 0; i < HLRP_COUNT(want); i++) {
        hlrp_rule_options o = hlrp_rule_options_default();
        o.composite = want[i][0];
        assert_string_equal(rule_at(g, &o, "layer0/conv"), want[i][1]);
        assert_string_equal(rule_at(g, &o, "layer1/conv"), want[i][2]);
        assert_string_equal(rule_at(g, &o, "fc1"), want[i][3]);
        assert_string_equal(rule_at(g, &o, "sum"), want[i][4]);
    }
    int names = 0;
    for (int c = 0; hlrp_composite_name(c); c++) { /* all that are listed work */
        hlrp_rule_options o = hlrp_rule_options_default();
        o.composite = hlrp_composite_name(c);
        rule_at(g, &o, "fc1");
        names++;
    }
    assert_int_equal(names, HLRP_COUNT(want) + 1);
    hlrp_graph_free(g);
}

/* Guards: hidden layers by LRP-0, which lets relevance grow where contributions cancel. */
static void lrp0_gamma_has_lrp0_at_the_head_only(void **unused) {
    (void)unused;
    hlrp_graph *g = chain(4);
    hlrp_rule_options o = hlrp_rule_options_default();
    o.composite = "lrp0-gamma";
    assert_string_equal(rule_at(g, &o, "fc1"), "gamma(0.5)");
    assert_string_equal(rule_at(g, &o, "fc2"), "lrp0");
    o.gamma = 2; /* a key that is set wins over the composite's own */
    assert_string_equal(rule_at(g, &o, "layer3/conv"), "gamma(2)");
    hlrp_graph_free(g);
}

static void parameters_reach_the_rules(void **unused) {
    (void)unused;
    hlrp_graph *g = chain(4);
    hlrp_rule_options o = hlrp_rule_options_default();
    o.gamma = 0.5;
    o.epsilon = 0.125;
    assert_string_equal(rule_at(g, &o, "layer0/conv"), "gamma(0.5)");
    assert_string_equal(rule_at(g, &o, "layer3/conv"), "epsilon(0.125,rms)"); /* unit kept */
    assert_string_equal(rule_at(g, &o, "norm"), "epsilon(1e-06)"); /* not the composite's */
    o.batchnorm_pass = true;
    assert_string_equal(rule_at(g, &o, "norm"), "pass");
    o.composite = "epsilon-alpha2-beta1"; /* its parameters are its name */
    o.alpha = 3;
    o.beta = 2;
    assert_string_equal(rule_at(g, &o, "layer0/conv"), "alphabeta(2,1)");
    o.composite = "alphabeta";
    assert_string_equal(rule_at(g, &o, "layer0/conv"), "alphabeta(3,2)");
    o.head_lrp0 = true;
    assert_string_equal(rule_at(g, &o, "fc1"), "alphabeta(3,2)");
    assert_string_equal(rule_at(g, &o, "fc2"), "lrp0");
    hlrp_graph_free(g);
}

/* Full name > glob > @first > other kinds; among equals the later line; order does not help. */
static void overrides_by_strength(void **unused) {
    (void)unused;
    static const hlrp_rule_override lines[] = {
        {"layer1/conv", "gamma(1)", 1}, {"layer*/conv", "gamma(2)", 2},
        {"layer2*nv", "gamma(3)", 3},   {"@first", "gamma(4)", 4},
        {"@conv", "gamma(5)", 5},       {"@linear", "gamma(6)", 6},
        {"@linear", "gamma(7)", 7},     {"fc2", "gamma(8)", 8}};
    static const hlrp_rule_override kinds[] = {{"@first", "flat", 1}, {"@conv", "wsquare", 2}};
    hlrp_graph *g = chain(3);
    hlrp_rule_options o = hlrp_rule_options_default();
    o.overrides = lines;
    o.override_count = HLRP_COUNT(lines);
    assert_string_equal(rule_at(g, &o, "layer0/conv"), "gamma(2)"); /* a glob over @first */
    assert_string_equal(rule_at(g, &o, "layer1/conv"), "gamma(1)"); /* a name over a later glob */
    assert_string_equal(rule_at(g, &o, "layer2/conv"), "gamma(3)"); /* the later glob */
    assert_string_equal(rule_at(g, &o, "fc1"), "gamma(7)");         /* the later line */
    assert_string_equal(rule_at(g, &o, "fc2"), "gamma(8)");
    o.overrides = kinds;
    o.override_count = HLRP_COUNT(kinds);
    assert_string_equal(rule_at(g, &o, "layer0/conv"), "flat"); /* @first over @conv */
    assert_string_equal(rule_at(g, &o, "layer1/conv"), "wsquare");
    o.head_lrp0 = true;
    assert_string_equal(rule_at(g, &o, "fc2"), "lrp0");
    hlrp_graph_free(g);
}

/* A rule that was asked for at the last layer was dropped in silence by the default start. Gradients
 * with LRP-0 on top are neither. */
static void the_last_layer_yields_to_what_was_asked_for(void **unused) {
    (void)unused;
    static const hlrp_rule_override named = {"fc2", "gamma(8)", 1}, kind = {"@linear", "zplus", 1},
                                    another = {"fc1", "zplus", 1};
    hlrp_graph *g = chain(3);
    hlrp_rule_options o = hlrp_rule_options_default();
    o.composite = "epsilon-plus";
    o.head_lrp0 = o.head_yields = true;
    o.override_count = 1;
    o.overrides = &another;
    assert_string_equal(rule_at(g, &o, "fc2"), "lrp0"); /* the composite's epsilon is no wish */
    o.overrides = &named;
    assert_string_equal(rule_at(g, &o, "fc2"), "gamma(8)");
    o.overrides = &kind;
    assert_string_equal(rule_at(g, &o, "fc2"), "zplus");
    o.override_count = 0;
    o.composite = "gradient-x-input";
    assert_string_equal(rule_at(g, &o, "fc2"), "gradient");
    hlrp_graph_free(g);
}

/* A glob over a block of layers also matches its ReLUs and sums, which the rule is not for: they keep
 * theirs. It was refused, so that no glob could name a block. */
static void globs_pass_over_nodes_without_parameters(void **unused) {
    (void)unused;
    static const hlrp_rule_override line = {"layer1/*", "gamma(9)", 1};
    hlrp_graph *g = chain(3);
    hlrp_rule_options o = hlrp_rule_options_default();
    o.overrides = &line;
    o.override_count = 1;
    assert_string_equal(rule_at(g, &o, "layer1/conv"), "gamma(9)");
    assert_string_equal(rule_at(g, &o, "layer1/relu"), "pass");
    hlrp_graph_free(g);
}

static void one_override(const hlrp_graph *g, const char *key, const char *rule, const char *where,
                         const char *tells) {
    const hlrp_rule_override line = {key, rule, 7};
    hlrp_rule_options o = hlrp_rule_options_default();
    o.overrides = &line;
    o.override_count = 1;
    refused(g, &o, where, tells);
}

static void misfits_are_refused_by_name(void **unused) {
    (void)unused;
    hlrp_graph *g = chain(3);
    one_override(g, "layer1/conv", "zbox", "layer1/conv", "input's pixels");
    one_override(g, "fc1", "zbox", "fc1", "zbox");
    one_override(g, "pool", "gamma", "pool", "gamma");
    one_override(g, "mean", "zplus", "mean", "zplus");
    one_override(g, "sum", "alphabeta", "sum", "alphabeta");
    one_override(g, "norm", "gamma", "norm", "gamma");
    one_override(g, "layer0/relu", "epsilon", "layer0/relu", "epsilon");
    one_override(g, "layer1/conv", "norm", "layer1/conv", "norm");
    one_override(g, "layer0/conv", "pass", "layer0/conv", "pass"); /* 3 channels to 4 */
    one_override(g, "fc2", "pass", "fc2", "pass");
    /* a mean over what? these were taken as absolute once */
    one_override(g, "sum", "epsilon(0.25,rms)", "sum", "rms");
    one_override(g, "@avgpool", "epsilon(0.25,rms)", "pool", "rms");
    one_override(g, "@batchnorm", "epsilon(0.25,rms)", "norm", "rms");
    hlrp_graph_free(g);
}

static void bad_options_are_refused(void **unused) {
    (void)unused;
    hlrp_graph *g = chain(3);
    one_override(g, "layer9/conv", "gamma", "line 7", "no node");
    one_override(g, "layer9*", "gamma", "line 7", "no node");
    one_override(g, "@convolution", "gamma", "line 7", "no node");
    one_override(g, "fc1", "gama", "fc1", "did you mean gamma");
    one_override(g, "fc1", "alphabeta(2,2)", "fc1", "alpha - beta");
    hlrp_rule_options o = hlrp_rule_options_default();
    o.composite = "epsilon-gama-box";
    refused(g, &o, "lrp.composite", "unknown composite");
    o = hlrp_rule_options_default();
    o.alpha = 3;
    refused(g, &o, "lrp.alpha", "beta");
    o.alpha = 0.5;
    o.beta = -0.5;
    refused(g, &o, "lrp.beta", "negative");
    hlrp_graph_free(g);
}

/* Through pads and concatenations; not past a ReLU, on any way. */
static void first_layers(void **unused) {
    (void)unused;
    hlrp_graph *g = begin();
    const int pad = add(g, &hlrp_op_pad, "pad", &g->input, 1);
    const int twice = add(g, &hlrp_op_concat, "twice", (int[]){g->input, pad}, 2);
    conv(g, "a", twice, 6, 3);
    conv(g, "b", g->input, 3, 3);
    const int relu = add(g, &hlrp_op_relu, "relu", &g->input, 1);
    conv(g, "c", relu, 3, 3);
    const int mixed = add(g, &hlrp_op_concat, "mixed", (int[]){g->input, relu}, 2);
    conv(g, "d", mixed, 6, 3);
    const int flat = add(g, &hlrp_op_flatten, "flat", &g->input, 1);
    add(g, &hlrp_op_gemm, "e", (int[]){flat, constant(g, (hlrp_dims){.rank = 2, .d = {2, 48}}), -1},
        3);
    infer(g);
    static const bool want[] = {true, true, false, false, true};
    int seen = 0;
    for (int i = 0; i < g->node_count; i++)
        if (g->nodes[i].op == &hlrp_op_conv || g->nodes[i].op == &hlrp_op_gemm)
            assert_int_equal(hlrp_node_is_first(g, i), want[seen++]);
        else
            assert_false(hlrp_node_is_first(g, i));
    assert_int_equal(seen, 5);
    one_override(g, "e", "zbox", "e", "zbox"); /* first, but no convolution */
    hlrp_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lower_half_of_a_chain),
        cmocka_unit_test(composites_by_table),
        cmocka_unit_test(lrp0_gamma_has_lrp0_at_the_head_only),
        cmocka_unit_test(parameters_reach_the_rules),
        cmocka_unit_test(overrides_by_strength),
        cmocka_unit_test(the_last_layer_yields_to_what_was_asked_for),
        cmocka_unit_test(globs_pass_over_nodes_without_parameters),
        cmocka_unit_test(misfits_are_refused_by_name),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(first_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

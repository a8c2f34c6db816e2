/* What is known of values before the network runs. Every "true" is work left out: a wrong one is a
 * wrong map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lrp/analysis.h"
#include "op/op.h"

enum { MOST = 40 };

typedef struct known {
    hlrp_graph *g;
    hlrp_rule rules[MOST];
    bool nonnegative[MOST], vanishes[MOST];
} known;

static int add(hlrp_graph *g, const hlrp_operator *op, const char *name, const int *in, int count) {
    hlrp_error err = {0};
    const int out = hlrp_graph_add_value(g, name, NULL, &err);
    assert_true(out >= 0);
    assert_true(hlrp_graph_add_node(g, op, name, op->name, in, count, &out, 1, &err) >= 0);
    g->output = out;
    return out;
}

static void begin(known *k) {
    hlrp_error err = {0};
    memset(k, 0, sizeof *k);
    assert_int_equal(hlrp_graph_new(&k->g, &err), HLRP_OK);
    k->g->input = hlrp_graph_add_value(k->g, "input", NULL, &err);
}

static void look(known *k) {
    assert_true(k->g->value_count <= MOST);
    hlrp_find_nonnegative(k->g, k->nonnegative);
    hlrp_find_vanishing(k->g, k->rules, k->vanishes);
}

static bool dead(const known *k, const char *name) {
    bool below[MOST];
    hlrp_find_dead_below(k->g, k->rules, k->vanishes, below);
    for (int i = 0; i < k->g->node_count; i++)
        if (strcmp(k->g->nodes[i].name, name) == 0)
            return below[k->g->nodes[i].out[0]];
    fail_msg("no node %s", name);
    return false;
}

static void set(known *k, const char *name, hlrp_rule_kind kind) {
    for (int i = 0; i < k->g->node_count; i++)
        if (strcmp(k->g->nodes[i].name, name) == 0)
            k->rules[i].kind = kind;
}

static int conv(known *k, const char *name, int x) {
    const int y = add(k->g, &hlrp_op_conv, name, (int[]){x, -1, -1}, 3);
    set(k, name, HLRP_RULE_GAMMA);
    return y;
}

static int other(known *k, const hlrp_operator *op, const char *name, int x) {
    const int y = add(k->g, op, name, &x, 1);
    set(k, name,
        op == &hlrp_op_global_avgpool || op == &hlrp_op_avgpool ? HLRP_RULE_NORM : HLRP_RULE_PASS);
    return y;
}

static void nonnegative_values(void **unused) {
    (void)unused;
    known k;
    begin(&k);
    hlrp_graph *g = k.g;
    const int z = conv(&k, "conv", g->input), relu = other(&k, &hlrp_op_relu, "relu", z);
    const int indices = hlrp_graph_add_value(g, "indices", NULL, &(hlrp_error){0});
    const int kept[] = {
        relu,
        other(&k, &hlrp_op_maxpool, "max", relu),
        other(&k, &hlrp_op_avgpool, "mean", relu),
        other(&k, &hlrp_op_pad, "pad", relu),
        other(&k, &hlrp_op_leaky_relu, "leaky", relu),
        add(g, &hlrp_op_add, "sum", (int[]){relu, relu}, 2),
        add(g, &hlrp_op_concat, "concat", (int[]){relu, relu}, 2),
        other(&k, &hlrp_op_flatten, "flat", relu),
        other(&k, &hlrp_op_clip, "relu6", z),
        add(g, &hlrp_op_slice, "slice", (int[]){relu, indices, indices, -1, -1}, 5),
        other(&k, &hlrp_op_shuffle, "shuffle", relu),
    };
    const int lost[] = {
        g->input,
        z,
        other(&k, &hlrp_op_maxpool, "max2", z),
        other(&k, &hlrp_op_leaky_relu, "leaky2", z),
        add(g, &hlrp_op_add, "sum2", (int[]){relu, z}, 2),
        add(g, &hlrp_op_concat, "concat2", (int[]){z, relu}, 2),
        other(&k, &hlrp_op_clip, "hardtanh", z),
        add(g, &hlrp_op_slice, "slice2", (int[]){z, indices, indices, -1, -1}, 5),
        add(g, &hlrp_op_batchnorm, "bn", (int[]){relu, -1, -1}, 3),
    };
    g->nodes[9].hi = 6;
    for (int i = 0; i < g->node_count; i++)
        if (strcmp(g->nodes[i].name, "hardtanh") == 0)
            g->nodes[i].lo = -1;
    look(&k);
    for (size_t i = 0; i < HLRP_COUNT(kept); i++)
        if (!k.nonnegative[kept[i]])
            fail_msg("%s is not known to be non-negative", g->values[kept[i]].name);
    for (size_t i = 0; i < HLRP_COUNT(lost); i++)
        if (k.nonnegative[lost[i]])
            fail_msg("%s may be negative", g->values[lost[i]].name);
    hlrp_graph_free(g);
}

/* conv – relu – conv – relu – mean – gemm, with the second convolution's rule as given. */
static void chain(known *k, hlrp_rule_kind second) {
    begin(k);
    int x = other(k, &hlrp_op_relu, "relu1", conv(k, "conv1", k->g->input));
    x = other(k, &hlrp_op_relu, "relu2", conv(k, "conv2", x));
    x = other(k, &hlrp_op_global_avgpool, "mean", x);
    add(k->g, &hlrp_op_gemm, "fc", (int[]){x, -1, -1}, 3);
    set(k, "fc", HLRP_RULE_LRP0);
    set(k, "conv2", second);
    look(k);
}

/* Rules x·(…) hand nothing to x = 0; wsquare, flat and gradient do, and then the ReLU below has
 * relevance where its convolution is negative. */
static void dead_below_by_rule(void **unused) {
    (void)unused;
    static const struct {
        hlrp_rule_kind kind;
        bool dead;
    } cases[] = {{HLRP_RULE_LRP0, true},  {HLRP_RULE_EPSILON, true},   {HLRP_RULE_GAMMA, true},
                 {HLRP_RULE_ZPLUS, true}, {HLRP_RULE_ALPHABETA, true}, {HLRP_RULE_WSQUARE, false},
                 {HLRP_RULE_FLAT, false}, {HLRP_RULE_GRADIENT, false}, {HLRP_RULE_PASS, false},
                 {HLRP_RULE_ZBOX, false}};
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        known k;
        chain(&k, cases[i].kind);
        if (dead(&k, "conv1") != cases[i].dead)
            fail_msg("rule %d", (int)cases[i].kind);
        assert_true(dead(&k, "conv2")); /* behind it is a mean by norm */
        assert_false(dead(&k, "fc"));   /* the start may be anything */
        hlrp_graph_free(k.g);
    }
    known k;
    chain(&k, HLRP_RULE_GAMMA);
    set(&k, "relu1", HLRP_RULE_GRADIENT); /* drops what is ≤ 0 by itself */
    set(&k, "conv2", HLRP_RULE_FLAT);
    look(&k);
    assert_true(dead(&k, "conv1"));
    hlrp_graph_free(k.g);
}

/* One reader that is no ReLU is enough: the sum hands relevance to negative values. */
static void every_reader_counts(void **unused) {
    (void)unused;
    known k;
    begin(&k);
    const int z = conv(&k, "conv1", k.g->input), relu = other(&k, &hlrp_op_relu, "relu", z);
    const int sum = add(k.g, &hlrp_op_add, "sum", (int[]){z, relu}, 2);
    set(&k, "sum", HLRP_RULE_NORM);
    const int a = conv(&k, "conv2", sum), b = other(&k, &hlrp_op_clip, "relu6", a);
    const int c = conv(&k, "conv3", b), d = other(&k, &hlrp_op_leaky_relu, "leaky", c);
    conv(&k, "conv4", d);
    for (int i = 0; i < k.g->node_count; i++)
        if (k.g->nodes[i].op == &hlrp_op_clip)
            k.g->nodes[i].hi = 6;
    look(&k);
    assert_false(dead(&k, "conv1"));
    assert_true(dead(&k, "conv2"));  /* clip from 0 rectifies */
    assert_false(dead(&k, "conv3")); /* leaky does not */
    assert_false(dead(&k, "conv4"));
    /* a value that one reader hands relevance at 0 does not vanish */
    const int flat = conv(&k, "conv5", relu);
    set(&k, "conv5", HLRP_RULE_FLAT);
    look(&k);
    assert_false(k.vanishes[relu]);
    assert_true(k.vanishes[b]);
    assert_false(k.vanishes[flat]); /* the output */
    hlrp_graph_free(k.g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonnegative_values),
        cmocka_unit_test(dead_below_by_rule),
        cmocka_unit_test(every_reader_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every rule, composite and override on random networks of every kind of node: the float32 engine
 * against the float64 reference, and a table of what was seen.
 *   test_compare [FIRST LAST]   seeds; the default is what the suite runs */
#include "versus.h"

static const float low[] = {-2.1f, -2.0f, -1.9f, -2.2f}, high[] = {2.2f, 2.1f, 2.4f, 2.3f};
static const float root[] = {0.3f, -0.2f, 0.5f, 0.1f};

static const hlrp_rule_override by_kind[] = {
    {"@first", "wsquare", 1},     {"@conv", "epsilon(0.1,rms)", 2},  {"@linear", "gamma(0.1)", 3},
    {"@sum", "epsilon(0.01)", 4}, {"@avgpool", "epsilon(0.001)", 5}, {"@batchnorm", "lrp0", 6}};
static const hlrp_rule_override by_name[] = {
    {"conv*1", "zplus", 1}, {"@linear", "alphabeta(3,2)", 2}, {"@first", "zbox", 3}};
static const hlrp_rule_override first_flat[] = {{"@first", "flat", 1}, {"@linear", "zplus", 2}};
static const hlrp_rule_override first_gradient[] = {{"@first", "gradient", 1},
                                                    {"@linear", "wsquare", 2}};

static const struct {
    const hlrp_rule_override *list;
    int count;
} overrides[] = {{NULL, 0},
                 {by_kind, HLRP_COUNT(by_kind)},
                 {by_name, 3},
                 {first_flat, 2},
                 {first_gradient, HLRP_COUNT(first_gradient)}};

static const char *const biases[] = {"", ", biases dropped", ", shared", ", spread"};

typedef struct tally {
    int cases, direct; /* within 3e-5 without any allowance */
    double logits, relevance, logits_excess, excess, layers, account;
} tally;

/* Whether the first linear layer is a convolution, as zbox needs. */
static bool begins_with_conv(const hlrp_graph *g) {
    for (int i = 0; i < g->node_count; i++)
        if (g->nodes[i].op == &hlrp_op_gemm && hlrp_node_is_first(g, i))
            return false;
    return true;
}

static void draw_start(net *n, float *start) {
    const int64_t k = net_dims(n, n->g->output)->d[1];
    const bool one_hot = net_chance(n, 0.5);
    for (int64_t s = 0; s < net_dims(n, n->g->output)->d[0]; s++)
        for (int64_t j = 0; j < k; j++)
            start[s * k + j] = one_hot ? j == s % k : (float)net_uniform(n, -1, 1);
}

static void one_case(net *n, hlrp_lrp_options *o, tally *t) {
    float *input = room(net_count(n, n->g->input), sizeof *input);
    float *start = room(net_count(n, n->g->output), sizeof *start);
    versus v;
    net_input(n, input);
    draw_start(n, start);
    o->low = low;
    o->high = high;
    o->reference = root;
    compare(n, o, input, start, &v);
    t->cases++;
    t->direct += v.relevance <= 3e-5;
    t->logits = fmax(t->logits, v.logits);
    t->relevance = fmax(t->relevance, v.relevance);
    t->excess = fmax(t->excess, v.excess);
    t->logits_excess = fmax(t->logits_excess, v.logits_excess);
    t->layers = fmax(t->layers, v.layers);
    t->account = fmax(t->account, v.account);
    if (v.excess > 1 || v.logits_excess > 1)
        print_message("  %s%s%s: logits %.1e relevance %.1e (sensitivity %.1e) layers %.1e\n",
                      o->rules.composite, biases[o->bias],
                      o->rules.override_count ? ", with overrides" : "", v.logits, v.relevance,
                      v.sensitivity, v.layers);
    free(input);
    free(start);
}

/* Every composite on the network, and every set of overrides over one composite. */
static void one_network(uint64_t seed, tally *t) {
    net n;
    net_random(&n, seed, 3);
    const int before = t->cases;
    const double was = t->excess;
    for (int c = 0; hlrp_composite_name(c); c++) {
        hlrp_lrp_options o = options_for(hlrp_composite_name(c));
        o.bias = (hlrp_bias)net_int(&n, HLRP_BIAS_KEEP, HLRP_BIAS_SPREAD);
        o.rules.batchnorm_pass = net_chance(&n, 0.3);
        o.rules.head_lrp0 = net_chance(&n, 0.2);
        if (strcmp(hlrp_composite_name(c), "epsilon") == 0)
            o.rules.epsilon = 0.05;
        one_case(&n, &o, t);
    }
    for (size_t k = 1; k < HLRP_COUNT(overrides); k++) {
        hlrp_lrp_options o = options_for("epsilon-plus");
        if (k == 2 && (!begins_with_conv(n.g)))
            continue;
        o.bias = (hlrp_bias)net_int(&n, HLRP_BIAS_KEEP, HLRP_BIAS_SPREAD);
        o.rules.overrides = overrides[k].list;
        o.rules.override_count = overrides[k].count;
        /* a glob must match something */
        if (k == 2) {
            bool found = false;
            for (int i = 0; i < n.g->node_count; i++)
                found = found || hlrp_glob_match("conv*1", n.g->nodes[i].name, false);
            o.rules.overrides += !found;
            o.rules.override_count -= !found;
        }
        one_case(&n, &o, t);
    }
    if (t->excess > 1 && t->excess > was)
        print_message("^ seed %llu: %d nodes, cases %d to %d\n", (unsigned long long)seed,
                      n.g->node_count, before, t->cases);
    net_end(&n);
}

static uint64_t first_seed = 1, last_seed = 20;

static void random_networks(void **unused) {
    (void)unused;
    tally t = {0};
    for (uint64_t seed = first_seed; seed <= last_seed; seed++)
        one_network(seed, &t);
    print_message("%d cases: logits %.1e, relevance %.1e, %d within 3e-5, worst error / allowed "
                  "%.2f, logits %.2f; layers %.1e, accounts %.1e\n",
                  t.cases, t.logits, t.relevance, t.direct, t.excess, t.logits_excess, t.layers,
                  t.account);
    assert_true(t.logits_excess <= 1);
    assert_true(t.excess <= 1);
    assert_true(t.direct * 10 >= t.cases * 8); /* the allowance is for the few */
}

int main(int argc, char **argv) {
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = strtoull(argv[2], NULL, 10);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

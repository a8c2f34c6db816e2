/* Networks with attention, gates, norms of layers and groups, resizing and reductions: the float32 engine
 * against the float64 reference, under every composite that is for them.
 *   reference_attention [FIRST LAST]   seeds; the default is what the suite runs */
#include "net_attention.h"
#include "versus.h"

static const char *const composites[] = {"attnlrp",   "attnlrp-gamma", "cp",
                                         "vit-gamma", "lrp0-gamma",    "gradient-x-input"};
static const char *const families[] = {"transformer", "pictures", "pooling"};
static const char *const biases[] = {"kept", "dropped", "shared", "spread"};

typedef struct tally {
    int cases, direct; /* within 3e-5 without any allowance */
    int accounts;      /* whose account is the reference's */
    double logits, relevance, logits_excess, excess;
    bool seen[200]; /* by hlrp_operator_at */
} tally;

static void one_case(net *n, const hlrp_lrp_options *o, const char *where, tally *t) {
    float *input = room(net_count(n, n->g->input), sizeof *input);
    float *start = room(net_count(n, n->g->output), sizeof *start);
    versus v;
    net_input(n, input);
    for (int64_t i = 0; i < net_count(n, n->g->output); i++)
        start[i] = (float)net_uniform(n, -1, 1);
    compare(n, o, input, start, &v);
    t->cases++;
    t->direct += v.relevance <= 3e-5;
    t->logits = fmax(t->logits, v.logits);
    t->relevance = fmax(t->relevance, v.relevance);
    t->excess = fmax(t->excess, v.excess);
    t->logits_excess = fmax(t->logits_excess, v.logits_excess);
    t->accounts += v.account <= fmax(3e-5, 100 * v.sensitivity);
    if (v.excess > 1 || v.logits_excess > 1)
        print_message("  %s, %s, biases %s: logits %.1e relevance %.1e (sensitivity %.1e) layers "
                      "%.1e accounts %.1e\n",
                      where, o->rules.composite, biases[o->bias], v.logits, v.relevance,
                      v.sensitivity, v.layers, v.account);
    free(input);
    free(start);
}

static void note_operators(const net *n, tally *t) {
    for (int k = 0; hlrp_operator_at(k); k++)
        for (int i = 0; i < n->g->node_count; i++)
            t->seen[k] = t->seen[k] || n->g->nodes[i].op == hlrp_operator_at(k);
}

/* What was to be compared was in some network. */
static void all_operators_were_met(const tally *t) {
    for (int k = 0; hlrp_operator_at(k); k++)
        if (hlrp_operator_at(k)->relevance && !t->seen[k])
            fail_msg("no network has the operator %s", hlrp_operator_at(k)->name);
}

static void one_network(net_family family, uint64_t seed, tally *t) {
    net n;
    char where[60];
    net_attention(&n, family, seed);
    note_operators(&n, t);
    snprintf(where, sizeof where, "%s %d", families[family], (int)seed);
    for (size_t c = 0; c < HLRP_COUNT(composites); c++) {
        hlrp_lrp_options o = options_for(composites[c]);
        o.bias = (hlrp_bias)net_int(&n, HLRP_BIAS_KEEP, HLRP_BIAS_SPREAD);
        o.rules.layernorm_pass = net_chance(&n, 0.2);
        o.rules.attention = (hlrp_product_option)(net_chance(&n, 0.2) ? net_int(&n, 0, 2) : 0);
        one_case(&n, &o, where, t);
    }
    net_end(&n);
}

static uint64_t first_seed = 1, last_seed = 40;

static void random_networks(void **unused) {
    (void)unused;
    tally t = {0};
    for (uint64_t seed = first_seed; seed <= last_seed; seed++)
        for (int f = 0; f < NET_FAMILIES; f++)
            one_network((net_family)f, seed, &t);
    print_message("%d cases: logits %.1e, relevance %.1e, %d within 3e-5, worst error / allowed "
                  "%.2f, logits %.2f; %d accounts are the reference's\n",
                  t.cases, t.logits, t.relevance, t.direct, t.excess, t.logits_excess, t.accounts);
    all_operators_were_met(&t);
    assert_true(t.logits_excess <= 1);
    assert_true(t.excess <= 1);
    assert_true(t.direct * 10 >= t.cases * 8); /* the allowance is for the few */
    assert_true(t.accounts * 20 >= t.cases * 19);
}

int main(int argc, char **argv) {
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = strtoull(argv[2], NULL, 10);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

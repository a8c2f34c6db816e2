/* Relevance of one small network by every rule, recorded once by the float64 reference: a clone
 * without any other test data still checks every rule, and the reference cannot drift unseen.
 *   test_golden FILE            checks the engine and the reference against FILE
 *   test_golden FILE --write    records FILE anew; look at the difference before you commit it
 *
 * The file is text, numbers as %.9g (weights and pixels exactly as float32) or %.12g, one array per
 * line: "NAME COUNT numbers…". First every parameter in the order of the nodes' inputs, then the
 * input, then for each case of the table below its relevance of the input. */
#include "versus.h"

static const char *path;
static bool writing;

static const float low[] = {-2.1f, -2.0f}, high[] = {2.2f, 2.1f}, root[] = {0.5f, -0.25f};

static const hlrp_rule_override rms_everywhere[] = {{"@conv", "epsilon(0.3,rms)", 0},
                                                    {"@linear", "epsilon(0.1,rms)", 0}};
static const hlrp_rule_override others[] = {{"@sum", "epsilon(0.05)", 0},
                                            {"@avgpool", "epsilon(0.02)", 0},
                                            {"@batchnorm", "pass", 0},
                                            {"@linear", "gradient", 0}};

static const struct golden_case {
    const char *name, *composite;
    bool drop_bias;
    const hlrp_rule_override *overrides;
    int override_count;
} cases[] = {
    {"default", "lrp0-epsilon-gamma", false, NULL, 0},
    {"box", "epsilon-gamma-box", false, NULL, 0},
    {"plus", "epsilon-plus", false, NULL, 0},
    {"plus_flat", "epsilon-plus-flat", false, NULL, 0},
    {"alphabeta_flat", "epsilon-alpha2-beta1-flat", false, NULL, 0},
    {"lrp0", "lrp0", false, NULL, 0},
    {"epsilon", "epsilon", false, NULL, 0},
    {"gamma", "gamma", false, NULL, 0},
    {"zplus", "zplus", false, NULL, 0},
    {"alphabeta", "alphabeta", false, NULL, 0},
    {"wsquare", "wsquare", false, NULL, 0},
    {"flat", "flat", false, NULL, 0},
    {"gradient_x_input", "gradient-x-input", false, NULL, 0},
    {"rms", "epsilon", false, rms_everywhere, 2},
    {"other_nodes", "gamma", false, others, 4},
    {"default_dropped", "lrp0-epsilon-gamma", true, NULL, 0},
    {"box_dropped", "epsilon-gamma-box", true, NULL, 0},
    {"alphabeta_dropped", "alphabeta", true, NULL, 0},
    {"wsquare_dropped", "wsquare", true, NULL, 0},
};

/* Inputs of both signs at a convolution, a BatchNormalization, a sum, a concatenation, pools. */
static void build(net *n) {
    net_begin(n, 7, 1, 2, 9, 8); /* of the first seeds the one best conditioned by every rule */
    net_conv_spec s = net_square(6, 3);
    int x = net_relu(n, net_conv(n, n->g->input, &s));
    s.pad_lo[0] = 0;
    s.stride[0] = 2;
    x = net_batchnorm(n, net_conv(n, x, &s));
    s = net_square(6, 3);
    s.group = 2;
    x = net_relu(n, net_add(n, (int[]){x, net_conv(n, x, &s)}, 2));
    const hlrp_window max = net_window(2, 1, 0);
    hlrp_window mean = net_window(2, 2, 1);
    mean.count_pad = true;
    s = net_square(3, 1);
    x = net_concat(n, (int[]){x, net_leaky(n, net_conv(n, x, &s), 0.1)}, 2);
    x = net_pool(n, &hlrp_op_avgpool, net_pool(n, &hlrp_op_maxpool, x, &max), &mean);
    x = net_relu(n, net_gemm(n, net_flatten(n, x), 8, true));
    net_gemm(n, x, 3, true);
}

static void put(FILE *file, const char *name, int64_t count, const float *f, const double *d) {
    fprintf(file, "%s %lld", name, (long long)count);
    for (int64_t i = 0; i < count; i++)
        fprintf(file, f ? " %.9g" : " %.12g", f ? (double)f[i] : d[i]);
    fprintf(file, "\n");
}

static void get(FILE *file, const char *name, int64_t count, float *f, double *d) {
    char word[64] = "";
    long long n = 0;
    if (fscanf(file, "%63s %lld", word, &n) != 2 || strcmp(word, name) != 0 || n != count)
        fail_msg("%s: expected %s of %lld numbers, found %s of %lld", path, name, (long long)count,
                 word, n);
    for (int64_t i = 0; i < count; i++) {
        double number = 0;
        assert_int_equal(fscanf(file, "%lf", &number), 1);
        if (f)
            f[i] = (float)number;
        else
            d[i] = number;
    }
}

static void exchange(FILE *file, const char *name, int64_t count, float *f, double *d) {
    if (writing)
        put(file, name, count, f, d);
    else
        get(file, name, count, f, d);
}

static double apart_wide(int64_t count, const double *a, const double *b) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return worst / largest;
}

static void one_case(FILE *file, const net *n, const struct golden_case *c, const float *input) {
    static const float start[3] = {-0.25f, 1, 0.5f};
    const int64_t count = net_count(n, n->g->input);
    double *want = room(count, sizeof *want);
    hlrp_lrp_options o = options_for(c->composite);
    ref_result r;
    engine_result e;
    o.low = low;
    o.high = high;
    o.reference = root;
    o.bias = c->drop_bias ? HLRP_BIAS_DROP : HLRP_BIAS_KEEP;
    o.rules.overrides = c->overrides;
    o.rules.override_count = c->override_count;
    ref_run(n->g, &o, 0, input, start, &r);
    if (writing)
        memcpy(want, r.lrp.relevance[n->g->input], (size_t)count * sizeof *want);
    exchange(file, c->name, count, NULL, want);
    engine_run(n->g, &o, input, start, &e);
    const double engine = apart(count, e.relevance, want);
    const double reference = apart_wide(count, r.lrp.relevance[n->g->input], want);
    if (engine > 3e-5 || reference > 1e-9)
        fail_msg("%s: the engine is off by %.1e, the reference by %.1e", c->name, engine,
                 reference);
    engine_free(&e);
    ref_free(&r);
    free(want);
}

static void recorded_relevance(void **unused) {
    (void)unused;
    net n;
    build(&n);
    FILE *file = fopen(path, writing ? "w" : "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    for (int i = 0; i < n.g->node_count; i++)
        for (int k = 1; k < n.g->nodes[i].in_count; k++) {
            const int v = n.g->nodes[i].in[k];
            if (v >= 0 && n.g->values[v].constant)
                exchange(file, n.g->values[v].name, net_count(&n, v), net_constant(&n, i, k), NULL);
        }
    float *input = room(net_count(&n, n.g->input), sizeof *input);
    net_input(&n, input);
    exchange(file, "input", net_count(&n, n.g->input), input, NULL);
    for (size_t k = 0; k < HLRP_COUNT(cases); k++)
        one_case(file, &n, &cases[k], input);
    assert_int_equal(fclose(file), 0);
    free(input);
    net_end(&n);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE [--write]\n", argv[0]);
        return 2;
    }
    path = argv[1];
    writing = argc > 2 && strcmp(argv[2], "--write") == 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_relevance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Where biases share or spread what they take, what arrives is what was started with: for every rule
 * and composite, on every kind of node. */
#include "versus.h"

#include "lrp/start.h"

enum { BATCH = 2, NETWORKS = 16 };

static double sum_of_floats(int64_t count, const float *x) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)x[i];
    return sum;
}

static double magnitude(int64_t count, const double *x) {
    double sum = 0;
    for (int64_t i = 0; x && i < count; i++)
        sum += fabs(x[i]);
    return sum;
}

/* Largest |Σ relevance − Σ start| / Σ |start| of the samples. */
static double lost(const net *n, const engine_result *e, const float *start) {
    const int64_t in = net_count(n, n->g->input) / BATCH, k = net_count(n, n->g->output) / BATCH;
    double worst = 0;
    for (int64_t s = 0; s < BATCH; s++) {
        double began = 0;
        for (int64_t i = s * k; i < (s + 1) * k; i++)
            began += fabs((double)start[i]);
        const double off =
            sum_of_floats(in, e->relevance + s * in) - sum_of_floats(k, start + s * k);
        worst = fmax(worst, fabs(off) / began);
    }
    return worst;
}

/* The reference's account: nothing is taken anywhere, and each node hands on what it gets. */
static void reference_balances(const net *n, const hlrp_lrp_options *o, const float *input,
                               const float *start) {
    ref_result r;
    ref_run(n->g, o, 0, input, start, &r);
    for (int i = 0; i < n->g->node_count; i++) {
        const hlrp_node *node = &n->g->nodes[i];
        double unit = 1e-12;
        for (int k = 0; k < node->in_count; k++)
            if (node->in[k] >= 0 && !n->g->values[node->in[k]].constant)
                unit += magnitude(net_count(n, node->in[k]), r.lrp.relevance[node->in[k]]);
        for (int s = 0; s < BATCH; s++) {
            const hlrp_account *a = &r.lrp.account[i * BATCH + s];
            if (a->bias != 0 || a->stabilizer != 0 ||
                !(fabs(a->in - a->out) <= 1e-11 * (unit + a->out_abs)))
                fail_msg("%s, %s: out %g, in %g, bias %g, stabilizer %g", o->rules.composite,
                         node->name, a->out, a->in, a->bias, a->stabilizer);
        }
    }
    ref_free(&r);
}

static void columns_are_zero(const net *n, const engine_result *e) {
    for (int i = 0; i < n->g->node_count * BATCH; i++)
        assert_true(e->account[i].bias == 0 && e->account[i].stabilizer == 0);
}

static void draw(net *n, float **input, float **start) {
    *input = room(net_count(n, n->g->input), sizeof(float));
    *start = room(net_count(n, n->g->output), sizeof(float));
    net_input(n, *input);
    for (int64_t i = 0; i < net_count(n, n->g->output); i++)
        (*start)[i] = (float)net_uniform(n, -1, 1);
}

/* Guards a rule, pool, sum or pad that keeps or drops a part of what arrives. */
static void nothing_is_lost(void **unused) {
    (void)unused;
    double worst = 0;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        net n;
        float *input = NULL, *start = NULL;
        net_random(&n, 300 + seed, BATCH);
        draw(&n, &input, &start);
        for (int c = 0; hlrp_composite_name(c); c++)
            for (int bias = HLRP_BIAS_SHARE; bias <= HLRP_BIAS_SPREAD; bias++) {
                hlrp_lrp_options o = options_for(hlrp_composite_name(c));
                engine_result e;
                if (hlrp_composite_is_gradient(hlrp_composite_name(c)))
                    continue;
                o.bias = (hlrp_bias)bias;
                o.rules.head_lrp0 = net_chance(&n, 0.5);
                engine_run(n.g, &o, input, start, &e);
                columns_are_zero(&n, &e);
                reference_balances(&n, &o, input, start);
                worst = fmax(worst, lost(&n, &e, start));
                if (!(lost(&n, &e, start) <= 1e-5))
                    fail_msg("%s, seed %d: %g of the start", hlrp_composite_name(c), (int)seed,
                             lost(&n, &e, start));
                engine_free(&e);
            }
        free(input);
        free(start);
        net_end(&n);
    }
    print_message("%d networks: at most %.1e of the start is missing\n", NETWORKS, worst);
}

/* Gradients are not corrected to a sum that they do not have. */
static void gradients_stay_gradients(void **unused) {
    (void)unused;
    net n;
    float *input = NULL, *start = NULL;
    engine_result keep, share;
    net_random(&n, 301, BATCH);
    draw(&n, &input, &start);
    hlrp_lrp_options o = options_for("gradient-x-input");
    engine_run(n.g, &o, input, start, &keep);
    o.bias = HLRP_BIAS_SHARE;
    engine_run(n.g, &o, input, start, &share);
    assert_memory_equal(keep.relevance, share.relevance,
                        (size_t)net_count(&n, n.g->input) * sizeof(float));
    engine_free(&keep);
    engine_free(&share);
    free(input);
    free(start);
    net_end(&n);
}

/* ---- by hand ---- */

/* One neuron z = 2·3 − 1·4 + 5·0 + 6 = 8 over three inputs. */
static void neuron(net *n, float input[3]) {
    static const float w[] = {2, -1, 5};
    net_begin(n, 1, 1, 3, 1, 1);
    net_gemm(n, net_flatten(n, n->g->input), 1, true);
    memcpy(net_constant(n, 1, 1), w, sizeof w);
    net_constant(n, 1, 2)[0] = 6;
    input[0] = 3;
    input[1] = 4;
    input[2] = 0;
}

static void expect(const char *composite, hlrp_bias bias, float start, const float want[3]) {
    net n;
    float input[3];
    engine_result e;
    neuron(&n, input);
    hlrp_lrp_options o = options_for(composite);
    o.bias = bias;
    engine_run(n.g, &o, input, &start, &e);
    for (int i = 0; i < 3; i++)
        if (!(fabs((double)e.relevance[i] - (double)want[i]) <= 1e-5))
            fail_msg("%s: input %d gets %g, not %g", composite, i, (double)e.relevance[i],
                     (double)want[i]);
    engine_free(&e);
    net_end(&n);
}

/* Contributions 6, −4, 0; bias 6; R = 8. Sharing goes by 6 : 4 : 0, spreading by 1 : 1 : 1. */
static void a_neuron_by_hand(void **unused) {
    (void)unused;
    /* s = 1: the bias's 6 becomes 3.6, 2.4 and 0, or 2 each. */
    expect("lrp0", HLRP_BIAS_SHARE, 8, (float[]){9.6f, -1.6f, 0});
    expect("lrp0", HLRP_BIAS_SPREAD, 8, (float[]){8, -2, 2});
    expect("lrp0", HLRP_BIAS_KEEP, 8, (float[]){6, -4, 0});
    /* gamma = 1/4, z > 0: z + (6 + 6)/4 = 11; s = 8/11 hands 8/11·(7.5 − 4); the rest, 60/11, by
     * 7.5 : 4. */
    expect("gamma", HLRP_BIAS_SHARE, 8,
           (float[]){60.f / 11 + 60.f / 11 * 7.5f / 11.5f, -32.f / 11 + 60.f / 11 * 4 / 11.5f, 0});
    expect("gamma", HLRP_BIAS_SPREAD, 8,
           (float[]){60.f / 11 + 20.f / 11, -32.f / 11 + 20.f / 11, 20.f / 11});
    /* zplus: only 6 counts; with spread 8·6/12 + 4/3. */
    expect("zplus", HLRP_BIAS_SHARE, 8, (float[]){8, 0, 0});
    expect("zplus", HLRP_BIAS_SPREAD, 8, (float[]){4 + 4.f / 3, 4.f / 3, 4.f / 3});
    /* alphabeta(2,1): 2·8 for, 8 against. */
    expect("alphabeta", HLRP_BIAS_SHARE, 8, (float[]){16, -8, 0});
    /* wsquare: 4 : 1 : 25, b² = 36 of 66 to be spread. */
    expect("wsquare", HLRP_BIAS_SHARE, 30, (float[]){4, 1, 25});
    expect("wsquare", HLRP_BIAS_SPREAD, 66, (float[]){4 + 12, 1 + 12, 25 + 12});
}

/* An output that no input contributes to has nothing to go by: its relevance is spread. */
static void nothing_to_share_by(void **unused) {
    (void)unused;
    net n;
    float input[3] = {0}, start = 6;
    engine_result e;
    static const char *const composites[] = {"lrp0", "gamma", "zplus", "alphabeta"};
    for (size_t k = 0; k < HLRP_COUNT(composites); k++) {
        neuron(&n, input);
        memset(input, 0, sizeof input);
        hlrp_lrp_options o = options_for(composites[k]);
        o.bias = HLRP_BIAS_SHARE;
        engine_run(n.g, &o, input, &start, &e);
        for (int i = 0; i < 3; i++)
            assert_float_equal(e.relevance[i], 2, 1e-6);
        engine_free(&e);
        net_end(&n);
    }
}

/* ---- starts ---- */

static void explain(const net *n, const hlrp_start *start, hlrp_bias bias, const float *input,
                    float *relevance) {
    hlrp_error err = {0};
    hlrp_backend *backend = NULL;
    hlrp_lrp *lrp = NULL;
    hlrp_lrp_worker *w = NULL;
    float rows[8] = {0}, slopes[8] = {0};
    hlrp_lrp_options o = options_for("epsilon-plus");
    const int64_t k = net_count(n, n->g->output);
    o.bias = bias;
    o.rules.head_lrp0 = true;
    check(hlrp_backend_new(&backend, &err), &err);
    check(hlrp_lrp_new(backend, n->g, &o, &lrp, &err), &err);
    check(hlrp_lrp_worker_new(lrp, &w, &err), &err);
    check(hlrp_lrp_forward(w, input, &err), &err);
    hlrp_start_fill(start, hlrp_lrp_logits(w), k, 1, rows, slopes);
    check(hlrp_lrp_relevance(w, rows, slopes, NULL, relevance, &err), &err);
    hlrp_lrp_worker_free(w);
    hlrp_lrp_free(lrp);
    hlrp_backend_free(backend);
}

/* The same number added to every logit changes no probability, so no explanation of one. */
static void a_shift_of_all_logits_changes_nothing(void **unused) {
    (void)unused;
    static const hlrp_bias modes[] = {HLRP_BIAS_KEEP, HLRP_BIAS_SHARE, HLRP_BIAS_SPREAD};
    const hlrp_start start = {.kind = HLRP_START_EVIDENCE};
    for (size_t m = 0; m < HLRP_COUNT(modes); m++) {
        net n;
        net_begin(&n, 40 + m, 1, 3, 9, 9);
        const net_conv_spec s = net_square(8, 3);
        const int x = net_relu(&n, net_conv(&n, n.g->input, &s));
        net_gemm(&n, net_global(&n, x, false), 4, true);
        const int64_t count = net_count(&n, n.g->input);
        float *input = room(count, sizeof *input), *a = room(count, sizeof *a);
        float *b = room(count, sizeof *b), *bias = net_constant(&n, n.g->node_count - 1, 2);
        double largest = 0;
        net_input(&n, input);
        explain(&n, &start, modes[m], input, a);
        for (int k = 0; k < 4; k++)
            bias[k] += 100;
        explain(&n, &start, modes[m], input, b);
        for (int64_t i = 0; i < count; i++)
            largest = fmax(largest, fabs((double)a[i]));
        for (int64_t i = 0; i < count; i++)
            assert_float_equal(a[i], b[i], 1e-4 * largest);
        free(input);
        free(a);
        free(b);
        net_end(&n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(gradients_stay_gradients),
        cmocka_unit_test(a_neuron_by_hand),
        cmocka_unit_test(nothing_to_share_by),
        cmocka_unit_test(a_shift_of_all_logits_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

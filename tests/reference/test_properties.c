/* What relevance must obey whatever the network, each property a test of its own. */
#include "versus.h"

#include "lrp/start.h"
#include "op/op.h"

typedef struct fixture {
    net n;
    float *input, *start;
    int64_t pixels, logits; /* numbers in all */
} fixture;

/* A ReLU network with a residual sum of three branches, pools, a concatenation and a head. */
static void build(fixture *f, uint64_t seed, bool bias_free, bool positive_sum) {
    net *n = &f->n;
    net_begin(n, seed, 2, 3, 13, 11);
    n->bias_free = bias_free;
    net_conv_spec s = net_square(16, 3);
    int x = net_relu(n, net_conv(n, n->g->input, &s));
    const hlrp_window max = net_window(2, 2, 0);
    x = net_pool(n, &hlrp_op_maxpool, x, &max);
    int branch[3] = {x, net_conv(n, x, &s), 0};
    if (positive_sum)
        branch[1] = net_relu(n, branch[1]);
    branch[2] = net_relu(n, net_conv(n, branch[1], &s));
    x = net_relu(n, net_add(n, branch, 3));
    s.out = 5;
    x = net_concat(n, (int[]){x, net_relu(n, net_conv(n, x, &s))}, 2);
    hlrp_window mean = net_window(3, 2, 1);
    mean.count_pad = true;
    x = net_pool(n, &hlrp_op_avgpool, x, &mean);
    x = net_relu(n, net_gemm(n, net_flatten(n, x), 33, true));
    net_gemm(n, x, 3, true);
}

static void prepare(fixture *f) {
    f->pixels = net_count(&f->n, f->n.g->input);
    f->logits = net_count(&f->n, f->n.g->output);
    f->input = room(f->pixels, sizeof(float));
    f->start = room(f->logits, sizeof(float));
    net_input(&f->n, f->input);
    for (int64_t i = 0; i < f->logits; i++)
        f->start[i] = (float)net_uniform(&f->n, 0.1, 1);
}

static void discard(fixture *f) {
    net_end(&f->n);
    free(f->input);
    free(f->start);
}

/* Flatten and one fully connected layer. */
static void build_single(fixture *f, uint64_t seed, bool bias) {
    net_begin(&f->n, seed, 2, 2, 5, 4);
    net_gemm(&f->n, net_flatten(&f->n, f->n.g->input), 6, bias);
    prepare(f);
}

static double sum(int64_t count, const double *x) {
    double total = 0;
    for (int64_t i = 0; i < count; i++)
        total += x[i];
    return total;
}

static double sum_abs(int64_t count, const double *x) {
    double total = 0;
    for (int64_t i = 0; i < count; i++)
        total += fabs(x[i]);
    return total;
}

/* Guards a lost branch of a sum, a pool that drops or doubles, a rule that does not share out all.
 */
static void relevance_is_conserved_without_biases(void **unused) {
    (void)unused;
    static const char *const composites[] = {"lrp0", "gamma", "zplus", "alphabeta",
                                             "epsilon-plus-flat"};
    for (size_t k = 0; k < HLRP_COUNT(composites); k++) {
        fixture f;
        ref_result r;
        build(&f, 11 + k, true, true);
        prepare(&f);
        hlrp_lrp_options o = options_for(composites[k]);
        o.rules.epsilon = 0;
        ref_run(f.n.g, &o, 1e-30, f.input, f.start, &r);
        const double *in = r.lrp.relevance[f.n.g->input];
        double start = 0;
        for (int64_t i = 0; i < f.logits; i++)
            start += (double)f.start[i];
        if (!(fabs(sum(f.pixels, in) - start) <= 1e-6 * sum_abs(f.pixels, in)))
            fail_msg("%s: %g of %g arrive", composites[k], sum(f.pixels, in), start);
        ref_free(&r);
        discard(&f);
    }
}

/* In float32, with the stabilizers' own share counted in. */
static void the_engine_conserves_relevance(void **unused) {
    (void)unused;
    static const char *const composites[] = {"epsilon", "gamma", "zplus", "wsquare",
                                             "epsilon-plus-flat"};
    for (size_t k = 0; k < HLRP_COUNT(composites); k++) {
        fixture f;
        engine_result e;
        build(&f, 21 + k, true, true);
        prepare(&f);
        const hlrp_lrp_options o = options_for(composites[k]);
        engine_run(f.n.g, &o, f.input, f.start, &e);
        for (int64_t s = 0; s < 2; s++) {
            double in = 0, abs_in = 0, start = 0, taken = 0;
            for (int64_t i = s * f.pixels / 2; i < (s + 1) * f.pixels / 2; i++) {
                in += (double)e.relevance[i];
                abs_in += fabs((double)e.relevance[i]);
            }
            for (int64_t i = s * f.logits / 2; i < (s + 1) * f.logits / 2; i++)
                start += (double)f.start[i];
            for (int i = 0; i < f.n.g->node_count; i++)
                taken += e.account[i * 2 + s].stabilizer + e.account[i * 2 + s].bias;
            assert_true(fabs(in + taken - start) <= 3e-5 * fmax(abs_in, start));
        }
        engine_free(&e);
        discard(&f);
    }
}

/* In a ReLU network, biases and all. Guards a wrong slope, a wrong argmax, a sum by the wrong
 * share. */
static void lrp0_is_gradient_times_input(void **unused) {
    (void)unused;
    for (uint64_t seed = 31; seed < 35; seed++) {
        fixture f;
        ref_result a, b;
        engine_result g;
        build(&f, seed, false, seed % 2);
        prepare(&f);
        const hlrp_lrp_options lrp0 = options_for("lrp0"),
                               gradient = options_for("gradient-x-input");
        ref_run(f.n.g, &gradient, 0, f.input, f.start, &b);
        engine_run(f.n.g, &gradient, f.input, f.start, &g);
        double *logit_start = room(f.logits, sizeof *logit_start);
        for (int64_t i = 0; i < f.logits; i++) /* relevance starts at start × logit */
            logit_start[i] = (double)f.start[i] * hlrp_ref_value(b.values, f.n.g->output)[i];
        ref_run_from(f.n.g, &lrp0, 1e-30, f.input, logit_start, &a);
        free(logit_start);
        const double *x = a.lrp.relevance[f.n.g->input], *y = b.lrp.relevance[f.n.g->input];
        double largest = 0, worst = 0;
        for (int64_t i = 0; i < f.pixels; i++) {
            largest = fmax(largest, fabs(y[i]));
            worst = fmax(worst, fabs(x[i] - y[i]));
        }
        if (!(largest > 0 && worst <= 1e-9 * largest))
            fail_msg("off by %g of %g", worst, largest);
        assert_true(apart(f.pixels, g.relevance, x) <= 3e-5);
        ref_free(&a);
        ref_free(&b);
        engine_free(&g);
        discard(&f);
    }
}

/* Relevance from a black and a white root differ by gradient × (white − black). */
static void a_root_shifts_gradient_times_input(void **unused) {
    (void)unused;
    static const float white[] = {1, 2, -1};
    fixture f;
    ref_result zero, one;
    engine_result e;
    build(&f, 36, false, false);
    prepare(&f);
    hlrp_lrp_options o = options_for("gradient-x-input");
    ref_run(f.n.g, &o, 0, f.input, f.start, &zero);
    o.reference = white;
    ref_run(f.n.g, &o, 0, f.input, f.start, &one);
    engine_run(f.n.g, &o, f.input, f.start, &e);
    const int64_t plane = 13 * 11;
    double *want = room(f.pixels, sizeof *want);
    for (int64_t i = 0; i < f.pixels; i++) {
        const double x = (double)f.input[i], root = (double)white[i / plane % 3];
        want[i] = zero.lrp.relevance[f.n.g->input][i] / x * (x - root);
    }
    assert_true(apart(f.pixels, e.relevance, want) <= 3e-5);
    assert_true(apart(f.pixels, e.relevance, one.lrp.relevance[f.n.g->input]) <= 3e-5);
    free(want);
    ref_free(&zero);
    ref_free(&one);
    engine_free(&e);
    discard(&f);
}

static double engine_sum(const fixture *f, const hlrp_lrp_options *o) {
    engine_result e;
    double total = 0;
    engine_run(f->n.g, o, f->input, f->start, &e);
    for (int64_t i = 0; i < f->pixels; i++)
        total += (double)e.relevance[i];
    engine_free(&e);
    return total;
}

/* Guards a stabilizer of the wrong sign, which would blow relevance up. */
static void epsilon_shrinks_the_sum(void **unused) {
    (void)unused;
    for (uint64_t seed = 41; seed < 46; seed++) {
        fixture f;
        build_single(&f, seed, false);
        double start = 0, last = INFINITY;
        for (int64_t i = 0; i < f.logits; i++)
            start += (double)f.start[i];
        for (double epsilon = 0.001; epsilon < 10; epsilon *= 4) {
            hlrp_lrp_options o = options_for("epsilon");
            o.rules.epsilon = epsilon;
            const double now = fabs(engine_sum(&f, &o));
            assert_true(now <= start * (1 + 1e-5) && now < last);
            last = now;
        }
        discard(&f);
    }
}

static void gamma_tends_to_zplus(void **unused) {
    (void)unused;
    double seen = 0;
    for (uint64_t seed = 51; seed < 56; seed++) {
        fixture f;
        engine_result g, z;
        build_single(&f, seed, true);
        for (int64_t i = 0; i < f.pixels; i++)
            f.input[i] = fabsf(f.input[i]);
        hlrp_lrp_options gamma = options_for("gamma");
        const hlrp_lrp_options zplus = options_for("zplus");
        gamma.rules.gamma = 1e5;
        engine_run(f.n.g, &zplus, f.input, f.start, &z);
        for (int64_t i = 0; i < f.logits; i++)
            f.start[i] = z.logits[i] > 0 ? f.start[i] : 0;
        engine_free(&z);
        engine_run(f.n.g, &zplus, f.input, f.start, &z);
        engine_run(f.n.g, &gamma, f.input, f.start, &g);
        double *want = room(f.pixels, sizeof *want);
        for (int64_t i = 0; i < f.pixels; i++)
            want[i] = (double)z.relevance[i];
        seen += sum_abs(f.pixels, want);
        assert_true(apart(f.pixels, g.relevance, want) <= 1e-4);
        free(want);
        engine_free(&g);
        engine_free(&z);
        discard(&f);
    }
    assert_true(seen > 1);
}

/* Over sums of non-negative branches. Guards a swap of W⁺ and W⁻. */
static void zplus_and_flat_are_positive(void **unused) {
    (void)unused;
    static const char *const composites[] = {"zplus", "flat", "wsquare"};
    for (size_t k = 0; k < HLRP_COUNT(composites); k++) {
        fixture f;
        engine_result e;
        build(&f, 61 + k, false, true);
        prepare(&f);
        const hlrp_lrp_options o = options_for(composites[k]);
        engine_run(f.n.g, &o, f.input, f.start, &e);
        double total = 0;
        for (int64_t i = 0; i < f.pixels; i++) {
            assert_true(e.relevance[i] >= 0);
            total += (double)e.relevance[i];
        }
        assert_true(total > 0);
        engine_free(&e);
        discard(&f);
    }
}

static void assert_all_finite(const fixture *f, const hlrp_lrp_options *o) {
    engine_result e;
    engine_run(f->n.g, o, f->input, f->start, &e);
    for (int64_t i = 0; i < f->pixels; i++)
        if (!isfinite(e.relevance[i]))
            fail_msg("%s: relevance is not finite", o->rules.composite);
    for (int i = 0; i < f->n.g->node_count * 2; i++)
        assert_true(isfinite(e.account[i].in) && isfinite(e.account[i].bias) &&
                    isfinite(e.account[i].stabilizer));
    engine_free(&e);
}

/* An empty tile through a network without biases: every z is exactly 0. Guards 0 / 0, which rms and
 * epsilon(0) gave: their stabilizer is 0 too. */
static void relevance_is_finite_where_z_is_zero(void **unused) {
    (void)unused;
    static const hlrp_rule_override zero[] = {{"@conv", "epsilon(0)", 0},
                                              {"@sum", "epsilon(0)", 0},
                                              {"@linear", "epsilon(0.25,rms)", 0},
                                              {"@first", "zbox", 0}};
    fixture f;
    build(&f, 71, true, false);
    prepare(&f);
    memset(f.input, 0, (size_t)f.pixels / 2 * sizeof(float)); /* one of two samples */
    for (int64_t i = 0; i < f.logits; i++)
        f.start[i] = 1;
    for (int c = 0; hlrp_composite_name(c); c++) {
        hlrp_lrp_options o = options_for(hlrp_composite_name(c));
        assert_all_finite(&f, &o);
        o.rules.overrides = zero;
        o.rules.override_count = HLRP_COUNT(zero);
        assert_all_finite(&f, &o);
    }
    discard(&f);
}

static void relevance_is_linear_in_the_start(void **unused) {
    (void)unused;
    static const char *const composites[] = {"lrp0-epsilon-gamma", "epsilon-plus", "gamma",
                                             "epsilon-gamma-box", "gradient-x-input"};
    for (size_t k = 0; k < HLRP_COUNT(composites); k++) {
        fixture f;
        engine_result e[3];
        build(&f, 81 + k, false, false);
        prepare(&f);
        const hlrp_lrp_options o = options_for(composites[k]);
        float *other = room(f.logits, sizeof *other), *both = room(f.logits, sizeof *both);
        for (int64_t i = 0; i < f.logits; i++) {
            other[i] = (float)net_uniform(&f.n, -1, 1);
            both[i] = 2 * f.start[i] - 3 * other[i];
        }
        engine_run(f.n.g, &o, f.input, f.start, &e[0]);
        engine_run(f.n.g, &o, f.input, other, &e[1]);
        engine_run(f.n.g, &o, f.input, both, &e[2]);
        double largest = 0;
        for (int64_t i = 0; i < f.pixels; i++)
            largest =
                fmax(largest, fabs((double)e[0].relevance[i]) + fabs((double)e[1].relevance[i]));
        for (int64_t i = 0; i < f.pixels; i++) {
            const double want = 2 * (double)e[0].relevance[i] - 3 * (double)e[1].relevance[i];
            assert_true(fabs((double)e[2].relevance[i] - want) <= 3e-5 * largest);
        }
        for (int i = 0; i < 3; i++)
            engine_free(&e[i]);
        free(other);
        free(both);
        discard(&f);
    }
}

/* Guards relevance left over in a buffer from an earlier layer. */
static void zero_start_gives_zero(void **unused) {
    (void)unused;
    fixture f;
    engine_result e;
    build(&f, 91, false, false);
    prepare(&f);
    memset(f.start, 0, (size_t)f.logits * sizeof(float));
    const hlrp_lrp_options o = options_for("lrp0-epsilon-gamma");
    engine_run(f.n.g, &o, f.input, f.start, &e);
    for (int64_t i = 0; i < f.pixels; i++)
        assert_true(e.relevance[i] == 0);
    engine_free(&e);
    discard(&f);
}

/* R_k = a_k Σ_j (w_kc − w_kj) q_j, whatever rule the composite has for the last layer. */
static void logodds_share_out_weight_differences(void **unused) {
    (void)unused;
    const hlrp_start start = {HLRP_START_LOGODDS, 0};
    fixture f;
    ref_result r;
    engine_result e;
    build(&f, 101, false, false);
    prepare(&f);
    hlrp_lrp_options o = options_for("zplus");
    o.rules.head_lrp0 = hlrp_start_needs_lrp0_head(&start);
    ref_run(f.n.g, &o, 0, f.input, f.start, &r);
    const hlrp_node *head = &f.n.g->nodes[f.n.g->node_count - 1];
    const int before = head->in[0], units = (int)f.n.g->values[before].dims.d[1];
    const double *a = hlrp_ref_value(r.values, before), *w = hlrp_ref_value(r.values, head->in[1]);
    const double *z = hlrp_ref_value(r.values, f.n.g->output);
    double *want = room(2 * units, sizeof *want);
    for (int s = 0; s < 2; s++) {
        const int c = s, p = (c + 1) % 3, t = (c + 2) % 3; /* target, the other two */
        const float logits[3] = {(float)z[s * 3], (float)z[s * 3 + 1], (float)z[s * 3 + 2]};
        const double q = 1 / (1 + exp(z[s * 3 + t] - z[s * 3 + p])), *x = a + s * units;
        hlrp_start_fill(&start, logits, 3, c, f.start + s * 3, NULL);
        for (int k = 0; k < units; k++)
            want[s * units + k] = x[k] * (q * (w[c * units + k] - w[p * units + k]) +
                                          (1 - q) * (w[c * units + k] - w[t * units + k]));
    }
    engine_run(f.n.g, &o, f.input, f.start, &e);
    assert_true(apart(2 * units, e.layers[before], want) <= 3e-5);
    free(want);
    ref_free(&r);
    engine_free(&e);
    discard(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relevance_is_conserved_without_biases),
        cmocka_unit_test(the_engine_conserves_relevance),
        cmocka_unit_test(lrp0_is_gradient_times_input),
        cmocka_unit_test(a_root_shifts_gradient_times_input),
        cmocka_unit_test(epsilon_shrinks_the_sum),
        cmocka_unit_test(gamma_tends_to_zplus),
        cmocka_unit_test(zplus_and_flat_are_positive),
        cmocka_unit_test(relevance_is_finite_where_z_is_zero),
        cmocka_unit_test(relevance_is_linear_in_the_start),
        cmocka_unit_test(zero_start_gives_zero),
        cmocka_unit_test(logodds_share_out_weight_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

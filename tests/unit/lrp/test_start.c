/* Starts and probabilities, by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lrp/start.h"

static const float logits[3] = {1, 2, -0.5f};

static void fill(hlrp_start_kind kind, int64_t against, const float *z, int64_t n, int64_t target,
                 float *r) {
    const hlrp_start start = {kind, against};
    hlrp_start_fill(&start, z, n, target, r, NULL);
}

static void simple_starts(void **unused) {
    (void)unused;
    float r[3];
    fill(HLRP_START_LOGIT, 0, logits, 3, 1, r);
    assert_true(r[0] == 0 && r[1] == 2 && r[2] == 0);
    fill(HLRP_START_ONE, 0, logits, 3, 2, r);
    assert_true(r[0] == 0 && r[1] == 0 && r[2] == 1);
    fill(HLRP_START_PROBABILITY, 0, logits, 3, 0, r);
    const double total = exp(1) + exp(2) + exp(-0.5);
    assert_float_equal(r[0], exp(1) / total, 1e-6);
    assert_true(r[1] == 0 && r[2] == 0);
}

/* For class 0: q over classes 1 and 2 is softmax(z) among them. */
static void logodds_by_hand(void **unused) {
    (void)unused;
    float r[3];
    const double q1 = exp(2) / (exp(2) + exp(-0.5)), q2 = 1 - q1;
    fill(HLRP_START_LOGODDS, 0, logits, 3, 0, r);
    assert_float_equal(r[0], 1, 1e-6);
    assert_float_equal(r[1], -q1 * 2, 1e-6);
    assert_float_equal(r[2], -q2 * -0.5, 1e-6);
    fill(HLRP_START_PAIR, 2, logits, 3, 1, r);
    assert_true(r[0] == 0 && r[1] == 2 && r[2] == 0.5f);
    /* Nothing speaks for a class against itself: this was the plain logit once. */
    fill(HLRP_START_PAIR, 1, logits, 3, 1, r);
    assert_true(r[0] == 0 && r[1] == 0 && r[2] == 0);
}

/* Σ R = Σ_j q_j (z_c − z_j): the sum of the pairs' relevances. */
static void logodds_sums_to_the_pairs(void **unused) {
    (void)unused;
    float r[3];
    for (int64_t c = 0; c < 3; c++) {
        double total = 0, want = 0;
        for (int j = 0; j < 3; j++)
            total += j == c ? 0 : exp((double)logits[j]);
        for (int j = 0; j < 3; j++)
            if (j != c)
                want += exp((double)logits[j]) / total * (double)(logits[c] - logits[j]);
        fill(HLRP_START_LOGODDS, 0, logits, 3, c, r);
        assert_float_equal(r[0] + r[1] + r[2], want, 1e-5);
    }
}

/* exp(1000) is infinite: a softmax that does not shift gives NaN. */
static void large_logits_do_not_overflow(void **unused) {
    (void)unused;
    const float large[3] = {1000, 990, -1e30f};
    float r[3], p[3];
    hlrp_probabilities(HLRP_PROBABILITY_SOFTMAX, large, 3, p);
    assert_float_equal(p[0], 1 / (1 + exp(-10)), 1e-6);
    assert_true(p[2] == 0);
    fill(HLRP_START_LOGODDS, 0, large, 3, 2, r);
    assert_float_equal(r[0], -1000 / (1 + exp(-10)), 1e-2);
    assert_true(isfinite(r[1]) && isfinite(r[2]));
    fill(HLRP_START_PROBABILITY, 0, large, 3, 1, r);
    assert_float_equal(r[1], 1 / (1 + exp(10)), 1e-8);
    const float one[1] = {-2000};
    hlrp_probabilities(HLRP_PROBABILITY_SIGMOID, one, 1, p);
    assert_true(p[1] == 0 && p[0] == 1);
}

/* Class 0 of a one-output network is minus class 1, whatever the start. */
static void one_output_is_two_classes(void **unused) {
    (void)unused;
    static const hlrp_start_kind kinds[] = {HLRP_START_LOGIT, HLRP_START_PROBABILITY,
                                            HLRP_START_ONE, HLRP_START_LOGODDS, HLRP_START_PAIR};
    const float z[1] = {0.75f};
    const double want[] = {0.75, 1 / (1 + exp(-0.75)), 1, 0.75, 0.75};
    assert_int_equal(hlrp_class_count(1), 2);
    assert_int_equal(hlrp_class_count(2), 2);
    for (size_t k = 0; k < HLRP_COUNT(kinds); k++) {
        float one[1], zero[1];
        fill(kinds[k], 0, z, 1, 1, one);
        fill(kinds[k], 1, z, 1, 0, zero);
        assert_float_equal(one[0], want[k], 1e-6);
        assert_true(zero[0] == -one[0]);
    }
    float p[2];
    hlrp_probabilities(HLRP_PROBABILITY_SIGMOID, z, 1, p);
    assert_float_equal(p[1], want[1], 1e-6);
    assert_float_equal(p[0] + p[1], 1, 1e-6);
    hlrp_probabilities(HLRP_PROBABILITY_NONE, z, 1, p);
    assert_true(p[0] == -0.75f && p[1] == 0.75f);
}

static void predictions(void **unused) {
    (void)unused;
    float p[3];
    hlrp_probabilities(HLRP_PROBABILITY_SIGMOID, logits, 3, p);
    assert_float_equal(p[2], 1 / (1 + exp(0.5)), 1e-6);
    hlrp_probabilities(HLRP_PROBABILITY_NONE, logits, 3, p);
    assert_int_equal(hlrp_predicted(p, 3), 1);
    const float tie[4] = {0.1f, 0.4f, 0.4f, 0.1f};
    assert_int_equal(hlrp_predicted(tie, 4), 1); /* the first of equals */
}

/* The start is log(p / (1 − p)): its sign is that of p against the rest. With three classes logodds
 * is larger by the entropy of the two others: at p = 0.4 it says for what the network is against. */
static void evidence_has_the_sign_of_the_network(void **unused) {
    (void)unused;
    const float z[3] = {0.4054651f, 0, 0}; /* 1.5 : 1 : 1 */
    float r[3], slope[3];
    const hlrp_start start = {HLRP_START_EVIDENCE, 0};
    hlrp_start_fill(&start, z, 3, 0, r, slope);
    const double p = 1.5 / 3.5;
    assert_float_equal(r[0] + r[1] + r[2], log(p / (1 - p)), 1e-6);
    assert_true(r[0] + r[1] + r[2] < 0);
    assert_float_equal(slope[0], 1, 1e-7);
    assert_float_equal(slope[1], -0.5, 1e-7);
    assert_float_equal(slope[2], -0.5, 1e-7);
    fill(HLRP_START_LOGODDS, 0, z, 3, 0, r);
    assert_true(r[0] + r[1] + r[2] > 0);
    /* Two classes: the same start. */
    float a[2], b[2];
    fill(HLRP_START_EVIDENCE, 0, logits, 2, 1, a);
    fill(HLRP_START_LOGODDS, 0, logits, 2, 1, b);
    assert_float_equal(a[0], b[0], 1e-6);
    assert_float_equal(a[1], b[1], 1e-6);
}

static void which_starts_need_lrp0(void **unused) {
    (void)unused;
    for (int k = HLRP_START_LOGIT; k <= HLRP_START_EVIDENCE; k++) {
        const hlrp_start s = {(hlrp_start_kind)k, 0};
        assert_int_equal(hlrp_start_needs_lrp0_head(&s), k >= HLRP_START_LOGODDS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_starts),
        cmocka_unit_test(logodds_by_hand),
        cmocka_unit_test(logodds_sums_to_the_pairs),
        cmocka_unit_test(large_logits_do_not_overflow),
        cmocka_unit_test(one_output_is_two_classes),
        cmocka_unit_test(predictions),
        cmocka_unit_test(evidence_has_the_sign_of_the_network),
        cmocka_unit_test(which_starts_need_lrp0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

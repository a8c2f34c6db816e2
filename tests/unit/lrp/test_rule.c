/* How rules are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lrp/rule.h"

static const hlrp_rule defaults = {
    .kind = HLRP_RULE_PASS, .epsilon = 1e-6, .gamma = 0.25, .alpha = 2, .beta = 1};

static void good_texts(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        hlrp_rule want;
    } cases[] = {
        {"lrp0", {HLRP_RULE_LRP0, 1e-6, false, 0.25, 2, 1}},
        {"epsilon", {HLRP_RULE_EPSILON, 1e-6, false, 0.25, 2, 1}},
        {"epsilon(0.25)", {HLRP_RULE_EPSILON, 0.25, false, 0.25, 2, 1}},
        {"epsilon(0.25,rms)", {HLRP_RULE_EPSILON, 0.25, true, 0.25, 2, 1}},
        {" Epsilon ( 1/4 , absolute ) ", {HLRP_RULE_EPSILON, 0.25, false, 0.25, 2, 1}},
        {"epsilon(0)", {HLRP_RULE_EPSILON, 0, false, 0.25, 2, 1}},
        {"gamma", {HLRP_RULE_GAMMA, 1e-6, false, 0.25, 2, 1}},
        {"GAMMA(1e3)\t", {HLRP_RULE_GAMMA, 1e-6, false, 1000, 2, 1}},
        {"zplus", {HLRP_RULE_ZPLUS, 1e-6, false, 0.25, 2, 1}},
        {"alphabeta", {HLRP_RULE_ALPHABETA, 1e-6, false, 0.25, 2, 1}},
        {"alphabeta(3)", {HLRP_RULE_ALPHABETA, 1e-6, false, 0.25, 3, 2}},
        {"alphabeta(1,0)", {HLRP_RULE_ALPHABETA, 1e-6, false, 0.25, 1, 0}},
        {"zbox", {HLRP_RULE_ZBOX, 1e-6, false, 0.25, 2, 1}},
        {"wsquare", {HLRP_RULE_WSQUARE, 1e-6, false, 0.25, 2, 1}},
        {"flat", {HLRP_RULE_FLAT, 1e-6, false, 0.25, 2, 1}},
        {"pass", {HLRP_RULE_PASS, 1e-6, false, 0.25, 2, 1}},
        {"norm", {HLRP_RULE_NORM, 1e-6, false, 0.25, 2, 1}},
        {"gradient", {HLRP_RULE_GRADIENT, 1e-6, false, 0.25, 2, 1}},
    };
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        hlrp_rule r = {0};
        hlrp_error err = {0};
        assert_int_equal(hlrp_rule_parse(cases[i].text, &defaults, &r, &err), HLRP_OK);
        const hlrp_rule *w = &cases[i].want;
        if (r.kind != w->kind || r.epsilon != w->epsilon || r.rms != w->rms ||
            r.gamma != w->gamma || r.alpha != w->alpha || r.beta != w->beta)
            fail_msg("'%s' is read wrong", cases[i].text);
    }
}

static void bad_texts(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *tells; /* in what is wrong, or how to mend it */
    } cases[] = {
        {"", "unknown rule"},
        {"gama(0.25)", "did you mean gamma"},
        {"zplas", "did you mean zplus"},
        {"gamma(-0.25)", "not negative"},
        {"epsilon(-1e-6)", "not negative"},
        {"gamma(x)", "numbers"},
        {"gamma(nan)", "numbers"},
        {"gamma(inf)", "numbers"},
        {"gamma(0.25,1)", "more parameters"},
        {"epsilon(0.25,RMSE)", "rms or absolute"},
        {"epsilon(rms)", "numbers"},
        {"epsilon(1,rms,2)", "more parameters"},
        {"zplus(1)", "more parameters"},
        {"lrp0(0)", "more parameters"},
        {"alphabeta(2,2)", "alpha - beta must be 1"},
        {"alphabeta(0.5)", "negative"}, /* beta would be −0.5 */
        {"gamma(0.25", "write it as"},
        {"gamma()", "write it as"},
        {"gamma(0.25) x", "write it as"},
        {"gamma 0.25", "write it as"},
        {"gamma((0.25))", "write it as"},
    };
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        hlrp_rule r = {0};
        hlrp_error err = {0};
        if (hlrp_rule_parse(cases[i].text, &defaults, &r, &err) != HLRP_E_CONFIG)
            fail_msg("'%s' is not refused", cases[i].text);
        if (!strstr(err.what, cases[i].tells) && !strstr(err.mend, cases[i].tells))
            fail_msg("'%s' is refused with '%s: %s'", cases[i].text, err.what, err.mend);
    }
}

/* A name longer than any buffer. */
static void long_texts(void **unused) {
    (void)unused;
    char text[4000];
    hlrp_rule r = {0};
    hlrp_error err = {0};
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(hlrp_rule_parse(text, &defaults, &r, &err), HLRP_E_CONFIG);
    memcpy(text, "gamma(", 6);
    assert_int_equal(hlrp_rule_parse(text, &defaults, &r, &err), HLRP_E_CONFIG);
}

/* What is printed reads back as the same rule: results record it. */
static void texts_read_back(void **unused) {
    (void)unused;
    static const char *const texts[] = {"lrp0",
                                        "epsilon(0.25,rms)",
                                        "epsilon(1e-06)",
                                        "epsilon(0.123456789)",
                                        "gamma(0.3333333333333333)",
                                        "alphabeta(2.1,1.1)",
                                        "zbox",
                                        "pass"};
    for (size_t i = 0; i < HLRP_COUNT(texts); i++) {
        hlrp_rule a = {0}, b = {0};
        hlrp_error err = {0};
        char text[96];
        assert_int_equal(hlrp_rule_parse(texts[i], &defaults, &a, &err), HLRP_OK);
        hlrp_rule_text(&a, text, sizeof text);
        assert_int_equal(hlrp_rule_parse(text, &defaults, &b, &err), HLRP_OK);
        if (a.kind != b.kind || a.epsilon != b.epsilon || a.rms != b.rms || a.gamma != b.gamma ||
            a.alpha != b.alpha || a.beta != b.beta)
            fail_msg("'%s' is printed as '%s'", texts[i], text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts),
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(texts_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

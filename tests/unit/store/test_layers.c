/* What the account of layers comes to, by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"

/* Four layers: one that loses 30 of 100, one that creates 75 of 100, one by the gradient, which
 * conserves nothing, and one at which nothing arrives. */
static double out[] = {40, 50, 50, 0}, out_abs[] = {100, 100, 100, 0};
static double in[] = {10, 125, -900, 0}, in_abs[] = {50, 12000, 900, 3};
static double bias[] = {20, -75, 0, 0}, stabilizer[] = {10, 0.2, 0, 0};
static char *nodes[] = {"a", "b", "c", "d"};
static char *rules[] = {"epsilon(1e-06)", "gamma(0.25)", "gradient", "pass"};

static double constant[4], normalization[4];

static hlrp_layers account(void) {
    return (hlrp_layers){.count = 4,
                         .nodes = {.items = nodes, .count = 4},
                         .rules = {.items = rules, .count = 4},
                         .values = {[HLRP_ACCOUNT_OUT] = out,
                                    [HLRP_ACCOUNT_OUT_ABS] = out_abs,
                                    [HLRP_ACCOUNT_IN] = in,
                                    [HLRP_ACCOUNT_IN_ABS] = in_abs,
                                    [HLRP_ACCOUNT_BIAS] = bias,
                                    [HLRP_ACCOUNT_STABILIZER] = stabilizer,
                                    [HLRP_ACCOUNT_CONSTANT] = constant,
                                    [HLRP_ACCOUNT_NORMALIZATION] = normalization}};
}

static void losses(void **unused) {
    (void)unused;
    const hlrp_layers l = account();
    assert_float_equal(hlrp_layers_loss(&l, 0), 0.3, 1e-12);
    assert_float_equal(hlrp_layers_loss(&l, 1), -0.75, 1e-12);
    assert_true(hlrp_layers_loss(&l, 2) == 0 && hlrp_layers_loss(&l, 3) == 0);
}

/* Nothing can grow from nothing, and an older file does not say. */
static void growth(void **unused) {
    (void)unused;
    hlrp_layers l = account();
    double unknown[4] = {NAN, NAN, NAN, NAN};
    assert_float_equal(hlrp_layers_growth(&l, 0), 0.5, 1e-12);
    assert_float_equal(hlrp_layers_growth(&l, 1), 120, 1e-9);
    assert_true(hlrp_layers_growth(&l, 3) == 0);
    l.values[HLRP_ACCOUNT_IN_ABS] = unknown;
    assert_true(hlrp_layers_growth(&l, 1) == 0);
}

static void the_worst_is_named(void **unused) {
    (void)unused;
    const hlrp_layers l = account();
    hlrp_str text = {0};
    hlrp_layers_sentence(&l, 0.5, &text);
    assert_string_equal(text.text,
                        "layer b (gamma(0.25)) creates 75 % of the relevance that reaches "
                        "it (biases took -75 %, the stabilizer 0 %)");
    /* what constants took is told where there is any */
    hlrp_str_free(&text);
    text = (hlrp_str){0};
    constant[1] = -0.2 * out_abs[1];
    hlrp_layers_sentence(&l, 0.5, &text);
    assert_non_null(strstr(text.text, "the stabilizer 0 %, constants -20 %)"));
    constant[1] = 0;
    hlrp_str_free(&text);
    hlrp_layers_sentence(&l, 0.8, &text);
    assert_int_equal(text.length, 0);
    hlrp_str_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(losses), cmocka_unit_test(growth),
                                       cmocka_unit_test(the_worst_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What [mil] pixels and baselines may say. Guards: 5 % taken for 5, a word's beginning taken for the word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/mil.h"

static void pixels(const char *text, bool mass, double share) {
    hlrp_mil_pixels p = {.mass = !mass, .share = -1};
    if (!hlrp_mil_pixels_parse(text, &p))
        fail_msg("%s: refused", text);
    assert_int_equal(p.mass, mass);
    assert_true(p.share == share);
}

static void choices_of_pixels(void **state) {
    (void)state;
    pixels("none", false, 0);
    pixels("all", false, 1);
    pixels("top 5%", false, 0.05);
    pixels("top 12.5 %", false, 0.125);
    pixels("top   100%", false, 1);
    pixels("mass 90%", true, 0.9);
    pixels("mass 0.5  %", true, 0.005);
}

static void no_choices_of_pixels(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",           "None",
        "all ",       "top",
        "top ",       "top 5",
        "top5%",      "topmost 5%",
        "mass 0%",    "mass 100.1%",
        "mass -5%",   "mass nan%",
        "mass 5%%",   "top 5% ",
        "% 5",        "top %",
        "top 1e999%", "mass 5% 6%",
        "top 0x5%",   "top 00000000000000000000000000000000000000000000000000005%"};
    for (size_t i = 0; i < HLRP_COUNT(wrong); i++) {
        hlrp_mil_pixels p;
        if (hlrp_mil_pixels_parse(wrong[i], &p))
            fail_msg("\"%s\" is taken", wrong[i]);
    }
}

static bool baselines(int64_t *bits, int64_t count, const char *a, const char *b) {
    char *items[] = {(char *)a, (char *)b};
    const hlrp_text_list names = {.items = items, .count = count};
    return hlrp_mil_baselines_parse(&names, bits);
}

static void names_of_baselines(void **state) {
    (void)state;
    int64_t bits = -1;
    assert_true(baselines(&bits, 0, NULL, NULL) && bits == 0);
    assert_true(baselines(&bits, 1, "none", NULL) && bits == 0);
    assert_true(baselines(&bits, 1, "attention", NULL) && bits == HLRP_MIL_ATTENTION);
    assert_true(baselines(&bits, 2, "drop", "single") && bits == (HLRP_MIL_DROP | HLRP_MIL_SINGLE));
    assert_true(baselines(&bits, 2, "drop", "drop") && bits == HLRP_MIL_DROP);
    assert_true(baselines(&bits, 1, "gradient-x-input", NULL) && bits == HLRP_MIL_GRADIENT);
    assert_false(baselines(&bits, 1, "attentio", NULL));
    assert_false(baselines(&bits, 1, "", NULL));
    assert_false(baselines(&bits, 2, "none", "single"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(choices_of_pixels),
                                       cmocka_unit_test(no_choices_of_pixels),
                                       cmocka_unit_test(names_of_baselines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

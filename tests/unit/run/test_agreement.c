/* The batch's one warning that map and network do not agree: when it is said, and that it says what helps.
 * Guards: a batch without fault that is warned of, 0.4 % told as 0 %. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run/agreement.h"

static void says(hlrp_agreement a, const char *want) {
    hlrp_str s = {0};
    hlrp_agreement_warning(&a, &s);
    assert_string_equal(s.text ? s.text : "", want);
    hlrp_str_free(&s);
}

#define HELP "; lrp.bias = share, lrp.start = auto or another lrp.composite may help"
#define OTHER_SIGN                                                                                 \
    " the map adds up to the other sign, and its colors there do not mean what they say"

static void the_warning_is_a_sentence_or_nothing(void **state) {
    (void)state;
    says((hlrp_agreement){.compared = 0, .over_start = NAN}, "");
    /* 25 of 1000 differ, but of those that are clear 9 of 900: the network was undecided on the rest. */
    says(
        (hlrp_agreement){
            .compared = 1000, .differ = 25, .clear = 900, .clear_differ = 9, .over_start = 20},
        "");
    says(
        (hlrp_agreement){
            .compared = 350, .differ = 350, .clear = 315, .clear_differ = 315, .over_start = 1.5},
        "map and network do not agree: on 315 of 315 tiles on which the network is decided (100 "
        "%)" OTHER_SIGN HELP);
    says((hlrp_agreement){.clear = 1000, .clear_differ = 996, .over_start = 1},
         "map and network do not agree: on 996 of 1000 tiles on which the network is decided (99.6 "
         "%)" OTHER_SIGN HELP);
    says(
        (hlrp_agreement){.compared = 10, .clear = 9, .over_start = 62.04},
        "the map is out of proportion: in the median tile Σ|relevance| is 62 times the start: most "
        "of what the map shows cancels out" HELP);
    says((hlrp_agreement){.clear = 200, .clear_differ = 5, .over_start = 2e4},
         "map and network do not agree: on 5 of 200 tiles on which the network is decided (2 "
         "%)" OTHER_SIGN
         "; in the median tile Σ|relevance| is 2e+04 times the start: most of what the map shows "
         "cancels out" HELP);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_warning_is_a_sentence_or_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

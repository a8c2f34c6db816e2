#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/util.h"

/* Guards: "model name" read for "model", blanks of the table left in, a text that ends early. */
static void says_the_model(void **unused) {
    (void)unused;
    static const struct {
        const char *info, *name;
    } cases[] = {
        {"processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC "
         "9R14\nstepping\t: 1\n",
         "AMD EPYC 9R14, family 25, model 17"},
        {"model name : A\nmodel : 6\ncpu family : 6\nmodel name : B\n", "A, family 6, model 6"},
        {"model name: X\n", "X, family , model "},
        {"model name\t: cut", "cut, family , model "},
        {"modelname : X\nmodel name\n", "unknown"},
        {"Processor : ARMv8\n", "unknown"},
        {"", "unknown"},
    };
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        char name[HLRP_PROCESSOR_SIZE] = "before";
        hlrp_processor_of(cases[i].info, name);
        assert_string_equal(name, cases[i].name);
    }
}

/* Guards: a name that is written over what lies behind it. */
static void cuts_long_names(void **unused) {
    (void)unused;
    char info[1000] = "model name : ";
    char room[HLRP_PROCESSOR_SIZE + 1];
    memset(info + 13, 'x', 900);
    room[HLRP_PROCESSOR_SIZE] = '#';
    hlrp_processor_of(info, room);
    assert_true(strlen(room) < HLRP_PROCESSOR_SIZE);
    assert_int_equal(room[HLRP_PROCESSOR_SIZE], '#');
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_the_model),
                                       cmocka_unit_test(cuts_long_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
